"""Where the function's layers come from, and who else may use them."""

from collections.abc import Iterator
from typing import Literal

from msgspec import field, structs
from typing_extensions import override

from checkpoint_infra.settings.kinds import AccountId, LayerArn, LayerName, OrganizationId, Text
from checkpoint_infra.settings.sections.base import Section

__all__ = ["Layer", "Layers"]


class Layer(Section, frozen=True):
    """Where one layer comes from.

    `build` publishes the built archive whenever its content changed, and with another `renewal`
    text also when it did not; `reuse` takes the newest existing version of that name; `external`
    takes the version that `arn` names, also another account's. Each version that is published
    may be used by the accounts of `shared_with`, and by all of `shared_with_organization`.
    """

    mode: Literal["build", "reuse", "external"] = "build"
    name: LayerName | None = None
    arn: LayerArn | None = None
    renewal: Text | None = None
    shared_with: list[AccountId] = field(default_factory=list)
    shared_with_organization: OrganizationId | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Refuse what the mode would ignore."""
        if (self.mode == "external") != (self.arn is not None):
            yield "arn, with its version, belongs to mode external, which needs it"
        if self.renewal is not None and self.mode != "build":
            yield "renewal belongs to mode build"
        if self.name is not None and self.mode == "external":
            yield "name belongs to modes build and reuse"
        if (self.shared_with or self.shared_with_organization) and self.mode != "build":
            yield "sharedWith belongs to mode build: whoever publishes a layer shares it"
        if len(set(self.shared_with)) < len(self.shared_with):
            yield "sharedWith: names an account twice"


class Layers(Section, frozen=True):
    """The three layers; the function sees them in this order."""

    observability: Layer = Layer()
    data_processing: Layer = Layer()
    aws_sdk: Layer = Layer()

    def by_name(self) -> dict[str, Layer]:
        """Return each layer by the name of its archive, in order."""
        return {
            each.name.replace("_", "-"): getattr(self, each.name) for each in structs.fields(self)
        }

"""The function's layers: each built, reused or given, independently of the others."""

import pulumi
import pulumi_aws as aws

from checkpoint_infra.compute.artifacts import Artifacts
from checkpoint_infra.naming import Names
from checkpoint_infra.settings.sections.layers import Layer
from checkpoint_infra.settings.stack import Configuration

__all__ = ["LayerMismatchError", "LayerNotFoundError", "Layers"]


class LayerNotFoundError(Exception):
    """A layer is to be reused, and there is none."""


class LayerMismatchError(Exception):
    """A layer is to be reused, and the newest one is not of the build that is deployed."""


class Layers(pulumi.ComponentResource):
    """The layers' ARNs by the names of their archives, in the order that the function sees.

    Guarantee: a new version is published only where an archive's content (or `renewal`) changed,
    and no version is ever removed; `prune_layers.py` does that.

    Args:
        config: the stack's configuration.
        artifacts: the built archives; only those of layers in mode `build` are looked at.
        bucket: the bucket through which they are published; unused without such layers.

    Raises LayerNotFoundError, LayerMismatchError, and ArtifactError for missing archives.
    """

    arns: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        config: Configuration,
        artifacts: Artifacts,
        bucket: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:Layers", "layers", None, opts)
        self._config = config
        self._names = Names(config)
        self._artifacts = artifacts
        self._bucket = bucket
        self.arns = {
            name: self._arn(name, layer) for name, layer in config.layers.by_name().items()
        }
        self.register_outputs({"arns": self.arns})

    def _arn(self, name: str, layer: Layer) -> pulumi.Output[str]:
        if layer.arn is not None:
            return pulumi.Output.from_input(layer.arn)
        if layer.mode == "reuse":
            return pulumi.Output.from_input(self._existing(name))
        return self._published(name, layer)

    def _existing(self, name: str) -> str:
        function = self._config.function
        published = self._names.layer(name)
        try:
            found = aws.lambda_.get_layer_version(
                layer_name=published,
                compatible_runtime=function.runtime,
                compatible_architecture=function.architecture,
                opts=pulumi.InvokeOptions(parent=self),
            )
        # Pulumi raises nothing more particular for what a provider reports.
        except Exception as error:
            raise LayerNotFoundError(
                f"layers.{name}: no layer {published} for {function.runtime} on "
                f"{function.architecture} was found in {self._config.region} ({error}). Set "
                "its mode to build, or to external with the ARN of a version."
            ) from error
        wanted = self._artifacts.identity(name)
        # An archive of the same contents may be packed in other bytes.
        if wanted.digest not in found.description and wanted.code_hash != found.code_sha256:
            raise LayerMismatchError(
                f"layers.{name}: {found.arn}, the newest of its name, is not of the build that is "
                "deployed, and the layers of one function must be. Deploy the build that published "
                "it, publish this build's layers first (mode build, or the stack that builds), or "
                "name the version that it published (mode external)."
            )
        return found.arn

    def _published(self, name: str, layer: Layer) -> pulumi.Output[str]:
        archive = self._artifacts.layer(name)
        digest = archive.identity.digest
        if self._bucket is None:
            raise ValueError("layers are published through a bucket")
        uploaded = aws.s3.BucketObjectv2(
            name,
            bucket=self._bucket,
            # Named by its content: what has not changed is not uploaded again.
            key=f"{self._config.artifacts.prefix}{name}/{digest}.zip",
            source=pulumi.FileAsset(str(archive.path)),
            source_hash=digest,
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Another description is another version, as is another key.
        described = [f"{name} for {self._config.service}", layer.renewal, f"content {digest}"]
        version = aws.lambda_.LayerVersion(
            name,
            layer_name=self._names.layer(name),
            description=", ".join(filter(None, described)),
            s3_bucket=uploaded.bucket,
            s3_key=uploaded.key,
            compatible_runtimes=[self._config.function.runtime],
            compatible_architectures=[self._config.function.architecture],
            skip_destroy=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._share(name, layer, version)
        return version.arn

    def _share(self, name: str, layer: Layer, version: aws.lambda_.LayerVersion) -> None:
        """Let other accounts use a version; what they use already stays theirs."""
        sharing: dict[str, tuple[str, str | None]] = {
            account: (account, None) for account in layer.shared_with
        }
        if layer.shared_with_organization:
            sharing["organization"] = ("*", layer.shared_with_organization)
        for who, (principal, organization) in sharing.items():
            aws.lambda_.LayerVersionPermission(
                f"{name}-{who}",
                layer_name=version.layer_name,
                version_number=version.version.apply(int),
                statement_id=f"shared-with-{who}",
                action="lambda:GetLayerVersion",
                principal=principal,
                organization_id=organization,
                skip_destroy=True,
                opts=pulumi.ResourceOptions(parent=version),
            )

r"""The type of every field of an event: what it is (title), its rule (description) and the check.

The descriptions are the only place where a rule is put into words.
Error texts, the JSON Schemas and the documents' table are taken from them.

Texts are checked here by patterns that end in ``(?![\s\S])``, because ``$`` also matches before a
final newline. Validators of JSON Schema have other engines, of which some know no look-around: a
schema says ``$``, and beside it which characters there must not be at all.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from msgspec import Meta

from nacc_event_model._conversions import MAX_ADCID, TIMESTAMP_PATTERN

NOTHING_MORE: Final = r"(?![\s\S])"
_NOT_EMPTY: Final = "must be a string, not empty"
_OPTIONAL: Final = "must be a string; may be null or absent"
_ADDED: Final = f"{_OPTIONAL}; read as null where it is of another type"
_ADCID: Final = f"must be an integer, or a string of 1 to 10 digits, from {{}} to {MAX_ADCID}"


def _whole(pattern: str) -> str:
    """Return a pattern that fits a whole text, for this package's own checks."""
    return f"^{pattern}{NOTHING_MORE}"


def _schema(characters: str, **keywords: Any) -> dict[str, Any]:
    """Return what a schema says of a text of certain characters, in words for every engine."""
    return {**keywords, "not": {"pattern": f"[^{characters}]"}}


# Both formats
Study = Annotated[
    str,
    Meta(
        min_length=1,
        title="Study",
        examples=["adrc", "dvcid", "leads"],
        description=f"{_NOT_EMPTY}; adrc when absent",
    ),
]
ProjectLabel = Annotated[str, Meta(min_length=1, title="Project label", description=_NOT_EMPTY)]
CenterLabel = Annotated[str, Meta(min_length=1, title="Center label", description=_NOT_EMPTY)]
GearName = Annotated[str, Meta(min_length=1, title="Gear name", description=_NOT_EMPTY)]
VisitDate = Annotated[
    date,
    Meta(
        title="Visit date",
        description="must be a string, a real date as YYYY-MM-DD",
        extra_json_schema=_schema(
            "0-9-", pattern="^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"
        ),
    ),
]
Datatype = Annotated[
    str,
    Meta(min_length=1, title="Datatype", examples=["form", "dicom"], description=_NOT_EMPTY),
]
Module = Annotated[
    str | None, Meta(title="Module", examples=["UDS", "FTLD"], description=_OPTIONAL)
]
Packet = Annotated[str | None, Meta(title="Packet", examples=["I", "F"], description=_OPTIONAL)]

# Documents write these differently from what an event holds. The conversion, which is the event's,
# also checks the text: `extra_json_schema` is for the schema only.
if TYPE_CHECKING:
    PipelineAdcidV10 = int
    PipelineAdcidV11 = int
    Timestamp = datetime
else:
    PipelineAdcidV10 = Annotated[
        Annotated[int, Meta(ge=1, le=MAX_ADCID)]
        | Annotated[str, Meta(extra_json_schema=_schema("0-9", pattern="[1-9]", maxLength=10))],
        Meta(title="Center number", description=_ADCID.format(1)),
    ]
    PipelineAdcidV11 = Annotated[
        Annotated[int, Meta(ge=0, le=MAX_ADCID)]
        | Annotated[str, Meta(extra_json_schema=_schema("0-9", minLength=1, maxLength=10))],
        Meta(title="Center number", description=_ADCID.format(0)),
    ]
    Timestamp = Annotated[
        str,
        Meta(
            title="Timestamp",
            description=(
                "must be a string, a real RFC 3339 time such as 2024-01-15T10:00:00Z;"
                " UTC when without an offset"
            ),
            extra_json_schema=_schema("0-9Tt:.Zz+-", pattern=f"^{TIMESTAMP_PATTERN}$"),
        ),
    ]

# Format 1.0
ActionV10 = Annotated[
    Literal["submit", "pass-qc", "not-pass-qc", "delete"],
    Meta(title="Action", description="must be one of submit, pass-qc, not-pass-qc, delete"),
]
PtidV10 = Annotated[
    str,
    Meta(
        pattern=_whole("[A-Z0-9]+"),
        max_length=10,
        title="Participant identifier",
        description="must be a string of 1 to 10 characters of A to Z and 0 to 9",
        extra_json_schema=_schema("A-Z0-9"),
    ),
]
VisitNumberV10 = Annotated[str, Meta(min_length=1, title="Visit number", description=_NOT_EMPTY)]

# Format 1.1
ActionV11 = Annotated[
    Literal["submit", "pass-qc", "not-pass-qc", "delete", "duplicate-submit"],
    Meta(
        title="Action",
        description="must be one of submit, pass-qc, not-pass-qc, delete, duplicate-submit",
    ),
]
PtidV11 = Annotated[
    str,
    Meta(
        pattern=_whole("[!-~]+"),
        max_length=10,
        title="Participant identifier",
        description="must be a string of 1 to 10 printable ASCII characters without spaces",
        extra_json_schema=_schema("!-~"),
    ),
]
VisitNumberV11 = Annotated[
    Annotated[str, Meta(min_length=1)] | None,
    Meta(title="Visit number", description=f"{_NOT_EMPTY}; may be null or absent"),
]
Naccid = Annotated[str | None, Meta(title="NACC identifier", description=_ADDED)]
Modality = Annotated[str | None, Meta(title="Modality", examples=["MR", "PET"], description=_ADDED)]

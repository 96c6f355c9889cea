r"""The type of every field of an event: what it is (title), its rule (description) and the check.

The descriptions are the only place where a rule is put into words.
Error texts, the JSON Schemas and the documents' table are taken from them.

Patterns end in ``(?![\s\S])``: ``$`` would match before a final newline, and ``\Z`` is not
legal in JSON Schema.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from nacc_event_model._conversions import MAX_ADCID, TIMESTAMP_PATTERN

_END: Final = r"(?![\s\S])"
_NOT_EMPTY: Final = "must be a string, not empty"
_OPTIONAL: Final = "must be a string; may be null or absent"

# Both formats
Study = Annotated[
    str,
    Meta(
        min_length=1,
        title="Study, such as adrc, dvcid or leads",
        description=f"{_NOT_EMPTY}; adrc when absent",
    ),
]
ProjectLabel = Annotated[
    str, Meta(min_length=1, title="Label of the project", description=_NOT_EMPTY)
]
CenterLabel = Annotated[
    str, Meta(min_length=1, title="Label of the center", description=_NOT_EMPTY)
]
GearName = Annotated[
    str, Meta(min_length=1, title="Name of the gear that logged the event", description=_NOT_EMPTY)
]
VisitDate = Annotated[
    date,
    Meta(
        title="Date of the visit",
        description="must be a string, a real date as YYYY-MM-DD",
        extra_json_schema={"pattern": f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_END}"},
    ),
]
Datatype = Annotated[
    str,
    Meta(min_length=1, title="Type of the data, such as form or dicom", description=_NOT_EMPTY),
]
Packet = Annotated[
    str | None, Meta(title="Type of the packet, such as I or F", description=_OPTIONAL)
]

# Documents write these differently from what an event holds. The conversion, which is the event's,
# also checks the text: `extra_json_schema` is for the schema only.
if TYPE_CHECKING:
    PipelineAdcid = int
    Timestamp = datetime
else:
    PipelineAdcid = Annotated[
        Annotated[int, Meta(ge=1, le=MAX_ADCID)]
        | Annotated[str, Meta(extra_json_schema={"pattern": f"^[0-9]{{1,10}}{_END}"})],
        Meta(
            title="Number of the center",
            description=f"must be an integer, or a string of 1 to 10 digits, from 1 to {MAX_ADCID}",
        ),
    ]
    Timestamp = Annotated[
        str,
        Meta(
            title="When the action occurred",
            description=(
                "must be a string, a real RFC 3339 time such as 2024-01-15T10:00:00Z;"
                " UTC when without an offset"
            ),
            extra_json_schema={"pattern": f"^{TIMESTAMP_PATTERN}{_END}"},
        ),
    ]

# Format 1.0
ActionV10 = Annotated[
    Literal["submit", "pass-qc", "not-pass-qc", "delete"],
    Meta(
        title="What happened to the visit",
        description="must be one of submit, pass-qc, not-pass-qc, delete",
    ),
]
PtidV10 = Annotated[
    str,
    Meta(
        pattern=f"^[A-Z0-9]+{_END}",
        max_length=10,
        title="Participant identifier",
        description="must be a string of 1 to 10 characters of A to Z and 0 to 9",
    ),
]
VisitNumberV10 = Annotated[
    str, Meta(min_length=1, title="Number of the visit", description=_NOT_EMPTY)
]
ModuleV10 = Annotated[
    str | None, Meta(title="Name of the module, such as UDS or FTLD", description=_OPTIONAL)
]

# Format 1.1
ActionV11 = Annotated[
    Literal["submit", "pass-qc", "not-pass-qc", "delete", "duplicate-submit"],
    Meta(
        title="What happened to the visit",
        description="must be one of submit, pass-qc, not-pass-qc, delete, duplicate-submit",
    ),
]
PtidV11 = Annotated[
    str,
    Meta(
        pattern=f"^[!-~]+{_END}",
        max_length=10,
        title="Participant identifier",
        description="must be a string of 1 to 10 printable ASCII characters without spaces",
    ),
]
VisitNumberV11 = Annotated[
    Annotated[str, Meta(min_length=1)] | None,
    Meta(title="Number of the visit", description=f"{_NOT_EMPTY}; may be null or absent"),
]
ModuleV11 = Annotated[
    str | None,
    Meta(
        title="Name of the module, such as UDS or FTLD",
        description="must be a string when datatype is form, and null or absent otherwise",
    ),
]
Naccid = Annotated[str | None, Meta(title="NACC identifier", description=_OPTIONAL)]
Modality = Annotated[
    str | None, Meta(title="Modality of an image, such as MR", description=_OPTIONAL)
]

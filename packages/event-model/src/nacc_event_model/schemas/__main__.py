"""Write the schema files of the package anew."""

from nacc_event_model.events import EventFormat
from nacc_event_model.schemas import schema_path, schema_text

for event_format in EventFormat:
    schema_path(event_format).write_text(schema_text(event_format), encoding="utf-8")

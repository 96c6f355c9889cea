"""The two documents that a run ends with."""

import msgspec

from checkpoint_core.errors import DeniedObjectsError
from checkpoint_core.responses import ErrorDocument, Response
from checkpoint_queries.exports import ExportResult
from tests.checkpoint_core.world import World, key, scratch


def test_a_response_has_everything_that_the_report_has() -> None:
    """Under the names that the document has always had; exports that failed are warnings."""
    with scratch() as folder:
        world = World(folder)
        world.write(1, 2)
        report = world.run()
    failed = ExportResult(name="a", state="failed", problem="why")
    response = Response.of(report, [ExportResult(name="b", state="made"), failed])

    assert (response.new_events_processed, response.total_events, response.events_failed) == (
        2,
        2,
        0,
    )
    assert response.checkpoint_path == report.checkpoint
    assert response.last_processed_timestamp == report.last_timestamp
    assert response.counts == report.counts
    assert response.warnings == (*report.warnings, "export a: why")
    assert [each.name for each in response.exports] == ["b", "a"]
    assert msgspec.to_builtins(response)["statusCode"] == 200


def test_an_error_document_names_the_objects_that_were_denied() -> None:
    """As whole locations; of any other error it has the kind and what is to be said."""
    with scratch() as folder:
        world = World(folder)
        world.source.location = "s3://events/prod/"
        world.write(1, 2)
        world.source.outcomes[key(2)] = "denied"
        error = DeniedObjectsError(world.run())
    document = ErrorDocument.of(error, str(error))

    assert (document.status_code, document.error) == (500, "DeniedObjectsError")
    assert document.details.failed_files == (f"s3://events/{key(2)}",)
    assert document.details.error_count == 1
    assert f"access to 1 objects was denied, for example to {key(2)}" in document.message
    assert ErrorDocument.of(ValueError(), "a bug").details.failed_files == ()

"""SQL over one Parquet file, by a DuckDB that reaches nothing else and changes nothing.

DuckDB's settings do not suffice for that. A file that it may read it may also write to, and a
statement of type SELECT can hold a COPY, in a WITH clause or in the text that a function executes.
Therefore the file is one that only we have, and the statement has to fit into a view.
"""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from checkpoint_cli._duckdb.answers import ArrowStream, NotOneQueryError, SqlError
from checkpoint_cli._duckdb.types import taken
from checkpoint_cli._printing.answers import Answer
from checkpoint_queries import submissions_view

__all__ = ["ask"]

_VIEW: Final = "checkpoint_events"
# In a schema of their own, in nobody's way.
_ANSWER: Final = "asked.answer"
_ROWS: Final = "asked.rows"
_NUMBERED: Final = "asked.numbered"
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "allow_community_extensions": False,
    "allow_extension_repositories": "forbidden",
    "allow_persistent_secrets": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    # What does not fit is spilled; the answer has to find a place beside it.
    "memory_limit": "50%",
}
_POLL_S: Final = 0.05
_NO_TABLE: Final = "Catalog Error: Table with name "
_LINE: Final = re.compile(r"\n\s*LINE (\d+):")
_DAMAGE: Final = (
    duckdb.InternalException,
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.SerializationException,
)
"""What DuckDB raises over a damaged file, among other things; besides its base class."""


def ask(sql: str, file: Path, *, limit: int | None, include_test_center: bool = False) -> Answer:
    """Answer one query over the views of a file, at most `limit` rows of it.

    `checkpoint_events` are its rows, `checkpoint_submissions` what core tells of them.

    The file's folder must be the caller's own: what does not fit into memory goes there. While
    DuckDB works, signals are heeded. Raises SqlError or NotOneQueryError.
    """
    with (
        _connected(_own(file), include_test_center=include_test_center) as connection,
        ThreadPoolExecutor(max_workers=1) as pool,
    ):
        future = pool.submit(_answer, connection, sql, limit)
        try:
            # A wait without an end would not be: polars has signals not interrupt it.
            while not wait((future,), timeout=_POLL_S).done:
                pass
        except BaseException:
            # Again and again: between two of its statements there is nothing to interrupt.
            while not future.done():
                connection.interrupt()
                wait((future,), timeout=_POLL_S)
            raise
        return future.result()


def _own(file: Path) -> Path:
    """Return the file under a name that is the only one it has, so that no write reaches another.

    A checkpoint in a directory is fetched as a link.
    """
    if file.stat().st_nlink > 1:
        copy = file.with_name(f"own-{file.name}")
        shutil.copyfile(file, copy)
        file = copy
    file.chmod(0o400)
    return file


@contextmanager
def _connected(file: Path, *, include_test_center: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    spill = str(file.parent / "spill")
    places = {"temp_directory": spill, "home_directory": spill, "secret_directory": spill}
    with duckdb.connect(config=_CONFIG | places) as connection:
        # What DuckDB takes for a pattern is put into brackets; it checks both ways of writing.
        pattern = re.sub(r"([*?[])", r"[\1]", str(file))
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET allowed_paths = $1", [[str(file), pattern]])
        connection.execute("SET enable_external_access = false")
        connection.execute("CREATE SCHEMA asked")
        with _told():
            for statement in _views(_literal(pattern), include_test_center=include_test_center):
                connection.execute(statement)
        connection.execute("SET lock_configuration = true")
        yield connection


def _views(file: str, *, include_test_center: bool) -> Iterator[str]:
    """Yield the statements that make the views of a file; it is given as a literal."""
    yield f"CREATE VIEW {_VIEW} AS FROM read_parquet({file}, hive_partitioning = false)"
    # Of no rows, for the columns that format 1.0 lacks.
    yield f"""
        CREATE VIEW {_NUMBERED} AS
        FROM read_parquet({file}, hive_partitioning = false, file_row_number = true)
        UNION ALL BY NAME
        SELECT NULL::VARCHAR AS naccid, NULL::VARCHAR AS modality WHERE false
    """
    view = submissions_view("duckdb", include_test_center=include_test_center)
    yield view.replace("checkpoint_events_numbered", _NUMBERED)


def _answer(connection: duckdb.DuckDBPyConnection, sql: str, limit: int | None) -> Answer:
    query = _checked(connection, sql)
    # In a view DuckDB refuses whatever changes something. And it has a name for each column.
    with _told(lines_before=1):
        connection.execute(f"CREATE VIEW {_ANSWER} AS\n{query}")
    with _told():
        view = connection.table(_ANSWER)
        wanted = view.project(", ".join(map(taken, view.columns, view.types)))
        if limit is not None:
            wanted = wanted.limit(limit + 1)
        # In two steps: the first can be interrupted, the second takes no time.
        wanted.create(_ROWS)
        rows = pl.DataFrame(ArrowStream(connection.table(_ROWS)))
        if limit is None or rows.height <= limit:
            return Answer(rows=rows, total=rows.height)
        ((total,),) = view.aggregate("count(*)").fetchall()
        return Answer(rows=rows.head(limit), total=total)


def _checked(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    with _told(lines_before=0):
        statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise NotOneQueryError(f"give one query, not {len(statements)}")
    (statement,) = statements
    if statement.type == duckdb.StatementType.MULTI:
        raise NotOneQueryError("a PIVOT must name its values: ON action IN ('submit', 'delete')")
    if statement.type != duckdb.StatementType.SELECT:
        kind = statement.type.name.replace("_", " ")
        raise NotOneQueryError(f"only a SELECT can be asked, not {kind}")
    if statement.named_parameters:
        raise NotOneQueryError("it has parameters, for which there are no values")
    return statement.query


@contextmanager
def _told(*, lines_before: int | None = None) -> Iterator[None]:
    """Tell DuckDB's errors as ours, with the place in the text that the user wrote.

    `lines_before` are lines of ours before it; None where the whole text is ours.
    """
    try:
        yield
    except duckdb.Error as error:
        may_be_damage = type(error) is duckdb.Error or isinstance(error, _DAMAGE)
        message = _message(error, lines_before)
        if _NO_TABLE in message:
            message = f"{message}\n\nThere are {_VIEW} and checkpoint_submissions."
        raise SqlError(message, may_be_damage=may_be_damage) from error


def _message(error: duckdb.Error, lines_before: int | None) -> str:
    text = str(error)
    found = list(_LINE.finditer(text))
    if not found:
        return text
    before, number = text[: found[-1].start()], int(found[-1][1])
    if lines_before is None or number <= lines_before:
        return before
    return f"{before}\n\nLINE {number - lines_before}:{text[found[-1].end() :]}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

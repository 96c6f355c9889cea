"""Logging: one JSON object per line on stdout, or lines to read on a terminal.

Lines of the standard library's loggers come out the same way. What holds for the whole invocation
is on every line, whichever thread it comes from.
"""

import json
import logging
import sys
import warnings
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Final, Literal

import msgspec
import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from checkpoint_core.explanations import describe

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

_OWN: Final = "checkpoint_lambda"


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return the logger of this package."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(_OWN)
    return logger


def configure_logging(*, level: LogLevel, bound: Mapping[str, Any]) -> None:
    """Make every line, ours and other people's, come out in one way, with `bound` on it.

    Idempotent. Replaces all handlers of the root logger; Lambda's runtime installs one before the
    function is imported. Lines of libraries begin at WARNING, whatever our level: what they say
    below it may quote requests and contents.
    """
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**bound)
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _on_every_line(dict(bound)),
        structlog.stdlib.add_logger_name,
        _add_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    on_terminal = sys.stdout.isatty()
    handler = _Lines(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_for_people() if on_terminal else _for_programs()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    logging.getLogger(_OWN).setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *chain,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    warnings.showwarning = _log_warning


def forget_invocation() -> None:
    """Take everything off that was bound to lines: the next invocation begins clean."""
    structlog.contextvars.clear_contextvars()


class _Lines(logging.StreamHandler[Any]):
    """Writes lines; one that cannot be made is told of without what it was to say."""

    def handleError(  # type: ignore[explicit-override]  # noqa: N802 # override is new in Python 3.12; the standard library's name
        self, record: logging.LogRecord
    ) -> None:
        """Say that there was a line."""
        # The inherited method prints the line's arguments.
        line = {"event": "log_line_lost", "level": "ERROR", "logger": record.name}
        with suppress(OSError, ValueError):
            self.stream.write(json.dumps(line) + "\n")


def _on_every_line(bound: dict[str, Any]) -> Processor:
    """Add what is missing: context variables do not reach the threads of a pool."""

    def add(_logger: object, _method: str, line: EventDict) -> EventDict:
        for name, value in bound.items():
            line.setdefault(name, value)
        return line

    return add


def _add_level(logger: Any, method: str, line: EventDict) -> EventDict:
    """Add the level in capitals, as Lambda's own log filters expect it."""
    line = structlog.stdlib.add_log_level(logger, method, line)
    line["level"] = str(line["level"]).upper()
    return line


def _for_programs() -> list[Processor]:
    return [
        structlog.processors.ExceptionRenderer(describe),
        structlog.processors.JSONRenderer(serializer=_as_json),
    ]


def _for_people() -> list[Processor]:
    return [
        _escape,
        structlog.processors.ExceptionRenderer(_as_text),
        structlog.dev.ConsoleRenderer(),
    ]


def _escape(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Escape what a terminal might obey: object names and the like are input."""
    return {
        name: ascii(value)[1:-1] if isinstance(value, str) and not value.isprintable() else value
        for name, value in line.items()
    }


def _as_text(exc_info: ExcInfo) -> str:
    parts = []
    for error in describe(exc_info):
        parts.append(f"{error['type']}: {error['message'] or '(text left out)'}")
        parts += [
            f"  {frame['file']}:{frame['line']} {frame['function']}" for frame in error["frames"]
        ]
    return "\n".join(parts)


def _as_json(line: MutableMapping[str, Any], **_options: Any) -> str:
    return json.dumps(line, default=_plain)


def _plain(value: object) -> object:
    """Return plain data for our own structs and times, and only the type's name of all else."""
    try:
        return msgspec.to_builtins(value, str_keys=True) if _is_ours(value) else _type_name(value)
    except (TypeError, msgspec.MsgspecError):
        return _type_name(value)


def _is_ours(value: object) -> bool:
    return isinstance(value, msgspec.Struct) or hasattr(value, "isoformat")


def _type_name(value: object) -> str:
    return type(value).__name__


def _log_warning(  # noqa: PLR0917 - the signature is the standard library's
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    """Log that a warning was given and where, without its text."""
    del message, file, line
    get_logger().warning("python_warning", category=category.__name__, file=filename, line=lineno)

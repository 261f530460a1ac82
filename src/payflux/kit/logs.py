"""Structured logs that carry no secret and no personal datum."""

from __future__ import annotations

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

_SECRET_NAMES = re.compile(r"(password|secret|token|authorization|cookie|api_?key|email|name|code)$", re.IGNORECASE)
_SECRET_VALUES = re.compile(
    r"(?:[rsp]k_(?:live|test)_\w+|whsec_\w+|ac_\w+|postgres(?:ql)?(?:\+\w+)?://\S+|[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|\b(?:\d[ -]?){13,19}\b)"
)
_KEPT_NAMES = frozenset({"code", "status_code", "logger_name"})


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take secrets, addresses and card numbers out of a log line, by the name of a field and by the look of a value."""
    for key, value in event.items():
        if key not in _KEPT_NAMES and _SECRET_NAMES.search(key) and key != "event":
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = _SECRET_VALUES.sub("[redacted]", value)
        elif isinstance(value, BaseException):
            event[key] = _SECRET_VALUES.sub("[redacted]", repr(value))
    return event


def configure_logging(*, log_format: str, level: str, process: str) -> None:
    """Send structlog and the standard library's logging through the same redaction to standard error."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for talkative in ("alembic", "apprise", "httpx", "pgqueuer", "stripe", "urllib3", "uvicorn.error"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(process=process)

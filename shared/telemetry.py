"""Structured logs with a trace id, and the trace context that travels over HTTP and in messages (W3C)."""

import logging
import re
import secrets
import sys
from contextvars import ContextVar
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")
_trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)


def current_trace_id() -> str:
    """The trace that this task works for, 32 hex digits; a new one where none was begun."""
    trace_id = _trace_id.get()
    if trace_id is None:
        trace_id = secrets.token_hex(16)
        _trace_id.set(trace_id)
    return trace_id


def continue_trace(traceparent: str | None) -> str:
    """Join the trace of a caller's or message's `traceparent`, or begin one; returns the trace id."""
    match = _TRACEPARENT.match(traceparent or "")
    trace_id = match.group(1) if match else secrets.token_hex(16)
    _trace_id.set(trace_id)
    return trace_id


def traceparent() -> str:
    """The header or message field that hands the current trace on (W3C Trace Context, version 00)."""
    return f"00-{current_trace_id()}-{secrets.token_hex(8)}-01"


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    trace_id = _trace_id.get()
    if trace_id is not None:
        event.setdefault("trace_id", trace_id)
    return event


def configure_logging(service: str, style: Literal["json", "console"], level: str) -> None:
    """Send structlog's and the standard library's logs to standard output, one line an event."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    last: list[Processor]
    if style == "json":
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # Each request is counted in /metrics; a line each would drown what matters.
    logging.getLogger("uvicorn.access").setLevel("WARNING")
    logging.getLogger("httpx").setLevel("WARNING")
    structlog.contextvars.bind_contextvars(service=service)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; call it as `log.info("what_happened", key=value)`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger

"""Structured logs of every process: JSON lines, or coloured text on a terminal; secrets are struck out.

A line's `correlation` is the message that it goes back to, `org/device/epoch/seq`: the same word in the lines of
ingest, worker and jobs, in the database, in a notice's mail header and in the API.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

LEVEL = "WELLKEPT_LOG_LEVEL"
_LEVELS = ("debug", "info", "warning", "error")
_STRUCK = "***"
# user:password@ of addresses, tokens of owners' links, bearer tokens.
_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@/\s]+@")
_LINK = re.compile(r"(/o/)[A-Za-z0-9_-]{8,}")
_BEARER = re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]{8,}")
_ASSIGNED = re.compile(r"(?i)\b(password|pgpassword|secret|token)(\s*[=:]\s*)[^\s,;&'\"]+")
_SECRET_KEYS = re.compile(r"(?i)(password|secret|token|authorization|cookie)")


def set_up(process: str) -> None:
    """Configure structlog and the standard library's logging of this process, once, before anything is logged.

    Args:
        process: named in every line.

    The level is that of the environment variable `WELLKEPT_LOG_LEVEL`; `info` unless told.
    """
    level = level_of(os.environ.get(LEVEL, ""))
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer(default=str)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Named(process),
        structlog.processors.StackInfoRenderer(),
        # Plain tracebacks: a renderer that shows local variables would show secrets, and takes seconds.
        structlog.processors.format_exc_info,
        strike_out,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer], foreign_pre_chain=shared
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries say at `info` what concerns nobody (each job, each request): their warnings are heard.
    root.setLevel(max(level, logging.WARNING) if level > logging.DEBUG else logging.INFO)


def level_of(word: str) -> int:
    """The level of a word; an unknown one is `info`, for logs must not keep a product from starting."""
    word = word.strip().lower()
    return logging.getLevelNamesMapping()[word.upper()] if word in _LEVELS else logging.INFO


def debugging() -> bool:
    """Whether this process logs at `debug`: ask before composing what is costly to say."""
    return level_of(os.environ.get(LEVEL, "")) <= logging.DEBUG


def correlation(org: str, device: str, epoch: int, seq: int) -> str:
    """The correlation id of what a message brought about."""
    return f"{org}/{device}/{epoch}/{seq}"


def strike_out(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of a log line: values under telling names, and passwords and tokens inside texts."""
    for key, value in event.items():
        if _SECRET_KEYS.search(key):
            event[key] = _STRUCK
        elif isinstance(value, str):
            event[key] = clean(value)
        elif not isinstance(value, int | float | bool | None):
            event[key] = _clean_inside(value)
    return event


def clean(text: str) -> str:
    """A text without passwords of addresses, tokens of links and bearer tokens."""
    text = _PASSWORD.sub(rf"\1{_STRUCK}@", text)
    text = _LINK.sub(rf"\1{_STRUCK}", text)
    text = _BEARER.sub(rf"\1{_STRUCK}", text)
    return _ASSIGNED.sub(rf"\1\2{_STRUCK}", text)


def _clean_inside(value: Any) -> Any:  # noqa: ANN401  (whatever is logged)
    if isinstance(value, dict):
        return {k: _STRUCK if _SECRET_KEYS.search(str(k)) else _clean_inside(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [_clean_inside(each) for each in value]
    if isinstance(value, int | float | bool | None):
        return value
    return clean(str(value))


class _Named:
    """Puts the process's name into each line."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, _logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = self._process
        if event.get("correlation", "") is None:
            del event["correlation"]
        return event

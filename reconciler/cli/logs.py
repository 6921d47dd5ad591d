"""Structured logs on stderr: JSON lines for machines, coloured lines on a terminal, or what `--log-format` says."""

from __future__ import annotations

import logging
import os
import sys

import structlog

from reconciler.errors import UsageError

FORMATS = ("json", "text")


def check_form(form: str) -> None:
    """Refuse a form that logs don't have, before anything is begun; raises UsageError."""
    if form not in ("", *FORMATS):
        raise UsageError(f"--log-format takes {' or '.join(FORMATS)}, not {form!r}")


def configure_logs(level: int = logging.INFO, form: str = "") -> None:
    """Send everything logged from `level` on to stderr; `form` empty is text on a terminal and JSON elsewhere.

    Raises:
        UsageError: there is no such form.
    """
    check_form(form)
    on_terminal = sys.stderr.isatty()
    as_text = form == "text" or (not form and on_terminal)
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if as_text:
        renderer = structlog.dev.ConsoleRenderer(colors=on_terminal and "NO_COLOR" not in os.environ)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _as_is if as_text else structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _as_is(_: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event

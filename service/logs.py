"""How every process of the service logs: one line an event, as text or as JSON."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from contextvars import ContextVar
from typing import Any, Literal

trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)
"""What a request's lines share, over threads too; None outside requests."""

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_KEY_IN_ADDRESS = re.compile(r"([?&]key=)[^&\s\"']+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]")
_QUIET = ("alembic", "numexpr", "rasterio", "botocore", "httpx", "urllib3", "kombu", "amqp")


def configure_logs(form: Literal["text", "json"], *, level: int = logging.INFO) -> None:
    """Send the logs of this process, its libraries' and its warnings' included, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "celery", "celery.task"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


class TextLines(logging.Formatter):
    """Lines for people: time, level, name, message, then what was handed over as ``extra``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line, or several if it carries an exception; keys in addresses are blotted out."""
        fields = " ".join(f"{name}={value}" for name, value in extras_of(record).items())
        return without_keys(super().format(record) + in_one_line(f"  [{fields}]" if fields else ""))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """The line itself, whatever a caller's address holds."""
        return in_one_line(super().formatMessage(record))


class JsonLines(logging.Formatter):
    """Lines for machines: one JSON object each, times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever it carries; keys in addresses are blotted out."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **extras_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return without_keys(json.dumps(line, default=str, ensure_ascii=False))


def extras_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a line: what was handed over as ``extra``, and the request's trace."""
    fields = {name: value for name, value in vars(record).items() if name not in _PLAIN}
    trace = trace_id.get()
    return fields if trace is None else {"trace_id": trace, **fields}


def in_one_line(text: str) -> str:
    """A text without line ends or commands to terminals, which could forge lines or hide them."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def without_keys(text: str) -> str:
    """A text whose addresses tell no keys."""
    return _KEY_IN_ADDRESS.sub(r"\1...", text)

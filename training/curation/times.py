"""When an image was taken, as STAC tells it."""

from __future__ import annotations

import calendar
import re

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_EVER = ("1900-01-01T00:00:00Z", "9999-12-31T23:59:59Z")


def interval(date: str | None) -> tuple[str, str]:
    """First and last second of a day, a month or a year in ISO 8601; all time where it is not known."""
    found = _DATE.match(date) if date else None
    if found is None:
        return _EVER
    year, month, day = found.groups()
    if day is not None:
        return f"{year}-{month}-{day}T00:00:00Z", f"{year}-{month}-{day}T23:59:59Z"
    first, last = (month, month) if month else ("01", "12")
    last_day = calendar.monthrange(int(year), int(last))[1]
    return f"{year}-{first}-01T00:00:00Z", f"{year}-{last}-{last_day:02}T23:59:59Z"


def item_times(date: str | None) -> dict[str, str | None]:
    """``datetime``, ``start_datetime`` and ``end_datetime``: a moment for a day, else an interval."""
    start, end = interval(date)
    is_day = date is not None and len(date) >= len("2024-07-01")
    return {"datetime": start if is_day else None, "start_datetime": start, "end_datetime": end}

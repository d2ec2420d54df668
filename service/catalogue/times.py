"""When the image of a map was taken, as STAC tells it."""

from __future__ import annotations

import calendar
import re
from typing import Any

from service.catalogue.facts import iso_time

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_LONG_AGO = "1900-01-01T00:00:00Z"


def acquisition_times(date: str | None, *, before: float) -> dict[str, Any]:
    """``datetime``, ``start_datetime`` and ``end_datetime`` of an image.

    A day is a moment for catalogues; a year or a month is an interval. Of an image of unknown date it is
    only known that it was taken before the map was made. The date of the run is never given as the image's.

    Args:
        date: ISO 8601: year, month or day (a time of day is left out); None when not known.
        before: When the map was made, in epoch seconds.
    """
    found = _DATE.match(date) if date else None
    if found is None:
        return _interval(_LONG_AGO, iso_time(before))
    year, month, day = found.groups()
    if day is not None:
        return _interval(f"{year}-{month}-{day}T00:00:00Z", f"{year}-{month}-{day}T23:59:59Z") | {
            "datetime": f"{year}-{month}-{day}T00:00:00Z"
        }
    first, last = (month, month) if month else ("01", "12")
    last_day = calendar.monthrange(int(year), int(last))[1]
    return _interval(f"{year}-{first}-01T00:00:00Z", f"{year}-{last}-{last_day:02}T23:59:59Z")


def _interval(start: str, end: str) -> dict[str, Any]:
    return {"datetime": None, "start_datetime": start, "end_datetime": end}

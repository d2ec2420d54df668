"""When an image was taken, from its tags and its name."""

import re
from collections.abc import Mapping
from datetime import date

_ACQUISITION_TAGS = (
    "ACQUISITION_DATE",
    "ACQUISITIONDATE",
    "ACQUISITIONDATETIME",
    "ACQUISITION_DATETIME",
    "EXIF_DATETIMEORIGINAL",
)
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_:./]?(0[1-9]|1[0-2])[-_:./]?(0[1-9]|[12]\d|3[01])(?!\d)")
_YEAR = re.compile(r"(?<!\d)((?:19[5-9]|20)\d)(\d)(?!\d)")
_IGN_SHEET = re.compile(r"^(?:0?\d\d|2[AB]|97\d)-((?:19|20)\d\d)-")
"""IGN names sheets ``33-2024-0410-6425-LA93-0M20-E080``: département, year, kilometres, ..."""


def acquisition_date(tags: Mapping[str, str], file_name: str) -> str | None:
    """Day or year of acquisition in ISO 8601, or None.

    Tags that speak of acquisition come first, then a day in the name, then an IGN sheet's year. TIFF's
    DateTime is not believed: it is when the file was written.
    """
    upper = {name.upper(): value for name, value in tags.items()}
    for name in _ACQUISITION_TAGS:
        if day := _day_in(upper.get(name, "")):
            return day
    sheet = _IGN_SHEET.match(file_name)
    if sheet:
        return sheet.group(1)
    if day := _day_in(file_name):
        return day
    years = ["".join(match) for match in _YEAR.findall(file_name)]
    return years[0] if len(years) == 1 else None


def _day_in(text: str) -> str | None:
    for match in _DAY.finditer(text):
        year, month, day = (int(part) for part in match.groups())
        try:
            return date(year, month, day).isoformat()
        except ValueError:
            continue
    return None

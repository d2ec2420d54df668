"""Absolute addresses of this server."""

from urllib.parse import quote, urlencode


class Urls:
    """Absolute addresses, under the public one where it is set, else under the one that was asked."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")

    def __call__(self, *parts: str, **query: str) -> str:
        """The address of a path, given part by part; parts are quoted, braces of templates are kept.

        >>> Urls("https://maps.example.org/")("maps", "a b", "tiles", "{z}", "{x}", "{y}.png", style="cvd")
        'https://maps.example.org/maps/a%20b/tiles/{z}/{x}/{y}.png?style=cvd'
        """
        path = "".join("/" + quote(part, safe="{}@:,") for part in parts)
        return f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")

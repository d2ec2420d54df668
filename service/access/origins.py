"""May a browser act for its user here? Rules for a server that asks for no keys.

Without keys, reaching the server is all the right one needs, and every web page that a user opens reaches
the user's own machine. So the browser's own words decide:

- The ``Host`` must be one that no stranger's domain can bear, or a stranger's page is read as ours once its
  name is pointed here (DNS rebinding).
- A request that changes something must come from a page of this very server, or from no page at all, or a
  stranger's form starts and deletes jobs (cross-site request forgery).

Keys are never sent by a browser on its own, so servers with keys need neither rule.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service.access.errors import ForeignRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1); the server keeps to that."""


def check_host(host: str, *, public_url: str) -> None:
    """Go on only if the ``Host`` header names this server as no stranger could.

    An IP address cannot be pointed elsewhere; a name without a dot is no public domain; ``public_url`` is
    the operator's word.

    Raises:
        ForeignRequest: It is another name.
    """
    name = _hostname(host)
    if name and (name == urlsplit(public_url).hostname or _is_private_name(name)):
        return
    raise ForeignRequest(
        f"this server asks for no keys, and {name!r} may be any site's name for it",
        remedy=f"if that is this server's address, set ORTHOSCAPE_PUBLIC_URL=http://{name}; or make a key",
    )


def check_origin(headers: Mapping[str, str], *, public_url: str) -> None:
    """Go on only if a request that changes something was not made by another site's page.

    Browsers say where a request comes from in ``Sec-Fetch-Site`` and ``Origin``; programs say neither.

    Args:
        headers: Of the request, found by lower-case names.
        public_url: Address under which users reach the server, or empty.

    Raises:
        ForeignRequest: Another site's page made it.
    """
    site = headers.get("sec-fetch-site", "none")
    origin = headers.get("origin")
    own = {headers.get("host"), urlsplit(public_url).netloc} - {None, ""}
    if site in {"none", "same-origin"} and (origin is None or urlsplit(origin).netloc in own):
        return
    raise ForeignRequest(
        f"a page of {origin or 'another site'} asked for this, and this server asks for no keys",
        remedy="use the page of this server, or make a key: orthoscape keys create NAME --scope write",
    )


def _hostname(netloc: str) -> str | None:
    try:
        return urlsplit(f"//{netloc}").hostname
    except ValueError:  # brackets that hold no IPv6 address
        return None


def _is_private_name(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(".localhost")
    return True

"""Long lists by pages: newest first, and stable while new items come in."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.jobs.errors import CursorInvalid
from service.jobs.records import Item, Page

if TYPE_CHECKING:
    from collections.abc import Callable


MAX_CURSOR = 200
"""Most characters of a cursor; ours have about seventy."""
_ID = re.compile(r"[0-9a-z]{26}")


def read_page(
    connection: sa.Connection,
    query: sa.Select[Any],
    *,
    by: sa.Table,
    limit: int,
    cursor: str | None,
    made: Callable[[sa.Row[*tuple[Any, ...]]], Item],
) -> Page[Item]:
    """Read the page after a cursor.

    Args:
        connection: To read from.
        query: What to list; must select ``created`` and ``id`` of ``by``.
        by: The table whose ``created`` and ``id`` decide the order.
        limit: Most items.
        cursor: Of the page before, or None.
        made: Makes an item of a row.

    Raises:
        CursorInvalid: The cursor did not come from here.
    """
    if cursor is not None:
        query = query.where(sa.tuple_(by.c.created, by.c.id) < sa.tuple_(*map(sa.literal, _decoded(cursor))))
    ordered = query.order_by(by.c.created.desc(), by.c.id.desc()).limit(limit + 1)
    rows = connection.execute(ordered).all()
    shown = rows[:limit]
    is_last = len(rows) <= limit or not shown
    return Page(
        items=[made(row) for row in shown],
        next_cursor=None if is_last else _encoded(shown[-1].created, shown[-1].id),
    )


def _encoded(created: float, item_id: str) -> str:
    plain = json.dumps([created, item_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[float, str]:
    try:
        created, item_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        is_ours = math.isfinite(created) and _ID.fullmatch(item_id) is not None
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _no_cursor(cursor) from error
    if not is_ours:
        raise _no_cursor(cursor)
    return float(created), item_id


def _no_cursor(cursor: str) -> CursorInvalid:
    return CursorInvalid(
        f"{cursor[:MAX_CURSOR]!r} is no cursor of this list",
        remedy="take it from the link to the next page, unchanged",
    )

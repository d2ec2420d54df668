"""Tables in Markdown; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine_table(machine: dict[str, Any]) -> str:
    """Hardware, versions, date and command."""
    return table(["", ""], [[key.replace("_", " "), str(value)] for key, value in machine.items()])

"""How errors are told in a job's log."""

from __future__ import annotations

from models.errors import RemediedError


def told(error: BaseException) -> str:
    """One line that says what happened and, where it is known, what to do."""
    if isinstance(error, RemediedError):
        return f"{error.message}; {error.remedy}" if error.remedy else error.message
    return f"{type(error).__name__}: {error}"

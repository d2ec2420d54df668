"""Content hashes."""

import hashlib
import os
from pathlib import Path


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes as 64 hexadecimal digits; memory does not depend on the file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

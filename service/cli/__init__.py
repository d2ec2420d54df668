"""The command line: ``orthoscape predict | info | models | verify | doctor``."""

from service.cli.main import main

__all__ = ["main"]

"""The command line: ``orthoscape``, whose commands `service.cli.main` names."""

from service.cli.main import main

__all__ = ["main"]

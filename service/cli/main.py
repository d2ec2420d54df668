"""The ``orthoscape`` command: one group, one place where errors become exit codes."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any

import click

from models.errors import RemediedError
from service.rasters.writing import bound_gdal_cache
from service.settings import Settings

COMMANDS = ("serve", "worker", "jobs", "predict", "info", "models", "verify", "doctor", "keys")
"""Each is a module of its name, imported when it is called: `predict` needs no queue, `jobs` no engine."""

EXIT_REFUSED = 1
EXIT_INTERRUPTED = 130


class _Group(click.Group):
    """Shows known errors as one message and its remedy, and never exits 0 after one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's own signature
        """All commands, in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """A command by name; imports it."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"service.cli.{cmd_name}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  click's own signature
        try:
            return super().invoke(ctx)
        except RemediedError as error:
            click.secho(f"error: {error.message}", fg="red", err=True)
            if error.remedy:
                click.echo(f"  what to do: {error.remedy}", err=True)
            sys.exit(EXIT_REFUSED)
        except BrokenPipeError:
            raise  # click ends quietly when nobody reads on
        except OSError as error:
            click.secho(f"error: {error}", fg="red", err=True)
            click.echo("  what to do: check that the place can be written and has room", err=True)
            sys.exit(EXIT_REFUSED)
        except KeyboardInterrupt:
            click.echo("interrupted; run the same command again to go on from here", err=True)
            sys.exit(EXIT_INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="orthoscape")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens inside.")
@click.pass_context
def main(ctx: click.Context, *, verbose: bool) -> None:
    """From orthophotos to land-cover maps."""
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING)
    settings = Settings()
    bound_gdal_cache(settings.gdal_cache_bytes)
    ctx.obj = settings

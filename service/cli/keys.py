"""``orthoscape keys``: who may use the server."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from service.access.keys import make_key
from service.access.principals import Scope, widened
from service.jobs.keys import Keys, NewKey
from service.jobs.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.jobs.keys import KeyRecord
    from service.settings import Settings

_DAY_S = 24 * 3600.0


@click.group()
def keys() -> None:
    """Make, list and revoke the keys of this server's users."""


@keys.command()
@click.argument("name")
@click.option("--scope", type=click.Choice([scope.value for scope in Scope]), default=Scope.WRITE.value,
              show_default=True, help="What it allows; each includes those before it.")  # fmt: skip
@click.option(
    "--owner", help="Whose jobs and maps it opens, shared by all keys of that owner; NAME if not said."
)
@click.option(
    "--days", type=click.FloatRange(min=0, min_open=True), help="How long it lasts; for ever if not said."
)
@click.pass_obj
def create(settings: Settings, *, name: str, scope: str, owner: str | None, days: float | None) -> None:
    """Make a key and show it, this once; the server asks for keys from now on.

    Jobs and maps made before the first key belong to the owner `local`.
    """
    fresh = make_key()
    with _keys(settings) as table:
        is_first = not table.all()
        table.add(
            NewKey(
                id=fresh.id,
                owner=owner or name,
                name=name,
                digest=fresh.digest,
                scopes=sorted(widened(Scope(scope))),
                lasts_s=None if days is None else days * _DAY_S,
            )
        )
    click.echo(fresh.text)
    click.echo("Keep it well: it is not stored and cannot be shown again.", err=True)
    if is_first:
        click.echo("It is the first: from now on every request needs a key, on this machine too.", err=True)


@keys.command("list")
@click.pass_obj
def list_keys(settings: Settings) -> None:
    """List all keys, ended ones too, by their public parts."""
    with _keys(settings) as table:
        records = table.all()
    if not records:
        click.echo("no keys: whoever reaches the server may use it")
    for key in records:
        widest = max(key.scopes, key=tuple(Scope).index)
        click.echo(f"{key.id}  {widest:5}  {_day(key.created)}  {_state(key):22}  {key.owner}  {key.name}")


@keys.command()
@click.argument("key_id")
@click.pass_obj
def revoke(settings: Settings, *, key_id: str) -> None:
    """End a key by its public part (or the whole key); servers follow within ten seconds."""
    with _keys(settings) as table:
        key = table.revoke(key_id.split("_")[1] if key_id.count("_") > 1 else key_id)
    click.echo(f"{key.id} of {key.owner} is revoked")


@contextmanager
def _keys(settings: Settings) -> Iterator[Keys]:
    store = Store.open(settings.resolved_store_url)
    try:
        yield Keys(store.database)
    finally:
        store.close()


def _state(key: KeyRecord) -> str:
    if key.revoked is not None:
        return f"revoked {_day(key.revoked)}"
    if key.expires is None:
        return "lasts"
    word = "expired" if key.expires <= datetime.now(tz=UTC).timestamp() else "until"
    return f"{word} {_day(key.expires)}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d")

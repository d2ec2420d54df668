"""``orthoscape keys``, and a server that will not open by chance."""

import pytest
from click.testing import CliRunner

from service.access.keys import digest_of, public_part
from service.cli import main
from service.jobs.keys import Keys
from service.jobs.store import Store
from service.settings import Settings


@pytest.fixture
def orthoscape(tmp_path):
    def run(*arguments):
        return CliRunner().invoke(main, arguments, env={"ORTHOSCAPE_HOME": str(tmp_path)})

    return run


def stored(tmp_path):
    store = Store.open(Settings(home=tmp_path).resolved_store_url)
    try:
        return Keys(store.database).all()
    finally:
        store.close()


def test_a_key_is_shown_once_and_only_its_digest_is_kept(orthoscape, tmp_path):
    made = orthoscape("keys", "create", "urbanisme", "--scope", "read", "--owner", "town", "--days", "1")
    text = made.stdout.strip()
    [key] = stored(tmp_path)
    assert (key.id, key.digest) == (public_part(text), digest_of(text))
    assert (key.owner, key.name, key.scopes) == ("town", "urbanisme", ("read",))
    assert key.expires == pytest.approx(key.created + 24 * 3600, abs=1.0)
    assert "the first" in made.stderr
    secret = text.split("_")[2].encode()
    assert not any(secret in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_keys_are_listed_and_revoked_by_their_public_part(orthoscape, tmp_path):
    assert "no keys" in orthoscape("keys", "list").stdout
    text = orthoscape("keys", "create", "me").stdout.strip()
    assert "lasts" in orthoscape("keys", "list").stdout
    assert orthoscape("keys", "revoke", public_part(text)).exit_code == 0
    revoked = stored(tmp_path)[0].revoked
    assert orthoscape("keys", "revoke", text).exit_code == 0
    assert stored(tmp_path)[0].revoked == revoked
    assert "revoked" in orthoscape("keys", "list").stdout
    unknown = orthoscape("keys", "revoke", "nobody")
    assert unknown.exit_code == 1
    assert "orthoscape keys list" in unknown.stderr


def test_a_server_that_others_reach_refuses_before_it_starts_anything(orthoscape):
    refused = orthoscape("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert refused.exit_code == 1
    assert "no key to ask them for" in refused.stderr
    assert "listens" not in refused.stdout

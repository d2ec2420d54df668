"""Keys are random, recognised, never kept; the ring follows the store."""

import re
from dataclasses import dataclass

import pytest

from service.access.errors import KeyWrong
from service.access.keys import digest_of, make_key, public_part
from service.access.principals import LOCAL, Principal, Scope, widened
from service.access.ring import KEPT_S, KeyRing


@dataclass(frozen=True)
class Known:
    id: str
    digest: str
    owner: str = "town"
    scopes: tuple[str, ...] = ("read", "write")
    expires: float | None = None
    revoked: float | None = None


class Shelf:
    """What a ring reads from, counting how often, and a clock for both."""

    def __init__(self, *keys):
        self.keys = list(keys)
        self.num_reads = 0
        self.now = 1000.0

    def load(self):
        self.num_reads += 1
        return self.keys

    def ring(self):
        return KeyRing(self.load, clock=lambda: self.now)


def known(fresh, **fields):
    return Known(id=fresh.id, digest=fresh.digest, **fields)


def asked(ring, text):
    if not ring.is_fresh_for(text):
        ring.refresh(text)
    return ring.recognise(text)


def test_a_key_tells_its_public_part_and_nothing_that_is_stored_tells_the_key():
    fresh = make_key()
    assert re.fullmatch(r"ortho_[a-z2-7]{8}_[a-z2-7]{32}", fresh.text)
    assert public_part(fresh.text) == fresh.id
    assert fresh.digest == digest_of(fresh.text)
    assert fresh.text.split("_")[2] not in f"{fresh.id} {fresh.digest}"


def test_keys_never_repeat():
    assert len({make_key().text for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text", ["", "ortho_", "ortho_abcdefgh_short", "x" * 10_000, "ortho_ABCDEFGH_" + "A" * 32]
)
def test_what_is_no_key_has_no_public_part(text):
    assert public_part(text) is None


def test_a_known_key_is_its_owner():
    fresh = make_key()
    found = asked(Shelf(known(fresh)).ring(), fresh.text)
    assert found == Principal("town", frozenset({Scope.READ, Scope.WRITE}), fresh.id)
    assert found.sees == "town"


def test_a_right_id_with_another_secret_is_wrong():
    fresh = make_key()
    forged = f"ortho_{fresh.id}_{make_key().text.split('_')[2]}"
    with pytest.raises(KeyWrong):
        asked(Shelf(known(fresh)).ring(), forged)


@pytest.mark.parametrize("ended", [{"revoked": 999.0}, {"expires": 1000.0}])
def test_an_ended_key_is_wrong_and_the_door_stays_shut(ended):
    fresh = make_key()
    ring = Shelf(known(fresh, **ended)).ring()
    with pytest.raises(KeyWrong):
        asked(ring, fresh.text)
    assert not ring.is_empty


def test_a_thousand_tiles_read_the_store_once():
    fresh = make_key()
    shelf = Shelf(known(fresh))
    ring = shelf.ring()
    for _ in range(1000):
        asked(ring, fresh.text)
    assert shelf.num_reads == 1


def test_a_revoked_key_works_no_longer_than_the_copy_is_kept():
    fresh = make_key()
    shelf = Shelf(known(fresh))
    ring = shelf.ring()
    asked(ring, fresh.text)
    shelf.keys = [known(fresh, revoked=1000.5)]
    shelf.now += KEPT_S
    with pytest.raises(KeyWrong):
        asked(ring, fresh.text)


def test_a_new_key_works_after_a_second_and_guesses_ask_the_store_no_more_often():
    fresh = make_key()
    shelf = Shelf()
    ring = shelf.ring()
    ring.refresh()
    shelf.keys = [known(fresh)]
    for _ in range(100):
        with pytest.raises(KeyWrong):
            asked(ring, make_key().text)
    assert shelf.num_reads == 1
    shelf.now += 1.0
    assert asked(ring, fresh.text).owner == "town"


def test_a_clock_that_is_set_back_ends_the_copy():
    shelf = Shelf()
    ring = shelf.ring()
    ring.refresh()
    shelf.now -= 3600
    assert not ring.is_fresh_for(None)


def test_scopes_include_those_before_them():
    assert widened(Scope.READ) == {"read"}
    assert widened(Scope.WRITE) == {"read", "write"}
    assert widened(Scope.ADMIN) == {"read", "write", "admin"}


def test_whoever_sits_here_sees_everything():
    assert LOCAL.sees is None
    assert LOCAL.owner == "local"

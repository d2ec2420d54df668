"""The rule of the door, and what browsers may do where there are no keys."""

import pytest

from service.access.door import check_door, is_loopback
from service.access.errors import DoorRefused, ForeignRequest, TooManyRequests
from service.access.origins import check_host, check_origin
from service.access.rates import Rates
from service.embedded.broker import broker_url
from service.settings import Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104  that is what is refused


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST."])
def test_this_machine_may_be_served_without_keys(host):
    assert is_loopback(host)
    check_door(Settings(host=host), has_keys=False)


@pytest.mark.parametrize(
    "host", [EVERYWHERE, "::", "192.168.1.10", "10.0.0.1", "maps.example.org", "", "pc12"]
)
def test_other_machines_may_not(host):
    settings = Settings(host=host)
    with pytest.raises(DoorRefused) as caught:
        check_door(settings, has_keys=False)
    for words in ("orthoscape keys create", "ORTHOSCAPE_HOST=127.0.0.1", "ORTHOSCAPE_OPEN_TO_ALL=true"):
        assert words in caught.value.remedy
    check_door(settings, has_keys=True)
    check_door(Settings(host=host, open_to_all=True), has_keys=False)


def test_of_a_container_the_published_address_counts():
    check_door(Settings(host=EVERYWHERE, published_host="127.0.0.1"), has_keys=False)
    with pytest.raises(DoorRefused):
        check_door(Settings(host="127.0.0.1", published_host=EVERYWHERE), has_keys=False)


OURS = """
localhost:8000 127.0.0.1:8000 [::1]:8000 192.168.1.10 pc12:8000 app.localhost:8000
maps.example.org MAPS.example.org:443
"""


@pytest.mark.parametrize("host", OURS.split())
def test_names_that_no_stranger_can_bear_are_ours(host):
    check_host(host, public_url="https://maps.example.org")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8000", "127.0.0.1.nip.io", "", "[", "a]b:1"]
)
def test_a_rebound_name_is_refused(host):
    with pytest.raises(ForeignRequest):
        check_host(host, public_url="")


def _headers(**named):
    return {name.replace("_", "-"): value for name, value in {"host": "127.0.0.1:8000", **named}.items()}


@pytest.mark.parametrize(
    "headers",
    [
        _headers(),
        _headers(origin="http://127.0.0.1:8000"),
        _headers(origin="http://127.0.0.1:8000", sec_fetch_site="same-origin"),
        _headers(origin="https://maps.example.org", sec_fetch_site="same-origin"),
        _headers(sec_fetch_site="none"),
    ],
)
def test_own_pages_and_programs_may_act(headers):
    check_origin(headers, public_url="https://maps.example.org")


@pytest.mark.parametrize(
    "headers",
    [
        _headers(origin="https://evil.example"),
        _headers(origin="null"),
        _headers(origin="http://127.0.0.1:3000"),  # another program of this machine
        _headers(origin="http://127.0.0.1:8000", sec_fetch_site="cross-site"),
        _headers(sec_fetch_site="cross-site"),
        _headers(sec_fetch_site="same-site"),
    ],
)
def test_pages_of_others_may_not(headers):
    with pytest.raises(ForeignRequest):
        check_origin(headers, public_url="")


def test_a_minute_holds_so_many_requests_and_each_has_its_own():
    rates = Rates.counting(3)
    for _ in range(3):
        rates.take("one")
    with pytest.raises(TooManyRequests) as caught:
        rates.take("one")
    assert 1 <= int(caught.value.headers["Retry-After"]) <= 120
    rates.take("another")


def test_without_a_limit_nothing_is_counted():
    rates = Rates.counting(0, redis_url="redis://127.0.0.1:1")
    for _ in range(1000):
        rates.take("one")


def test_a_redis_that_is_away_limits_nobody(caplog):
    rates = Rates.counting(1, redis_url="redis://127.0.0.1:1/0")
    for _ in range(3):
        rates.take("one")
    assert "cannot be counted" in caplog.text


def test_processes_share_a_minute_through_redis(redis_socket):
    urls = f"unix://{redis_socket}?db=0", broker_url(redis_socket)
    one, other = (Rates.counting(2, redis_url=url) for url in urls)
    one.take("me")
    other.take("me")
    for rates in (one, other):
        with pytest.raises(TooManyRequests):
            rates.take("me")

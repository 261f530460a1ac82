"""Browsers that are known, and what they are called."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from payflux.frontdoor.accounts.devices import device_cookie, device_name, known_device, place_name
from payflux.frontdoor.accounts.rules import country_code
from payflux.frontdoor.accounts.sessions import Client
from payflux.kit.crypto import TokenHasher
from payflux.settings import Settings
from payflux.web.browsers import client_of

TOKENS = TokenHasher("a secret of at least thirty-two characters")
ALICE = "alice@shop.example"


def test_a_browser_is_known_for_the_address_that_was_signed_in_to_in_it_alone() -> None:
    cookie = device_cookie(TOKENS, ALICE)
    assert known_device(TOKENS, cookie, ALICE)
    assert known_device(TOKENS, cookie, "bob@shop.example") == ""
    assert known_device(TokenHasher("another secret, as long as the first"), cookie, ALICE) == ""
    assert device_cookie(TOKENS, ALICE) != cookie


@given(st.text(max_size=120))
def test_a_made_up_cookie_makes_no_browser_known(cookie: str) -> None:
    assert known_device(TOKENS, cookie, ALICE) == ""


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
            "Safari/605.1.15",
            "Safari on Mac OS X",
        ),
        ("", "An unknown device"),
        ("\x00<script>", "An unknown device"),
    ],
)
def test_a_browser_is_called_as_a_person_would(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


@pytest.mark.parametrize(
    ("address", "told", "place"),
    [
        ("127.0.0.1", "", "The machine that PayFlux runs on"),
        ("192.168.7.20", "DE", "Your own network, 192.168.7.20"),
        ("93.184.216.34", "de", "DE, 93.184.216.34"),
        ("2606:2800:220:1::1", "NO", "NO, 2606:2800:220:1::1"),
        ("93.184.216.34", "XX", "93.184.216.34"),
        ("93.184.216.34", "Narnia", "93.184.216.34"),
        ("", "", "An unknown network"),
    ],
)
def test_a_place_is_told_as_far_as_the_address_and_the_proxy_in_front_tell_it(
    address: str, told: str, place: str
) -> None:
    assert place_name(address, country_code(told)) == place


@pytest.mark.parametrize(("header", "country"), [("CF-IPCountry", "NO"), ("", "")])
def test_the_country_of_a_browser_is_believed_only_where_a_proxy_is_known_to_say_it(
    settings: Settings, header: str, country: str
) -> None:
    app = SimpleNamespace(state=SimpleNamespace(world=SimpleNamespace(settings=settings)))
    app.state.world.settings = settings.model_copy(update={"country_header": header})
    asked = Request(
        {"type": "http", "headers": [(b"cf-ipcountry", b"NO")], "client": ("93.184.216.34", 4711), "app": app}
    )
    assert client_of(asked) == Client("93.184.216.34", "", country)

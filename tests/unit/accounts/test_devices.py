"""Browsers that are known, and what they are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.accounts.devices import device_cookie, device_name, known_device
from payflux.kit.crypto import TokenHasher

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

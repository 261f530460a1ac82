"""What a connection to a SAML provider may be, and that whatever may be saved can be gone to."""

from __future__ import annotations

import pytest

from payflux.frontdoor.accounts.sso.rules import connection_problems
from payflux.world.saml import IdentityProvider, ServiceProvider, sign_in_address

OURS = ServiceProvider("http://payflux:8080/sso/saml/1/metadata", "http://payflux:8080/sso/saml/1/acs")


def is_taken(address: str) -> bool:
    problems = connection_problems(
        protocol="saml",
        issuer="https://idp.example",
        client_id="",
        client_secret="",
        sign_in_url=address,
        certificate="",
        role="viewer",
    )
    assert "certificate" in problems
    return "sign_in_url" not in problems


@pytest.mark.parametrize(
    "address",
    [
        "https://idp.example/sso?tenant=a&b=c",
        "https://idp/sso",
        "http://sign_in.corp.internal:8443/adfs/ls/",
        "https://10.0.0.7/sso",
        "https://[2001:db8::1]:8443/sso",
        "https://xn--mller-kva.example/sso",
    ],
)
def test_an_address_that_may_be_saved_is_one_that_people_are_led_to(address: str) -> None:
    assert is_taken(address)
    led = sign_in_address(OURS, IdentityProvider("https://idp.example", address, "x"), request_id="_1", relay_state="s")
    assert led.startswith(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://müller.example/sso",
        "https://idp.example:port/sso",
        "https://idp..example/sso",
        "https://a.b/sso",
        "https://idp$.example/sso",
        "ftp://idp.example/sso",
        "/sso",
        "",
    ],
)
def test_one_that_nobody_could_be_led_to_is_refused_where_it_is_typed(address: str) -> None:
    assert not is_taken(address)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.kit.errors import InvalidInput
from payflux.monitor.processors.connecting.hosts import asked_host, host_of


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://Shop.Example.com/cart?x=1#y", "shop.example.com"),
        ("shop.example.com", "shop.example.com"),
        ("  shop.example.com.  ", "shop.example.com"),
        ("http://user:secret@shop.example:8443/", "shop.example"),
        ("https://bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_the_host_is_found_in_what_people_write(text: str, host: str) -> None:
    assert host_of(text) == asked_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "http://",
        "shop",
        "-shop.example",
        "a b.example",
        "a..example",
        "x" * 300,
    ],
)
def test_what_is_no_public_host_is_none(text: str) -> None:
    assert host_of(text) == ""
    with pytest.raises(InvalidInput) as refused:
        asked_host(text)
    assert "host" in refused.value.fields


@given(st.text())
def test_any_text_gives_a_plain_host_or_none_and_the_same_again(text: str) -> None:
    host = host_of(text)
    assert host == host_of(host)
    assert host.isascii()
    assert not host or ("." in host and len(host) <= 253)

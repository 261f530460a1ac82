"""No address that a stranger names leads inside: nothing is ever connected to."""

from __future__ import annotations

import gzip
import socket
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from itertools import cycle
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from payflux.settings import Settings, SettingsError, load_settings
from payflux.world.addresses import is_public
from payflux.world.fetching import LARGEST, Fetched, FetchFailure, Refusal, absolute, fetch, website

SETTINGS = Settings(secret_key=SecretStr("a secret for tests alone, 32 characters or more"))
PUBLIC = "93.184.216.34"

INSIDE_V4 = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.254",
    "127.0.0.1", "127.1.2.3", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255",
]  # fmt: skip
INSIDE_V6 = [
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::7f00:1", "100::1", "2001::1",
    "2001:0:7f00:1::", "2001:db8::1", "2001:10::1", "2002:7f00:1::1", "2002:a9fe:a9fe::", "2002:c0a8:1::",
    "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "fe80::a9fe:a9fe", "fec0::1",
    "ff02::1", "ff05::2", "fe80::1%eth0",
]  # fmt: skip
NOTATIONS = [
    "127.1", "127.0.1", "0x7f.1", "0x7f.0.0.1", "0x7f000001", "0X7F000001", "2130706433", "017700000001", "0177.0.0.1",
    "0177.0.0.01", "00000177.0.0.1", "127.0.0.0x1", "0x7f.0x0.0x0.0x1", "127.0.0.1.", "127.0.0.1..", "3232235777",
    "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "169.16689662",
    "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "[::ffff:127.0.0.1]", "[::1]", "[::]",
    "[0:0:0:0:0:0:0:1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25eth0]",
    "[fd00:ec2::254]",
    "[::127.0.0.1]", "[::1", "::1]", "[v1.fe80::a]", "[]", "-127.0.0.1", "0", "1", "0x0", "127.0.0.1%00",
    "127.0.0.1%2e", "127%2e0%2e0%2e1", "%31%32%37.0.0.1", "256.256.256.256", "1.2.3.4.5", "8.8.8.8", "93.184.216.34",
]  # fmt: skip
NAMES = [
    "localhost", "LOCALHOST", "localhost.", "localhost..", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc%61lhost", "foo.localhost",
    "a.b.localhost.",
    "router", "intranet", "metadata", "metadata.google.internal", "metadata.google.internal.",
    "instance-data.ec2.internal",
    "printer.local", "nas.lan", "wiki.corp", "fritz.home", "home.arpa", "host.docker.internal",
    "1.0.0.127.in-addr.arpa",
    "kubernetes.default.svc.cluster.local", "expyuzz4wqqyqhjn.onion", "shop.test", "shop.invalid", "db.intranet",
    "db.private", "localhost.localdomain", "-a.com", "a-.com", "a..com", ".com", "..", "", " ", "a_b.com",
    f"{'a' * 64}.com", f"{'a.' * 127}com", "com", "xn--.com", "exa mple.com", "exa\tmple.com", "a\u200bb\u0000.com",
]  # fmt: skip
WHOLE = [
    "ftp://example.com/", "file:///etc/passwd", "file://example.com/etc/passwd", "gopher://example.com:70/_x",
    "dict://example.com:11211/stats", "ldap://example.com/", "jar:http://example.com!/", "javascript:alert(1)",
    "data:text/html,hello", "about:blank", "blob:https://example.com/x", "ws://example.com/", "view-source:https://example.com",
    "http:example.com", "http:/example.com", "http:///example.com", "https://", "http://", "://example.com", "//",
    "http://example.com:22/", "http://example.com:25/", "http://example.com:443/", "https://example.com:80/",
    "http://example.com:8080/", "http://example.com:6379/", "https://example.com:0/", "http://example.com:65536/",
    "http://example.com:-80/", "http://example.com:80a/", "http://example.com:٨٠/", "http://example.com:/../:22",
    "http://user@example.com/", "http://user:pass@example.com/", "http://example.com@127.0.0.1/", "http://127.0.0.1@example.com/",
    "http://example.com%40127.0.0.1/", "http://:@example.com/", "http://@example.com/", "http://a@b@example.com/",
    "http://example.com\\@127.0.0.1/", "http:\\\\127.0.0.1\\", "http://127.0.0.1\\.example.com/", "http://example.com\\.evil/",
    "http://127.0.0.1?@example.com", "http://127.0.0.1#@example.com",
    "http://127.0.0.1;example.com", "http://127.0.0.1,example.com", "http://example.com\r\nHost: 127.0.0.1/",
    "http://example.com/\r\nX: y", "http://exam\nple.com/", "http://example.com /", "http://exam\u0000ple.com/",
    "http://[::1]:80:80/", "http://[example.com]/", "http://[::1]example.com/", "http://example.com[::1]/",
    "http://<example.com>/", "http://example.com^x/", "http://example.com|x/", "http://{example}.com/", "http://a`b.com/",
    "http://℀.com/", "http://example.com／@127.0.0.1/", "http://127.0.0.1：80/", "http://①②⑦.0.0.1＠example.com/",
    f"http://example.com/{'a' * 2000}",
]  # fmt: skip
HOSTILE = [
    *(f"{scheme}://{host}/" for host in INSIDE_V4 for scheme in ("http", "https")),
    *(f"http://[{host}]/latest/meta-data/" for host in INSIDE_V6),
    *(f"http://{host}/" for host in NOTATIONS),
    *(f"https://{host}/" for host in NAMES),
    *WHOLE,
]


@dataclass
class Network:
    """A resolver that answers `addresses` in turn, and a machine that notes every connection and answers it."""

    addresses: list[list[str]]
    body: bytes = b"<p>hello"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._turns = cycle(self.addresses)

    async def look_up(self, host: str) -> list[tuple]:
        self.asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in next(self._turns)]

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.connected.append(request.url.host)
        self.requests.append(request)
        return httpx.Response(200, headers=self.headers, stream=httpx.ByteStream(self.body))

    async def fetch(self, url: str, settings: Settings = SETTINGS) -> str:
        """The reason why nothing was read; empty where something was."""
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.handle)) as http:
            try:
                await fetch(settings, http, url, look_up=self.look_up)
            except FetchFailure as failure:
                return failure.reason
        return ""


def test_the_table_is_long_enough() -> None:
    assert len(set(HOSTILE)) >= 200


async def test_no_hostile_address_is_looked_up_or_connected_to() -> None:
    network = Network([[PUBLIC]])
    reached = [url for url in HOSTILE if not await network.fetch(url)]
    assert (reached, network.asked, network.connected) == ([], [], [])


@pytest.mark.parametrize("inside", [*INSIDE_V4, *INSIDE_V6])
async def test_a_name_that_is_also_inside_is_not_connected_to(inside: str) -> None:
    assert not is_public(inside)
    for addresses in ([inside], [PUBLIC, inside], [inside, PUBLIC]):
        network = Network([addresses])
        assert await network.fetch("https://shop.example.com/") == Refusal.NOT_PUBLIC
        assert network.connected == []


async def test_a_name_that_changes_its_address_leads_to_the_one_that_was_checked_and_nowhere_else() -> None:
    network = Network([[PUBLIC], ["127.0.0.1"]])
    assert await network.fetch("https://Shop.Example.com/a%20b?c=d#e") == ""
    (request,) = network.requests
    assert str(request.url) == f"https://{PUBLIC}/a%20b?c=d"
    assert request.headers["Host"] == request.extensions["sni_hostname"] == "shop.example.com"
    assert network.asked == ["shop.example.com"]
    assert await network.fetch("https://shop.example.com/") == Refusal.NOT_PUBLIC
    assert len(network.connected) == 1


def test_a_link_or_redirect_inside_is_no_address() -> None:
    for hostile in HOSTILE:
        found = absolute("https://shop.example.com/", hostile, SETTINGS)
        # what names no host is a path of the page's own
        assert found is None or httpx.URL(found).host == "shop.example.com", hostile


INSIDE = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address).filter(lambda each: not each.is_global),
    st.integers(0, 2**32 - 1).map(lambda each: IPv4Address(0x7F000000 | each & 0xFFFFFF)),
)


@given(INSIDE, st.data())
def test_no_spelling_of_an_inner_address_is_a_website(inner: IPv4Address, data: st.DataObject) -> None:
    number, octets = int(inner), inner.packed
    spellings = [
        str(inner),
        str(number),
        hex(number),
        oct(number).replace("o", ""),
        ".".join(map(hex, octets)),
        ".".join(f"0{octet:o}" for octet in octets),
        f"{octets[0]}.{number & 0xFFFFFF}",
        f"{octets[0]}.{octets[1]}.{number & 0xFFFF}",
        "".join(chr(ord(letter) + 0xFEE0) if letter.isdigit() else letter for letter in str(inner)),
        f"[::ffff:{inner}]",
        f"[64:ff9b::{inner}]",
        f"[{IPv6Address(0x2002 << 112 | number << 80)}]",
    ]
    host = data.draw(st.sampled_from(spellings)) + data.draw(st.sampled_from(["", ".", ":80"]))
    with pytest.raises(FetchFailure):
        website(f"http://{host}/", SETTINGS)
    assert not is_public(f"::ffff:{inner}")
    assert not is_public(str(IPv6Address(0x0064FF9B << 96 | number)))


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_public_name_or_refused(text: str) -> None:
    try:
        found = website(text, SETTINGS)
    except FetchFailure:
        return
    parsed = httpx.URL(found)
    assert parsed.scheme in ("http", "https")
    assert parsed.port is None
    assert not parsed.userinfo
    assert parsed.raw_host.rpartition(b".")[2][:1].isalpha()
    assert website(found, SETTINGS) == found


def test_what_people_type_is_an_address() -> None:
    for typed, found in {
        "shop.example.com": "https://shop.example.com/",
        "  HTTP://Shop.Example.com./a?b=c#d ": "http://shop.example.com/a?b=c",
        "https://shop.example.com:443": "https://shop.example.com/",
        "bücher.example": "https://xn--bcher-kva.example/",
        "FAß.example": "https://xn--fa-hia.example/",  # another website than fass.example
        "☕.example": "https://xn--53h.example/",
        "ｓｈｏｐ。example": "https://shop.example/",
    }.items():
        assert website(typed, SETTINGS) == found


async def test_what_is_read_is_limited_however_small_it_was_packed() -> None:
    packed = gzip.compress(b"a" * (LARGEST * 20))
    network = Network([[PUBLIC]], packed, {"Content-Encoding": "gzip"})
    async with httpx.AsyncClient(transport=httpx.MockTransport(network.handle)) as http:
        fetched = await fetch(SETTINGS, http, "shop.example.com", look_up=network.look_up)
    assert len(fetched.body) == LARGEST


@pytest.mark.parametrize("charset", ["punycode", "idna", "zlib", "hex", "unicode_escape", "utf-7", "no-such"])
def test_a_page_in_what_is_no_character_set_of_the_web_is_read_all_the_same(charset: str) -> None:
    body = "<p>Größe \\ud800 +2AA-</p>"
    for page in (
        Fetched("https://shop.example/", 200, "text/html", "", body.encode(), charset),
        Fetched("https://shop.example/", 200, "text/html", "", f'<meta charset="{charset}">{body}'.encode()),
    ):
        assert page.text.endswith(body)
    latin = Fetched("https://shop.example/", 200, "text/html", "", "Größe".encode("latin-1"), "iso-8859-1")
    assert latin.text == "Größe"


async def test_only_the_shops_that_a_setting_names_are_read_on_this_machine(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, sandbox_port=8123)
    network = Network([["127.0.0.1"]])
    assert await network.fetch("https://harbour-tea.localhost/returns", settings) == ""
    (request,) = network.requests
    assert str(request.url) == "http://127.0.0.1:8123/returns"
    assert (request.headers["Host"], request.headers["X-Forwarded-Proto"]) == ("harbour-tea.localhost", "https")
    for other in ("https://127.0.0.1:8123/", "https://localhost/", "https://other.localhost/", "https://shop.example/"):
        assert await network.fetch(other, settings)
    assert network.asked == ["shop.example"]
    assert len(network.connected) == 1


def test_production_refuses_the_sandboxs_shops() -> None:
    with pytest.raises(SettingsError, match="PAYFLUX_STOREFRONT_HOSTS"):
        load_settings(environment="production", storefront_hosts="harbour-tea.localhost")

"""Read public pages that strangers name, politely: by our own name, within limits, and never inside a network.

Only http and https on their own ports, only host names, each request to an address that was checked
(:mod:`payflux.world.addresses`). No redirect is followed here: whoever follows one asks anew, and it is checked anew.
"""

from __future__ import annotations

import asyncio
import codecs
import re
import unicodedata
import zlib
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urljoin, urlsplit

import httpx

from payflux.settings import Settings
from payflux.world.addresses import HostUnknown, LookUp, NotPublic, checked_address, look_up, pinned

ROBOT = "PayFluxScan"
"""The name by which robots.txt speaks of us."""

LARGEST = 1_500_000
"""Bytes of a page that are read, unpacked; what comes after is left."""

LONGEST_URL = 2000
PATIENCE = 8.0  # seconds for one answer, from the name's look-up to its last byte

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LAST_LABEL = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_NETLOC = re.compile(r"([^@:\[\]\s]+)(?::([0-9]{1,5}))?")
_MISREAD = re.compile(r"[\x00-\x20\x7f\\<>\"`{}|^]")  # what browsers and libraries read differently
_INSIDE = {"localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "arpa"}
_INSIDE |= {"onion", "invalid", "test", "alt"}
"""Last labels that never lead to the public internet (RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN's .internal)."""
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w.:-]{2,40})", re.IGNORECASE)
_NOT_OF_PAGES = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
"""What Python decodes and no browser does: to some of it a page's length is squared, others make half characters."""


class Refusal(StrEnum):
    """Why nothing was read."""

    NOT_AN_ADDRESS = "not_an_address"
    NOT_PUBLIC = "not_public"
    UNKNOWN_HOST = "unknown_host"
    NO_ANSWER = "no_answer"
    INSECURE = "insecure"
    TOO_SLOW = "too_slow"
    UNREADABLE = "unreadable"


class FetchFailure(Exception):
    """Nothing was read, and `reason` says why. It holds nothing of the address."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Fetched:
    """One answer as it came: `url` is what was asked, `location` where a redirect leads, absolute, else empty."""

    url: str
    status: int
    content_type: str
    location: str
    body: bytes
    charset: str = ""

    @property
    def is_page(self) -> bool:
        return self.status == 200 and self.content_type in ("text/html", "application/xhtml+xml")

    @property
    def text(self) -> str:
        """The body as text, in the character set it names; what does not fit is replaced, and what is no character set
        of the web is read as UTF-8."""
        named = _CHARSET.search(self.body[:4096])
        name = self.charset or (named[1].decode("ascii", "replace") if named else "utf-8")
        try:
            known = codecs.lookup(name).name not in _NOT_OF_PAGES
            return self.body.decode(name if known else "utf-8", "replace")
        except (LookupError, ValueError):
            return self.body.decode("utf-8", "replace")


def website(text: str, settings: Settings) -> str:
    """The address of a public page that a person, a link or a redirect names, in one spelling: scheme, host in lower
    case and ASCII, path and query. https where no scheme is named. Raises FetchFailure for anything else."""
    text = text.strip()
    if not re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE):
        text = f"https://{text}"
    if len(text) > LONGEST_URL or _MISREAD.search(text):
        raise FetchFailure(Refusal.NOT_AN_ADDRESS)
    try:
        parts = urlsplit(text)
        host, port = _host_and_port(parts.netloc)
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
        query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=-._~?')}" if parts.query else ""
    except ValueError:
        raise FetchFailure(Refusal.NOT_AN_ADDRESS) from None
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    if usual is None or port not in (None, usual):
        raise FetchFailure(Refusal.NOT_AN_ADDRESS)
    last = host.rpartition(".")[2]
    if last in _INSIDE and host not in settings.storefronts:
        raise FetchFailure(Refusal.NOT_PUBLIC)
    return f"{parts.scheme}://{host}{path}{query}"


def absolute(base: str, link: str, settings: Settings) -> str | None:
    """Where `link` on the page `base` leads, as :func:`website` spells it; None where that is nowhere public."""
    link = link.strip().replace(" ", "%20")
    try:
        return None if _MISREAD.search(link) else website(urljoin(base, link), settings)
    except (FetchFailure, ValueError):
        return None


async def fetch(
    settings: Settings, http: httpx.AsyncClient, url: str, *, look_up: LookUp = look_up, patience: float = PATIENCE
) -> Fetched:
    """Ask for `url` once. Raises FetchFailure."""
    target = httpx.URL(website(url, settings))
    host = target.raw_host.decode("ascii")
    headers = {
        "User-Agent": user_agent(settings),
        "Accept": "text/html,application/xhtml+xml,text/plain;q=0.8",
        "Accept-Encoding": "gzip",
        "Accept-Language": "en;q=0.9,*;q=0.5",
    }
    try:
        async with asyncio.timeout(patience):
            if host in settings.storefronts:
                at, own_name, extensions = _storefront(settings, target)
            else:
                at, own_name, extensions = pinned(target, await checked_address(host, look_up))
            request = http.build_request(
                "GET", at, headers={**headers, **own_name}, timeout=patience, extensions=extensions
            )
            answer = await http.send(request, stream=True, follow_redirects=False)
            try:
                body = await _unpacked(answer)
            finally:
                await answer.aclose()
    except HostUnknown:
        raise FetchFailure(Refusal.UNKNOWN_HOST) from None
    except NotPublic:
        raise FetchFailure(Refusal.NOT_PUBLIC) from None
    except (TimeoutError, httpx.TimeoutException):
        raise FetchFailure(Refusal.TOO_SLOW) from None
    except httpx.ConnectError as error:
        raise FetchFailure(Refusal.INSECURE if "CERTIFICATE" in str(error) else Refusal.NO_ANSWER) from None
    except (httpx.HTTPError, zlib.error):
        raise FetchFailure(Refusal.NO_ANSWER) from None
    location = answer.headers.get("Location", "") if answer.is_redirect else ""
    return Fetched(
        url=str(target),
        status=answer.status_code,
        content_type=answer.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        location=(absolute(str(target), location, settings) or "") if location else "",
        body=body,
        charset=answer.charset_encoding or "",
    )


def user_agent(settings: Settings) -> str:
    """How the scan introduces itself, with the page that explains it."""
    return f"{ROBOT}/1.0 (+{settings.url}/scan/about)"


def _host_and_port(netloc: str) -> tuple[str, int | None]:
    """Raises ValueError unless `netloc` is a host name, in whatever alphabet, and at most a port."""
    found = _NETLOC.fullmatch(netloc)
    if found is None:
        raise ValueError(netloc)
    host = _as_dns_knows_it(found[1]).removesuffix(".")
    labels = host.split(".")
    is_name = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and _LAST_LABEL.fullmatch(labels[-1])
    if not is_name or len(host) > 253:
        raise ValueError(host)
    return host, int(found[2]) if found[2] else None


def _as_dns_knows_it(name: str) -> str:
    """`name` in ASCII and lower case, as browsers ask for it: ß is a letter (IDNA 2008), and what that does not know,
    such as pictures, is written as IDNA 2003 does. Every alphabet's digits and dots become ASCII. Raises ValueError."""
    if name.isascii():
        return name.lower()
    try:
        return httpx.URL(scheme="https", host=unicodedata.normalize("NFKC", name)).raw_host.decode("ascii")
    except httpx.InvalidURL:
        return name.encode("idna").decode("ascii").lower()


def _storefront(settings: Settings, target: httpx.URL) -> tuple[httpx.URL, dict[str, str], dict[str, str]]:
    """One of the sandbox's shops, which stand on this machine; what ends TLS before them says how they were asked."""
    at = httpx.URL(settings.sandbox_url).copy_with(raw_path=target.raw_path)
    return at, {"Host": target.netloc.decode("ascii"), "X-Forwarded-Proto": target.scheme, "Connection": "close"}, {}


async def _unpacked(answer: httpx.Response) -> bytes:
    """The body, up to LARGEST; never more in memory, however small it was packed. Raises FetchFailure."""
    packing = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise FetchFailure(Refusal.UNREADABLE)
    unpack = None if packing in ("identity", "") else zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += unpack.decompress(piece, LARGEST - len(body)) if unpack else piece
        if len(body) >= LARGEST:
            break
    return bytes(body[:LARGEST])

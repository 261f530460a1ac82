"""Reads a few pages of a website, one after the other, as its robots.txt allows."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from protego import Protego

from payflux.kit.messages import mark
from payflux.monitor.scan.rules.findings import Site
from payflux.monitor.scan.rules.links import MOST_PAGES, next_link, same_website, topic_of
from payflux.monitor.scan.rules.pages import Link, Page, read_page
from payflux.settings import Settings
from payflux.world.fetching import ROBOT, Fetched, FetchFailure, Refusal, absolute

LONGEST = 40.0  # seconds for a whole website
LONGEST_PAUSE = 5.0  # seconds between two pages; whoever asks for more is read less
MOST_REDIRECTS = 5
_FAILED_PAGES = 4
"""How many pages may fail before the others are left."""
_ADDRESSED = re.compile(r"\s*user(?:-|\s*)agent(?:\s*:|\s)(.*)", re.IGNORECASE)

Read = Callable[[str], Awaitable[Fetched]]
OnPage = Callable[[str], Awaitable[None]]


class Unscannable(Exception):
    """The website cannot be read at all; `problem` is a key of :data:`PROBLEMS`."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


PROBLEMS: dict[str, str] = {
    Refusal.NOT_AN_ADDRESS: mark("It leads to an address that is not a public website's."),
    Refusal.NOT_PUBLIC: mark("Its address is of a private network, or of no network that everybody can reach."),
    Refusal.UNKNOWN_HOST: mark("Nobody knows a website of this name. Look at its spelling."),
    Refusal.NO_ANSWER: mark("It does not answer. A reviewer's tool would not get further."),
    Refusal.INSECURE: mark("Its certificate is not one that browsers trust, so visitors are warned away."),
    Refusal.TOO_SLOW: mark("It did not answer in time."),
    Refusal.UNREADABLE: mark("It answers in a form that cannot be read."),
    "robots": mark("Its robots.txt asks robots not to read it, so it was not read."),
    "no_page": mark("Its first page is not there, or is no page: it answered with an error, or with a file."),
    "redirects": mark("It leads from one address to the next without end."),
    "unexpected": mark("The scan stopped for a reason of ours. Start it again."),
}
"""Why a website was not scanned; looked up where it is shown."""


@dataclass
class _Robots:
    """What the robots.txt of each host allows; asked for once. Without one, everything is allowed; one that cannot be
    read allows nothing (RFC 9309, sections 2.3.1.3 and 2.3.1.4)."""

    read: Read
    rules: dict[str, Protego] = field(default_factory=dict)

    async def of(self, url: str) -> Protego:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self.rules:
            text = await self._text(f"{origin}/robots.txt")
            self.rules[origin] = await asyncio.to_thread(Protego.parse, _for_us(text))
        return self.rules[origin]

    async def _text(self, url: str) -> str:
        answer = await self.read(url)
        for _ in range(MOST_REDIRECTS):
            if not answer.location:
                break
            answer = await self.read(answer.location)
        if answer.status == 200:
            return answer.text[:500_000]
        return "User-agent: *\nDisallow: /\n" if answer.status >= 500 or answer.status == 429 else ""


def _for_us(robots: str) -> str:
    """A robots.txt in which all robots but ours have one name: what it says is kept for each name, and thousands of
    rules for thousands of names are millions."""
    lines = robots.splitlines()
    for number, line in enumerate(lines):
        found = _ADDRESSED.match(line)
        if found and (name := found[1].partition("#")[0].strip().lower()):
            name = name.strip("*") or "*"
            lines[number] = f"User-agent: {name if name in ('*', ROBOT.lower()) else 'another'}"
    return "\n".join(lines)


async def crawl(
    read: Read,
    start: str,
    on_page: OnPage,
    settings: Settings,
    *,
    longest: float = LONGEST,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Site:
    """Read the website that begins at `start`: :data:`MOST_PAGES` pages at most, and no longer than `longest` seconds;
    `on_page` hears of each as it is read.

    Raises Unscannable where not even its first page is read.
    """
    robots, began = _Robots(read), clock()
    try:
        async with asyncio.timeout(longest):
            first = await _entry(read, robots, start)
    except TimeoutError:
        raise Unscannable(Refusal.TOO_SLOW) from None
    host = urlsplit(first.url).hostname or ""
    pages = [await asyncio.to_thread(read_page, first.url, first.text)]
    topics, tried, failed = [(first.url, "")], {start, first.url}, 0
    await on_page(first.url)
    while len(pages) < MOST_PAGES and failed < _FAILED_PAGES and (left := longest - (clock() - began)) > 0:
        link = next_link(_unread(pages, host, tried, settings), topics)
        if link is None:
            break
        tried.add(link.url)
        try:
            async with asyncio.timeout(left):
                if await _wait(robots, link.url, pause, len(pages)):
                    break
                answer = await _follow(read, robots, link.url, host)
        except TimeoutError:
            break
        except (FetchFailure, Unscannable):
            failed += 1
            continue
        tried.add(answer.url)
        if not answer.is_page or answer.url in {page.url for page in pages}:
            continue
        pages.append(await asyncio.to_thread(read_page, answer.url, answer.text))
        topics.append((answer.url, topic_of(link)[0]))
        await on_page(answer.url)
    return Site(host, tuple(pages))


async def _entry(read: Read, robots: _Robots, start: str) -> Fetched:
    """The first page; over plain HTTP where HTTPS does not answer. Raises Unscannable."""
    plain = f"http://{start.removeprefix('https://')}" if start.startswith("https://") else ""
    for address in filter(None, (start, plain)):
        try:
            answer = await _follow(read, robots, address, None)
        except FetchFailure as failure:
            problem = failure.reason
            if problem in (Refusal.NO_ANSWER, Refusal.INSECURE, Refusal.TOO_SLOW):
                continue
            break
        if not answer.is_page:
            raise Unscannable("no_page")
        return answer
    raise Unscannable(problem)


async def _follow(read: Read, robots: _Robots, url: str, host: str | None) -> Fetched:
    """The answer at the end of redirects, each of which robots.txt allows and, with `host`, stays on its website.

    Raises FetchFailure and Unscannable.
    """
    for _ in range(MOST_REDIRECTS + 1):
        if not (await robots.of(url)).can_fetch(url, ROBOT):
            raise Unscannable("robots")
        answer = await read(url)
        if 300 <= answer.status < 400 and not answer.location:
            raise FetchFailure(Refusal.NOT_AN_ADDRESS)
        if not answer.location:
            return answer
        url = answer.location
        if host is not None and not same_website(host, urlsplit(url).hostname or ""):
            raise Unscannable("redirects")
    raise Unscannable("redirects")


def _unread(pages: list[Page], host: str, tried: set[str], settings: Settings) -> Iterator[Link]:
    seen = set(tried)
    for page in pages:
        for link in page.links:
            url = absolute(page.url, link.url.partition("#")[0], settings)
            if url and url not in seen and same_website(host, urlsplit(url).hostname or ""):
                seen.add(url)
                yield Link(url, link.text)


async def _wait(robots: _Robots, url: str, pause: Callable[[float], Awaitable[None]], read: int) -> bool:
    """Wait as long as the host asks between two pages; whether that is so long that no more is read."""
    try:
        asked = float((await robots.of(url)).crawl_delay(ROBOT) or 0)
    except FetchFailure:
        return False
    if asked > LONGEST_PAUSE and read > 1:
        return True
    if asked:
        await pause(min(asked, LONGEST_PAUSE))
    return False

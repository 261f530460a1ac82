"""Which pages of a website are worth reading. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from payflux.monitor.scan.rules.german import TOPICS
from payflux.monitor.scan.rules.pages import Link

MOST_PAGES = 12
_MOST_PRODUCTS = 3

_TOPICS: tuple[tuple[str, int, re.Pattern[str]], ...] = tuple(
    (topic, weight, re.compile(f"{pattern}|{TOPICS[topic]}", re.IGNORECASE))
    for topic, weight, pattern in (
        ("returns", 100, r"refund|return|money.?back|guarantee"),
        ("shipping", 95, r"shipping|delivery|postage|dispatch"),
        ("cancellation", 92, r"cancel|subscription|membership|billing"),
        ("contact", 90, r"contact|support|customer.?(service|care)|help|impressum|imprint"),
        ("privacy", 85, r"privacy|data.?protection|gdpr"),
        ("terms", 80, r"terms|conditions|legal|policies|policy|\btos\b|agreement|notice"),
        ("promotion", 70, r"promo|offer|sale|discount|coupon|giveaway"),
        ("pricing", 65, r"pric(e|ing)|plans?\b"),
        ("questions", 60, r"faq|questions"),
        ("about", 50, r"about|company|who.?we.?are|our.?story"),
        ("payment", 45, r"check.?out|\border\b|payment"),
        ("product", 40, r"shop|product|store|catalog|collection|services|item|buy"),
    )
)
_NO_PAGE = re.compile(
    r"\.(pdf|jpe?g|png|gif|webp|svg|zip|mp[34]|docx?|xlsx?|csv|xml|json|css|js|ico|woff2?)$", re.IGNORECASE
)
_NOT_FOR_US = re.compile(
    r"(^|/)(log.?in|sign.?in|account|cart|basket|wp-admin|admin|logout|register|warenkorb|anmelden|konto)(/|$)",
    re.IGNORECASE,
)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def same_website(one: str, other: str) -> bool:
    """Whether two hosts belong to whoever registered the domain (publicsuffix.org)."""
    return one == other or _domain(one) == _domain(other)


def _domain(host: str) -> str:
    return _suffixes().privatesuffix(host) or host


def topic_of(link: Link) -> tuple[str, int]:
    """What a link promises, and how much that is worth; nothing is ("", 0)."""
    path = urlsplit(link.url).path
    if _NO_PAGE.search(path) or _NOT_FOR_US.search(path):
        return "", 0
    for topic, weight, pattern in _TOPICS:
        if pattern.search(f"{link.text[:80]} {path}"):
            return topic, weight
    return "", 0


def next_link(links: Iterable[Link], read: Iterable[tuple[str, str]]) -> Link | None:
    """The link to read next, of `links` to pages that were not read: the most promising topic that nothing was read
    of goes first. `read` are the pages so far, as (address, topic). None where nothing is worth it."""
    topics = [topic for _, topic in read]
    best, most = None, 0
    for link in links:
        topic, weight = topic_of(link)
        seen = topics.count(topic)
        if topic == "product" and seen >= _MOST_PRODUCTS:
            continue
        worth = weight - 30 * seen
        if worth > most:
            best, most = link, worth
    return best

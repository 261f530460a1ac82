"""A page as the checks read it: its words in blocks, its links and its forms. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urljoin

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode

_DROPPED = ["script", "style", "template", "svg", "iframe", "object", "noscript"]
_BLOCKS = "address,article,aside,blockquote,br,button,caption,dd,div,dl,dt,fieldset,figcaption,figure,footer,form,"
_BLOCKS += "h1,h2,h3,h4,h5,h6,header,hr,label,legend,li,main,nav,ol,option,p,pre,section,summary,table,td,th,tr,ul"
_MOST_BLOCKS, _MOST_LINKS, _LONGEST_BLOCK, _MOST_TEXT = 3000, 400, 4000, 200_000
_LONGEST_ADDRESS = 2000
_DEEPEST = 2000
"""Elements inside one another, beyond which the rest is left: the parser's time grows with the square of it."""
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.IGNORECASE)
_UNNESTED = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
_UNNESTED |= {"p", "li", "dt", "dd", "option", "tr", "td", "th", "thead", "tbody", "tfoot", "html", "head", "body"}
"""Elements that have no end, or end with the next of their kind."""
_CURRENCY = re.compile(r"[A-Z]{3}")


class Link(msgspec.Struct, frozen=True):
    """Where a link leads, absolute, and its words."""

    url: str
    text: str


class Form(msgspec.Struct, frozen=True):
    """Where a form is sent, absolute, and the names and autocomplete words of its fields, in lower case."""

    action: str
    fields: tuple[str, ...]


class Page(msgspec.Struct, frozen=True):
    """One page. `blocks` are its words by paragraph, heading, list item or cell, in their order; `headings` with its
    title. `currencies` are those that its structured data names, `is_product` whether that describes something sold."""

    url: str
    headings: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    forms: tuple[Form, ...] = ()
    language: str = ""
    currencies: tuple[str, ...] = ()
    is_product: bool = False

    @property
    def words(self) -> int:
        return sum(len(block.split()) for block in self.blocks)


def read_page(url: str, html: str) -> Page:
    """The page at `url`. Whatever is no HTML has no words."""
    tree = LexborHTMLParser(_shallow(html))
    data = list(_structured_data(tree))
    title = tree.css_first("title")
    metas = [node.attributes.get("content") or "" for node in tree.css('meta[property$="price:currency"]')]
    language = (tree.root.attributes.get("lang") or "") if tree.root else ""
    tree.strip_tags(_DROPPED, recursive=True)
    links = tuple(
        Link(urljoin_or_empty(url, node.attributes.get("href") or ""), _one_line(node.text())[:_LONGEST_BLOCK])
        for node in tree.css("a[href]")[:_MOST_LINKS]
    )
    forms = tuple(
        Form(urljoin_or_empty(url, node.attributes.get("action") or url), tuple(_fields(node)))
        for node in tree.css("form")[:50]
    )
    headings = tuple(
        _one_line(node.text())[:_LONGEST_BLOCK] for node in [*([title] if title else []), *tree.css("h1,h2,h3")[:200]]
    )
    return Page(
        url=url,
        headings=tuple(filter(None, headings)),
        blocks=_blocks(tree),
        links=links,
        forms=forms,
        language=language.lower()[:35],
        currencies=tuple(dict.fromkeys(filter(_CURRENCY.fullmatch, [*metas, *_values(data, "priceCurrency")]))),
        is_product=any(kind in ("Product", "Offer", "Service", "ProductGroup") for kind in _values(data, "@type")),
    )


def urljoin_or_empty(base: str, link: str) -> str:
    """`link` made absolute; empty where it is none, or too long for one."""
    try:
        return urljoin(base, link.strip()) if len(link) <= _LONGEST_ADDRESS else ""
    except ValueError:
        return ""


def quoted(block: str, start: int, end: int, *, around: int = 90) -> str:
    """The words of `block` around a match, whole words, with an ellipsis where something is left out."""
    first, last = max(0, start - around), min(len(block), end + around)
    while first and not block[first - 1].isspace():
        first -= 1
    while last < len(block) and not block[last].isspace():
        last += 1
    return f"{'… ' if first else ''}{block[first:last].strip()}{' …' if last < len(block) else ''}"


def _shallow(html: str) -> str:
    """`html` up to where it is nested too deep."""
    depth = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() not in _UNNESTED:
            depth = max(0, depth + (-1 if tag[1] else 1))
            if depth > _DEEPEST:
                return html[: tag.start()]
    return html


def _blocks(tree: LexborHTMLParser) -> tuple[str, ...]:
    if tree.body is None:
        return ()
    for node in tree.body.css(_BLOCKS)[: 4 * _MOST_BLOCKS]:
        node.insert_before("\n")
        node.insert_after("\n")
        if node.first_child is not None:
            node.first_child.insert_before("\n")
    text = tree.body.text(deep=True)[:_MOST_TEXT]
    lines = (_one_line(line)[:_LONGEST_BLOCK] for line in text.split("\n"))
    return tuple(filter(None, lines))[:_MOST_BLOCKS]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fields(form: LexborNode) -> Iterator[str]:
    for node in form.css("input,select,textarea")[:100]:
        for name in ("name", "id", "autocomplete", "type"):
            if word := node.attributes.get(name):
                yield word.lower()


def _structured_data(tree: LexborHTMLParser) -> Iterator[object]:
    """schema.org's data on the page; what is broken is left out."""
    for node in tree.css('script[type="application/ld+json"]')[:20]:
        try:
            yield json.loads(node.text(deep=True))
        except (ValueError, RecursionError):
            continue
    for node in tree.css("[itemprop=priceCurrency]")[:5]:
        yield {"priceCurrency": node.attributes.get("content") or node.text().strip()}


def _values(data: object, key: str, depth: int = 0) -> Iterator[str]:
    """Every text that stands under `key`, however deep, to a limit."""
    if depth > 12:
        return
    if isinstance(data, dict):
        found = data.get(key)
        yield from (each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str))
        data = list(data.values())
    if isinstance(data, list):
        for each in data[:500]:
            yield from _values(each, key, depth + 1)

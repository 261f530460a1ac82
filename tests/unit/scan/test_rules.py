"""What the checks see: whole shops, and the sentences that a check turns on."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.scan.crawling import LONGEST, LONGEST_PAUSE, Unscannable, crawl
from payflux.monitor.scan.rules.assessing import NOT_READ, TOO_LITTLE, assess
from payflux.monitor.scan.rules.checks import JUDGES
from payflux.monitor.scan.rules.comparing import compare
from payflux.monitor.scan.rules.findings import Assessment, Severity, Site, Status
from payflux.monitor.scan.rules.links import MOST_PAGES, next_link, same_website
from payflux.monitor.scan.rules.pages import Link, Page, quoted, read_page
from payflux.monitor.scan.rules.registry import CHECKS, VERSION, check_of
from payflux.monitor.scan.rules.restricted import FAMILIES, restricted
from payflux.sandbox.storefronts.pages import ENCRYPTED, shop_pages
from payflux.settings import SANDBOX_STOREFRONTS, Settings
from payflux.world.fetching import Fetched, FetchFailure, Refusal, absolute
from tests.unit.scan.german_shop import german_shop

GOOD, GAPS, RESTRICTED = SANDBOX_STOREFRONTS
SETTINGS = Settings(storefront_hosts=",".join(SANDBOX_STOREFRONTS))


@dataclass
class Web:
    """Websites by address: HTML, or where an address leads. What is read is noted."""

    pages: dict[str, str]
    robots: str = ""
    robots_status: int = 200
    moved: dict[str, str] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    silent: tuple[str, ...] = ()
    longest: float = LONGEST

    async def get(self, url: str) -> Fetched:
        self.read.append(url)
        if url in self.silent:
            await asyncio.Event().wait()
        if url.endswith("/robots.txt"):
            return Fetched(url, self.robots_status if self.robots else 404, "text/plain", "", self.robots.encode())
        if url in self.moved:
            return Fetched(url, 301, "", absolute(url, self.moved[url], SETTINGS) or "", b"")
        if url not in self.pages:
            if url.startswith("https://") and f"http://{url[8:]}" in self.pages:
                raise FetchFailure(Refusal.NO_ANSWER)
            return Fetched(url, 404, "text/html", "", b"")
        return Fetched(url, 200, "text/html", "", self.pages[url].encode())

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def crawl(self, start: str) -> Site:
        async def on_page(url: str) -> None:
            self.read.append(f"told {url}")

        return await crawl(
            self.get, start, on_page, SETTINGS, longest=self.longest, pause=self.pause, clock=lambda: 0.0
        )


def shop(host: str) -> Web:
    scheme = "https" if host in ENCRYPTED else "http"
    pages = {f"{scheme}://{host}{path}": html for path, html in shop_pages(host).items()}
    return Web(pages, robots="User-agent: *\nDisallow: /checkout\n")


async def assessed(host: str) -> Assessment:
    return assess(await shop(host).crawl(f"https://{host}/"))


def statuses(assessment: Assessment) -> dict[str, Status]:
    return {finding.key: finding.status for finding in assessment.findings}


async def test_a_good_shop_has_everything_and_is_low() -> None:
    found = await assessed(GOOD)
    expected = {check.key: Status.PRESENT for check in CHECKS}
    expected |= {"card_fields": Status.NOT_APPLICABLE, "imprint": Status.NOT_APPLICABLE, "restricted": Status.ABSENT}
    assert statuses(found) == expected
    assert (found.tier, found.reasons, found.version, found.language) == (1, (), VERSION, "en")
    quotes = {finding.key: finding.seen for finding in found.findings}
    assert "within 30 days" in quotes["returns"].quote
    assert quotes["returns"].url == f"https://{GOOD}/returns"
    assert "before the next renewal" in quotes["cancellation"].quote
    assert "hello@harbour-tea.example" in quotes["contact"].quote


async def test_a_shop_with_gaps_is_told_each_of_them() -> None:
    found = await assessed(GAPS)
    assert statuses(found) == {
        "description": Status.AMBIGUOUS,
        "currency": Status.AMBIGUOUS,
        "contact": Status.ABSENT,
        "returns": Status.AMBIGUOUS,
        "shipping": Status.AMBIGUOUS,
        "cancellation": Status.NOT_APPLICABLE,
        "legal": Status.ABSENT,
        "privacy": Status.ABSENT,
        "imprint": Status.NOT_APPLICABLE,
        "promotions": Status.ABSENT,
        "encryption": Status.PRESENT,
        "card_fields": Status.NOT_APPLICABLE,
        "restricted": Status.ABSENT,
    }
    assert found.tier == 4
    assert found.reasons[0] == "contact"
    assert next(each.seen for each in found.findings if each.key == "contact").url == f"https://{GAPS}/contact"


async def test_a_shop_of_restricted_goods_is_critical_for_what_it_offers() -> None:
    found = await assessed(RESTRICTED)
    seen = statuses(found)
    assert {key for key in seen if key.startswith("restricted:") and seen[key] is Status.PRESENT} == {
        "restricted:cannabis",
        "restricted:nutraceuticals",
        "restricted:negative_option",
    }
    assert (seen["cancellation"], seen["encryption"], seen["card_fields"]) == (Status.ABSENT,) * 3
    assert found.tier == 5
    assert set(found.reasons[:2]) == {"card_fields", "restricted:cannabis"}


async def test_a_german_shop_is_read_in_german() -> None:
    pages = {f"https://hafentee.example{path}": html for path, html in german_shop().items()}
    found = assess(await Web(pages).crawl("https://hafentee.example/"))
    expected = {check.key: Status.PRESENT for check in CHECKS}
    assert statuses(found) == expected | {"card_fields": Status.NOT_APPLICABLE, "restricted": Status.ABSENT}
    assert (found.tier, found.language) == (1, "de")
    quotes = {finding.key: finding.seen for finding in found.findings}
    assert "binnen vierzehn Tagen" in quotes["returns"].quote
    assert "Speicherstraße 12" in quotes["imprint"].quote
    assert quotes["imprint"].url == "https://hafentee.example/impressum"
    bare = german_shop(without=("/widerruf", "/impressum", "/datenschutz"))
    read = [read_page(f"https://hafentee.example{path}", html) for path, html in bare.items()]
    seen = statuses(assess(Site("hafentee.example", tuple(read))))
    assert (seen["contact"], seen["imprint"]) == (Status.ABSENT, Status.AMBIGUOUS)  # linked, and not there
    assert (seen["returns"], seen["privacy"]) == (Status.AMBIGUOUS, Status.AMBIGUOUS)


async def test_what_robots_txt_forbids_is_not_read_and_a_pause_is_kept() -> None:
    web = shop(GOOD)
    web.robots = "User-agent: PayFluxScan\nDisallow: /returns\nCrawl-delay: 2\n"
    site = await web.crawl(f"https://{GOOD}/")
    assert f"https://{GOOD}/returns" not in web.read
    assert set(web.pauses) == {2.0}
    assert len(site.pages) > 5
    web = shop(GOOD)
    web.robots = f"User-agent: *\nCrawl-delay: {LONGEST_PAUSE * 4}\n"
    assert len((await web.crawl(f"https://{GOOD}/")).pages) == 2
    for robots, status in (("User-agent: *\nDisallow: /\n", 200), ("down", 503)):
        web = shop(GOOD)
        web.robots, web.robots_status = robots, status
        with pytest.raises(Unscannable, match="robots"):
            await web.crawl(f"https://{GOOD}/")


async def test_a_robots_txt_for_thousands_of_robots_is_read_for_everybody_and_for_ours() -> None:
    others = "".join(f"User-agent: robot-{number}\n" for number in range(1000))
    rules = "".join(f"Disallow: /returns/{number}\n" for number in range(1000))
    web = shop(GOOD)
    web.robots = (
        f"{others}user agent payfluxscan* # ours\n{rules}Disallow: /returns\nUser-agent: robot-1\nDisallow: /\n"
    )
    tracemalloc.start()
    site = await web.crawl(f"https://{GOOD}/")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(site.pages) > 5
    assert f"https://{GOOD}/returns" not in web.read
    assert most < 20_000_000, "bytes; a million rules are more"


async def test_a_website_gets_so_much_time_and_what_was_read_by_then_counts() -> None:
    slow = shop(GOOD)
    slow.silent, slow.longest = (f"https://{GOOD}/returns",), 0.5
    assert [page.url for page in (await slow.crawl(f"https://{GOOD}/")).pages] == [f"https://{GOOD}/"]
    for address in ("https://shop.example/", "https://shop.example/robots.txt"):
        silent = Web({"https://shop.example/": "<p>hi"}, silent=(address,), longest=0.05)
        with pytest.raises(Unscannable, match="too_slow"):
            await silent.crawl("https://shop.example/")


async def test_only_a_few_pages_of_one_website_are_read_however_many_it_links_to() -> None:
    links = "".join(
        f'<a href="/{topic}-{number}">{topic}</a>' for topic in ("returns", "product") for number in range(40)
    )
    elsewhere = '<a href="https://evil.example/returns">returns</a><a href="http://127.0.0.1/returns">returns</a>'
    pages = {f"https://shop.example.com/{t}-{n}": f"<p>{links}" for t in ("returns", "product") for n in range(40)}
    web = Web({"https://shop.example.com/": f"<p>{links}{elsewhere}", **pages})
    site = await web.crawl("https://shop.example.com/")
    assert len(site.pages) <= MOST_PAGES
    assert {url.split("/")[2] for url in web.read if not url.startswith("told")} == {"shop.example.com"}


async def test_redirects_are_followed_a_few_times_and_never_inside() -> None:
    web = Web({"https://www.brand.example/": "<p>hi"}, moved={"https://brand.example/": "https://www.brand.example/"})
    assert (await web.crawl("https://brand.example/")).host == "www.brand.example"
    for target, problem in (
        ("/", "redirects"),
        ("http://169.254.169.254/latest", "not_an_address"),
        ("http://x.internal/", "not_an"),
    ):
        web = Web({}, moved={"https://shop.example/": target})
        with pytest.raises(Unscannable, match=problem):
            await web.crawl("https://shop.example/")
        assert {url.split("/")[2] for url in web.read} == {"shop.example"}
    with pytest.raises(Unscannable, match="no_page"):
        await Web({}).crawl("https://shop.example/")


def page(*blocks: str, url: str = "https://shop.example/") -> Page:
    return read_page(url, "".join(f"<p>{block}</p>" for block in blocks))


@pytest.mark.parametrize(
    ("check", "text", "status"),
    [
        ("returns", "All sales are final.", Status.PRESENT),
        ("returns", "We issue a refund within fourteen days.", Status.PRESENT),
        ("returns", "Refund policy", Status.AMBIGUOUS),
        ("returns", "Return to the top", Status.ABSENT),
        ("shipping", "Delivery takes 3–5 business days.", Status.PRESENT),
        ("shipping", "Download our software.", Status.NOT_APPLICABLE),
        ("shipping", "Add to cart", Status.ABSENT),
        ("cancellation", "$9/month. Cancel any time.", Status.PRESENT),
        ("cancellation", "Billed monthly. Cancel?", Status.AMBIGUOUS),
        ("cancellation", "Subscribe to our newsletter", Status.NOT_APPLICABLE),
        ("currency", "Only €12", Status.PRESENT),
        ("currency", "Only $12", Status.AMBIGUOUS),
        ("currency", "Prices are in US dollars", Status.PRESENT),
        ("currency", "Ask for a quote", Status.ABSENT),
        ("contact", "Write to us@shop.example or call +44 20 7946 0000", Status.PRESENT),
        ("contact", "Phone: 0151 496 0000", Status.AMBIGUOUS),
        ("contact", "1 Harbour Street, Portland. us@shop.example", Status.PRESENT),
        ("legal", "You must be 18 years or older.", Status.PRESENT),
        ("legal", "We ship worldwide.", Status.ABSENT),
        ("promotions", "20% off everything!", Status.ABSENT),
        ("promotions", "20% off! The offer is valid until 3 May.", Status.PRESENT),
        ("promotions", "Conditions of sale", Status.NOT_APPLICABLE),
        ("returns", "Sie können innerhalb von 30 Tagen zurücksenden.", Status.PRESENT),
        ("returns", "Hinweise zum Widerruf", Status.AMBIGUOUS),
        ("shipping", "Lieferzeit: 2–4 Werktage", Status.PRESENT),
        ("cancellation", "9 € im Monat. Jederzeit kündbar.", Status.PRESENT),
        ("cancellation", "Unser Newsletter erscheint monatlich", Status.NOT_APPLICABLE),
        ("contact", "Musterweg 3, 10115 Berlin. Tel.: 030/1234567", Status.PRESENT),
        ("legal", "Verkauf nur an Personen ab 18 Jahren.", Status.PRESENT),
        ("promotions", "20 % Rabatt auf alles!", Status.ABSENT),
    ],
)
def test_a_sentence_turns_a_check(check: str, text: str, status: Status) -> None:
    found = JUDGES[check](Site("shop.example", (page(text),)))
    assert found.status is status


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (["CBD oil and THC drops", "CBD oil $20 add to cart"], Status.PRESENT),
        (["Our cream has no CBD and no THC.", "$20 add to cart"], None),
        (["CBD-free cream", "$20 add to cart"], None),
        (["We wrote about CBD once."], Status.AMBIGUOUS),
        (["Hanfblüten und CBD-Öl", "CBD-Öl 20 €, in den Warenkorb"], Status.PRESENT),
        (["Unsere Creme enthält kein CBD.", "20 €, in den Warenkorb"], None),
    ],
)
def test_a_word_counts_where_it_is_offered_and_not_where_it_is_denied(text: list[str], found: Status | None) -> None:
    (finding,) = restricted(Site("shop.example", (page(*text),)))
    assert (finding.status if finding.key == "restricted:cannabis" else None) is found


def test_terms_name_what_is_forbidden_and_are_not_read_as_an_offer() -> None:
    terms = page(
        "No gambling. Online casinos, sports betting and slot machines.", "$5", url="https://shop.example/terms"
    )
    (finding,) = restricted(Site("shop.example", (page("Tea for $5"), terms)))
    assert finding.key == "restricted"


def test_what_is_in_another_language_or_hardly_there_gets_no_band() -> None:
    french = page(*["Nous livrons toutes les commandes sous trois jours à votre adresse, partout en France."] * 5)
    found = assess(Site("boutique.example", (french,)))
    assert (found.tier, found.unjudged) == (None, NOT_READ)
    assert statuses(found)["returns"] is Status.UNJUDGED
    assert statuses(found)["encryption"] is Status.PRESENT
    empty = assess(Site("app.example", (page("Loading"),)))
    assert (empty.tier, empty.unjudged) == (None, TOO_LITTLE)


async def test_two_scans_tell_what_has_changed() -> None:
    before, after = await assessed(GAPS), await assessed(GOOD)
    compared = compare(before, after)
    assert {change.key for change in compared.changes if change.is_better} >= {"contact", "returns", "privacy"}
    assert not any(change.is_better for change in compare(after, before).changes)
    assert compare(after, after).changes == ()


def test_every_check_is_dated_and_names_its_source() -> None:
    assert set(JUDGES) == {check.key for check in CHECKS}
    for check in CHECKS:
        assert check.source.startswith("https://")
        assert check.since.isoformat() <= VERSION
        assert check_of(check.key) is check
    assert len({family.key for family in FAMILIES}) == len(FAMILIES)
    assert all(family.severity > Severity.NONE for family in FAMILIES)


def test_pages_of_one_owner_are_one_website() -> None:
    assert same_website("www.shop.co.uk", "help.shop.co.uk")
    assert not same_website("one.github.io", "two.github.io")
    links = [Link(f"https://s.example{path}", "") for path in ("/cart", "/login", "/a.pdf", "/about", "/refund-policy")]
    chosen = next_link(links, [])
    assert chosen is not None
    assert chosen.url.endswith("/refund-policy")


def test_a_page_that_repeats_itself_without_end_is_judged_in_seconds() -> None:
    pages = page(*["the no cbd of " * 285] * 45), page(*["A." * 2000] * 45)
    began = time.process_time()
    found = assess(Site("shop.example", pages))
    assert time.process_time() - began < 6
    assert "restricted:cannabis" not in found.reasons


def test_a_page_nested_without_end_is_read_as_far_as_it_is_sane() -> None:
    read = read_page("https://shop.example/", f"<p>Hello there{'<div>' * 100_000}<p>and here")
    assert read.blocks == ("Hello there",)
    inside = read_page("https://shop.example/", f"{'<a href=/x><marquee>' * 300}{'long ' * 2000}")
    assert max(len(link.text) for link in inside.links) <= 4000
    flat = read_page("https://shop.example/", "<div><li>a</div>" * 3000)
    assert len(flat.blocks) == 3000


@given(st.text(max_size=300), st.text(alphabet="<>/=\"'abp &;!-", max_size=200))
def test_whatever_a_page_is_it_is_read_and_judged(text: str, markup: str) -> None:
    one = read_page("https://shop.example/", f"<a href='{text}'>{text}</a>{markup}<form action='{text}'><p>{text}")
    found = assess(Site("shop.example", (one,)))
    assert {finding.key for finding in found.findings} >= {check.key for check in CHECKS}


@given(st.text(min_size=1, max_size=400), st.data())
def test_a_quote_is_of_the_page(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, len(text)))
    quote = quoted(text, start, end)
    assert quote.removeprefix("… ").removesuffix(" …").strip() in text

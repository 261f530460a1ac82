"""Families of goods and services that Stripe's list of prohibited and restricted businesses names. Pure.

A word counts where it is offered: on a page that sells, in a heading or beside a price. It does not count where it is
denied ("no CBD"), nor on pages of terms, which name what is forbidden. One mention alone is ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from payflux.kit.messages import mark
from payflux.monitor.scan.rules import german
from payflux.monitor.scan.rules.checks import PRICE, SELLS
from payflux.monitor.scan.rules.findings import Finding, Seen, Severity, Site, Status
from payflux.monitor.scan.rules.links import topic_of
from payflux.monitor.scan.rules.pages import Link, Page, quoted

NONE_FOUND = "restricted"
PREFIX = "restricted:"

WHY = mark(
    "Stripe's list of prohibited and restricted businesses names this. What is prohibited is closed when it is found, "
    "what is restricted needs approval beforehand; either is a reason to hold reserves."
)
MEND = mark(
    "If you do not offer it, reword the page. If you do, ask your processor for written approval before you sell more "
    "of it, or use a processor that serves your trade."
)
UNSEEN = mark("Whether you hold a licence or an approval, and what the list says for your country.")


class Family(NamedTuple):
    """`terms` are its words; `severity` is that of offering it."""

    key: str
    title: str
    severity: Severity
    terms: re.Pattern[str]


def _family(key: str, title: str, severity: Severity, *terms: str) -> Family:
    words = "|".join((*terms, *german.RESTRICTED[key]))
    return Family(key, title, severity, re.compile(rf"\b(?:{words})\b", re.IGNORECASE))


# stripe.com/legal/restricted-businesses, as last updated in November 2024; the terms are ours
FAMILIES = (
    _family(
        "adult", mark("Adult content and services"), Severity.CRITICAL,
        "porn(?:ography|ographic)?", "xxx videos?", "escort services?",
        "adult (?:videos?|content|entertainment|webcams?)",
        "sex toys?", "cam girls?", "erotic massages?", "nude (?:photos?|pics|content)",
    ),
    _family(
        "gambling", mark("Gambling"), Severity.CRITICAL,
        "online casinos?", "sports? betting", "sportsbook", "slot machines?", "place (?:a|your) bets?",
        "lottery tickets?",
        "raffle tickets?", "roulette", "real.money (?:poker|games?)", "sweepstakes casino", "daily fantasy sports",
    ),
    _family(
        "cannabis", mark("Cannabis and CBD"), Severity.CRITICAL,
        "cbd", "cannabidiol", "thc", "delta.?[89]", "cannabis", "marijuana", "hemp (?:oil|flower|gummies)",
        "kratom", "kava",
        "psilocybin", "bongs?", "dab rigs?",
    ),
    _family(
        "tobacco", mark("Tobacco and vaping"), Severity.HIGH,
        "vapes?", "vape (?:juice|pens?|kits?)", "e-?liquids?", "e-?cigarettes?", "e-?cigs?",
        "nicotine (?:pouches|salts?)",
        "cigars?", "cigarettes", "hookahs?", "shisha", "rolling tobacco",
    ),
    _family(
        "weapons", mark("Weapons and munitions"), Severity.CRITICAL,
        "firearms?", "handguns?", "rifles?", "ammunition", "ammo", "gun parts", "silencers?", "suppressors?",
        "ghost guns?",
        "80% lowers?", "tasers?", "pepper spray", "brass knuckles", "switchblades?",
    ),
    _family(
        "pharmaceuticals", mark("Medicines and telemedicine"), Severity.HIGH,
        "prescription (?:drugs?|medications?|medicines?)", "without (?:a )?prescription", "no prescription needed",
        "online pharmacy", "semaglutide", "tirzepatide", "ozempic", "viagra", "cialis", "tramadol", "xanax",
        "modafinil",
        "research peptides", "anabolic steroids?", "sarms", "hgh", "telemedicine", "telehealth",
    ),
    _family(
        "nutraceuticals", mark("Supplements with health claims"), Severity.HIGH,
        "weight.?loss (?:pills?|supplements?|gummies|drops)", "fat burners?", "(?:diet|slimming) pills?", "detox tea",
        "testosterone boosters?", "male enhancement", "keto (?:gummies|pills)", "nootropics?", "miracle cure",
        "cures? (?:cancer|diabetes|arthritis)", "melt(?:s|ing)? (?:away )?fat", "clinically proven to cure",
        "lose \\d+ (?:pounds|lbs|kg)",
    ),
    _family(
        "negative_option", mark("Free trials that turn into charges"), Severity.HIGH,
        "risk.?free trial", "just pay (?:for )?shipping", "pay only shipping",
        "free (?:bottle|sample)[^.]{0,40}shipping",
        "auto.?ship(?:ment)?s?", "free.to.pay",
    ),
    _family(
        "get_rich", mark("Promises of quick income"), Severity.CRITICAL,
        "get rich quick", "make money fast", "guaranteed (?:income|returns?|profits?)", "passive income system",
        "financial freedom in \\d+ days", "multi.?level marketing", "mlm", "pyramid scheme", "downlines?",
        "earn \\$?[\\d,]+ (?:a|per) (?:day|week)", "quit your job",
    ),
    _family(
        "crypto", mark("Cryptocurrency and money transmission"), Severity.HIGH,
        "buy (?:bitcoin|crypto|ethereum|usdt)", "crypto(?:currency)? (?:exchange|wallet|mining)", "token sale",
        "initial coin offering",
        "ico", "nft mint(?:ing)?", "money transfers?", "remittances?", "currency exchange",
        "prepaid (?:visa|debit) cards?",
    ),
    _family(
        "credit", mark("Debt relief, credit repair and lending"), Severity.HIGH,
        "credit repair", "fix your credit", "debt (?:relief|settlement|consolidation|collection)", "payday loans?",
        "cash advances?", "bail bonds?", "binary options", "forex signals", "trading signals", "funded accounts?",
    ),
    _family(
        "counterfeit", mark("Copies of brands and of works"), Severity.CRITICAL,
        "replica (?:watches|bags|handbags|shoes|sneakers|rolex)", "1:1 (?:replica|copy)", "aaa quality",
        "mirror quality",
        "knock.?offs?", "counterfeit", "iptv (?:subscription|channels)", "cracked software", "license keys? cheap",
        "fake (?:ids?|passports?|diplomas?)", "novelty ids?",
    ),
    _family(
        "engagement", mark("Bought followers, reviews and traffic"), Severity.HIGH,
        "buy (?:instagram |tiktok |youtube |twitter )?(?:followers|likes|views|subscribers)", "buy (?:google )?reviews",
        "smm panel", "fake reviews",
    ),
    _family(
        "essays", mark("Written exams and essays"), Severity.MEDIUM,
        "essay writing service", "write my essay", "take my (?:online )?(?:exam|class)", "buy (?:an )?essays?",
    ),
    _family(
        "remote_support", mark("Remote technical support"), Severity.HIGH,
        "remote tech(?:nical)? support", "virus removal (?:service|hotline)", "computer repair hotline",
    ),
    _family(
        "travel", mark("Travel, tickets and timeshares"), Severity.MEDIUM,
        "airline tickets?", "flight tickets?", "cruise (?:packages?|bookings?)", "timeshares?", "vacation packages?",
        "holiday packages?", "travel agency", "event tickets resale",
    ),
    _family(
        "alcohol", mark("Alcohol"), Severity.MEDIUM,
        "wine club", "buy (?:wine|whisky|whiskey|vodka|beer)", "single malt", "craft spirits", "liquor store",
        "bourbon",
    ),
    _family(
        "crowdfunding", mark("Crowdfunding and donations for others"), Severity.MEDIUM,
        "crowdfunding", "fund(?:raise)? (?:my|your) campaign", "donate to (?:our|the) cause",
    ),
    _family(
        "spiritual", mark("Fortune telling and dating"), Severity.MEDIUM,
        "psychic readings?", "love spells?", "fortune tell(?:er|ing)", "mail.order brides?", "sugar dadd(?:y|ies)",
        "hookup site",
    ),
)  # fmt: skip

_BY_KEY = {f"{PREFIX}{family.key}": family for family in FAMILIES}
_DENIED = re.compile(
    r"\b(?:no|not|never|non|without|don['’]t|doesn['’]t|cannot|can['’]t|nor|prohibit\w*|forbid\w*|exclud\w*|"
    r"ban(?:s|ned)?|unlike|"
    rf"against|instead of|free (?:of|from)|{german.DENIED})\b[^.;!?]{{0,60}}$",
    re.IGNORECASE,
)
_DENIES_FOR = 90
"""Characters before a word in which what denies it stands; a page may hold the word thousands of times."""
_OF_TERMS = ("terms", "privacy")


def family_of(key: str) -> Family | None:
    """The family by the key of its finding."""
    return _BY_KEY.get(key)


def restricted(site: Site) -> list[Finding]:
    """A finding for each family that is offered, or may be; one that says that none is, where none is."""
    read = [(page, _sells(page)) for page in site.pages if topic_of(Link(page.url, ""))[0] not in _OF_TERMS]
    findings = [found for family in FAMILIES if (found := _offered(family, read))]
    if findings:
        return findings
    said = mark("None of the words that this looks for is offered on these pages.")
    return [Finding(NONE_FOUND, Seen(Status.ABSENT, said, site.pages[0].url), Severity.NONE)]


def _offered(family: Family, read: Sequence[tuple[Page, bool]]) -> Finding | None:
    """What the pages say of the family; each page with whether it sells."""
    words: set[str] = set()
    number, first, strong = 0, None, None
    for page, sells in read:
        for block in page.blocks:
            mentions = [found for found in family.terms.finditer(block) if not _is_denied(block, found)]
            if not mentions:
                continue
            words.update(found[0].lower() for found in mentions)
            number += len(mentions)
            seen = page.url, quoted(block, *mentions[0].span())
            first = first or seen
            if strong is None and sells and (block in page.headings or PRICE.search(block) or SELLS.search(block)):
                strong = seen
    if first is None:
        return None
    several = len(words) > 1 or number > 2
    url, quote = strong or first
    key = f"{PREFIX}{family.key}"
    if several and (strong or len(words) > 2):
        return Finding(key, Seen(Status.PRESENT, mark("It is offered on these pages."), url, quote), family.severity)
    said = mark("It is mentioned; whether it is offered cannot be told.")
    return Finding(key, Seen(Status.AMBIGUOUS, said, url, quote), family.severity.lighter)


def _is_denied(block: str, found: re.Match[str]) -> bool:
    before = _DENIED.search(block, max(0, found.start() - _DENIES_FOR), found.start())
    after = block[found.end() : found.end() + 5].lower()
    return before is not None or after.startswith(("-free", " free", "-frei", "frei"))


def _sells(page: Page) -> bool:
    return page.is_product or any(PRICE.search(block) or SELLS.search(block) for block in page.blocks)

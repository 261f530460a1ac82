"""What each check sees on a website. Pure; a word alone is never enough for "present"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from payflux.kit.messages import mark
from payflux.monitor.scan.rules import german
from payflux.monitor.scan.rules.findings import Seen, Site, Status
from payflux.monitor.scan.rules.language import GERMAN, language_of
from payflux.monitor.scan.rules.links import topic_of
from payflux.monitor.scan.rules.pages import Link, Page, quoted


def _words(*patterns: str) -> re.Pattern[str]:
    """Any of `patterns`, one for each language."""
    return re.compile("|".join(patterns), re.IGNORECASE)


_COUNT = r"(?:\d{1,3}|seven|ten|fourteen|twenty|thirty|sixty|ninety)"
_PERIOD = rf"{_COUNT}(?:\s*(?:-|–|to)\s*{_COUNT})?[\s-]*(?:calendar |business |working )?(?:days?|weeks?|hours?)\b"
_GOODS_BACK = r"\b(?:return(?:s|ed)?|refund(?:s|ed|able)?|exchange[sd]?|money.?back)\b"

SELLS = _words(
    r"\badd to (?:cart|basket|bag)\b|\bbuy now\b|\border now\b|\bcheckout\b|\bin stock\b|\bour (?:services|"
    r"products)\b|"
    r"\bsubscribe now\b|\bchoose (?:a|your) plan\b|\bbook (?:now|online|a)\b|\bstart (?:your )?(?:free )?trial\b",
    german.SELLS,
)
PRICE = re.compile(r"(?:[$€£¥]|\b(?:USD|EUR|GBP|CAD|AUD|CHF))\s?\d|\d\s?(?:€|\b(?:USD|EUR|GBP|CAD|AUD|CHF)\b)")

_RETURNS = _words(
    rf"{_PERIOD}[^.]{{0,100}}{_GOODS_BACK}|{_GOODS_BACK}[^.]{{0,100}}{_PERIOD}|\ball sales (?:are )?final\b|"
    r"\bno refunds\b|\bnon-?refundable\b|\bdo(?:es)? not (?:offer|accept|give) (?:refunds|returns)\b|"
    r"\brefunds? (?:is|are|will be) (?:issued|processed|made|credited|paid)\b",
    german.RETURNS,
)
_RETURNS_NAMED = _words(
    r"\brefunds?\b|\breturns\b|\breturn policy\b|\bmoney.?back\b|\bexchanges\b", german.RETURNS_NAMED
)
_SHIPPING = _words(
    rf"\b(?:ship|deliver|dispatch|arriv)\w*[^.]{{0,100}}{_PERIOD}|{_PERIOD}[^.]{{0,60}}\b(?:ship|deliver|dispatch)\w*|"
    r"\b(?:free|flat.rate|standard|express) (?:shipping|delivery)[^.]{0,60}[$€£\d]",
    german.SHIPPING,
)
_SHIPPING_NAMED = _words(r"\bshipping\b|\bdelivery\b|\bpostage\b", german.SHIPPING_NAMED)
_TO_BE_SHIPPED = _words(
    r"\badd to (?:cart|basket|bag)\b|\bin stock\b|\bour (?:shop|store|products)\b", german.TO_BE_SHIPPED
)
_DIGITAL = _words(
    r"\binstant (?:download|access)\b|\bdigital (?:download|product|goods)\b|\bsoftware\b|\be-?books?\b|"
    r"\bonline course",
    german.DIGITAL,
)
_RENEWS = _words(
    r"\b(?:per|each|every) (?:month|year|week|quarter)\b|/\s?(?:mo|month|yr|year)\b|\bbilled (?:monthly|"
    r"annually|yearly)\b|"
    r"\bmonthly (?:plan|box|subscription|delivery|membership)\b|\bsubscribe (?:&|and) save\b|"
    r"\bauto(?:matically)?[- ]?renew|\brecurring (?:payment|charge|billing)|\bsubscription (?:box|plan|renews|price)|"
    r"\bfree trial\b",
    german.RENEWS,
)
_CANCELS = _words(
    r"\bcancel\w*[^.]{0,100}\b(?:any ?time|before|account|e-?mail|notice|renew\w*|by (?:writing|calling|phone)|page|"
    r"\d+ (?:days|hours))\b|\b(?:before|at least)[^.]{0,60}\bcancel",
    german.CANCELS,
)
_LEGAL = _words(
    r"\bexport (?:control|restriction|law)|\bsanction(?:s|ed)\b|\bembargo|\bcustoms (?:dut|fee|charge)|\bimport dut|"
    r"\b(?:do not|don['’]t|cannot|can['’]t|unable to) (?:ship|sell|deliver)[^.]{0,20}\b(?:to|in|outside)\b|"
    r"\b(?:ship|sell|deliver)\w* (?:only )?(?:to|within)[^.]{0,80}\bonly\b|\bonly (?:ship|sell|deliver)|"
    r"\b(?:18|21|eighteen|twenty-one)\+? (?:years|or (?:over|older))|\bwhere prohibited\b|\bprohibited by law\b",
    german.LEGAL,
)
_ABROAD = _words(
    r"\bworldwide\b|\binternationally\b|\binternational (?:shipping|orders|delivery)\b|\ball countries\b", german.ABROAD
)
_PRIVACY = _words(
    r"\bpersonal (?:data|information)\b|\binformation we collect\b|\bdata (?:controller|protection)\b", german.PRIVACY
)
_PROMOTES = _words(
    r"\b\d{1,2}\s?% off\b|\bdiscount codes?\b|\bcoupons?\b|\bpromo(?:tion)?(?:al)? codes?\b|\bbuy one,? get one\b|"
    r"\bfree trial\b|\bgiveaway\b|\blimited[- ]time\b|\bvouchers?\b|\b(?:flash|clearance|summer|winter|"
    r"spring) sale\b|"
    r"\bsale ends\b",
    german.PROMOTES,
)
_PROMOTION_TERMS = _words(
    r"\b(?:offer|promotion|promo|discount|sale|code|coupon|voucher|trial|giveaway)\b[^.]{0,140}\b(?:valid|"
    r"expires?|ends? "
    r"(?:on|at)|until|while (?:stocks?|supplies)|cannot be combined|excludes?|excluding|one per|per customer|"
    r"then|after|"
    r"converts?|not apply)\b",
    german.PROMOTION_TERMS,
)
_EMAIL = re.compile(r"[\w.+-]{1,60}@(?:[\w-]{1,60}\.)+[a-zA-Z]{2,24}")
_PHONE = _words(
    r"(?:\+\d[\d\s().-]{7,18}\d)|(?:\(\d{3}\)\s?\d{3}[-.\s]\d{4})|"
    r"(?:\b(?:phone|tel|telephone|call|mobile|hotline)\b[^.\d]{0,25}\d[\d\s().-]{5,16}\d)",
    german.PHONE,
)
_ADDRESS = re.compile(
    r"\b\d{1,5}[a-zA-Z]?,?\s+(?:[A-Z][\w.'’-]*\s+){1,4}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|"
    r"Boulevard|Blvd|Way|"
    r"Court|Square|Place|Quay|Parkway|Terrace|Row)\b|\bP\.?O\.? Box \d+|\b[A-Z]{2} \d{5}(?:-\d{4})?\b|"
    r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|" + german.ADDRESS
)
_CURRENCY_NAMED = _words(
    r"\b(?:USD|EUR|GBP|CAD|AUD|NZD|CHF|SEK|NOK|DKK|JPY|SGD)\s?\d|\d\s?(?:USD|EUR|GBP|CAD|AUD|NZD|CHF|SEK|NOK|"
    r"DKK|JPY|SGD)\b|"
    r"\b(?:US|CA|AU|NZ|HK|C|A|S)\$\s?\d|[€£]\s?\d|\d\s?€|\bprices? (?:are |is )?(?:shown |listed |quoted |"
    r"charged )?in "
    r"(?:US dollars|U\.S\. dollars|euros?|pounds|[A-Z]{3}\b)"
)
_SYMBOL = re.compile(r"[$¥]\s?\d")
_CANCELS_NAMED = _words(r"\bcancel", german.CANCELS_NAMED)
_PRIVACY_PAGE = _words("privacy", german.PRIVACY_PAGE)
_IMPRINT = _words(german.IMPRINT)
_CARD_FIELD = re.compile(r"cc-number|cc-csc|card[-_ ]?(?:no|num|number)\b|cardnumber|\bcvc\b|\bcvv2?\b")
_FULL_SENTENCES = 25  # words


def _first(pages: Iterable[Page], pattern: re.Pattern[str]) -> tuple[str, str] | None:
    """Where `pattern` stands first: the page's address and the words around."""
    for page in pages:
        for block in page.blocks:
            if found := pattern.search(block):
                return page.url, quoted(block, found.start(), found.end())
    return None


def _policy(site: Site, terms: re.Pattern[str], named: re.Pattern[str], said: tuple[str, str, str]) -> Seen:
    """`said` are the sentences for a policy that stands there, one that is only named, and none."""
    if found := _first(site.pages, terms):
        return Seen(Status.PRESENT, said[0], *found)
    if found := _first(site.pages, named):
        return Seen(Status.AMBIGUOUS, said[1], *found)
    return Seen(Status.ABSENT, said[2])


def description(site: Site) -> Seen:
    selling = next((page for page in site.pages if page.is_product), None)
    sells = _first(site.pages, SELLS) or _first(site.pages, PRICE)
    told = next(
        (
            (page.url, block)
            for page in site.pages
            if page is site.pages[0] or page.is_product or topic_of(Link(page.url, ""))[0] in ("product", "pricing", "")
            for block in page.blocks
            if len(block.split()) >= _FULL_SENTENCES
        ),
        None,
    )
    if told and (selling or sells):
        url, block = told
        return Seen(Status.PRESENT, mark("What is sold is described in full sentences."), url, quoted(block, 0, 60))
    if told or selling or sells:
        where = (told[0], quoted(told[1], 0, 60)) if told else sells or (selling.url if selling else "", "")
        return Seen(
            Status.AMBIGUOUS,
            mark("There is something for sale, or a text, but no text that says what is sold."),
            *where,
        )
    return Seen(Status.ABSENT, mark("Nothing on these pages says what is sold."))


def currency(site: Site) -> Seen:
    for page in site.pages:
        if page.currencies:
            code = page.currencies[0]
            return Seen(
                Status.PRESENT, mark("The page's structured data names it."), page.url, f"priceCurrency: {code}"
            )
    said = (
        mark("The currency is named beside a price."),
        mark("A symbol alone can be the dollar of several countries, or the yen or yuan."),
        mark("No price was seen on these pages."),
    )
    return _policy(site, _CURRENCY_NAMED, _SYMBOL, said)


def contact(site: Site) -> Seen:
    ways = [found for pattern in (_EMAIL, _PHONE, _ADDRESS) if (found := _first(site.pages, pattern))]
    for scheme, pattern in (("mailto:", _EMAIL), ("tel:", _PHONE)):
        if not _first(site.pages, pattern):
            links = ((page.url, link.url) for page in site.pages for link in page.links)
            ways += [(url, to.partition("?")[0]) for url, to in links if to.startswith(scheme)][:1]
    if len(ways) > 1:
        quote = " · ".join(dict.fromkeys(quote for _, quote in ways))
        return Seen(Status.PRESENT, mark("There are several ways to reach a person."), ways[0][0], quote)
    if ways:
        return Seen(Status.AMBIGUOUS, mark("There is one way to reach a person; reviewers look for several."), *ways[0])
    form = next((page for page in site.pages for form in page.forms if _is_message(form.fields)), None)
    if form:
        return Seen(
            Status.ABSENT, mark("There is a form, and no e-mail address, phone number or postal address."), form.url
        )
    return Seen(Status.ABSENT, mark("No e-mail address, phone number or postal address was seen."))


def _is_message(fields: tuple[str, ...]) -> bool:
    return any(re.search(r"message|comment|enquiry|inquiry|nachricht|anfrage", each) for each in fields)


def returns(site: Site) -> Seen:
    said = (
        mark("The terms of returns and refunds are told."),
        mark("Returns or refunds are named, without the days or the conditions."),
        mark("Neither returns nor refunds are named."),
    )
    return _policy(site, _RETURNS, _RETURNS_NAMED, said)


def shipping(site: Site) -> Seen:
    named, goods = _first(site.pages, _SHIPPING_NAMED), _first(site.pages, _TO_BE_SHIPPED)
    if not named and (not goods or _first(site.pages, _DIGITAL)):
        return Seen(Status.NOT_APPLICABLE, mark("Nothing on these pages looks like goods that are shipped."))
    said = (
        mark("It is told how long shipping takes, or what it costs."),
        mark("Shipping is named, without how long it takes or what it costs."),
        mark("There is something to put into a basket, and no word of its shipping."),
    )
    return _policy(site, _SHIPPING, _SHIPPING_NAMED, said)


def cancellation(site: Site) -> Seen:
    renews = _first(site.pages, _RENEWS)
    if renews is None:
        return Seen(Status.NOT_APPLICABLE, mark("Nothing on these pages looks like a subscription."))
    if found := _first(site.pages, _CANCELS):
        return Seen(Status.PRESENT, mark("It is told how, or until when, to cancel."), *found)
    if found := _first(site.pages, _CANCELS_NAMED):
        return Seen(Status.AMBIGUOUS, mark("Cancelling is named, without how or until when."), *found)
    return Seen(Status.ABSENT, mark("Something renews, and no word says how to cancel it."), *renews)


def legal(site: Site) -> Seen:
    if found := _first(site.pages, _LEGAL):
        return Seen(Status.PRESENT, mark("A restriction on who may buy, or where goods may go, is told."), *found)
    if found := _first(site.pages, _ABROAD):
        return Seen(Status.ABSENT, mark("Orders from abroad are taken, and no restriction is told."), *found)
    return Seen(Status.NOT_APPLICABLE, mark("Nothing on these pages asks for one."))


def privacy(site: Site) -> Seen:
    about = [page for page in site.pages if _PRIVACY_PAGE.search(f"{page.url} {' '.join(page.headings)}")]
    if found := _first(about, _PRIVACY):
        return Seen(Status.PRESENT, mark("There is a page that says what happens with personal data."), *found)
    links = ((page.url, link) for page in site.pages for link in page.links)
    linked = next(((url, link.text) for url, link in links if _PRIVACY_PAGE.search(f"{link.text} {link.url}")), None)
    if linked or about:
        where = linked or (about[0].url, about[0].headings[0] if about[0].headings else "")
        return Seen(Status.AMBIGUOUS, mark("A privacy policy is linked; its text could not be read."), *where)
    return Seen(Status.ABSENT, mark("No privacy policy was seen, nor a link to one."))


def imprint(site: Site) -> Seen:
    if language_of(site.pages) != GERMAN:
        return Seen(Status.NOT_APPLICABLE, mark("The pages are not in German."))
    about = [page for page in site.pages if "impressum" in f"{page.url} {' '.join(page.headings)}".lower()]
    if found := _first(about, _ADDRESS):
        return Seen(Status.PRESENT, mark("There is an imprint with a postal address."), *found)
    if found := _first(about or site.pages, _IMPRINT):
        return Seen(Status.AMBIGUOUS, mark("An imprint is named; no postal address was seen on it."), *found)
    return Seen(Status.ABSENT, mark("No imprint was seen, nor a link to one."))


def promotions(site: Site) -> Seen:
    promoted = _first(site.pages, _PROMOTES)
    if promoted is None:
        return Seen(Status.NOT_APPLICABLE, mark("No promotion was seen."))
    if found := _first(site.pages, _PROMOTION_TERMS):
        return Seen(Status.PRESENT, mark("The terms of a promotion stand beside it."), *found)
    return Seen(Status.ABSENT, mark("Something is promoted, and its terms are not told."), *promoted)


def encryption(site: Site) -> Seen:
    for page in site.pages:
        if page.url.startswith("http://"):
            return Seen(Status.ABSENT, mark("This page came over plain HTTP."), page.url)
        for form in page.forms:
            if form.action.startswith("http://"):
                return Seen(Status.ABSENT, mark("A form of this page is sent over plain HTTP."), page.url, form.action)
    return Seen(Status.PRESENT, mark("Every page that was read came over HTTPS."), site.pages[0].url)


def card_fields(site: Site) -> Seen:
    asking = [
        (page, form)
        for page in site.pages
        for form in page.forms
        if any(_CARD_FIELD.search(field) for field in form.fields)
    ]
    for page, form in asking:
        if page.url.startswith("http://") or form.action.startswith("http://"):
            return Seen(Status.ABSENT, mark("A form asks for card details over plain HTTP."), page.url, form.action)
    if asking:
        return Seen(
            Status.AMBIGUOUS,
            mark("A form of the website itself asks for card details."),
            asking[0][0].url,
            asking[0][1].action,
        )
    return Seen(Status.NOT_APPLICABLE, mark("No page that was read asks for card details."))


JUDGES: dict[str, Callable[[Site], Seen]] = {
    judge.__name__: judge
    for judge in (
        description,
        currency,
        contact,
        returns,
        shipping,
        cancellation,
        legal,
        privacy,
        imprint,
        promotions,
        encryption,
        card_fields,
    )
}
"""By the key of the check in :mod:`.registry`."""

"""The checks of a scan, each dated and with its source: a check without a source does not enter.

A change of what a check asks gets a new `VERSION`, which every scan keeps, so that two scans are compared knowingly.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from payflux.kit.messages import mark
from payflux.monitor.scan.rules.findings import Severity

VERSION = "2026-11-22.2"

COMPONENTS = "https://support.stripe.com/questions/required-website-components"
CHECKLIST = "https://docs.stripe.com/get-started/checklist/website"
IMPRINT = "https://www.gesetze-im-internet.de/ddg/__5.html"
RESTRICTED = "https://stripe.com/legal/restricted-businesses"


class Check(NamedTuple):
    """One thing a reviewer looks for. `severity` is that of its absence; `reads` says that it is found by its words,
    which are English and German ones. The texts are looked up where they are shown."""

    key: str
    since: date
    severity: Severity
    reads: bool
    title: str
    why: str
    mend: str
    unseen: str
    source: str


_SINCE = date(2026, 11, 22)

CHECKS = (
    Check(
        "description", _SINCE, Severity.HIGH, True,
        mark("A description of what is sold"),
        mark("Card networks require a complete description of the goods or services. A reviewer who cannot tell what "
             "is sold cannot tell the risk either, and buyers who expected something else dispute the charge."),
        mark("Describe each product or service in a few full sentences: what it is, what is included, what it costs."),
        mark("Whether the description is true, and what pictures show."),
        COMPONENTS,
    ),
    Check(
        "currency", _SINCE, Severity.LOW, False,
        mark("The currency of the prices"),
        mark("Card networks require the transaction currency. A bare symbol is not always enough: a buyer who is "
             "charged in another currency than expected does not recognise the amount."),
        mark("Write the currency's code beside the prices or once near them, such as “All prices in USD”."),
        mark("The currency that is charged at checkout, and prices that a script inserts."),
        CHECKLIST,
    ),
    Check(
        "contact", _SINCE, Severity.HIGH, False,
        mark("Ways to reach customer service"),
        mark("Card networks require contact details: phone, e-mail, address. A form alone is not enough. Who cannot "
             "reach the shop asks the bank, and that is a dispute."),
        mark("Show at least two of an e-mail address, a phone number and a postal address on a page that every page "
             "links to."),
        mark("Whether anybody answers, and a live chat that a script opens."),
        COMPONENTS,
    ),
    Check(
        "returns", _SINCE, Severity.HIGH, True,
        mark("A return and refund policy"),
        mark("Card networks require the return and refund policy to be shown before the purchase. Without it a dispute "
             "about a refund is hard to win, and reviewers take its absence as a sign of refunds refused."),
        mark("Publish a page that says within how many days, in which condition and at whose cost goods come back, and "
             "when the money is returned. “All sales are final” is a policy too, if it is said."),
        mark("Whether the policy is shown again at checkout, as it should be, and whether it is kept."),
        COMPONENTS,
    ),
    Check(
        "shipping", _SINCE, Severity.MEDIUM, True,
        mark("A shipping policy"),
        mark("Card networks require it of whoever ships goods. The longer the time from payment to delivery, the more "
             "a processor would have to refund if the shop failed: this is what reserves are held for."),
        mark("Say where you ship to, what it costs, and how many days it takes until dispatch and until delivery."),
        mark("How long deliveries really take."),
        COMPONENTS,
    ),
    Check(
        "cancellation", _SINCE, Severity.HIGH, True,
        mark("A cancellation policy for what renews"),
        mark("For subscriptions, services and reservations the buyer has to be told how and until when to cancel. "
             "“I had cancelled” is among the most frequent reasons of disputes of subscriptions."),
        mark("Say beside the price that it renews, when, for how much, and how to cancel in one or two steps."),
        mark("Whether cancelling works, and what mails remind of before a renewal."),
        CHECKLIST,
    ),
    Check(
        "legal", _SINCE, Severity.LOW, True,
        mark("Legal and export restrictions"),
        mark("Where the law limits who may buy or where goods may go, card networks require the restriction to be "
             "shown. Goods that never arrive because of it come back as disputes."),
        mark("Name the countries you ship to or do not ship to, who pays customs duties, and any age limit."),
        mark("Which laws apply to these goods."),
        COMPONENTS,
    ),
    Check(
        "privacy", _SINCE, Severity.MEDIUM, True,
        mark("A privacy policy"),
        mark("Card networks require a consumer data privacy policy, and so does the law of most countries that a shop "
             "may sell to."),
        mark("Publish a page that says which personal data you collect, what for, whom you pass it to, and how "
             "somebody has it deleted. Link it from every page."),
        mark("Whether the policy is complete, and whether it is followed."),
        COMPONENTS,
    ),
    Check(
        "imprint", _SINCE, Severity.MEDIUM, True,
        mark("An imprint, for a shop in German"),
        mark("German law asks whoever sells online for an imprint: name, postal address, e-mail and register. A "
             "reviewer of a German shop looks for it first, to see who is behind it."),
        mark("Publish a page called Impressum that every page links to, with the name, the postal address, an e-mail "
             "address, the register and the VAT number."),
        mark("Whether what it says is true, and whether the law asks more of this trade."),
        IMPRINT,
    ),
    Check(
        "promotions", _SINCE, Severity.LOW, True,
        mark("The terms of promotions"),
        mark("Card networks require the terms and conditions of any promotion. A trial that turns into a subscription "
             "without a clear word is a programme of its own at Visa and Mastercard."),
        mark("Beside each offer, say until when it holds, what it excludes, and what is charged after it."),
        mark("Promotions in mails, advertisements and pop-ups."),
        COMPONENTS,
    ),
    Check(
        "encryption", _SINCE, Severity.HIGH, False,
        mark("Pages that come encrypted"),
        mark("Card networks ask for security in the transmission of card details. A shop that answers over plain HTTP "
             "can be changed on its way, its payment form included."),
        mark("Serve every page over HTTPS, and lead http:// addresses there."),
        mark("How cards are handled behind the pages, and whether a PCI DSS self-assessment was made."),
        COMPONENTS,
    ),
    Check(
        "card_fields", _SINCE, Severity.CRITICAL, False,
        mark("Card details only in safe forms"),
        mark("A form that takes card numbers over plain HTTP shows them to everybody on the way. One of the shop's "
             "own, even over HTTPS, puts the whole website in the scope of PCI DSS."),
        mark("Let the processor's hosted page or its embedded fields take the card; never a form of your own."),
        mark("The checkout itself: the scan puts nothing into a basket."),
        COMPONENTS,
    ),
)  # fmt: skip

_BY_KEY = {check.key: check for check in CHECKS}


def check_of(key: str) -> Check | None:
    """The check by its key; None for one of an older version, or a family of restricted goods."""
    return _BY_KEY.get(key)

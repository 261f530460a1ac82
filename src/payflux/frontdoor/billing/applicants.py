"""Who asks for a trial, as what another request of theirs is known by. Pure, but for the list of free mail providers.

An address is folded to the mailbox it leads to: without the tag after a plus (RFC 5233), and at Gmail without dots,
which Google ignores (support.google.com/mail/answer/7436150). A domain counts unless a provider gives anybody an
address of it. Whoever owns domains and mailboxes enough gets more trials than one; it is not worth their while.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from payflux.frontdoor.accounts.rules import normalize_email

_GMAIL = ("gmail.com", "googlemail.com")

MarkKind = Literal["email", "domain", "oauth"]


class Mark(NamedTuple):
    """One thing that an applicant is known by."""

    kind: MarkKind
    value: str


def marks_of(email: str, identities: Iterable[tuple[str, str]]) -> list[Mark]:
    """What is remembered of an applicant: their mailbox, their company's domain, and who they are at each provider,
    by issuer and subject."""
    mailbox = fold_email(email)
    domain = mailbox.rpartition("@")[2]
    company = [] if is_free_mail(domain) else [Mark("domain", domain)]
    return [Mark("email", mailbox), *company, *(Mark("oauth", f"{issuer} {subject}") for issuer, subject in identities)]


def marks_to_ask(email: str, identities: Iterable[tuple[str, str]]) -> list[Mark]:
    """What an applicant is compared by: the same, and the domains above theirs, so that mail.company.com finds the
    trial of company.com."""
    labels = fold_email(email).rpartition("@")[2].split(".")
    above = (".".join(labels[start:]) for start in range(1, len(labels) - 1))
    return marks_of(email, identities) + [Mark("domain", domain) for domain in above if not is_free_mail(domain)]


def fold_email(email: str) -> str:
    """The mailbox that an address leads to, as far as its form tells."""
    local, _, domain = normalize_email(email).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@{_GMAIL[0]}"
    return f"{local}@{domain}"


def is_free_mail(domain: str) -> bool:
    """Whether anybody can have an address of this domain."""
    names = _free_mail_domains()
    return domain in names or f"{domain.partition('.')[0]}.*" in names


@cache
def _free_mail_domains() -> frozenset[str]:
    text = files("payflux.frontdoor.billing").joinpath("free_mail.txt").read_text()
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))

"""What makes an acceptable lead, and when one looks like a program's. Pure decisions."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from payflux.frontdoor.accounts.rules import is_email, normalize_email, printable
from payflux.kit.messages import gettext as _

TEAM_SIZES = ("1-10", "11-50", "51-200", "201-1000", "1000+")
"""How many people the company has, as the form offers it."""

NAME_MAX = 200
MESSAGE_MAX = 4000
"""Characters."""

QUICKEST = timedelta(seconds=3)
"""A form that comes back sooner was filled in by no person."""
OLDEST = timedelta(hours=24)

LEADS_PER_CLIENT = 5
LEADS_PER_EMAIL = 3
"""Leads from one network address, or one e-mail address, before the next has to wait."""

REPEATED_WITHIN = timedelta(days=1)
"""The same words from the same address within this time are one lead that was sent twice."""

KEPT_AFTER_CLOSING = timedelta(days=365)


class LeadStatus(StrEnum):
    NEW = "new"
    CONTACTED = "contacted"
    CLOSED = "closed"


@dataclass(frozen=True)
class Inquiry:
    """What somebody typed into the form. `trap` is the field that no person sees."""

    name: str
    email: str
    company: str
    team_size: str = ""
    message: str = ""
    trap: str = ""

    def cleaned(self) -> Inquiry:
        """The same in one form: NFKC, no character that no screen shows, one space between words; the lines of the
        message stay."""
        return Inquiry(
            name=_line(self.name),
            email=printable(self.email).strip(),
            company=_line(self.company),
            team_size=self.team_size.strip(),
            message="\n".join(printable(line).rstrip() for line in _nfkc(self.message).splitlines()).strip(),
            trap=self.trap,
        )


def problems(inquiry: Inquiry) -> dict[str, str]:
    """What is wrong with a cleaned inquiry, by field; empty when nothing is."""
    found = {}
    for field, text, missing in (
        ("name", inquiry.name, _("Enter your name.")),
        ("company", inquiry.company, _("Enter the name of your company.")),
    ):
        if not text:
            found[field] = missing
        elif len(text) > NAME_MAX:
            found[field] = _("Use at most %(most)s characters.") % {"most": NAME_MAX}
    if not is_email(normalize_email(inquiry.email)):
        found["email"] = _("Enter an e-mail address like you@company.com.")
    if inquiry.team_size and inquiry.team_size not in TEAM_SIZES:
        found["team_size"] = _("Choose one of the sizes.")
    if len(inquiry.message) > MESSAGE_MAX:
        found["message"] = _("Use at most %(most)s characters.") % {"most": MESSAGE_MAX}
    if inquiry.trap:
        found["website"] = _("Leave this field empty; only programs fill it in.")
    return found


def pace_problem(shown_at: datetime | None, now: datetime) -> str:
    """Why a form that was shown at `shown_at` cannot be taken at `now`, or an empty string. None: nobody was shown
    it."""
    if shown_at is None or not timedelta(0) <= now - shown_at <= OLDEST:
        return _("This form was open too long. What you typed is still here: send it again.")
    if now - shown_at < QUICKEST:
        return _("This came back faster than anybody types. What you typed is still here: send it again.")
    return ""


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _line(text: str) -> str:
    return " ".join(shown for word in _nfkc(text).split() if (shown := printable(word)))

"""The mail about how one signs in."""

from __future__ import annotations

from typing import get_args

from payflux.activation.security_mails import NOTICES
from payflux.frontdoor.accounts.factors.changing import Change
from payflux.web.pages.security import EVENT_WORDS
from payflux.world.mail import write_mail


def test_each_change_has_its_words_in_the_mail_and_on_the_page() -> None:
    for change in get_args(Change):
        assert change in NOTICES
        assert f"user.{change}" in EVENT_WORDS


def test_a_notice_says_what_happened_when_and_what_to_do() -> None:
    for what_happened, meaning in NOTICES.values():
        mail = write_mail(
            "security_notice",
            greeting="Hello Alice,",
            what_happened=what_happened,
            meaning=meaning,
            at="21 November 2026, 18:00 UTC",
            url="https://payflux.example/account/security",
            reset_url="https://payflux.example/forgot",
        )
        assert mail.subject == what_happened
        for text in (mail.text, mail.html):
            assert "21 November 2026, 18:00 UTC" in text
            assert "https://payflux.example/forgot" in text

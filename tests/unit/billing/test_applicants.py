from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.billing.applicants import Mark, fold_email, is_free_mail, marks_of, marks_to_ask

LOCAL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("typed", "mailbox"),
    [
        ("Alice@Shop.example", "alice@shop.example"),
        (" alice+trial2@shop.example ", "alice@shop.example"),
        ("a.l.i.c.e+x@gmail.com", "alice@gmail.com"),
        ("alice@googlemail.com", "alice@gmail.com"),
        ("a.lice@shop.example", "a.lice@shop.example"),
        ("+alice@shop.example", "+alice@shop.example"),
    ],
)
def test_an_address_is_folded_to_the_mailbox_it_leads_to(typed: str, mailbox: str) -> None:
    assert fold_email(typed) == mailbox


@given(LOCAL, st.lists(LOCAL, max_size=3), st.sets(st.integers(1, 19)))
def test_tags_dots_and_capitals_make_no_other_mailbox_at_gmail(name: str, tags: list[str], dots: set[int]) -> None:
    dotted = "".join(f".{each}" if place in dots else each for place, each in enumerate(name))
    assert fold_email("+".join([dotted.upper(), *tags]) + "@gmail.com") == fold_email(f"{name}@gmail.com")


@given(st.emails())
def test_folding_twice_folds_no_further(address: str) -> None:
    assert fold_email(fold_email(address)) == fold_email(address)


@pytest.mark.parametrize("domain", ["gmail.com", "yahoo.co.uk", "hotmail.fr", "gmx.net", "web.de", "qq.com"])
def test_a_free_mail_providers_domain_is_no_company(domain: str) -> None:
    assert is_free_mail(domain)
    assert marks_of(f"alice@{domain}", []) == [Mark("email", fold_email(f"alice@{domain}"))]


@pytest.mark.parametrize("domain", ["shop.example", "live-shop.example", "mail.shop.example", "yahoofans.example"])
def test_any_other_domain_is(domain: str) -> None:
    assert Mark("domain", domain) in marks_of(f"alice@{domain}", [])


def test_a_domain_above_is_asked_for_and_not_remembered() -> None:
    above = Mark("domain", "shop.example")
    assert above in marks_to_ask("alice@mail.eu.shop.example", [])
    assert above not in marks_of("alice@mail.eu.shop.example", [])


def test_no_domain_of_one_label_is_asked_for() -> None:
    assert [mark.value for mark in marks_to_ask("a@shop.example", []) if mark.kind == "domain"] == ["shop.example"]


def test_an_identity_is_known_by_issuer_and_subject() -> None:
    google = "https://accounts.google.com"
    assert Mark("oauth", f"{google} 1") in marks_of("a@gmail.com", [(google, "1")])

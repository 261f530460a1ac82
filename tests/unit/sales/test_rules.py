"""What makes a lead: clean words, a real address, and a person's pace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.sales import rules
from payflux.frontdoor.sales.rules import Inquiry
from payflux.frontdoor.sales.service import source_of

NOW = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
GOOD = Inquiry("Dora Diaz", "dora@shop.example", "Shop Ltd", "11-50", "Hello.\n\nHow do several workspaces work?")


def test_a_whole_inquiry_has_nothing_wrong_with_it() -> None:
    assert rules.problems(GOOD.cleaned()) == {}
    assert GOOD.cleaned() == GOOD


def test_each_field_that_is_wrong_is_named() -> None:
    wrong = Inquiry(" ", "dora@", "x" * 201, "a few", "y" * 4001, "https://spam.example").cleaned()
    assert set(rules.problems(wrong)) == {"name", "email", "company", "team_size", "message", "website"}


@given(text=st.text(max_size=60))
def test_no_line_that_a_mail_shows_holds_a_line_end_or_a_control_character(text: str) -> None:
    cleaned = Inquiry(text, text, text, text, text).cleaned()
    assert all(each.isprintable() for each in (cleaned.name, cleaned.email, cleaned.company))
    assert all(line.isprintable() for line in cleaned.message.split("\n"))
    assert "  " not in cleaned.name


def test_a_form_comes_back_at_a_persons_pace() -> None:
    assert rules.pace_problem(NOW - timedelta(seconds=20), NOW) == ""
    assert "faster than anybody types" in rules.pace_problem(NOW - timedelta(seconds=1), NOW)
    for shown in (None, NOW - timedelta(hours=25), NOW + timedelta(seconds=5)):
        assert "open too long" in rules.pace_problem(shown, NOW)


def test_a_source_that_nobody_knows_is_direct() -> None:
    assert source_of("pricing_page") == "pricing_page"
    assert source_of("<script>") == source_of("") == "direct"

"""Invites' states, seats, names in mail, and codes that nobody can make up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.accounts.team.codes import invite_code, read_code
from payflux.frontdoor.accounts.team.rules import InviteState, invite_state, name_in_mail, seats_left
from payflux.kit.crypto import TokenHasher

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOKENS = TokenHasher("a secret for tests alone, 32 characters or more")


@dataclass
class Invite:
    expires_at: datetime = NOW + timedelta(days=1)
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None


@pytest.mark.parametrize(
    ("invite", "state"),
    [
        (Invite(), InviteState.OPEN),
        (Invite(expires_at=NOW), InviteState.EXPIRED),
        (Invite(revoked_at=NOW), InviteState.REVOKED),
        (Invite(revoked_at=NOW, expires_at=NOW), InviteState.REVOKED),
        (Invite(accepted_at=NOW, expires_at=NOW), InviteState.ACCEPTED),
        (Invite(accepted_at=NOW, revoked_at=NOW), InviteState.ACCEPTED),
    ],
)
def test_an_invite_is_in_exactly_one_state(invite: Invite, state: InviteState) -> None:
    assert invite_state(invite, NOW) is state


def test_an_open_invite_holds_a_seat_and_no_limit_has_no_end() -> None:
    assert seats_left(3, members=1, invites=1) == 1
    assert seats_left(1, members=3, invites=0) == 0
    assert seats_left(None, members=900, invites=900) is None


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Alice Arkwright", "Alice Arkwright"),
        ("Dr. Ann O'Neil-Smith, Jr.", "Dr. Ann O'Neil-Smith, Jr."),
        ("Win http://evil.example/x?y now", "Win now"),
        ("Visit www.evil.example!", "Visit"),
        ("evil.com", "somebody"),
        ("Buy at evil.com/now cheap", "Buy at cheap"),
        ("Bob\r\nBcc: x@evil.example", "Bob Bcc: x@"),
        ("\u202eecilA", "ecilA"),
        ("<b>Bob</b>", "b Bob /b"),
        ("Ｅｖｉｌ．ｃｏｍ", "somebody"),
        ("   ", "somebody"),
    ],
)
def test_a_name_in_a_mail_to_a_stranger_carries_no_link(name: str, written: str) -> None:
    assert name_in_mail(name, otherwise="somebody") == written


@given(st.text(max_size=300))
def test_no_name_brings_a_line_end_a_link_or_more_than_sixty_characters_into_a_mail(name: str) -> None:
    written = name_in_mail(name, otherwise="somebody")
    assert 0 < len(written) <= 60
    assert "://" not in written
    assert "\n" not in written
    assert "\r" not in written


def test_a_code_opens_its_own_invite_alone() -> None:
    invite_id = uuid4()
    code = invite_code(TOKENS, invite_id)
    assert read_code(TOKENS, code) == invite_id
    assert read_code(TokenHasher("another secret of 32 characters or more"), code) is None


@given(st.uuids(), st.integers(0, 63), st.characters())
def test_a_code_with_one_character_changed_opens_nothing(invite_id: UUID, position: int, character: str) -> None:
    code = invite_code(TOKENS, invite_id)
    changed = code[:position] + character + code[position + 1 :]
    assert changed == code or read_code(TOKENS, changed) is None


@given(st.text())
def test_any_text_is_read_as_a_code_without_an_error(text: str) -> None:
    assert read_code(TOKENS, text) is None

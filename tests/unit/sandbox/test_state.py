"""What the sandbox remembers, and whom it lets in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from payflux.sandbox.callers import SECRET_KEY
from payflux.sandbox.errors import OAuthError, StripeError
from payflux.sandbox.merchants.archetypes import ARCHETYPES, PLATFORM
from payflux.sandbox.server import require_loopback, run
from payflux.sandbox.state import STATE_FILE, SandboxState
from tests.unit.sandbox.conftest import ANCHOR, NOON

ACCOUNT = ARCHETYPES["default"].account_id


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def test_the_anchor_and_the_connections_survive_a_restart(tmp_path: Path) -> None:
    first = SandboxState(now=lambda: NOON, state_dir=tmp_path)
    first.redeem_code(first.issue_code(ACCOUNT, "read_write"))

    again = SandboxState(now=lambda: NOON + timedelta(days=9), state_dir=tmp_path)

    assert again.anchor == ANCHOR
    assert again.connected == {ACCOUNT: "read_write"}
    again.disconnect(ACCOUNT)
    assert SandboxState(now=lambda: NOON, state_dir=tmp_path).connected == {}


def test_without_a_folder_nothing_is_kept_and_the_anchor_is_today() -> None:
    assert SandboxState(now=lambda: NOON).anchor == ANCHOR
    assert SandboxState(now=lambda: NOON, anchor=date(2026, 10, 1)).anchor == date(2026, 10, 1)


def test_a_broken_state_file_is_named(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text("{")
    with pytest.raises(ValueError, match=r"sandbox\.json is not a sandbox state"):
        SandboxState(now=lambda: NOON, state_dir=tmp_path)


def test_the_books_grow_as_time_passes_and_keep_what_was_there() -> None:
    clock = Clock(NOON)
    state = SandboxState(now=clock)
    before = state.view(ACCOUNT)
    last = before.merchant.charges[int((before.merchant.charges.created <= before.now).sum()) - 1]
    clock.now += timedelta(days=8)

    after = state.view(ACCOUNT)

    row = after.merchant.charges.find(last.key)
    assert row is not None
    assert after.merchant.charges[row] == last
    newest = int(after.merchant.charges.created[after.merchant.charges.created <= after.now][-1])
    assert clock.now.timestamp() - newest < 12 * 3600


def test_a_code_works_once_within_five_minutes_and_its_second_use_disconnects() -> None:
    clock = Clock(NOON)
    state = SandboxState(now=clock)
    code = state.issue_code(ACCOUNT, "read_only")
    late = state.issue_code(ACCOUNT, "read_only")

    assert state.redeem_code(code).account_id == ACCOUNT
    with pytest.raises(OAuthError, match=r"already been used\. All tokens issued with this code have been revoked\."):
        state.redeem_code(code)
    assert state.connected == {}
    clock.now += timedelta(minutes=5)
    with pytest.raises(OAuthError, match="Authorization code does not exist: ac_"):
        state.redeem_code(late)


def test_keys_open_their_own_account_and_the_platform_the_connected_ones() -> None:
    state = SandboxState(now=lambda: NOON)
    key = ARCHETYPES["default"].restricted_key

    assert state.caller(key, None).account_id == ACCOUNT
    assert state.caller(SECRET_KEY, None).account_id == PLATFORM.account_id
    with pytest.raises(StripeError, match=r"does not have access to account 'acct_1Sandbox\w+' \(or that account"):
        state.caller(SECRET_KEY, ACCOUNT)
    state.redeem_code(state.issue_code(ACCOUNT, "read_only"))
    assert state.caller(SECRET_KEY, ACCOUNT).account_id == ACCOUNT
    with pytest.raises(StripeError, match="does not have access"):
        state.caller(key, ARCHETYPES["healthy"].account_id)
    for wrong, message in (
        ("sk_live_something_else", "Invalid API Key provided"),
        (None, "You did not provide an API key"),
    ):
        with pytest.raises(StripeError, match=message) as refused:
            state.caller(wrong, None)
        assert refused.value.status == 401
        assert "something" not in str(refused.value)


def test_a_key_without_a_permission_is_told_which_one() -> None:
    state = SandboxState(now=lambda: NOON)
    caller = state.caller(ARCHETYPES["default"].restricted_key + "_no_disputes", None)
    caller.require("rak_charge_read")
    with pytest.raises(
        StripeError, match=r"Having the 'rak_dispute_read' permission would allow this request to continue\."
    ):
        caller.require("rak_dispute_read")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_it_listens_on_loopback(host: str) -> None:
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "example.com", ""])
def test_it_refuses_to_be_reached_from_elsewhere(host: str) -> None:
    with pytest.raises(ValueError, match="listens on this machine only"):
        run(host=host, port=8001)

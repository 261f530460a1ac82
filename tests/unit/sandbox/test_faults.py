"""Faults strike where they are meant to, as often as they are meant to, and the same each time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.sandbox.control.spans import LONGEST, read_moment, read_span
from payflux.sandbox.faults.model import Fault, read_fault
from payflux.sandbox.faults.register import add, faults, keep, remove
from payflux.sandbox.state import SandboxState
from tests.unit.sandbox.conftest import NOON


@given(seed=st.integers(), probability=st.floats(0, 1), drawn=st.integers(1, 50))
def test_a_seed_gives_the_same_course_each_time(seed: int, probability: float, drawn: int) -> None:
    def course() -> list[float | None]:
        fault = Fault(kind="latency", seed=seed, probability=probability)
        return [chance.random() if chance else None for chance in (fault.draw() for _ in range(drawn))]

    assert course() == course()
    if probability in (0, 1):
        assert all((strike is None) == (probability == 0) for strike in course())


def test_a_probability_is_about_the_share_that_goes_wrong() -> None:
    fault = Fault(kind="error", probability=0.3, seed=7)
    assert 250 <= sum(fault.draw() is not None for _ in range(1000)) <= 350
    assert (fault.drawn, 250 <= fault.struck <= 350) == (1000, True)


def test_a_fault_meets_the_calls_it_names() -> None:
    fault = Fault(kind="error", path="/v1/charges*", method="get", account="acct_1", key="rk_1")
    assert fault.meets_call("/v1/charges/ch_1", "GET", "acct_1", "rk_1")
    assert not fault.meets_call("/v1/refunds", "GET", "acct_1", "rk_1")
    assert not fault.meets_call("/v1/charges", "POST", "acct_1", "rk_1")
    assert not fault.meets_call("/v1/charges", "GET", "acct_2", "rk_1")
    assert not fault.meets_call("/v1/charges", "GET", "acct_1", "rk_2")
    assert not fault.meets_delivery("charge.succeeded", "acct_1", "we_1")
    webhook = Fault(kind="webhook_loss", type="charge.*", endpoint="we_1")
    assert webhook.meets_delivery("charge.succeeded", "acct_1", "we_1")
    assert not webhook.meets_delivery("refund.created", "acct_1", "we_1")
    assert not webhook.meets_delivery("charge.succeeded", "acct_1", "we_2")
    assert not webhook.meets_call("/v1/charges", "GET", "acct_1", "rk_1")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({}, "kind"),
        ({"kind": "flood"}, "kind"),
        ({"kind": "error", "status": 200}, "status"),
        ({"kind": "error", "status": "much"}, "status"),
        ({"kind": "error", "probability": 1.5}, "probability"),
        ({"kind": "error", "times": 0}, "times"),
        ({"kind": "error", "struck": 3}, "struck"),
        ({"kind": "error", "colour": "red"}, "colour"),
        ({"kind": "latency", "milliseconds": -1}, "milliseconds"),
        ({"kind": "rate_limit", "reason": "tired"}, "reason"),
    ],
)
def test_what_is_no_fault_is_refused_by_name(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named} "):
        read_fault(wrong)


def test_faults_survive_a_restart_and_end_by_count_and_by_time(tmp_path: Path) -> None:
    now = NOON
    state = SandboxState(now=lambda: now, state_dir=tmp_path)
    counted = add(state, {"kind": "error", "times": "1"})
    timed = add(state, {"kind": "latency", "seconds": 60})
    kept = add(state, {"kind": "reset"})
    state.store.close()

    state = SandboxState(now=lambda: now, state_dir=tmp_path)
    assert [fault.id for fault in faults(state)] == [counted.id, timed.id, kept.id]
    first = faults(state)[0]
    first.draw()
    keep(state, first)
    assert [fault.id for fault in faults(state)] == [timed.id, kept.id]
    now += timedelta(seconds=60)
    assert [fault.id for fault in faults(state)] == [kept.id]
    assert remove(state, kept.id)
    assert not remove(state, kept.id)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30m", 1800), ("1.5h", 5400), ("3d", 259_200), ("2w", 1_209_600), ("1mo", 30 * 86_400), ("0", 0)],
)
def test_a_span_is_read(text: str, seconds: float) -> None:
    assert read_span(text, NOON) == seconds


def test_a_month_is_of_the_calendar() -> None:
    end_of_january = datetime.fromisoformat("2027-01-31T12:00:00+00:00")
    assert read_span("1mo", end_of_january) == 28 * 86_400


@pytest.mark.parametrize("text", ["2026-11-21T13:00:00Z", "2026-11-21T13:00", "2026-11-21T14:00+01:00", "1795266000"])
def test_a_moment_is_read(text: str) -> None:
    assert read_moment(text, NOON) == 3600


@pytest.mark.parametrize("text", ["", "soon", "-1", "1y", "1e9", "999999d", f"{LONGEST + 1}", "999999mo"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no span of time|ten years"):
        read_span(text, NOON)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-11-20", "99999999999999", "2026-13-01"])
def test_what_is_no_moment_to_come_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no moment|only goes forward"):
        read_moment(text, NOON)

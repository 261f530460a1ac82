"""When a mail about an alert goes out."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.alerts.timing import MailTimes, mail_at, time_zones

BERLIN = "Europe/Berlin"
NIGHT = MailTimes(time(22), time(7), time_zone=BERLIN)
START = datetime(2026, 1, 1, tzinfo=UTC)
times_of_day = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def at(hour: int, minute: int = 0, day: int = 21, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "goes_out"),
    [
        (at(21, 59), at(21, 59)),
        (at(22), at(7, day=22)),
        (at(3), at(7)),
        (at(7), at(7)),
        (at(23, day=24, month=10), at(7, day=25, month=10)),  # an hour longer, as clocks go back
    ],
)
def test_quiet_hours_hold_a_mail_until_they_end_over_midnight_and_changing_clocks(
    now: datetime, goes_out: datetime
) -> None:
    assert mail_at(NIGHT, now, risk_tier=4) == goes_out


def test_with_one_mail_a_day_it_waits_for_its_time_and_a_critical_tier_waits_for_nothing() -> None:
    daily = MailTimes(digest_at=time(9), time_zone=BERLIN)
    assert mail_at(daily, at(10), risk_tier=2) == at(9, day=22)
    assert mail_at(daily, at(8), risk_tier=2) == at(9)
    assert mail_at(daily, at(10), risk_tier=5) == at(10)
    assert mail_at(MailTimes(), at(3), risk_tier=2) == at(3)


@given(
    st.builds(
        MailTimes,
        st.none() | times_of_day,
        st.none() | times_of_day,
        st.none() | times_of_day,
        st.sampled_from(time_zones()),
    ),
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
)
def test_whatever_is_set_a_mail_goes_out_within_two_days_and_what_is_due_is_not_put_off(
    times: MailTimes, now: datetime
) -> None:
    goes_out = mail_at(times, now, risk_tier=3)
    assert now <= goes_out <= now + timedelta(days=2)
    assert mail_at(times, goes_out, risk_tier=3) == goes_out

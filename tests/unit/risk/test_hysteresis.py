import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.snapshots import AccountSnapshot
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.rules.hysteresis import standing_tier
from payflux.monitor.risk.surface import Readout
from tests.unit.risk.building import AS_OF, FULL, SOUND, sales


def said(tier: int, hours_ago: float) -> Readout:
    return Readout(as_of=AS_OF - timedelta(hours=hours_ago), asked_tier=tier)


def test_a_breach_raises_the_tier_at_once() -> None:
    assert standing_tier(4, AS_OF, [said(1, 30), said(1, 6)]) == 4


def test_a_tier_clears_after_two_readouts_a_day_apart() -> None:
    assert standing_tier(1, AS_OF, [said(3, 6)]) == 3
    assert standing_tier(1, AS_OF, [said(3, 48), said(3, 26)]) == 3
    assert standing_tier(1, AS_OF, [said(3, 30), said(1, 24)]) == 1
    assert standing_tier(1, AS_OF, [said(1, 30), said(3, 12), said(1, 6)]) == 3


def test_readouts_of_the_future_or_of_last_quarter_say_nothing() -> None:
    assert standing_tier(1, AS_OF, [said(5, -1), said(5, 31 * 24)]) == 1


def test_the_first_readout_stands_as_it_is() -> None:
    assert standing_tier(2, AS_OF, []) == 2


readouts = st.lists(st.builds(said, st.integers(1, 5), st.floats(0.1, 1_000)), max_size=12)


@given(st.integers(1, 5), readouts)
def test_a_standing_tier_is_never_below_what_is_asked_nor_above_all_that_was(
    asked: int, earlier: list[Readout]
) -> None:
    stands = standing_tier(asked, AS_OF, earlier)
    assert asked <= stands <= max([asked, *(readout.asked_tier for readout in earlier)])


@given(st.integers(1, 5), readouts, st.randoms())
def test_the_order_of_readouts_does_not_matter(asked: int, earlier: list[Readout], chance: random.Random) -> None:
    shuffled = list(earlier)
    chance.shuffle(shuffled)
    assert standing_tier(asked, AS_OF, shuffled) == standing_tier(asked, AS_OF, earlier)


def test_a_surface_says_why_its_tier_still_stands() -> None:
    earlier = (said(4, 6),)
    surface = score(prepare(sales(per_day=40), as_of=AS_OF, account=SOUND, balance=FULL, earlier=earlier))
    assert (surface.risk_tier, surface.asked_tier, surface.reasons[0].key) == (4, 1, "standing")
    assert surface.stability_score <= 49
    assert surface.reasons[1].key == "calm"


def test_a_surface_keeps_the_payout_delay_for_later_readouts() -> None:
    account = AccountSnapshot(external_id="acct_1", taken_at=AS_OF, payout_delay_days=7)
    assert score(prepare(sales(), as_of=AS_OF, account=account)).payout_delay_days == 7

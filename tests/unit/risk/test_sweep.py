import math
import struct
from datetime import date
from itertools import pairwise
from random import Random
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.rollups import METRICS, Rollup, roll_up
from payflux.monitor.risk.rules.bands import BANDINGS, level_of
from payflux.monitor.risk.rules.history import prepare
from payflux.monitor.risk.rules.scoring import score
from payflux.monitor.risk.rules.statistics import settle, wilson_interval
from payflux.monitor.risk.sweep import kernel
from payflux.monitor.risk.sweep.copying import Sweeper
from payflux.monitor.risk.sweep.kernel import DAYS, READING_DTYPE, read_workspaces
from tests.sweeping import Reading, random_rollups, read_workspace
from tests.unit.risk.building import AS_OF, NOW, SOUND, about, elevated_merchant, sales

TODAY = date(2026, 11, 21)


def window(rollup: Rollup) -> np.ndarray:
    """The rollup's days of the sweep."""
    days = np.zeros((DAYS, len(METRICS)), np.int64)
    first = (rollup.first_day - TODAY).days + DAYS - 1
    for place, row in enumerate(rollup.matrix, start=first):
        if 0 <= place < DAYS:
            days[place] = row
    return days


def said(reading: np.void) -> Reading:
    """A reading as Python numbers, None for what cannot be said."""
    values = zip(READING_DTYPE.names or (), reading.tolist(), strict=True)
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values}


def test_two_hundred_random_workspaces_are_read_as_one_at_a_time_to_the_bit() -> None:
    rollups = random_rollups(200, TODAY, seed=1)
    together = read_workspaces(np.stack([window(rollup) for rollup in rollups]))
    alone = [read_workspace(rollup, TODAY) for rollup in rollups]
    assert [said(reading) for reading in together] == alone
    assert {reading["tier_30"] for reading in alone} == {1, 2, 3, 4}
    assert {reading["tier_90"] for reading in alone} == {1, 2, 3, 4}
    assert sum(reading["growth"] is not None for reading in alone) > 50


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**7)), min_size=1, max_size=20))
def test_wilsons_lower_bound_of_many_is_that_of_each(drawn: list[tuple[int, int]]) -> None:
    events, trials = (np.array(column, np.int64) for column in zip(*drawn, strict=True))
    expected = [wilson_interval(event, trial)[0] for event, trial in drawn]
    assert kernel._wilson_low(events, trials).tolist() == expected


@settings(max_examples=500)
@given(
    st.lists(
        st.floats(allow_infinity=False, width=64)
        | st.floats(0, 2)
        | st.builds(lambda part, whole: part / whole, st.integers(0, 10**9), st.integers(1, 10**9))
        | st.builds(lambda digits, power: (digits + 0.5) / 10**power, st.integers(0, 10**12), st.integers(0, 24))
    )
)
def test_twelve_digits_of_many_are_those_of_each(values: list[float]) -> None:
    settled = kernel.settle_all(np.array(values, float)).tolist()
    assert [repr(value) for value in settled] == [repr(settle(value + 0.0)) for value in values]


@given(
    st.sampled_from(["dispute_activity", "fraud_warning_rate", "refund_rate", "observed_reserve", "growth"]), st.data()
)
def test_a_level_of_many_is_that_of_each(key: str, data: st.DataObject) -> None:
    near = [value for limit in BANDINGS[key].thresholds for value in (limit, np.nextafter(limit, 9), limit - 1e-12)]
    values = data.draw(st.lists(st.sampled_from(near) | st.floats(0, 3), min_size=1))
    levels = kernel._levels(key, np.array(values))
    assert levels.tolist() == [int(level_of(key, value)) for value in values]


def test_days_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="workspaces × 90"):
        read_workspaces(np.zeros((1, DAYS, 3), np.int64))


def copied(rollups: list[Rollup], keys: list[tuple[UUID, UUID]]) -> bytes:
    """What the database would send: whole windows, in binary COPY."""
    stream = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
    for rollup, (account, workspace) in zip(rollups, keys, strict=True):
        first = (rollup.first_day - TODAY).days + DAYS - 1
        skipped = max(0, -first)
        vector = rollup.matrix[skipped : max(skipped, DAYS - first)].astype("<i8").tobytes()
        stream += struct.pack(">hi16si16si3s", 6, 16, account.bytes, 16, workspace.bytes, 3, b"usd")
        stream += struct.pack(">iiiii", 4, max(0, first), 4, 8 * rollup.matrix.shape[1], len(vector)) + vector
    return stream + b"\xff\xff"


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_a_stream_cut_anywhere_gives_the_same_readings(random: Random) -> None:
    rollups = random_rollups(5, TODAY, seed=random.randint(0, 10**6))
    stream = copied(rollups, [(uuid4(), uuid4()) for _ in rollups])
    whole, pieces = Sweeper(), Sweeper()
    whole.feed([stream])
    cuts = [0, *sorted(random.randint(0, len(stream)) for _ in range(random.randint(0, 40))), len(stream)]
    for start, end in pairwise(cuts):
        pieces.feed([stream[start:end]])
    assert pieces.finish() == whole.finish()
    assert pieces.count == len(rollups)


def test_a_stream_that_is_cut_off_or_of_another_kind_is_refused() -> None:
    stream = copied(random_rollups(2, TODAY, seed=1), [(uuid4(), uuid4()) for _ in range(2)])
    cut = Sweeper()
    cut.feed([stream[:-1]])
    with pytest.raises(ValueError, match="cut off"):
        cut.finish()
    with pytest.raises(ValueError, match="not a binary COPY"):
        Sweeper().feed([b"account,workspace" * 10])
    with pytest.raises(ValueError, match="other columns"):
        Sweeper().feed([stream[:19] + b"\x00\x07" + stream[21:]])


def test_a_vector_stored_when_there_were_fewer_metrics_is_read() -> None:
    (rollup,) = random_rollups(1, TODAY, seed=3)
    old = Rollup(rollup.currency, rollup.first_day, rollup.matrix[:, :17])
    zeros = rollup.matrix.copy()
    zeros[:, 17:] = 0
    keys = [(uuid4(), uuid4())]
    narrow, wide = Sweeper(), Sweeper()
    narrow.feed([copied([old], keys)])
    wide.feed([copied([Rollup(rollup.currency, rollup.first_day, zeros)], keys)])
    assert narrow.finish() == wide.finish()


def test_a_workspace_reads_as_its_whole_score_does() -> None:
    charges = sales(per_day=20, days=200)
    troubles = [about(Kind.DISPUTE, charges[::90], 10, status=Status.LOST), about(Kind.REFUND, charges[::7], 3)]
    holds = about(Kind.RESERVE_HOLD, charges[::9], 0)
    troubled = np.concatenate([charges, *troubles, holds])
    for events in (elevated_merchant(), troubled[troubled["at"] <= NOW], sales(per_day=1, days=20)):
        (rollup,) = roll_up(events)
        reading = said(read_workspaces(window(rollup)[None])[0])
        signals = {signal.key: signal for signal in score(prepare(events, as_of=AS_OF, account=SOUND)).signals}
        for key in ("dispute_activity", "fraud_warning_rate", "refund_rate", "decline_rate", "observed_reserve"):
            assert reading[f"{key}_30"] == signals[key].value, key
        assert reading["growth"] == signals["growth"].value

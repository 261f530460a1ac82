"""The three questions of a backtest, asked of many merchants: disputes, sales, and the next tier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from payflux.cli.backtest.merchants import Past, past_of_simulated, real_purchases
from payflux.monitor.backtest import disputes, escalations, volume
from payflux.monitor.risk.rules.escalation import AHEAD_DAYS
from payflux.monitor.risk.rules.lag import LAST_AGE
from payflux.sandbox.simulator import MODELS, any_shop, simulate, simulate_sales

SIMULATED_DAYS = 430
"""What a readout may look back, and the month after it."""

WARM_UP = 200
STEP = 21
"""Days between two valuations of a merchant: nearer ones say nearly the same again."""

SHOPS = "random shop"
SHOPS_A_SEED = 10

Row = TypeVar("Row")
Tell = Callable[[str], None]


class SalesRow(NamedTuple):
    """The sales of one merchant at one horizon: this forecast, the last day and the last week repeated."""

    name: str
    ours: volume.VolumeScore
    naive: volume.VolumeScore
    seasonal: volume.VolumeScore


class Backtest(NamedTuple):
    """Scores by merchant, and of all together under "all". Who is too short for a question is not in its table."""

    disputes: dict[str, disputes.DisputeScore]
    sales: list[SalesRow]
    escalations: dict[str, escalations.EscalationScore]


def simulated_pasts(seeds: int) -> Iterator[Past]:
    """Every simulated merchant with each of `seeds` seeds, and the real purchases."""
    for name, model in MODELS.items():
        for seed in range(seeds):
            yield past_of_simulated(name, simulate(model, seed, days=SIMULATED_DAYS), SIMULATED_DAYS)
    yield real_purchases()


def replay_pasts(pasts: Iterable[Past], tell: Tell, *, shops: int = 0) -> Backtest:
    """Replay `pasts`, those of one name scored together, and the sales of so many random `shops`. `tell` hears whose
    turn it is."""
    replayed: dict[str, list[disputes.Replayed]] = {}
    said: dict[str, list[escalations.Said]] = {}
    volumes: dict[str, tuple[volume.VolumeScore, ...]] = {}
    for past in pasts:
        tell(past.name)
        last = past.first_day + past.days - 1
        valuations = range(past.first_day + WARM_UP, last + 1, STEP)
        record = past.record
        if record.charge_days.size:
            known = [day for day in valuations if day + LAST_AGE <= past.known_to]
            replayed.setdefault(past.name, []).extend(disputes.replay(record, day) for day in known)
            days = [escalations.end_of(day) for day in valuations if day + AHEAD_DAYS <= last]
            said.setdefault(past.name, []).extend(escalations.replay(past.events, days))
        if past.days > volume.FIRST + max(volume.HORIZONS) and past.name not in volumes:
            volumes[past.name] = volume.backtest(past.sold)
    for seed in range(shops):
        tell(f"{SHOPS} {seed}")
        volumes[f"{SHOPS} {seed}"] = volume.backtest(simulate_sales(any_shop(seed), seed))
    return Backtest(
        {name: disputes.score(rows) for name, rows in _with_all(replayed).items() if rows},
        _sales(volumes),
        {name: escalations.score_of(rows) for name, rows in _with_all(said).items() if rows},
    )


def _sales(volumes: dict[str, tuple[volume.VolumeScore, ...]]) -> list[SalesRow]:
    """A row for each merchant and horizon, one for all random shops, and one for everyone, each counting the same."""
    shops = {name: scores for name, scores in volumes.items() if name.startswith(SHOPS)}
    told = {name: scores for name, scores in volumes.items() if name not in shops}
    if shops:
        told[f"{len(shops)} {SHOPS}s"] = volume.pooled(shops)
    if len(volumes) > 1:
        told["all"] = volume.pooled(volumes)
    rows = []
    for name, scores in told.items():
        found = {(score.method, score.horizon): score for score in scores}
        rows += [
            SalesRow(name, *(found[method, days] for method in ("ours", "last day", "last week")))
            for days in volume.HORIZONS
        ]
    return rows


def _with_all(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    together = [row for some in rows.values() for row in some]
    return {**rows, "all": together} if len(rows) > 1 else rows

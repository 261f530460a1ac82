"""The three questions of a backtest, asked of many merchants: disputes, sales, and the next tier."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from payflux.cli.backtest.merchants import Past, past_of_simulated, real_purchases
from payflux.monitor.backtest import disputes, escalations, volume
from payflux.monitor.risk.rules.escalation import AHEAD_DAYS
from payflux.monitor.risk.rules.lag import LAST_AGE
from payflux.sandbox.simulator import MODELS, simulate

SIMULATED_DAYS = 430
"""What a readout may look back, and the month after it."""

WARM_UP = 200
STEP = 21
"""Days between two valuations of a merchant: nearer ones say nearly the same again."""

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


def replay_pasts(pasts: Iterable[Past], tell: Tell) -> Backtest:
    """Replay `pasts`; those of one name are scored together. `tell` hears whose turn it is."""
    replayed: dict[str, list[disputes.Replayed]] = {}
    said: dict[str, list[escalations.Said]] = {}
    sales: list[SalesRow] = []
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
        if past.days > volume.FIRST + max(volume.HORIZONS) and all(row.name != past.name for row in sales):
            sales.extend(_sales(past))
    return Backtest(
        {name: disputes.score(rows) for name, rows in _with_all(replayed).items() if rows},
        [*sales, *_sales_together(sales)],
        {name: escalations.score_of(rows) for name, rows in _with_all(said).items() if rows},
    )


def _sales(past: Past) -> list[SalesRow]:
    scores = {(score.method, score.horizon): score for score in volume.backtest(past.sold)}
    return [
        SalesRow(past.name, *(scores[method, days] for method in ("ours", "last day", "last week")))
        for days in volume.HORIZONS
    ]


def _sales_together(rows: list[SalesRow]) -> list[SalesRow]:
    """The mean scores over merchants at each horizon, each merchant by its origins."""
    if len({row.name for row in rows}) < 2:
        return []
    together = []
    for days in volume.HORIZONS:
        alike = [row for row in rows if row.ours.horizon == days]
        means = (_mean([getattr(row, method) for row in alike]) for method in ("ours", "naive", "seasonal"))
        together.append(SalesRow("all", *means))
    return together


def _mean(scores: list[volume.VolumeScore]) -> volume.VolumeScore:
    origins = sum(score.origins for score in scores)

    def mean(name: str) -> float:
        return math.fsum(getattr(score, name) * score.origins for score in scores) / origins

    return scores[0]._replace(
        origins=origins,
        bias=mean("bias"),
        mape=mean("mape"),
        coverage=mean("coverage"),
        crps=mean("crps"),
        winkler=mean("winkler"),
    )


def _with_all(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    together = [row for some in rows.values() for row in some]
    return {**rows, "all": together} if len(rows) > 1 else rows

"""`payflux admin sample-readout`: the landing page's sample, computed anew."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import msgspec

from payflux.cli.backtest.merchants import past_of_simulated
from payflux.monitor.projections.rules import project
from payflux.monitor.risk.rules import prepare, score
from payflux.sandbox.simulator import MODELS, simulate
from payflux.web.sample import Sample

MERCHANT, SEED, DAYS = "rising", 1, 400
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
_DAY = 86_400


def compute_sample() -> Sample:
    """The readout of a simulated merchant as of :data:`AS_OF`, without the parts that the landing page leaves out."""
    end = int(AS_OF.timestamp())
    past = past_of_simulated(MERCHANT, simulate(MODELS[MERCHANT], SEED, days=DAYS, start=end // _DAY - DAYS), DAYS)
    history = prepare(past.events[past.events["at"] < end], as_of=AS_OF)
    surface = score(history)
    projection = project(history, surface)
    shown = {text for reason in surface.reasons for text in (reason.sentence, reason.lowers)} | {surface.trend_note}
    return Sample(
        story=MODELS[MERCHANT].story,
        surface=msgspec.structs.replace(
            surface,
            signals=(),
            dispute_outlook=(),
            next_dispute=(),
            to_threshold=(),
            forecasting=None,
            escalation=None,
            phrases={text: form for text, form in (surface.phrases or {}).items() if text in shown},
        ),
        projection=msgspec.structs.replace(
            projection, scenarios=(), calendar=(), releases=(), stress=None, stress_windows=()
        ),
    )


def sample_readout() -> None:
    """Print the sample readout of the landing page as JSON. Needs no database."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(compute_sample()), indent=0).decode() + "\n")

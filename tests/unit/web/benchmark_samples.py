"""What the page of benchmarks is given."""

from __future__ import annotations

from datetime import UTC, datetime

from payflux.monitor.benchmarks.rules import LEAST_SHOPS, METRICS, SIZES, Quartiles, standing_of
from payflux.monitor.benchmarks.service import Compared, Comparison
from payflux.web.standing_chart import standing_chart

RATES = (0.0089, 0.004, 0.031, 0.12, None)
OTHERS = (
    Quartiles(34, 0.0011, 0.0026, 0.0052),
    Quartiles(34, 0.0006, 0.0018, 0.0041),
    Quartiles(34, 0.012, 0.034, 0.071),
    Quartiles(31, 0.022, 0.048, 0.095),
    None,
)


def _compared(place: int) -> Compared:
    rate, others = RATES[place], OTHERS[place]
    return Compared(METRICS[place], rate, others, standing_of(rate, others) if rate is not None and others else None)


def benchmark_pages(signed_in: dict[str, object]) -> dict[str, tuple[str, dict[str, object]]]:
    rates = tuple(map(_compared, range(len(METRICS))))
    bounds = {"least_payments": SIZES[0].least, "least_shops": LEAST_SHOPS}
    charts = {one.metric.key: standing_chart(one) for one in rates if one.rate is not None and one.others}
    page = signed_in | bounds | {"charts": charts}
    alone = tuple(Compared(one.metric, one.rate, None, None) for one in rates)
    return {
        "benchmarks": (
            "benchmarks.html",
            page | {"comparison": Comparison(2_017, SIZES[1], datetime(2026, 11, 20, 12, tzinfo=UTC), rates)},
        ),
        "benchmarks-alone": (
            "benchmarks.html",
            page | {"comparison": Comparison(30_400, SIZES[3], None, alone), "charts": {}},
        ),
        "benchmarks-not-yet": (
            "benchmarks.html",
            page | {"comparison": Comparison(None, None, None, ()), "charts": {}},
        ),
        "benchmarks-too-few": (
            "benchmarks.html",
            page | {"comparison": Comparison(1, None, None, alone), "charts": {}},
        ),
    }

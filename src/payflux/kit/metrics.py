"""The counters of one process, in Prometheus' text format.

They begin at zero with the process and belong to it alone: where several web processes run, each is asked at its own
address and Prometheus adds them up, as `sum by (…) (rate(…))` does. What all of them would tell alike, because the
database knows it, is a gauge that is read when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNMATCHED = "unmatched"
"""The route of a request that none took."""

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What a web process counts. Labels are names of ours alone, never what a caller sent."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._requests = Counter(
            "payflux_http_requests",
            "Requests by route template and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "payflux_http_request_seconds",
            "How long requests took, by route template.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.webhook_signature_failures = Counter(
            "payflux_webhook_signature_failures",
            "Webhooks whose signature did not hold: of our own billing, of a merchant's Stripe account, or of a source "
            "that posts in our form.",
            ["source"],
            registry=self.registry,
        )
        self.checkout_failures = Counter(
            "payflux_checkout_failures", "Checkouts that Stripe did not open.", registry=self.registry
        )
        self.oauth_callback_failures = Counter(
            "payflux_oauth_callback_failures",
            "Ways back from a sign-in provider or from Stripe on which nobody was signed in, or nothing connected.",
            ["provider"],
            registry=self.registry,
        )
        # a label that was never counted has no line, and a rate needs the one before the first
        for source in ("billing", "stripe", "generic"):
            self.webhook_signature_failures.labels(source)
        for provider in ("google", "microsoft", "stripe"):
            self.oauth_callback_failures.labels(provider)

    def observe_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request that has been answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class Reading(NamedTuple):
    """One number that was read from the database: a gauge or, where it only ever grows, a counter whose `name` goes
    without the `_total` that it is shown with. All readings of one name have one label, or none."""

    name: str
    help: str
    value: float
    label: tuple[str, str] | None = None
    is_counter: bool = False


class _Readings(Collector):
    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = list(readings)

    def collect(self) -> Iterable[Metric]:
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for each in self._readings:
            kind = CounterMetricFamily if each.is_counter else GaugeMetricFamily
            family = families.setdefault(
                each.name, kind(each.name, each.help, labels=[each.label[0]] if each.label else [])
            )
            family.add_metric([each.label[1]] if each.label else [], each.value)
        return families.values()


def exposition(metrics: Metrics, readings: Iterable[Reading]) -> bytes:
    """The process' counters and `readings` as Prometheus reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Readings(readings))
    return generate_latest(metrics.registry) + generate_latest(registry)

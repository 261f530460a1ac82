"""What can go wrong, and when it does. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

Kind = Literal[
    "latency",
    "rate_limit",
    "error",
    "reset",
    "key_revoked",
    "key_expired",
    "webhook_loss",
    "webhook_duplicate",
    "webhook_delay",
    "webhook_shuffle",
]
Reason = Literal[
    "global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency", "resource-specific", "lock_timeout"
]
When = Literal["before", "in_body"]

MEANINGS: dict[Kind, str] = {
    "latency": "an answer takes `milliseconds` longer, and up to `jitter` more",
    "rate_limit": "429 with Stripe-Rate-Limited-Reason `reason`; lock_timeout has the error code in its place",
    "error": "`status`, and the call is not carried out",
    "reset": "the connection breaks `when`: before the call is carried out, or in the body of its answer",
    "key_revoked": "401: the key is not known",
    "key_expired": "401 api_key_expired: the key, or the access token, is over",
    "webhook_loss": "a delivery is never sent",
    "webhook_duplicate": "a delivery is sent twice",
    "webhook_delay": "a delivery leaves `delay` seconds later, on either clock",
    "webhook_shuffle": "`window` deliveries to an endpoint wait for each other and leave in another order",
}


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong, and where.

    A call is meant when its path fits the pattern `path`, and its `method`, `account` and `key`, where they are given;
    a delivery when its event's type fits `type`, and its `account` and `endpoint`, where they are given. Of those that
    are meant, each goes wrong with `probability`, drawn from `seed`; until `times` of them have, or for `seconds` of
    real time.
    """

    kind: Kind
    path: str = "/v1/*"
    method: str = ""
    account: str = ""
    key: str = ""
    type: str = "*"
    endpoint: str = ""
    probability: float = 1.0
    seed: int = 0
    times: int | None = None
    seconds: float | None = None
    milliseconds: float = 1_000
    jitter: float = 0
    reason: Reason = "global-rate"
    status: int = 500
    when: When = "before"
    delay: float = 60
    window: int = 10
    id: str = ""
    until: float | None = None  # unix seconds of the machine
    drawn: int = 0  # how often it was drawn whether this goes wrong
    struck: int = 0  # how often it did

    def meets_call(self, path: str, method: str, account: str, key: str) -> bool:
        return (
            not self.of_webhooks
            and fnmatchcase(path, self.path)
            and self.method.upper() in ("", method)
            and self.account in ("", account)
            and self.key in ("", key)
        )

    def meets_delivery(self, event_type: str, account: str, endpoint: str) -> bool:
        return (
            self.of_webhooks
            and fnmatchcase(event_type, self.type)
            and self.account in ("", account)
            and self.endpoint in ("", endpoint)
        )

    @property
    def of_webhooks(self) -> bool:
        return self.kind.startswith("webhook_")

    @property
    def spent(self) -> bool:
        return self.times is not None and self.struck >= self.times

    def draw(self) -> random.Random | None:
        """Whether it strikes this time: what further chance it takes comes from the generator that is returned."""
        self.drawn += 1
        chance = random.Random(f"{self.seed}:{self.drawn}")  # noqa: S311 -- chance that can be repeated is meant
        if chance.random() >= self.probability:
            return None
        self.struck += 1
        return chance


_OWN = ("id", "until", "drawn", "struck")
_LEAST = {"milliseconds": 0, "jitter": 0, "delay": 0, "window": 2, "times": 1, "seconds": 0, "probability": 0}


def read_fault(given: Mapping[str, Any]) -> Fault:
    """The fault that `given` describes; texts are taken for numbers where numbers are meant. Raises ValueError that
    names the field."""
    for name in _OWN:
        if name in given:
            raise ValueError(f"{name} is set by the sandbox: leave it out.")
    if str(given.get("kind")) not in MEANINGS:
        raise ValueError(f"kind is one of {', '.join(MEANINGS)}.")
    known = [name for name in Fault.__struct_fields__ if name not in _OWN]
    for name in given:
        if name not in known:
            raise ValueError(f"{name} is no field of a fault. Choose from: {', '.join(known)}.")
    try:
        fault = msgspec.convert(dict(given), Fault, strict=False)
    except msgspec.ValidationError as error:
        told, _, place = str(error).partition(" - at `$.")
        raise ValueError(f"{place.rstrip('`')} is wrong: {told}.") from None
    for name, least in _LEAST.items():
        value = getattr(fault, name)
        if value is not None and value < least:
            raise ValueError(f"{name} is at least {least}.")
    if fault.probability > 1:
        raise ValueError("probability is at most 1.")
    if not 400 <= fault.status <= 599:
        raise ValueError("status is from 400 to 599.")
    return fault

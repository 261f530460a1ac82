"""What a member types into the forms about alert rules, as the numbers that rules go by. Pure."""

from __future__ import annotations

from payflux.kit.errors import InvalidInput
from payflux.kit.figures import understood
from payflux.kit.messages import gettext as _
from payflux.kit.money import exponent
from payflux.monitor.alerts.metrics import METRICS
from payflux.monitor.alerts.models import AlertRule
from payflux.monitor.alerts.rules import Trigger
from payflux.monitor.alerts.timing import MailTimes
from payflux.web.formatting import plain

LARGEST_THRESHOLD = 1e12
"""Thresholds are as far from zero at most, in the unit that is typed."""

UNITS = {
    "rate": "%",
    "tier": "tier",
    "score": "of 100",
    "days": "days",
    "ratio": "×",
    "nats": "nats",
    "count": "",
    "level": "",
}
"""What stands beside a threshold, by the unit of its metric; of money, the currency's code does."""


def unit_of(rule: AlertRule) -> str:
    """The unit of a rule's threshold; empty where there is none to choose."""
    match Trigger(rule.trigger):
        case Trigger.TIER_ESCALATION:
            return "tier"
        case Trigger.RESERVE_SPIKE:
            return "rate"
        case Trigger.CUSTOM:
            return METRICS[rule.metric].unit
        case _:
            return ""


def read_threshold(text: str, unit: str, currency: str) -> float:
    """What was typed, as the language of the task at hand writes numbers, in the unit that rules go by: a rate in
    [0, 1] of per cent, money in minor units of `currency`. Raises InvalidInput on `threshold`."""
    try:
        number = understood(text.replace("%", "").replace("−", "-").strip())
    except ValueError:
        raise InvalidInput({"threshold": _("Write a number such as 10 or 12.5.")}) from None
    if abs(number) > LARGEST_THRESHOLD:
        raise InvalidInput({"threshold": _("Write a number such as 10 or 12.5.")})
    if unit == "rate":
        return float(number / 100)
    return float(number.scaleb(exponent(currency))) if unit == "money" else float(number)


def typed_threshold(threshold: float, unit: str, currency: str) -> str:
    """`threshold` as its field shows it."""
    if unit == "rate":
        return plain(threshold * 100, 4)
    return plain(threshold / 10 ** exponent(currency), exponent(currency)) if unit == "money" else plain(threshold, 4)


def typed_times(times: MailTimes) -> dict[str, str]:
    """`times` as the fields of their form show them."""
    of_day = {"quiet_from": times.quiet_from, "quiet_until": times.quiet_until, "digest_at": times.digest_at}
    typed = {name: "" if at is None else f"{at:%H:%M}" for name, at in of_day.items()}
    return typed | {"time_zone": times.time_zone}

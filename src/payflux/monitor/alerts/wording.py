"""What an alert says to a person: what happened, with number, window and basis, and what lowers it. Pure."""

from __future__ import annotations

from payflux.monitor.alerts.facts import Facts
from payflux.monitor.alerts.metrics import METRICS, in_words
from payflux.monitor.alerts.rules import Comparison, Rule, Trigger
from payflux.monitor.risk.rules.measures import money, percent


def headline(facts: Facts) -> str:
    """What happened, in a line that is understood without the rest."""
    match facts.trigger:
        case Trigger.TIER_ESCALATION:
            return f"Risk tier {facts.risk_tier} ({facts.band}), up from {facts.before['tier']:.0f}"
        case Trigger.TREND_DEGRADATION:
            return "The trend turned to degrading"
        case Trigger.RESERVE_SPIKE:
            ((_, days, value, _, _, before),) = _amounts(facts)
            rise = f", up {percent(value / before - 1, 0)}" if before else ""
            return f"Trapped capital at T+{days} is {money(round(value), facts.currency)}{rise}"
        case Trigger.PROJECTION_BREACH:
            windows = [f"T+{days}" for past, days, *_ in _amounts(facts) if past]
            return f"Past its previous worst case: trapped capital at {', '.join(windows)}"
        case Trigger.CUSTOM:
            metric = METRICS[facts.metric]
            value, *_ = facts.measured[facts.metric]
            return f"{metric.label}: {in_words(value, metric.unit, facts.currency)}"


def explanation(facts: Facts) -> str:
    """Why that is an alert, with the numbers it was judged by."""
    match facts.trigger:
        case Trigger.TIER_ESCALATION:
            return (
                f"The rule asks for a rise by {_tiers(facts.threshold)} or more. A tier is set by the worst of what is "
                "seen: the account's state, reserves in force, network programmes, and rates on their careful bound."
            )
        case Trigger.TREND_DEGRADATION:
            return (
                "Of disputes, fraud warnings and declines, the last 30 days are worse than the 30 before: by more than "
                "a fifth, and by more than chance allows."
            )
        case Trigger.RESERVE_SPIKE:
            ((_, days, _, low, high, before),) = _amounts(facts)
            return (
                f"You were last told {money(round(before), facts.currency)} for T+{days}. The 80 % interval is now "
                f"{money(round(low), facts.currency)} to {money(round(high), facts.currency)}: even its lower end is "
                f"more than {percent(facts.threshold, 0)} above that."
            )
        case Trigger.PROJECTION_BREACH:
            return " ".join(
                f"At T+{days}, even the lower end of the 80 % interval, {money(round(low), facts.currency)}, is past "
                f"the worst case until now, {money(round(before), facts.currency)}."
                for past, days, _, low, _, before in _amounts(facts)
                if past
            )
        case Trigger.CUSTOM:
            metric = METRICS[facts.metric]
            _, low, high = facts.measured[facts.metric]
            limit = in_words(facts.threshold, metric.unit, facts.currency)
            if low == high:
                return f"Your limit is {limit}."
            above = facts.comparison is Comparison.ABOVE
            return (
                f"Its 80 % interval is {in_words(low, metric.unit, facts.currency)} to "
                f"{in_words(high, metric.unit, facts.currency)}: even its {'lower' if above else 'upper'} end is "
                f"{facts.comparison} your limit of {limit}."
            )


def asks(rule: Rule, currency: str) -> str:
    """When a rule raises an alert, in a sentence."""
    match rule.trigger:
        case Trigger.TIER_ESCALATION:
            return f"The risk tier rises by {_tiers(rule.threshold)} or more."
        case Trigger.RESERVE_SPIKE:
            return f"Trapped capital at T+90 is more than {percent(rule.threshold, 0)} above what you were last told."
        case Trigger.TREND_DEGRADATION:
            return "The trend turns to degrading."
        case Trigger.PROJECTION_BREACH:
            return "Trapped capital at T+30, T+60 or T+90 is past its previous worst case."
        case Trigger.CUSTOM:
            metric = METRICS[rule.metric]
            return f"{metric.label} is {rule.comparison} {in_words(rule.threshold, metric.unit, currency)}."


def _tiers(number: float) -> str:
    return f"{number:.0f} tier{'' if number == 1 else 's'}"


def _amounts(facts: Facts) -> list[tuple[bool, int, float, float, float, float]]:
    """(past, days, value, low, high, level before) of each window, by its days."""
    found = []
    for name, (value, low, high) in facts.measured.items():
        before = facts.before.get(name, value)
        growth = facts.threshold if facts.trigger is Trigger.RESERVE_SPIKE else 0.0
        found.append((low > before * (1 + growth), int(name.split()[1]), value, low, high, before))
    return sorted(found, key=lambda one: one[1])


def over(name: str) -> str:
    """That the alert of the rule `name` has cleared."""
    return f"{name} is over: readings have been calm again for two sweeps"

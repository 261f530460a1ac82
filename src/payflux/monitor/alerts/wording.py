"""What an alert says to a person, in the language of the task at hand: what happened, with number, window and basis,
and what lowers it. Pure."""

from __future__ import annotations

from payflux.kit.messages import gettext as _
from payflux.kit.messages import ngettext
from payflux.kit.phrases import told
from payflux.monitor.alerts.facts import Facts
from payflux.monitor.alerts.metrics import METRICS, in_words, label_of
from payflux.monitor.alerts.rules import Comparison, Rule, Trigger
from payflux.monitor.risk.rules import measures


def headline(facts: Facts) -> str:
    """What happened, in a line that is understood without the rest."""
    match facts.trigger:
        case Trigger.TIER_ESCALATION:
            return _("Risk tier %(tier)s (%(band)s), up from %(before)s") % {
                "tier": facts.risk_tier,
                "band": _(facts.band),
                "before": f"{facts.before['tier']:.0f}",
            }
        case Trigger.TREND_DEGRADATION:
            return _("The trend turned to degrading")
        case Trigger.RESERVE_SPIKE:
            ((_past, days, value, _low, _high, before),) = _amounts(facts)
            said = {
                "days": days,
                "amount": _money(value, facts),
                "rise": _percent(value / before - 1) if before else "",
            }
            if before:
                return _("Trapped capital at T+%(days)s is %(amount)s, up %(rise)s") % said
            return _("Trapped capital at T+%(days)s is %(amount)s") % said
        case Trigger.PROJECTION_BREACH:
            windows = ", ".join(f"T+{days}" for past, days, *_figures in _amounts(facts) if past)
            return _("Past its previous worst case: trapped capital at %(windows)s") % {"windows": windows}
        case Trigger.CUSTOM:
            value, *_bounds = facts.measured[facts.metric]
            return f"{label_of(facts.metric)}: {in_words(value, METRICS[facts.metric].unit, facts.currency)}"


def explanation(facts: Facts) -> str:
    """Why that is an alert, with the numbers it was judged by."""
    match facts.trigger:
        case Trigger.TIER_ESCALATION:
            asked = ngettext(
                "The rule asks for a rise by %(count)s tier or more. A tier is set by the worst of what is seen: the "
                "account's state, reserves in force, network programmes, and rates on their careful bound.",
                "The rule asks for a rise by %(count)s tiers or more. A tier is set by the worst of what is seen: the "
                "account's state, reserves in force, network programmes, and rates on their careful bound.",
                round(facts.threshold),
            )
            return asked % {"count": f"{facts.threshold:.0f}"}
        case Trigger.TREND_DEGRADATION:
            return _(
                "Of disputes, fraud warnings and declines, the last 30 days are worse than the 30 before: by more than "
                "a fifth, and by more than chance allows."
            )
        case Trigger.RESERVE_SPIKE:
            ((_past, days, _value, low, high, before),) = _amounts(facts)
            return _(
                "You were last told %(before)s for T+%(days)s. The 80 %% interval is now %(low)s to %(high)s: even its "
                "lower end is more than %(threshold)s above that."
            ) % {
                "before": _money(before, facts),
                "days": days,
                "low": _money(low, facts),
                "high": _money(high, facts),
                "threshold": _percent(facts.threshold),
            }
        case Trigger.PROJECTION_BREACH:
            return " ".join(
                _(
                    "At T+%(days)s, even the lower end of the 80 %% interval, %(low)s, is past the worst case until "
                    "now, %(before)s."
                )
                % {"days": days, "low": _money(low, facts), "before": _money(before, facts)}
                for past, days, _value, low, _high, before in _amounts(facts)
                if past
            )
        case Trigger.CUSTOM:
            unit = METRICS[facts.metric].unit
            _value, low, high = facts.measured[facts.metric]
            limit = in_words(facts.threshold, unit, facts.currency)
            if low == high:
                return _("Your limit is %(limit)s.") % {"limit": limit}
            said = {
                "low": in_words(low, unit, facts.currency),
                "high": in_words(high, unit, facts.currency),
                "limit": limit,
            }
            if facts.comparison is Comparison.ABOVE:
                return (
                    _("Its 80 %% interval is %(low)s to %(high)s: even its lower end is above your limit of %(limit)s.")
                    % said
                )
            return (
                _("Its 80 %% interval is %(low)s to %(high)s: even its upper end is below your limit of %(limit)s.")
                % said
            )


def asks(rule: Rule, currency: str) -> str:
    """When a rule raises an alert, in a sentence."""
    match rule.trigger:
        case Trigger.TIER_ESCALATION:
            asked = ngettext(
                "The risk tier rises by %(count)s tier or more.",
                "The risk tier rises by %(count)s tiers or more.",
                round(rule.threshold),
            )
            return asked % {"count": f"{rule.threshold:.0f}"}
        case Trigger.RESERVE_SPIKE:
            return _("Trapped capital at T+90 is more than %(threshold)s above what you were last told.") % {
                "threshold": _percent(rule.threshold)
            }
        case Trigger.TREND_DEGRADATION:
            return _("The trend turns to degrading.")
        case Trigger.PROJECTION_BREACH:
            return _("Trapped capital at T+30, T+60 or T+90 is past its previous worst case.")
        case Trigger.CUSTOM:
            said = {
                "metric": label_of(rule.metric),
                "limit": in_words(rule.threshold, METRICS[rule.metric].unit, currency),
            }
            if rule.comparison is Comparison.ABOVE:
                return _("%(metric)s is above %(limit)s.") % said
            return _("%(metric)s is below %(limit)s.") % said


def name_of(trigger: str, name: str) -> str:
    """What a rule is called: one that PayFlux made in the language of the task at hand, one's own as it was named."""
    return name if trigger == Trigger.CUSTOM else _(name)


def resolved(name: str) -> str:
    """That a member, or a change of what the rule `name` goes by, has ended its alert."""
    return _("%(rule)s was resolved") % {"rule": name}


def over(name: str) -> str:
    """That the alert of the rule `name` has cleared."""
    return _("%(rule)s is over: readings have been calm again for two sweeps") % {"rule": name}


def _money(amount: float, facts: Facts) -> str:
    return told(measures.money(round(amount), facts.currency))


def _percent(share: float) -> str:
    return told(measures.percent(share, 0))


def _amounts(facts: Facts) -> list[tuple[bool, int, float, float, float, float]]:
    """(past, days, value, low, high, level before) of each window, by its days."""
    found = []
    for name, (value, low, high) in facts.measured.items():
        before = facts.before.get(name, value)
        growth = facts.threshold if facts.trigger is Trigger.RESERVE_SPIKE else 0.0
        found.append((low > before * (1 + growth), int(name.split()[1]), value, low, high, before))
    return sorted(found, key=lambda one: one[1])

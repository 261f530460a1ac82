"""Cards: declines, retries, the processor's own rating, and where cards come from."""

from __future__ import annotations

from msgspec.structs import replace

from payflux.kit.messages import mark
from payflux.kit.phrases import counted, figure, say
from payflux.monitor.processors.codes import Outcome, RiskLevel
from payflux.monitor.risk.rules.bands import MINIMUM_EVENTS, MINIMUM_PAYMENTS
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.measures import (
    SHOWN_ONLY,
    counts_of,
    days_window,
    few,
    leading,
    number,
    percent,
    plain_signal,
    rate_signal,
    unseen,
    unseen_plain,
)
from payflux.monitor.risk.rules.statistics import entropy, gamma_quantile
from payflux.monitor.risk.surface import Level, Signal

BASELINE_FACTOR = 3
DECLINE_RATE = mark("Decline rate")


def decline_rate(history: History) -> Signal:
    """Failed / attempted charges, 30 days; share. Shown only: recurring billing declines much and harmlessly."""
    declined, paid = count(history.last(history.declines, 30)), count(history.last(history.payments, 30))
    if why := history.declines_unseen:
        return unseen_plain("decline_rate", DECLINE_RATE, "rate", why, window=days_window(30))
    return plain_signal(
        "decline_rate",
        DECLINE_RATE,
        "rate",
        declined / (declined + paid) if declined + paid else None,
        window=days_window(30),
        source=SHOWN_ONLY,
        numerator=declined,
        denominator=declined + paid,
    )


def card_testing(history: History) -> Signal:
    """Declines / attempts in the worst of the last four weeks; share; 10 / 15 / 20 % on the lower bound.

    Only when over three times the rate of the rest of the window, as a steady rate is a way of billing, not an attack.
    A proxy: Visa counts enumerated authorisations by a model of its own, 20 % of at least 300,000.
    """
    if why := history.declines_unseen:
        return unseen("card_testing", why, window=days_window(7))
    declined = count(history.last(history.declines, history.window_days))
    attempts = declined + count(history.last(history.payments, history.window_days))
    worst: Signal | None = None
    for weeks_ago in range(4):
        week = history.last(history.declines, 7, skip=7 * weeks_ago)
        burst = count(week)
        tried = burst + count(history.last(history.payments, 7, skip=7 * weeks_ago))
        rest = (declined - burst) / (attempts - tried) if attempts > tried else 0.0
        cards = max(history.last(history.summary.cards, 7, skip=7 * weeks_ago)["declined_cards"].tolist(), default=0)
        blocked = count(week[week["outcome"] == Outcome.BLOCKED])
        note = say(
            "%(declines)s, of up to %(cards)s in a day, %(blocked)s blocked; %(rest)s in the rest of the window.",
            declines=counted(burst, "%(count)s decline", "%(count)s declines"),
            cards=counted(cards, "%(count)s card", "%(count)s cards"),
            blocked=number(blocked),
            rest=percent(rest, 1),
        )
        window = say("7 days that ended %(days)s days ago", days=7 * weeks_ago) if weeks_ago else days_window(7)
        signal = rate_signal("card_testing", burst, tried, window=window, note=note)
        share = signal.value or 0.0
        calm = share <= BASELINE_FACTOR * rest and signal.level > Level.OK
        signal = replace(signal, level=Level.OK) if calm else signal
        if worst is None or (signal.level, signal.judged or 0.0) > (worst.level, worst.judged or 0.0):
            worst = signal
    assert worst is not None
    return worst


def retry_pressure(history: History) -> Signal:
    """Attempts within an hour after a declined attempt of the same card / attempts, 30 days; share. Shown only."""
    label = mark("Retries within an hour after a decline")
    declined = count(history.last(history.declines, 30))
    attempts = declined + count(history.last(history.payments, 30))
    cards = history.last(history.summary.cards, 30)
    why = history.declines_unseen
    if declined and not cards["declined_cards"].any():
        why = mark("Which attempts share a card cannot be seen in this data.")
    if why:
        return unseen_plain("retry_pressure", label, "rate", why, window=days_window(30))
    retries = int(cards["retries"].sum())
    return plain_signal(
        "retry_pressure",
        label,
        "rate",
        retries / attempts if attempts else None,
        window=days_window(30),
        source=SHOWN_ONLY,
        numerator=retries,
        denominator=attempts,
    )


def failure_entropy(history: History) -> Signal:
    """Shannon's entropy of decline reasons, 30 days; nats: 0 is one reason for all. Shown only."""
    label, window = mark("Variety of decline reasons"), days_window(30)
    declines = history.last(history.declines, 30)
    reasons = counts_of(declines, "reason")
    why = history.declines_unseen
    if declines.size and set(reasons) == {0}:
        why = mark("The reasons of declines cannot be seen in this data.")
    if why:
        return unseen_plain("failure_entropy", label, "nats", why, window=window)
    note = leading(reasons) if reasons else ""
    return _entropy_signal("failure_entropy", label, reasons, note)


def geographic_entropy(history: History) -> Signal:
    """Shannon's entropy of the card's country over payments, 30 days; nats. Shown only."""
    label = mark("Variety of card countries")
    if not history.payments["country"].any():
        return unseen_plain("geographic_entropy", label, "nats", _NO_COUNTRY, window=days_window(30))
    countries = counts_of(history.last(history.payments, 30), "country")
    countries.pop(0, None)
    return _entropy_signal("geographic_entropy", label, countries)


def geographic_drift(history: History) -> Signal:
    """Jensen–Shannon divergence of card countries, 30 days against the 60 before; nats, 0 to ln 2. Shown only.

    H(m) − (H(p) + H(q)) / 2 with m the mean of both shares (Lin 1991). Shown when it is beyond what chance gives in
    nine cases of ten: 4·ab / (a + b) times it is Gamma((k − 1) / 2) for a and b payments from k countries that did not
    change, half of a chi-square. Needs 25 payments on either side.
    """
    key, label, window = "geographic_drift", mark("Drift of card countries"), mark("last 30 days against the 60 before")
    if not history.payments["country"].any():
        return unseen_plain(key, label, "nats", _NO_COUNTRY, window=window)
    now = counts_of(history.last(history.payments, 30), "country")
    before = counts_of(history.last(history.payments, 60, skip=30), "country")
    for side in (now, before):
        side.pop(0, None)
    fewer = min(sum(now.values()), sum(before.values()))
    if fewer < MINIMUM_PAYMENTS:
        seen = counted(fewer, "%(count)s payment on one side", "%(count)s payments on one side")
        why = few(seen, MINIMUM_PAYMENTS)
        return unseen_plain(key, label, "nats", why, window=window)
    drift, chance = _divergence(now, before)
    if drift <= chance:
        note = say("No drift beyond chance, which gives up to %(chance)s nats.", chance=figure(f"{chance:.3f}"))
        return plain_signal(key, label, "nats", 0.0, window=window, source=SHOWN_ONLY, note=note)
    note = say("Chance alone gives up to %(chance)s nats.", chance=figure(f"{chance:.3f}"))
    return plain_signal(key, label, "nats", drift, window=window, source=SHOWN_ONLY, note=note)


def radar_mix(history: History) -> Signal:
    """Payments that the processor rated elevated or highest / payments with a rating, 30 days; share; 3 / 6 / 10 %.

    On the lower bound. Of payments that succeeded, as a blocked attempt is a risk averted. Bands are PayFlux's.
    """
    levels = counts_of(history.last(history.payments, 30), "risk_level")
    if not history.payments["risk_level"].any():
        why = mark("The processor's risk rating cannot be seen in this data.")
        return unseen("radar_mix", why, window=days_window(30))
    levels.pop(RiskLevel.UNKNOWN, None)
    risky = levels.get(RiskLevel.ELEVATED, 0) + levels.get(RiskLevel.HIGHEST, 0)
    note = say("%(number)s of them rated highest.", number=number(levels.get(RiskLevel.HIGHEST, 0)))
    return rate_signal("radar_mix", risky, sum(levels.values()), window=days_window(30), note=note)


def blocked_rate(history: History) -> Signal:
    """Attempts that the processor blocked / attempts, 30 days; share. Shown only: a block is a risk averted."""
    return _outcome_signal("blocked_rate", mark("Attempts blocked by the processor"), history, Outcome.BLOCKED)


def review_rate(history: History) -> Signal:
    """Attempts sent to manual review / attempts, 30 days; share. Shown only."""
    return _outcome_signal("review_rate", mark("Attempts in manual review"), history, Outcome.MANUAL_REVIEW)


_NO_COUNTRY = mark("The card's country cannot be seen in this data.")


def _outcome_signal(key: str, label: str, history: History, outcome: Outcome) -> Signal:
    rows = [history.last(of, 30) for of in (history.payments, history.declines)]
    if not any((of["outcome"] != Outcome.UNKNOWN).any() for of in (history.payments, history.declines)):
        why = mark("Who decided an attempt cannot be seen in this data.")
        return unseen_plain(key, label, "rate", why, window=days_window(30))
    found, attempts = sum(count(of[of["outcome"] == outcome]) for of in rows), sum(count(of) for of in rows)
    return plain_signal(
        key,
        label,
        "rate",
        found / attempts if attempts else None,
        window=days_window(30),
        source=SHOWN_ONLY,
        numerator=found,
        denominator=attempts,
    )


def _divergence(now: dict[int, int], before: dict[int, int]) -> tuple[float, float]:
    """The divergence of two counts, and what chance alone stays below with 90 %."""
    a, b = sum(now.values()), sum(before.values())
    kinds = sorted(now.keys() | before.keys())
    mixed = [now.get(kind, 0) * b + before.get(kind, 0) * a for kind in kinds]
    drift = entropy(mixed) - (entropy(list(now.values())) + entropy(list(before.values()))) / 2
    chance = gamma_quantile(0.9, (len(kinds) - 1) / 2, 4 * a * b / (a + b)) if len(kinds) > 1 else 0.0
    return max(0.0, drift), chance


def _entropy_signal(key: str, label: str, counts: dict[int, int], note: str = "") -> Signal:
    events = sum(counts.values())
    return plain_signal(
        key,
        label,
        "nats",
        entropy(list(counts.values())) if events >= MINIMUM_EVENTS else None,
        window=days_window(30),
        source=SHOWN_ONLY,
        denominator=events,
        note=note,
    )

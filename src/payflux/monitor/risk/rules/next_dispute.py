"""How far the running month is from each programme's steps, and what one more dispute would cost."""

from __future__ import annotations

from collections.abc import Mapping

from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.programmes import STRIPE_DISPUTE_FEE, events_to_steps, next_dispute_cost
from payflux.monitor.risk.rules.signals.months import NETWORKS, Standing
from payflux.monitor.risk.rules.signals.terms import needs
from payflux.monitor.risk.surface import DisputeCost, NextDispute, ToThreshold


def to_threshold(history: History, held: Mapping[str, Standing]) -> tuple[ToThreshold, ...]:
    """The distance to every step of the programmes that the history can be held against, in their order."""
    ticket, found = _ticket(history), []
    for key, stands in held.items():
        month, previous = stands.months[-1], stands.months[-2] if len(stands.months) > 1 else None
        found += [
            ToThreshold(
                programme=key,
                name=stands.phase.name,
                step=distance.step.name,
                needs=needs(distance.step, stands.phase),
                events=month.get(stands.phase.counted, previous) or 0,
                payments=month.payments,
                now=distance.now,
                month_end=distance.month_end,
                blocked=distance.blocked,
                confidence=stands.phase.confidence,
                source=stands.phase.source,
            )
            for distance in events_to_steps(
                stands.phase, month, previous, expected_payments=stands.expected_payments, ticket=ticket
            )
        ]
    return tuple(found)


def next_dispute(history: History, held: Mapping[str, Standing]) -> tuple[NextDispute, ...]:
    """The cost of one more dispute for fraud, for each network of a programme that can be seen.

    Fraud, as it is what most programmes count. The processor's own fee is Stripe's, the one processor that a connection
    can have; the fee of a file's processor is not known.
    """
    country = history.account.country if history.account else ""
    fee = STRIPE_DISPUTE_FEE if history.account else None
    by_network: dict[str, dict[str, Standing]] = {}
    for key, stands in held.items():
        by_network.setdefault(NETWORKS[key].name.lower(), {})[key] = stands
    found = []
    for network, standings in (by_network or {"": {}}).items():
        months = {key: stands.months for key, stands in standings.items()}
        costs = next_dispute_cost(
            months, history.as_of.date(), fraud=True, ticket=_ticket(history), country=country, processor_fee=fee
        )
        if costs:
            found.append(NextDispute(network=network, items=tuple(DisputeCost(**cost._asdict()) for cost in costs)))
    return tuple(found)


def _ticket(history: History) -> int | None:
    """The mean payment of the window, where sales settle in a currency of the programmes."""
    sales = history.in_currency(history.last(history.payments, history.window_days))
    payments = count(sales)
    return int(sales["settled"].sum()) // payments if payments and history.currency_code in ("usd", "eur") else None

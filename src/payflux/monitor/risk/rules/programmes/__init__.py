"""The card networks' monitoring programmes: a dated registry with sources, replayable as of any day since 2024."""

from payflux.monitor.risk.rules.programmes.cost import STRIPE_DISPUTE_FEE, CostItem, DisputeFee, next_dispute_cost
from payflux.monitor.risk.rules.programmes.distance import Distance, events_to_steps
from payflux.monitor.risk.rules.programmes.nowcast import Nowcast, nowcast
from payflux.monitor.risk.rules.programmes.programme import Condition, EventFee, Month, Programme, Step
from payflux.monitor.risk.rules.programmes.registry import REGISTRY, announced, in_force, programme
from payflux.monitor.risk.rules.programmes.status import Charge, Status, status, step_reached, with_precedence

__all__ = [
    "REGISTRY",
    "STRIPE_DISPUTE_FEE",
    "Charge",
    "Condition",
    "CostItem",
    "DisputeFee",
    "Distance",
    "EventFee",
    "Month",
    "Nowcast",
    "Programme",
    "Status",
    "Step",
    "announced",
    "events_to_steps",
    "in_force",
    "next_dispute_cost",
    "nowcast",
    "programme",
    "status",
    "step_reached",
    "with_precedence",
]

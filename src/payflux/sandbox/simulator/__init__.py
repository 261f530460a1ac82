"""Simulated merchants whose truth is known: what estimates and projections are measured against.

Plain NumPy arrays by single events; nothing here talks to a server or is reachable from one.
"""

from payflux.sandbox.simulator.merchants import MODELS
from payflux.sandbox.simulator.model import CardNetwork, Family, LagModel, MerchantModel, ProcessorPolicy, Spike
from payflux.sandbox.simulator.reserve import Reserve
from payflux.sandbox.simulator.shops import Shop, any_shop, simulate_sales
from payflux.sandbox.simulator.simulate import Simulated, Truth, simulate, true_curve

__all__ = [
    "MODELS",
    "CardNetwork",
    "Family",
    "LagModel",
    "MerchantModel",
    "ProcessorPolicy",
    "Reserve",
    "Shop",
    "Simulated",
    "Spike",
    "Truth",
    "any_shop",
    "simulate",
    "simulate_sales",
    "true_curve",
]

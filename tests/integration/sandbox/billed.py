"""Customers, prices and a clock for the tests that bill through the API."""

from __future__ import annotations

from typing import Any

import httpx

from payflux.sandbox.state import SandboxState

DAY = 86_400


def a_price(v1: Any, amount: int = 49_900, interval: str = "month", product: str | None = None) -> str:
    terms: dict[str, Any] = {"product": product} if product else {"product_data": {"name": "Pro"}}
    terms |= {"currency": "usd", "unit_amount": amount, "recurring": {"interval": interval}}
    return v1.prices.create(params=terms).id


def a_customer(v1: Any, card: str | None = None) -> str:
    if card is None:
        return v1.customers.create(params={"email": "alice@example.com"}).id
    made = v1.customers.create(params={"email": "alice@example.com", "payment_method": card})
    method = v1.customers.payment_methods.list(made.id).data[0].id
    v1.customers.update(made.id, params={"invoice_settings": {"default_payment_method": method}})
    return made.id


class Clock:
    """The sandbox's clock, moved through its control."""

    def __init__(self, base: str, state: SandboxState) -> None:
        self._base, self._state = base, state

    @property
    def now(self) -> int:
        return int(self._state.now().timestamp())

    def pass_days(self, days: float) -> None:
        answer = httpx.post(f"{self._base}/sandbox/clock", json={"advance": int(days * DAY)}, timeout=60)
        assert answer.status_code == 200, answer.text

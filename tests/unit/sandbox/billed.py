"""A sandbox account that bills, without a server: its clock stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from payflux.sandbox.api.customers import create_customer
from payflux.sandbox.api.products import create_price
from payflux.sandbox.app import TASKS
from payflux.sandbox.billing.subscribing import begin
from payflux.sandbox.clock import run_due
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.payments import methods
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

STARTED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Shop:
    """An account with a price, and the means to do things in it at the sandbox's time."""

    def __init__(self, started: datetime = STARTED, amount: int = 49_900, interval: str = "month") -> None:
        self.state = SandboxState(now=lambda: started, anchor=started.date())
        self.price = self.do(lambda work: self._price(work, amount, interval))["id"]

    @property
    def now(self) -> int:
        return int(self.state.now().timestamp())

    def do(self, what: Callable[[Work], Any]) -> Any:
        """Run `what` as one unit of work, and whatever is due right after."""
        work = Work(self.state, PLATFORM.account_id, self.now)
        with self.state.store.transaction():
            found = what(work)
        run_due(self.state, TASKS)
        return found

    def price_of(self, amount: int, interval: str = "month") -> str:
        return self.do(lambda work: self._price(work, amount, interval))["id"]

    @staticmethod
    def _price(work: Work, amount: int, interval: str) -> Json:
        terms = {"currency": "usd", "unit_amount": amount, "recurring": {"interval": interval}}
        return create_price(work, {**terms, "product_data": {"name": "Pro"}})

    def customer(self, card: str | None = "pm_card_visa") -> str:
        """A customer who pays with a test card by default; with None one without a payment method."""

        def make(work: Work) -> str:
            customer = create_customer(work, {"email": "buyer@example.com"})
            if card is not None:
                self._give_card(work, customer, card)
            return customer["id"]

        return self.do(make)

    def use_card(self, customer: str, card: str) -> None:
        self.do(lambda work: self._give_card(work, work.require("customer", customer), card))

    @staticmethod
    def _give_card(work: Work, customer: Json, card: str) -> None:
        method = methods.attach(work, methods.from_token(work, card), customer["id"])
        settings = customer["invoice_settings"] | {"default_payment_method": method["id"]}
        work.change(customer, {"invoice_settings": settings}, "customer.updated")

    def subscribe(self, customer: str | None = None, *, trial_days: float = 0, **terms: Any) -> Json:
        """A subscription to the shop's price, by default of a new customer."""
        items = terms.pop("items", [{"price": self.price}])
        who = self.customer() if customer is None else customer
        trial_end = self.now + int(trial_days * 86_400) if trial_days else None
        return self.do(lambda work: begin(work, customer=who, items=items, trial_end=trial_end, **terms).subscription)

    def pass_time(self, *, days: float = 0, seconds: int = 0) -> None:
        self.state.advance(int(days * 86_400) + seconds)
        run_due(self.state, TASKS)

    def get(self, kind: str, object_id: str) -> Json:
        return self.do(lambda work: work.require(kind, object_id))

    def all(self, kind: str, **where: Any) -> list[Json]:
        """Documents of one type, the oldest first."""
        return self.state.store.find(PLATFORM.account_id, kind, where, oldest_first=True)

    def told(self, *prefixes: str) -> list[str]:
        """The types of the events so far that begin with one of `prefixes`, in their order."""
        return [event["type"] for event in self.all("event") if event["type"].startswith(prefixes or ("",))]

"""Our own account at Stripe, where accounts pay for their plans. Facts: docs.stripe.com/api in the pinned version.

A thin, typed way to the official client: what it answers is converted here, once, and no object of the client's goes
further in. No exception of this module holds a key.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import msgspec
import stripe

from payflux.settings import STRIPE_API_VERSION, Settings
from payflux.world.stripe.billing_objects import (
    CheckoutSession,
    Customer,
    PortalConfiguration,
    RemoteEvent,
    RemoteSubscription,
)
from payflux.world.stripe.errors import (
    KeyRefused,
    PermissionMissing,
    ProcessorUnavailable,
    RequestRefused,
    StripeFailure,
)

if TYPE_CHECKING:
    from stripe.params.billing_portal import ConfigurationCreateParams, SessionCreateParams
    from stripe.params.checkout import SessionCreateParams as CheckoutCreateParams

_RETRIES = 2
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_PAGE = 100
_SECRET = re.compile(r"\b(?:sk|rk|pk|whsec)_\w+")
_GONE = "resource_missing"

T = TypeVar("T")


class StripeBilling:
    """Customers, Checkout, the portal and subscriptions of the account that the settings' key belongs to.

    Every verb tries twice again, with jitter, and raises KeyRefused, PermissionMissing, RequestRefused or
    ProcessorUnavailable. `v1` is the official client for what is asked for in one place alone; see :meth:`ask`.
    """

    def __init__(
        self, settings: Settings, http: httpx.AsyncClient, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._key = settings.stripe_secret_key.get_secret_value()
        self.livemode = "_live_" in self._key[:9]
        self.v1 = stripe.StripeClient(
            self._key or "none",
            stripe_version=STRIPE_API_VERSION,
            base_addresses={"api": settings.stripe_api_base},
            http_client=_Http(http, sleep),
            max_network_retries=_RETRIES,
        ).v1

    async def ask(self, call: Awaitable[stripe.StripeObject], as_type: type[T]) -> T:
        """What a call of :attr:`v1` answers, converted. Raises the failures of this class."""
        try:
            return msgspec.convert((await call).to_dict(), as_type, strict=False)
        except stripe.StripeError as error:
            raise _failure(error) from None

    async def customer(self, customer_id: str) -> Customer | None:
        """None for one that was deleted, or that another account or mode has."""
        found = await self._unless_gone(self.v1.customers.retrieve_async(customer_id), Customer)
        return found if found and not found.deleted and found.livemode == self.livemode else None

    async def create_customer(self, *, name: str, email: str, metadata: Mapping[str, str], key: str) -> Customer:
        params: Any = {"name": name, "email": email, "metadata": dict(metadata)}
        return await self.ask(self.v1.customers.create_async(params, {"idempotency_key": key}), Customer)

    async def subscription(self, subscription_id: str) -> RemoteSubscription | None:
        """As it is now; None where there is none of this id."""
        call = self.v1.subscriptions.retrieve_async(subscription_id, {"expand": ["latest_invoice"]})
        return await self._unless_gone(call, RemoteSubscription)

    async def subscriptions(self, customer_id: str | None = None) -> list[RemoteSubscription]:
        """Those of a customer, the ended ones too; without one, every subscription that has not ended."""
        params: Any = {"limit": _PAGE, "expand": ["data.latest_invoice"]}
        if customer_id is not None:
            params |= {"customer": customer_id, "status": "all"}
        return [found async for found in self._every(self.v1.subscriptions.list_async(params), RemoteSubscription)]

    async def cancel_subscription(self, subscription_id: str) -> None:
        """End it at once. One that has ended, or that is gone, is left alone."""
        found = await self.subscription(subscription_id)
        if found is not None and not found.has_ended:
            await self.ask(self.v1.subscriptions.cancel_async(subscription_id), RemoteSubscription)

    async def create_checkout(self, params: CheckoutCreateParams, *, key: str) -> CheckoutSession:
        return await self.ask(self.v1.checkout.sessions.create_async(params, {"idempotency_key": key}), CheckoutSession)

    async def checkout(self, session_id: str) -> CheckoutSession | None:
        return await self._unless_gone(self.v1.checkout.sessions.retrieve_async(session_id), CheckoutSession)

    async def expire_checkout(self, session_id: str) -> CheckoutSession | None:
        """The session once nobody can pay it any more; one that was paid comes back complete."""
        try:
            return await self.ask(self.v1.checkout.sessions.expire_async(session_id), CheckoutSession)
        except RequestRefused:
            return await self.checkout(session_id)

    async def portal_configurations(self) -> list[PortalConfiguration]:
        call = self.v1.billing_portal.configurations.list_async({"active": True, "limit": _PAGE})
        return [found async for found in self._every(call, PortalConfiguration)]

    async def create_portal_configuration(self, params: ConfigurationCreateParams, *, key: str) -> PortalConfiguration:
        call = self.v1.billing_portal.configurations.create_async(params, {"idempotency_key": key})
        return await self.ask(call, PortalConfiguration)

    async def portal_url(self, params: SessionCreateParams) -> str:
        """A new link into the portal, which is good for minutes; so it has no idempotency key."""
        return (await self.ask(self.v1.billing_portal.sessions.create_async(params), _Link)).url

    async def events(self, *, types: list[str], since: datetime) -> list[RemoteEvent]:
        """The events of these types since then, the newest first. Stripe lists those of the last 30 days."""
        params: Any = {"types": types, "created": {"gte": int(since.timestamp())}, "limit": _PAGE}
        return [found async for found in self._every(self.v1.events.list_async(params), RemoteEvent)]

    async def _unless_gone(self, call: Awaitable[stripe.StripeObject], as_type: type[T]) -> T | None:
        try:
            return await self.ask(call, as_type)
        except RequestRefused as refused:
            if refused.code == _GONE:
                return None
            raise

    async def _every(self, call: Awaitable[stripe.ListObject[Any]], as_type: type[T]) -> AsyncIterator[T]:
        try:
            async for found in (await call).auto_paging_iter():
                yield msgspec.convert(found.to_dict(), as_type, strict=False)
        except stripe.StripeError as error:
            raise _failure(error) from None


class _Link(msgspec.Struct):
    url: str


class _Http(stripe.HTTPClient):
    """Requests of the official client through the world's own connections."""

    name = "httpx"

    def __init__(self, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[None]]) -> None:
        super().__init__()
        self._http, self._sleep = http, sleep

    async def sleep_async(self, secs: float) -> None:
        await self._sleep(secs)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        try:
            response = await self._http.request(
                method.upper(), url, headers=dict(headers), content=post_data or None, timeout=_TIMEOUT
            )
        except httpx.TransportError as error:
            raise stripe.APIConnectionError(f"no answer ({type(error).__name__})", should_retry=True) from None
        return response.content, response.status_code, response.headers


def _failure(error: stripe.StripeError) -> StripeFailure:
    """Our word for the official client's, without what may be secret."""
    status, code = error.http_status or 0, error.code or ""
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError) or status >= 500:
        return ProcessorUnavailable(f"Stripe does not answer (status {status})")
    if isinstance(error, stripe.AuthenticationError):
        return KeyRefused("Stripe does not accept the key")
    said = _SECRET.sub("…", error.user_message or "")
    if isinstance(error, stripe.PermissionError):
        return PermissionMissing(said)
    return RequestRefused(f"status {status} {code} (request {error.request_id}): {said}", status=status, code=code)

"""The portal's pages, and the settings of billing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from payflux.sandbox import wording
from payflux.sandbox.api.portal import make_default
from payflux.sandbox.billing.lines import product_name
from payflux.sandbox.billing.subscriptions import change_settings, items_of, payment_method_of, period_of
from payflux.sandbox.errors import StripeError
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.pages import render_page
from payflux.sandbox.payments import methods
from payflux.sandbox.payments.cards import SHOWN
from payflux.sandbox.portal import acting
from payflux.sandbox.portal.invoice import invoice
from payflux.sandbox.portal.links import FIELDS, opened, over
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

UNOPENED, IDLE = 300, 3_600  # seconds that a link lasts until it is opened, and from then on without a visit
_VISIT = "_portal_visit"
_VIEWS = {"subscription_cancel": "cancel", "subscription_update": "plan", "subscription_update_confirm": "plan"}


def _visit(work: Work, session: Json) -> bool:
    """Note a visit; whether the link still holds."""
    mark = f"{_VISIT}/{session['id']}"
    seen = work.store.get(work.account_id, mark)
    until = seen["at"] + IDLE if seen else session["created"] + UNOPENED
    if work.now > until:
        return False
    work.store.put(work.account_id, {"id": mark, "object": _VISIT, "at": work.now})
    return True


async def portal(request: Request) -> Response:
    """GET shows what the customer has; POST does one thing and comes back."""
    found = opened(request, "billing_portal.session")
    if found is None:
        return over(404, "There is no such page", "Ask for a new link where you came from.")
    work, session = found
    customer = work.get("customer", session["customer"])
    if customer is None or not _visit(work, session):
        return over(410, "This link has expired", "Go back to where you came from and ask for a new one.")
    form = await request.form() if request.method == "POST" else request.query_params
    given = {name: str(form.get(name, "")).strip() for name in FIELDS}
    features = work.require("billing_portal.configuration", session["configuration"])["features"]
    flow = session["flow"]
    if flow is not None and not given["view"]:
        given |= _flow_view(flow)
    if request.method == "GET":
        return _page(work, session, features, given)
    try:
        with work.store.transaction():
            _act(work, session, features, customer, str(form.get("action", "")), given)
            work.state.announce(work)
    except StripeError as error:
        told = error.body["error"]
        return _page(work, session, features, given, told["message"], told.get("param", ""))
    return RedirectResponse(_after(flow) or f"{request.url.path}?view=home", 303)


def _flow_view(flow: Json) -> dict[str, str]:
    kind = flow["type"]
    details = flow.get(kind) or {}
    view = {"view": _VIEWS.get(kind, "card"), "subscription": details.get("subscription", "")}
    if kind == "subscription_update_confirm":
        view["price"] = details["items"][0]["price"]
    return view


def _after(flow: Json | None) -> str | None:
    """Where a flow leads when it is done; None to the portal's own page."""
    if flow is None or flow["after_completion"]["type"] != "redirect":
        return None
    return flow["after_completion"]["redirect"]["return_url"]


def _act(work: Work, session: Json, features: Json, customer: Json, action: str, given: Mapping[str, str]) -> None:
    if action == "card":
        acting.set_card(work, features, customer, given)
        return
    subscription = _own(work, session, given)
    if action == "cancel":
        acting.cancel(work, features, subscription, given["reason"], given["comment"])
    elif action == "keep":
        acting.keep(work, features, subscription)
    elif action == "switch":
        acting.switch(work, features, subscription, given["price"], _quantity(session, given))
    else:
        raise StripeError(400, "Nothing was chosen. Nothing has changed.")


def _quantity(session: Json, given: Mapping[str, str]) -> int | None:
    """How many of the price there shall be, where the session was made to confirm just this."""
    details = (session["flow"] or {}).get("subscription_update_confirm")
    item = details["items"][0] if details else {}
    return item.get("quantity") if item.get("price") == given["price"] else None


def _own(work: Work, session: Json, given: Mapping[str, str]) -> Json:
    found = work.get("subscription", given["subscription"])
    if found is None or found["customer"] != session["customer"]:
        raise StripeError(404, "There is no such subscription here.")
    return found


def _page(
    work: Work, session: Json, features: Json, given: Mapping[str, str], problem: str = "", wrong: str = ""
) -> Response:
    view = given["view"] if given["view"] in ("card", "cancel", "plan") else "home"
    context: dict[str, Any] = {"chosen": None, "prices": [], "due": None}
    try:
        if view in ("cancel", "plan"):
            subscription = _own(work, session, given)
            context["chosen"] = _shown(work, features, subscription)
        if view == "plan":
            context["prices"] = [
                (price, product_name(work, price)) for price in acting.offered_prices(work, features, subscription)
            ]
            if given["price"]:
                with work.store.transaction():
                    context["due"] = acting.due_for_switch(
                        work, features, subscription, given["price"], _quantity(session, given)
                    )
    except StripeError as error:
        view, problem = ("home" if context["chosen"] is None else view), problem or error.body["error"]["message"]
    customer = session["customer"]
    return render_page(
        "portal.html",
        402 if problem else 200,
        view=view,
        session=session,
        business=work.view.merchant.archetype.business,
        features=features,
        subscriptions=[_shown(work, features, one) for one in acting.live_subscriptions(work, customer)],
        ended=work.find("subscription", {"customer": customer, "status": "canceled"}, limit=3),
        invoices=work.find("invoice", {"customer": customer, "status": ("open", "paid", "uncollectible")}, limit=24),
        card=_card_of(work, customer),
        given=given,
        problem=problem,
        wrong={"exp_month": "expiry", "exp_year": "expiry"}.get(wrong, wrong),
        cards=SHOWN,
        words=wording,
        **context,
    )


def _card_of(work: Work, customer: str) -> Json | None:
    """The card that pays the customer's invoices."""
    chosen = work.require("customer", customer)["invoice_settings"]["default_payment_method"]
    for subscription in acting.live_subscriptions(work, customer):
        chosen = payment_method_of(work, subscription) or chosen
    return methods.require(work, chosen)["card"] if chosen else None


def _shown(work: Work, features: Json, subscription: Json) -> Json:
    """A subscription as the page tells it."""
    item = items_of(subscription)[0]
    return {
        "id": subscription["id"],
        "status": subscription["status"],
        "names": [product_name(work, one["price"]) for one in items_of(subscription)],
        "price": item["price"],
        "amount": sum((one["price"]["unit_amount"] or 0) * one["quantity"] for one in items_of(subscription)),
        "currency": subscription["currency"],
        "renews": period_of(subscription)[1],
        "cancel_at": subscription["cancel_at"],
        "can_cancel": features["subscription_cancel"]["enabled"] and acting.can_cancel(subscription),
        "can_keep": features["subscription_cancel"]["enabled"] and subscription["cancel_at"] is not None,
        "can_switch": bool(acting.offered_prices(work, features, subscription)),
    }


async def settings(request: Request) -> Response:
    """The platform's billing settings, which at Stripe the Dashboard has: GET shows, POST changes them."""
    state: SandboxState = request.app.state.sandbox
    work = Work(state, PLATFORM.account_id, int(state.now().timestamp()))
    try:
        given = await request.json() if request.method == "POST" else {}
        if not isinstance(given, dict) or given.keys() - {"after_retries", "upcoming_days", "portal_configuration"}:
            raise ValueError("The settings are after_retries, upcoming_days and portal_configuration.")
        with state.store.transaction():
            told = change_settings(work, ending=given.get("after_retries"), days=given.get("upcoming_days"))
            if chosen := given.get("portal_configuration"):
                make_default(work, chosen)
            state.announce(work)
    except (ValueError, TypeError) as error:
        return JSONResponse({"error": str(error)}, 400)
    except StripeError as error:
        return JSONResponse({"error": str(error)}, error.status)
    default = work.find("billing_portal.configuration", {"is_default": 1}, limit=1)
    return JSONResponse(told | {"portal_configuration": default[0]["id"] if default else None})


PAGES = [
    Route("/p/session/{ticket}", portal, methods=["GET", "POST"]),
    Route("/i/{ticket}", invoice, methods=["GET", "POST"]),
    Route("/sandbox/billing", settings, methods=["GET", "POST"]),
]
"""The routes of these pages."""

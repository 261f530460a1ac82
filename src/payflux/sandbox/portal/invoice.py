"""The page of an invoice, to look at and to pay."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from payflux.sandbox import wording
from payflux.sandbox.billing.invoices import subscription_of
from payflux.sandbox.billing.paying import attempt, settle_if_paid
from payflux.sandbox.errors import StripeError
from payflux.sandbox.pages import render_page
from payflux.sandbox.payments import methods
from payflux.sandbox.payments.cards import SHOWN
from payflux.sandbox.portal import acting
from payflux.sandbox.portal.links import FIELDS, opened, over
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work


async def invoice(request: Request) -> Response:
    """GET shows an invoice; POST pays it with a card."""
    found = opened(request, "invoice")
    if found is None or found[1]["status"] == "draft":
        return over(404, "There is no such invoice", "Ask the business for a new link.")
    work, shown = found
    form = await request.form() if request.method == "POST" else request.query_params
    given = {name: str(form.get(name, "")).strip() for name in FIELDS}
    if request.method == "GET":
        with work.store.transaction():
            shown = settle_if_paid(work, shown)
            work.state.announce(work)
        return _invoice_page(work, shown, given)
    try:
        with work.store.transaction():
            url, problem = _pay(work, shown, given, str(request.url))
            work.state.announce(work)
    except StripeError as error:
        told = error.body["error"]
        return _invoice_page(work, shown, given, told["message"], told.get("param", ""))
    if problem:
        return _invoice_page(work, work.require("invoice", shown["id"]), given, problem, "number")
    return RedirectResponse(url, 303)


def _pay(work: Work, shown: Json, given: Mapping[str, str], page: str) -> tuple[str, str]:
    """Where to go on, and why the payment failed."""
    if shown["status"] not in ("open", "uncollectible"):
        raise StripeError(400, "This invoice is not open any more. Nothing was paid.")
    method = methods.from_card(work, acting.read_card(given))
    refusal = attempt(work, shown, method=method["id"], off_session=False, automatic=False, return_url=page)
    if refusal is None:
        return page, ""
    intent = refusal.body["error"].get("payment_intent") or {}
    if intent.get("status") == "requires_action":
        return intent["next_action"]["redirect_to_url"]["url"], ""
    return page, refusal.body["error"]["message"]


def _invoice_page(work: Work, shown: Json, given: Mapping[str, str], problem: str = "", wrong: str = "") -> Response:
    return render_page(
        "invoice.html",
        402 if problem else 200,
        invoice=shown,
        subscription=subscription_of(work, shown),
        business=work.view.merchant.archetype.business,
        given=given,
        problem=problem,
        wrong={"exp_month": "expiry", "exp_year": "expiry"}.get(wrong, wrong),
        cards=SHOWN,
        words=wording,
    )

"""The hosted page that a person pays on, and the bank's page that asks whether it is really them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from payflux.sandbox import wording
from payflux.sandbox.addresses import read_ticket, remember_address
from payflux.sandbox.checkout.completing import Step, go_on, submit, success_url
from payflux.sandbox.checkout.orders import full_amount, order_of
from payflux.sandbox.checkout.sessions import coupon_of, enter_code, line_items
from payflux.sandbox.errors import StripeError
from payflux.sandbox.pages import render_page
from payflux.sandbox.payments import intents, setups
from payflux.sandbox.payments.cards import SHOWN
from payflux.sandbox.payments.links import with_query
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_FIELDS = ("email", "name", "number", "expiry", "cvc", "country", "postal_code", "code")
_EXPIRY = re.compile(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*")


class Wrong(Exception):
    """A field of the form that was filled in wrongly: its name, and what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def _work(request: Request, account_id: str) -> Work:
    state: SandboxState = request.app.state.sandbox
    return Work(state, account_id, int(state.now().timestamp()))


def _find(request: Request) -> tuple[Work, Json] | None:
    state: SandboxState = request.app.state.sandbox
    session_id = request.path_params["session"]
    for account_id in state.store.accounts("checkout.session"):
        session = state.store.get(account_id, session_id)
        if session is not None and session["object"] == "checkout.session":
            return _work(request, account_id), session
    return None


async def pay(request: Request) -> Response:
    """GET shows the session; POST pays it, or enters a promotion code."""
    found = _find(request)
    if found is None:
        return _over(404, "There is no such page", "Ask for a new link where you came from. Nothing was paid.")
    work, session = found
    if session["status"] != "open":
        return _ended(work, session)
    if request.method == "GET":
        return _page(work, session, _prefilled(session, request.query_params.get("card", "")))
    remember_address(work.store, str(request.base_url).rstrip("/"))
    form = await request.form()
    given = {name: str(form.get(name, "")).strip() for name in _FIELDS}
    try:
        with work.store.transaction():
            step = _act(work, session, form, given, str(request.url_for("checkout_page", session=session["id"])))
            work.state.announce(work)
    except Wrong as wrong:
        return _page(work, session, given, wrong.message, wrong.field)
    except StripeError as error:
        return _page(work, session, given, error.body["error"]["message"], error.body["error"].get("param", ""))
    if step.url:
        return RedirectResponse(step.url, 303)
    return _page(work, session, given, step.refused, "number" if step.refused else "")


def _act(work: Work, session: Json, form: FormData, given: Mapping[str, str], page: str) -> Step:
    action = form.get("action", "pay")
    if action in ("apply", "remove"):
        if not session["allow_promotion_codes"]:
            raise Wrong("code", "This page takes no promotion code.")
        if action == "apply" and not given["code"]:
            raise Wrong("code", "Enter a promotion code.")
        enter_code(work, session, given["code"] if action == "apply" else "")
        return Step(url=page)
    email = _fixed_email(session) or given["email"]
    if not _EMAIL.fullmatch(email):
        raise Wrong("email", "Your email is incomplete.")
    card = _card(given) if _collects_card(session) else None
    billing: Json = {"email": email, "name": given["name"] or None}
    if _collects_address(session):
        billing["address"] = _address(given)
    return submit(work, session, billing=billing, card=card, page=page)


def _card(given: Mapping[str, str]) -> Json:
    expiry = _EXPIRY.fullmatch(given["expiry"])
    if not given["number"]:
        raise Wrong("number", "Your card number is incomplete.")
    if expiry is None:
        raise Wrong("expiry", "Your card's expiration date is incomplete.")
    if not given["cvc"]:
        raise Wrong("cvc", "Your card's security code is incomplete.")
    return {
        "number": given["number"],
        "exp_month": int(expiry[1]),
        "exp_year": int(expiry[2]),
        "cvc": given["cvc"],
    }


def _address(given: Mapping[str, str]) -> Json:
    """The part of an address that taxes follow from."""
    if not _COUNTRY.fullmatch(given["country"]):
        raise Wrong("country", "Enter your country in two letters, such as US.")
    if not given["postal_code"]:
        raise Wrong("postal_code", "Your postal code is incomplete.")
    known = {"country": given["country"].upper(), "postal_code": given["postal_code"]}
    return dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")) | known


def _collects_address(session: Json) -> bool:
    return session["billing_address_collection"] == "required" or session["automatic_tax"]["enabled"]


def _fixed_email(session: Json) -> str:
    """The address that the session was made for; the person cannot change it."""
    return (
        (session["customer_details"] or {}).get("email") or ""
        if session["customer"]
        else session["customer_email"] or ""
    )


def _collects_card(session: Json) -> bool:
    """Whether a card is asked for: always, or only when something is due today."""
    if session["mode"] == "payment":
        return bool(session["amount_total"])
    return (
        session["payment_method_collection"] != "if_required"
        or bool(session["amount_total"])
        or session["mode"] == "setup"
    )


def _prefilled(session: Json, token: str) -> dict[str, str]:
    given = dict.fromkeys(_FIELDS, "")
    card = next((one for one in SHOWN if one.token == token), None)
    if card is not None:
        given |= {"number": card.number, "expiry": "12 / 34", "cvc": "123", "name": "Test Person"}
        given |= {"country": "US", "postal_code": "94107"}
        given["email"] = _fixed_email(session) or "person@example.com"
    return given


def _page(work: Work, session: Json, given: Mapping[str, str], problem: str = "", wrong: str = "") -> Response:
    order = order_of(work, session["id"])
    coupon = coupon_of(work, order)
    code = work.get("promotion_code", order["promotion_code"]) if order["promotion_code"] else None
    recurring = next((line["price"] for line in order["lines"] if line["price"]["recurring"]), None)
    context: dict[str, Any] = {
        "session": session,
        "business": work.view.merchant.archetype.business,
        "lines": line_items(work, session),
        "full": full_amount(order),
        "recurring": recurring,
        "trial_end": order["trial_end"],
        "coupon": coupon,
        "code": code,
        "given": given,
        "problem": problem,
        "wrong": {"exp_month": "expiry", "exp_year": "expiry", "promotion_code": "code"}.get(wrong, wrong),
        "cards": SHOWN,
        "email": _fixed_email(session),
        "collects_card": _collects_card(session),
        "collects_address": _collects_address(session),
        "words": wording,
    }
    return render_page("checkout.html", 402 if problem else 200, **context)


def _ended(work: Work, session: Json) -> Response:
    if session["status"] == "expired":
        return _over(410, "This page has expired", "Nothing was paid. Go back to where you came from and start again.")
    business = work.view.merchant.archetype.business
    return _over(200, "All done", f"This was completed. {business} has been told.", success_url(session))


def _over(status: int, title: str, text: str, link: str = "") -> Response:
    return render_page("checkout_over.html", status, title=title, text=text, link=link)


async def back(request: Request) -> Response:
    """Where the bank's page leads: on to the end, or to the form with what went wrong."""
    found = _find(request)
    if found is None:
        return _over(404, "There is no such page", "Ask for a new link where you came from. Nothing was paid.")
    work, session = found
    if session["status"] == "complete":
        return RedirectResponse(success_url(session), 303)
    if session["status"] != "open":
        return _ended(work, session)
    intent = work.find_any(order_of(work, session["id"])["intent"] or "")
    error = (intent.get("last_payment_error") or intent.get("last_setup_error")) if intent else None
    return _page(work, session, _prefilled(session, ""), error["message"] if error else "", "number" if error else "")


async def authenticate(request: Request) -> Response:
    """The bank asks: GET shows the question, POST is the answer, `pass` or `fail`."""
    named = read_ticket(request.path_params["ticket"])
    state: SandboxState = request.app.state.sandbox
    intent = None
    if named is not None and named[0] in state.archetypes:
        intent = state.store.get(*named)
    if named is None or intent is None or intent["object"] not in ("payment_intent", "setup_intent"):
        return _over(404, "There is no such page", "The link is incomplete. Nothing was paid.")
    work = _work(request, named[0])
    if intent["status"] != "requires_action":
        return _over(200, "Already answered", "Your bank has your answer. You can close this page.")
    if request.method == "GET":
        return render_page(
            "authenticate.html", intent=intent, words=wording, business=work.view.merchant.archetype.business
        )
    passed = str((await request.form()).get("answer", "")) == "pass"
    target = intent["next_action"]["redirect_to_url"]["return_url"]
    module = intents if intent["object"] == "payment_intent" else setups
    try:
        with work.store.transaction():
            module.authenticate(work, intent, passed=passed)
            session = go_on(work, intent)
            work.state.announce(work)
    except StripeError as error:
        return _over(error.status, "This could not be completed", error.body["error"]["message"])
    if session is not None:
        return RedirectResponse(request.url_for("checkout_return", session=session["id"]), 303)
    if target is None:
        return _over(200, "Thank you", "Your bank has your answer. You can close this page.")
    status = "succeeded" if intent["status"] in ("succeeded", "requires_capture") else "failed"
    kind = intent["object"]
    values = {kind: intent["id"], f"{kind}_client_secret": intent["client_secret"], "redirect_status": status}
    return RedirectResponse(with_query(target, **values), 303)


PAGES = [
    Route("/c/pay/{session}", pay, methods=["GET", "POST"], name="checkout_page"),
    Route("/c/pay/{session}/return", back, methods=["GET"], name="checkout_return"),
    Route("/c/authenticate/{ticket}", authenticate, methods=["GET", "POST"]),
]
"""The hosted pages' routes."""

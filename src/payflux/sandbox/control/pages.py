"""The control as a page: forms only, no script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, get_args, get_type_hints
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from payflux.sandbox.control import actions
from payflux.sandbox.control.actions import Console
from payflux.sandbox.control.origin import require_own
from payflux.sandbox.errors import StripeError
from payflux.sandbox.faults.model import MEANINGS, Fault
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.pages import render_page
from payflux.sandbox.store import Json

Form = Mapping[str, str]
_LONGEST_MESSAGE = 300
_ADVANCES = (("1h", "1 hour"), ("1d", "1 day"), ("1mo", "1 month"))
_PRESETS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Next 5 calls: 429", {"kind": "rate_limit", "times": "5"}),
    ("Next call: 500", {"kind": "error", "times": "1"}),
    ("Next answer breaks off", {"kind": "reset", "when": "in_body", "times": "1"}),
    ("Next webhook is lost", {"kind": "webhook_loss", "times": "1"}),
    ("Next 10 webhooks come twice", {"kind": "webhook_duplicate", "times": "10"}),
    ("Next 10 webhooks are shuffled", {"kind": "webhook_shuffle", "times": "10"}),
)
_FAULT_FIELDS = (
    "path", "method", "account", "key", "type", "endpoint", "probability", "seed", "times", "seconds",
    "milliseconds", "jitter", "reason", "status", "when", "delay", "window",
)  # fmt: skip


def _fault_fields() -> list[Json]:
    """The fields of the form for a fault, each with what it is when it is left empty."""
    hints = get_type_hints(Fault)
    defaults = msgspec.to_builtins(Fault(kind="error"))
    return [
        {
            "name": name,
            "default": "no end" if defaults[name] is None else defaults[name] if defaults[name] != "" else "any",
            "choices": get_args(hints[name]) if getattr(hints[name], "__origin__", None) is Literal else (),
        }
        for name in _FAULT_FIELDS
    ]


def _page(request: Request, *, said: str = "", wrong: str = "", status: int = 200) -> Response:
    console: Console = request.app.state.console
    asked = request.query_params.get("account", "")
    chosen = asked if asked in console.state.archetypes else ARCHETYPES["default"].account_id
    return render_page(
        "control.html",
        status,
        said=said or request.query_params.get("said", "")[:_LONGEST_MESSAGE],
        wrong=wrong or request.query_params.get("wrong", "")[:_LONGEST_MESSAGE],
        clock=actions.clock(console),
        advances=_ADVANCES,
        due=actions.due(console)[:20],
        accounts=actions.accounts(console),
        chosen=next(account for account in actions.accounts(console) if account["id"] == chosen),
        events=[(event, _printed(event)) for event in actions.newest_events(console, chosen)],
        fires=actions.fires(),
        endpoints=actions.endpoints(console),
        deliveries=actions.deliveries(console)[:20],
        faults=actions.faults(console),
        meanings=MEANINGS,
        fault_fields=_fault_fields(),
        presets=_PRESETS,
        iso=actions.iso,
    )


def _printed(event: Json) -> str:
    return msgspec.json.format(msgspec.json.encode(event), indent=2).decode()


async def show(request: Request) -> Response:
    try:
        require_own(request)
    except StripeError as error:
        return _refused(error)
    return _page(request)


def _refused(error: StripeError) -> Response:
    return render_page("refused.html", error.status, error="refused", error_description=str(error))


def _doing(act: Callable[[Console, Form], str]) -> Callable[[Request], Awaitable[Response]]:
    """A form's handler: `act` says what was done, which the page shows next."""

    async def handle(request: Request) -> Response:
        try:
            require_own(request)
        except StripeError as error:
            return _refused(error)
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
        place = {"account": form["account"]} if form.get("account") else {}
        try:
            told = {"said": act(request.app.state.console, {name: value for name, value in form.items() if value})}
        except StripeError as error:
            told = {"wrong": str(error)}
        return RedirectResponse(f"/control?{urlencode({**place, **told})}", 303)

    return handle


def _move(console: Console, form: Form) -> str:
    moved = actions.move_clock(console, {name: form[name] for name in ("advance", "to") if name in form})
    return f"It is {moved['iso']} now. Tasks that ran: {moved['ran']}."


def _redeliver(console: Console, form: Form) -> str:
    return f"Deliveries sent again: {actions.redeliver(console, form)['sent_again']}."


def _add_fault(console: Console, form: Form) -> str:
    fault = actions.add_fault(console, form)
    return f"{fault['kind']} is on: {MEANINGS[fault['kind']]}."


def _remove_faults(console: Console, form: Form) -> str:
    return f"Faults switched off: {actions.remove_faults(console, form.get('id', ''))['removed']}."


def _fire(console: Console, form: Form) -> str:
    name, account = form.get("name", ""), form.get("account", "")
    given = {field.removeprefix("field_"): value for field, value in form.items() if field.startswith("field_")}
    about = actions.fire(console, account, name, given)
    return f"Done: {name}. It is about {about.get('id', about['object'])}."


def _set_payload(console: Console, form: Form) -> str:
    done = actions.set_payload(console, form.get("endpoint", ""), form.get("payload", ""))
    return f"{done['id']} gets {done['payload']} events."


async def _roll(request: Request) -> Response:
    """The one form whose answer is the page itself: a secret is not for an address."""
    try:
        require_own(request)
        form = await request.form()
        rolled = actions.roll_secret(request.app.state.console, str(form.get("endpoint", "")), 86_400)
    except StripeError as error:
        return _refused(error)
    message = f"The new secret of {rolled['id']} is {rolled['secret']}. The old one signs for a day more."
    return _page(request, said=message)


ROUTES: list[Route] = [
    Route("/control", show, methods=["GET"]),
    Route("/control/clock", _doing(_move), methods=["POST"]),
    Route("/control/redeliver", _doing(_redeliver), methods=["POST"]),
    Route("/control/faults", _doing(_add_fault), methods=["POST"]),
    Route("/control/faults/remove", _doing(_remove_faults), methods=["POST"]),
    Route("/control/fire", _doing(_fire), methods=["POST"]),
    Route("/control/payload", _doing(_set_payload), methods=["POST"]),
    Route("/control/roll_secret", _roll, methods=["POST"]),
]

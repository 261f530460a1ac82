"""`expand[]`: ids replaced by the objects they name."""

from __future__ import annotations

from payflux.sandbox.errors import StripeError
from payflux.sandbox.objects.accounts import render_account, render_customer
from payflux.sandbox.objects.ids import PREFIXES
from payflux.sandbox.objects.view import Json, View
from payflux.sandbox.resources import BY_TABLE, retrieve

MAX_DEPTH = 4
# Object type -> field -> what it names; a type of "" is expandable at Stripe but always null here.
EXPANDABLE: dict[str, dict[str, str]] = {
    "charge": {
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "payment_intent": "payment_intent",
        "refunds": "refund",
        **dict.fromkeys(
            (
                "application",
                "application_fee",
                "failure_balance_transaction",
                "on_behalf_of",
                "review",
                "source_transfer",
                "transfer",
            ),
            "",
        ),
    },
    "payment_intent": {
        "customer": "customer",
        "latest_charge": "charge",
        **dict.fromkeys(("application", "on_behalf_of", "payment_record", "review", "source"), ""),
    },
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "payment_intent": "payment_intent",
        **dict.fromkeys(("failure_balance_transaction", "source_transfer_reversal", "transfer_reversal"), ""),
    },
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "radar.early_fraud_warning": {"charge": "charge", "payment_intent": "payment_intent"},
    "payout": {
        "balance_transaction": "balance_transaction",
        **dict.fromkeys(("application_fee", "failure_balance_transaction", "original_payout", "reversed_by"), ""),
    },
    "balance_transaction": {"source": "*"},
}
TABLES = {
    "charge": "charges",
    "payment_intent": "intents",
    "refund": "refunds",
    "dispute": "disputes",
    "radar.early_fraud_warning": "warnings",
    "payout": "payouts",
    "balance_transaction": "movements",
}
TYPES = {table: name for name, table in TABLES.items()}


def expand(view: View, answer: Json, paths: tuple[str, ...], of: str) -> None:
    """Expand `paths` in `answer`, an object of type `of` or a list of them; raises StripeError 400."""
    listed = answer.get("object") == "list"
    for path in paths:
        parts = path.split(".")
        _check(path, parts, of, listed=listed)
        objects = answer["data"] if listed else [answer]
        for found in objects:
            _expand(view, found, parts[1:] if listed else parts, path)


def _check(path: str, parts: list[str], of: str, *, listed: bool) -> None:
    if len(parts) > MAX_DEPTH:
        raise StripeError(400, f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}")
    if listed and parts[0] != "data":
        hint = f" You may want to try expanding 'data.{path}' instead." if parts[0] in EXPANDABLE.get(of, {}) else ""
        raise StripeError(400, f"This property cannot be expanded ({parts[0]}).{hint}")
    for field in parts[1:] if listed else parts:
        if of == "*":
            return  # what a source is differs from object to object
        if field == "data" and of == "refund":
            continue  # charge.refunds is a list
        if field not in EXPANDABLE.get(of, {}):
            raise StripeError(400, f"This property cannot be expanded ({field}).")
        of = EXPANDABLE[of][field]


def _expand(view: View, found: Json, parts: list[str], path: str) -> None:
    field, rest = parts[0], parts[1:]
    kinds = EXPANDABLE.get(found["object"], {})
    if field not in kinds:
        raise StripeError(400, f"This property cannot be expanded ({path}).")
    if field == "refunds":
        found.setdefault("refunds", _refunds_of(view, found["id"]))
        for refund in found["refunds"]["data"] if rest[1:] else ():
            _expand(view, refund, rest[1:], path)
        return
    value = found[field]
    if isinstance(value, str):
        value = found[field] = fetch(view, value, kinds[field])
    if rest and value is not None:
        _expand(view, value, rest, path)


def fetch(view: View, object_id: str, of: str) -> Json:
    """The object of type `of`, "*" for any, that an id names."""
    if of == "customer":
        return render_customer(view, object_id)
    if of == "account":
        return render_account(view)
    if of == "*":
        of = next(TYPES[table] for table, prefix in PREFIXES.items() if object_id.startswith(prefix))
    return retrieve(view, BY_TABLE[TABLES[of]], object_id)


def _refunds_of(view: View, charge_id: str) -> Json:
    charge = view.merchant.charges.find(int(charge_id[-16:], 16))
    assert charge is not None, "the charge was rendered from its row"
    rows = view.refunds_of(charge)
    render = BY_TABLE["refunds"].render
    return {
        "object": "list",
        "data": [render(view, view.merchant.refunds[row], row) for row in rows[:10]],
        "has_more": len(rows) > 10,
        "total_count": len(rows),
        "url": f"/v1/charges/{charge_id}/refunds",
    }

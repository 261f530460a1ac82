"""Events of the books: an object as it was at the moment of its change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stripe import Event

from payflux.sandbox.merchants.tables import Change
from payflux.sandbox.merchants.timeline import CHANGES
from payflux.sandbox.objects.accounts import render_account
from payflux.sandbox.objects.charges import render_charge, render_intent
from payflux.sandbox.objects.claims import render_dispute, render_refund, render_warning
from payflux.sandbox.objects.ids import print_id
from payflux.sandbox.objects.movements import render_balance, render_payout
from payflux.sandbox.objects.reserves import render_hold, render_plan, render_release
from payflux.sandbox.objects.reviews import render_review
from payflux.sandbox.objects.view import Json, View
from payflux.sandbox.schema.objects import complete

API_VERSION = "2026-10-28.endive"
ROWS: Mapping[str, Callable[[View, Any, int], Json]] = {
    "charges": render_charge,
    "intents": render_intent,
    "refunds": render_refund,
    "disputes": render_dispute,
    "warnings": render_warning,
    "payouts": render_payout,
    "reviews": render_review,
    "plans": render_plan,
    "holds": render_hold,
    "releases": render_release,
}
WHOLE: Mapping[str, Callable[[View], Json]] = {"account": render_account, "balance": render_balance}


def render_event(view: View, row: Change, _index: int) -> Json:
    """The event of one change: the same bytes whenever it is asked for."""
    kind = CHANGES[row.kind]
    shown = _shown(replace(view, now=row.created - kind.early), kind.about, row.row)
    data: Json = {"object": shown}
    if kind.before:
        before = _shown(replace(view, now=row.created - 1), kind.about, row.row)
        data["previous_attributes"] = {name: value for name, value in before.items() if value != shown[name]}
    return complete(
        Event,
        {
            "id": print_id("events", view.account_id, row.key),
            "api_version": API_VERSION,
            "created": row.created,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": kind.type,
        },
    )


def _shown(view: View, about: str, row: int) -> Json:
    if about in WHOLE:
        return WHOLE[about](view)
    return view.amended(ROWS[about](view, view.merchant.tables[about][row], row))

"""Reserves: plans, holds and releases, which only preview versions list, and the settings of the balance."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, listing, retrieving
from payflux.sandbox.errors import StripeError
from payflux.sandbox.resources import RESERVES
from payflux.sandbox.restrictions import change_settings
from payflux.sandbox.store import Json

PREVIEW = "2026-09-30.preview"
"""The first version that knows the reserves' lists."""


def is_preview(version: str) -> bool:
    return version.endswith(".preview") and version >= PREVIEW


def _in_preview(endpoint: Endpoint) -> Endpoint:
    def answer(call: Call) -> Json:
        if not is_preview(call.version):
            path = endpoint.path.replace("{id}", call.path.get("id", ""))
            raise StripeError(
                404,
                f"Unrecognized request URL ({endpoint.method}: {path}). Please see https://stripe.com/docs or we can "
                "help at https://support.stripe.com/.",
            )
        return endpoint.answer(call)

    return endpoint._replace(answer=answer)


def _settings(call: Call) -> Json:
    return change_settings(call.work, call.params.get("payments", {}))


ENDPOINTS: tuple[Endpoint, ...] = (
    *(_in_preview(listing(f"/v1/{r.path}", r.permission, r.of, r.params)) for r in RESERVES),
    *(_in_preview(retrieving(f"/v1/{r.path}", r.permission, r.of)) for r in RESERVES),
    Endpoint(
        "POST",
        "/v1/balance_settings",
        "rak_balance_settings_write",
        stripe.BalanceSettings,
        _settings,
        params.BalanceSettingsModifyParams,
    ),
)

"""The console as one router, and how it answers whoever is not signed in to it."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from payflux.admin import (
    activations,
    acts,
    billing,
    console,
    entry,
    funnel,
    launch,
    leads,
    operations,
    overrides,
    overrides_api,
    plans,
    plans_api,
    time_travel,
)
from payflux.admin.guards import to_sign_in
from payflux.frontdoor.staff.signing_in import StaffNotSignedIn

router = APIRouter()
for part in (
    entry,
    console,
    acts,
    activations,
    funnel,
    operations,
    billing,
    launch,
    leads,
    time_travel,
    plans_api,
    plans,
    overrides_api,
    overrides,
):
    router.include_router(part.router)


def lead_to_sign_in(app: FastAPI) -> None:
    """Let `app` send whoever asks for the console without being signed in to where staff sign in."""
    app.add_exception_handler(StaffNotSignedIn, to_sign_in)

"""The console as one router, and how it answers whoever is not signed in to it."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from payflux.admin import acts, console, entry
from payflux.admin.guards import to_sign_in
from payflux.frontdoor.staff.signing_in import StaffNotSignedIn


def add_console(app: FastAPI) -> None:
    """Let `app` serve the console at /admin."""
    router = APIRouter()
    for part in (entry, console, acts):
        router.include_router(part.router)
    app.include_router(router)
    app.add_exception_handler(StaffNotSignedIn, to_sign_in)

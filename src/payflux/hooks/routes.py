"""The addresses that others post to: no session and no form, so each proves itself by a signature, or by a code of
ours."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from payflux.hooks import generic, mail, stripe

LARGEST_EVENT = 1024 * 1024  # bytes; an event holds a whole object

router = APIRouter()
router.include_router(stripe.router)
router.include_router(generic.router)
router.include_router(mail.router)

hooks = RequestBodyLimitMiddleware(router, max_body_size=LARGEST_EVENT)
"""What the app mounts at /hooks."""

"""Whether an account could go live, told before anything is paid."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from payflux.activation.problems import problem_of
from payflux.activation.readiness import check_readiness
from payflux.frontdoor.accounts.throttling import Budget, require_budget, spend
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.permissions import KEY_PERMISSIONS, key_creation_url
from payflux.web.guards import CurrentWorld, Who
from payflux.web.policies import guard
from payflux.web.rendering import render
from payflux.world.stripe import StripeFailure

router = APIRouter()

CHECKS_PER_ACCOUNT = 10
"""Before the next has to wait: each asks Stripe a dozen questions."""

ASKING = [guard(capability="connection.manage")]


@router.get("/readiness", dependencies=ASKING)
async def form(request: Request) -> Response:
    """What is tested, and the form that takes the key."""
    return _page(request)


@router.post("/readiness", dependencies=ASKING)
async def check(request: Request, who: Who, world: CurrentWorld, key: Annotated[str, Form()] = "") -> Response:
    """Test the account that a key opens; the key is kept nowhere."""
    now, budget = world.clock.now(), Budget(f"readiness of {who.account_id}", CHECKS_PER_ACCOUNT)
    async with world.database.system() as session:
        await require_budget(session, world.tokens, budget, refusal=_("Too many checks."), now=now)
        await spend(session, world.tokens, budget.key, now=now)
    try:
        checks = await check_readiness(world, key=key.strip())
    except InvalidInput as wrong:
        return _page(request, errors=wrong.fields, status=wrong.status)
    except StripeFailure as failure:
        return _page(request, problem=problem_of(failure), status=422)
    return _page(request, checks=checks)


def _page(
    request: Request,
    *,
    checks: object = None,
    errors: object = None,
    problem: object = None,
    status: int = 200,
) -> Response:
    return render(
        request,
        "readiness.html",
        status,
        checks=checks,
        errors=errors or {},
        problem=problem,
        key_permissions=KEY_PERMISSIONS,
        key_creation_url=key_creation_url(),
    )

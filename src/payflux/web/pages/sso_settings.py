"""Single sign-on as its owner sets it up: domains, the identity provider, and whether everybody has to use it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.service import get_workspace
from payflux.activation.single_sign_on import SSO
from payflux.frontdoor.accounts.factors.queries import sign_in_methods
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.sso import connections, domains, groups, rules
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.errors import Conflict, InvalidInput, Unavailable, UserError
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.pages.sso import CALLBACK
from payflux.web.pages.sso_saml import service_provider
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter(prefix="/account/sso")

HERE = "/account/sso"
READ = [guard(capability="sso.manage", of_account=True)]
CHANGE = [guard(capability="sso.manage", feature=SSO, grace=False, step_up=True, of_account=True)]
END = [guard(capability="sso.manage", step_up=True, of_account=True)]


@router.get("", dependencies=READ)
async def sso_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """All of it on one page, in the order in which it is done."""
    return await _page(request, who, world, session, subscription)


@router.post("/domains", dependencies=CHANGE)
async def add_domain(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    domain: Text = "",
) -> Response:
    """Note a domain that is to be proven; the page then shows its record."""
    try:
        await domains.add_domain(session, who, domain=domain, now=world.clock.now())
    except InvalidInput as wrong:
        typed = {"domain": domain}
        return await _page(request, who, world, session, subscription, errors=wrong.fields, typed=typed)
    return see_other(f"{HERE}#domains")


@router.post("/domains/prove", dependencies=CHANGE)
async def prove_domain(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    domain: Text = "",
) -> Response:
    """Look the domain's record up."""
    try:
        await domains.prove_domain(session, world.dns, who, domain=domain, now=world.clock.now())
    except (Conflict, Unavailable) as refusal:
        return await _refused(request, who, world, session, subscription, refusal)
    return see_other(f"{HERE}#domains")


@router.post("/domains/remove", dependencies=END)
async def remove_domain(who: Who, world: CurrentWorld, session: Tenant, domain: Text = "") -> Response:
    await domains.remove_domain(session, who, domain=domain, now=world.clock.now())
    return see_other(f"{HERE}#domains")


@router.post("/connection", dependencies=CHANGE)
async def save_connection(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    protocol: Text = "oidc",
    issuer: Text = "",
    client_id: Text = "",
    client_secret: Text = "",
    sign_in_url: Text = "",
    certificate: Text = "",
    default_role: Text = "",
) -> Response:
    """Set the identity provider up, or anew."""
    try:
        await connections.save_connection(
            session,
            world.secrets,
            who,
            protocol=protocol,
            issuer=issuer,
            client_id=client_id,
            client_secret=client_secret,
            sign_in_url=sign_in_url,
            certificate=certificate,
            default_role=default_role,
            now=world.clock.now(),
        )
    except InvalidInput as wrong:
        typed = {"protocol": protocol, "issuer": issuer, "client_id": client_id, "default_role": default_role}
        typed |= {"sign_in_url": sign_in_url, "certificate": certificate}
        return await _page(request, who, world, session, subscription, errors=wrong.fields, typed=typed)
    return see_other(f"{HERE}#connection")


@router.post("/connection/remove", dependencies=END)
async def remove_connection(who: Who, world: CurrentWorld, session: Tenant) -> Response:
    await connections.remove_connection(session, who, now=world.clock.now())
    return see_other(HERE)


@router.post("/groups", dependencies=CHANGE)
async def choose_role(
    who: Who, world: CurrentWorld, session: Tenant, group: Annotated[UUID, Form()], role: Text = ""
) -> Response:
    """Have a group of the directory give a role, or none."""
    await groups.choose_role(session, who, group_id=group, role=role, now=world.clock.now())
    return see_other(f"{HERE}#groups")


@router.post("/enforce", dependencies=CHANGE)
async def enforce(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """Have every member of the proven domains come by the identity provider, from their next request on."""
    try:
        await _enforce(session, world, who, on=True)
    except Conflict as refusal:
        return await _refused(request, who, world, session, subscription, refusal)
    return see_other(f"{HERE}#enforcement")


@router.post("/enforce/end", dependencies=END)
async def end_enforcement(who: Who, world: CurrentWorld, session: Tenant) -> Response:
    """Let everybody sign in as they like again."""
    await _enforce(session, world, who, on=False)
    return see_other(f"{HERE}#enforcement")


async def _enforce(session: AsyncSession, world: World, who: SignedIn, *, on: bool) -> None:
    async with world.database.system() as system_session:
        methods = await sign_in_methods(system_session, user_id=who.user_id)
    await connections.enforce(session, who, on=on, methods=methods, now=world.clock.now())


async def _refused(
    request: Request,
    who: SignedIn,
    world: World,
    session: AsyncSession,
    subscription: CurrentSubscription,
    refusal: UserError,
) -> Response:
    errors = {"": f"{refusal.message} {refusal.way_out}"}
    return await _page(request, who, world, session, subscription, errors=errors, status=refusal.status)


async def _page(
    request: Request,
    who: SignedIn,
    world: World,
    session: AsyncSession,
    subscription: CurrentSubscription,
    *,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    status: int = HTTPStatus.UNPROCESSABLE_ENTITY,
) -> Response:
    connection = await connections.connection_of(session, account_id=who.account_id)
    held = await entitlements_of(session, world, account_id=who.account_id)
    _number, told = await groups.list_groups(session, account_id=who.account_id)
    people = await groups.members_of(session, account_id=who.account_id, groups=[group.id for group in told])
    stored = {
        "domain": "",
        "protocol": connection.protocol if connection else "oidc",
        "issuer": connection.issuer if connection else "",
        "client_id": connection.client_id if connection else "",
        "sign_in_url": connection.sign_in_url if connection else "",
        "certificate": connection.certificate if connection else "",
        "default_role": connection.default_role if connection else "viewer",
    }
    return render(
        request,
        "sso_settings.html",
        status if errors else HTTPStatus.OK,
        in_plan=held.features.get(SSO, False),
        domains=await domains.domains_of(session, account_id=who.account_id),
        record=rules.RECORD,
        record_value=rules.record_value,
        connection=connection,
        enforced=await connections.enforced_domains(session, account_id=who.account_id),
        roles=rules.DEFAULT_ROLES,
        groups=[(group, len(people[group.id])) for group in told],
        callback=f"{world.settings.url}{CALLBACK}",
        saml=service_provider(world, who.account_id),
        typed=stored | (typed or {}),
        errors=errors or {},
        summary={_id_of(name, typed or {}): words for name, words in (errors or {}).items()},
        **product_context(world, await get_workspace(session, account_id=who.account_id), subscription),
    )


def _id_of(field: str, typed: dict[str, str]) -> str:
    """Where a field stands on the page: the two forms for a provider share their names."""
    return field if field in ("", "domain") else f"{typed.get('protocol', 'oidc')}-{field}"

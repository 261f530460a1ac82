"""How a member signs in: password, authenticator app, passkeys, providers; where they are signed in; what happened."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

import pyotp
import segno
from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.factors import changing
from payflux.frontdoor.accounts.factors.passkeys import passkeys_of, registration_options
from payflux.frontdoor.accounts.factors.queries import security_events, sign_in_methods
from payflux.frontdoor.accounts.factors.recovery import recovery_codes_left
from payflux.frontdoor.accounts.factors.totp import begin_totp, unconfirmed_secret
from payflux.frontdoor.accounts.providers.identities import identities_of
from payflux.frontdoor.accounts.sessions import list_sessions
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.passkeys import browser_of, passkeys_elsewhere, require_party
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other

router = APIRouter(prefix="/account/security")

OWN = [guard(verified=False)]
DANGEROUS = [guard(verified=False, step_up=True)]
HERE = "/account/security"

EVENT_WORDS = {
    "user.email_verified": mark("E-mail address confirmed"),
    "user.email_changed": mark("E-mail address changed"),
    "user.renamed": mark("Name changed"),
    "user.password_changed": mark("Password changed"),
    "user.password_reset": mark("Password set by mail"),
    "user.claimed": mark("Taken over by whoever proved the address"),
    "user.totp_added": mark("Authenticator app set up"),
    "user.totp_removed": mark("Authenticator app removed"),
    "user.recovery_codes_replaced": mark("Recovery codes replaced"),
    "user.passkey_added": mark("Passkey added"),
    "user.passkey_removed": mark("Passkey removed"),
    "user.google_connected": mark("Google connected"),
    "user.google_disconnected": mark("Google disconnected"),
    "user.microsoft_connected": mark("Microsoft connected"),
    "user.microsoft_disconnected": mark("Microsoft disconnected"),
}
"""What the audit log's actions are called on the page; others are shown by their name."""


@router.get("", dependencies=OWN)
async def security_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """All of it on one page, with the ways to change it."""
    return await _page(request, who, world, session, subscription, {})


@router.post("/totp", dependencies=DANGEROUS)
async def begin_app(who: Who, world: CurrentWorld) -> Response:
    """Make the secret for an authenticator app."""
    async with world.database.system() as session:
        await begin_totp(session, world.secrets, user_id=who.user_id, now=world.clock.now())
    return see_other(f"{HERE}/totp")


@router.get("/totp", dependencies=DANGEROUS)
async def app_form(request: Request, who: Who, world: CurrentWorld) -> Response:
    """The secret as a QR code and as text, for as long as it waits for its first code."""
    return await _app_page(request, who, world, {})


@router.post("/totp/confirm", dependencies=DANGEROUS)
async def confirm_app(request: Request, who: Who, world: CurrentWorld, code: Text = "") -> Response:
    """Let the app count, and show the recovery codes, this once."""
    async with world.database.system() as session:
        codes = await changing.set_up_app(
            session, world.tokens, world.secrets, who, code=code[:64], now=world.clock.now()
        )
    if codes is None:
        wrong = {"code": _("That is not the code that your app shows now. Check the clock of its device.")}
        return await _app_page(request, who, world, wrong, HTTPStatus.UNPROCESSABLE_ENTITY)
    return render(request, "recovery_codes.html", codes=codes)


@router.post("/totp/remove", dependencies=DANGEROUS)
async def remove_app(who: Who, world: CurrentWorld) -> Response:
    async with world.database.system() as session:
        await changing.remove_app(session, who, now=world.clock.now())
    return see_other(HERE)


@router.post("/recovery-codes", dependencies=DANGEROUS)
async def renew_codes(request: Request, who: Who, world: CurrentWorld) -> Response:
    """Ten new recovery codes, shown this once."""
    async with world.database.system() as session:
        codes = await changing.renew_recovery_codes(session, world.tokens, who, now=world.clock.now())
    return render(request, "recovery_codes.html", codes=codes)


@router.post("/passkeys/options", dependencies=DANGEROUS)
async def passkey_options(request: Request, who: Who, world: CurrentWorld) -> Response:
    """What the browser needs to make a passkey."""
    async with world.database.system() as session:
        options = await registration_options(
            session,
            world.tokens,
            require_party(request),
            user_id=who.user_id,
            browser=browser_of(request),
            now=world.clock.now(),
        )
    return Response(options, media_type="application/json")


@router.post("/passkeys", dependencies=DANGEROUS)
async def add_passkey(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    credential: Text = "",
    name: Text = "",
) -> Response:
    async with world.database.system() as system_session:
        added = await changing.add_passkey(
            system_session,
            world.tokens,
            require_party(request),
            who,
            browser=browser_of(request),
            credential=credential,
            name=name,
            now=world.clock.now(),
        )
    if added:
        return see_other(f"{HERE}#passkeys")
    problem = {"passkeys": _("The passkey was not made, or took too long. Try again.")}
    return await _page(request, who, world, session, subscription, problem, HTTPStatus.UNPROCESSABLE_ENTITY)


@router.post("/passkeys/{passkey_id}/remove", dependencies=DANGEROUS)
async def remove_passkey(who: Who, world: CurrentWorld, passkey_id: UUID) -> Response:
    async with world.database.system() as session:
        await changing.drop_passkey(session, who, passkey_id=passkey_id, now=world.clock.now())
    return see_other(f"{HERE}#passkeys")


async def _page(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    errors: dict[str, str],
    status: int = HTTPStatus.OK,
) -> Response:
    now = world.clock.now()
    workspace = await get_workspace(session, account_id=who.account_id)
    async with world.database.system() as system_session:
        return render(
            request,
            "security.html",
            status,
            methods=await sign_in_methods(system_session, user_id=who.user_id),
            passkeys=await passkeys_of(system_session, user_id=who.user_id),
            codes_left=await recovery_codes_left(system_session, user_id=who.user_id),
            identities=await identities_of(system_session, user_id=who.user_id),
            sessions=await list_sessions(system_session, user_id=who.user_id, now=now),
            events=await security_events(session, account_id=who.account_id, user_id=who.user_id),
            event_words=EVENT_WORDS,
            this_session=who.session_id,
            passkeys_elsewhere=passkeys_elsewhere(request),
            errors=errors,
            **product_context(world, workspace, subscription),
        )


async def _app_page(
    request: Request, who: Who, world: CurrentWorld, errors: dict[str, str], status: int = HTTPStatus.OK
) -> Response:
    async with world.database.system() as session:
        secret = await unconfirmed_secret(session, world.secrets, user_id=who.user_id, now=world.clock.now())
    if secret is None:
        return see_other(HERE)
    address = pyotp.TOTP(secret).provisioning_uri(name=who.email, issuer_name="PayFlux")
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return render(request, "totp.html", status, qr=qr_code(address), secret=groups, errors=errors)


def qr_code(address: str) -> Markup:
    """`address` as a QR code, drawn as SVG."""
    code = segno.make(address, error="m", micro=False)
    drawing = code.svg_inline(border=4, omitsize=True, svgclass="qr", title=_("QR code of the key"))
    return Markup(drawing)  # noqa: S704 -- it holds nothing that a person typed

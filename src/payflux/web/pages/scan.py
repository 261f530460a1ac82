"""The free website scan: asked for, watched, read, shared and kept."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response

from payflux.activation.scans import keep_scan
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.entitlements.usage import LimitReached
from payflux.kit.errors import Forbidden, InvalidInput, NotFound, TooManyRequests
from payflux.kit.messages import gettext as _
from payflux.monitor.scan.crawling import PROBLEMS
from payflux.monitor.scan.links import token_of
from payflux.monitor.scan.models import Part, ScanStatus, SiteScan
from payflux.monitor.scan.queries import assessment_of, scan_before, scans_of
from payflux.monitor.scan.rules.links import MOST_PAGES
from payflux.monitor.scan.service import open_scan, share_scan
from payflux.web.browsers import client_of
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Visitor, Who
from payflux.web.launch import SelfServe
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render, see_other
from payflux.web.scan_card import HEIGHT, WIDTH, card_png, card_svg
from payflux.web.scan_views import band_of, compared, finding_view, groups_of, scan_line
from payflux.web.scanning import begin_scan
from payflux.web.visits import visitor_of
from payflux.world.bootstrap import World
from payflux.world.fetching import ROBOT, user_agent

router = APIRouter()

PUBLIC = [guard(Audience.PUBLIC)]
PRIVATE = {"X-Robots-Tag": "noindex, nofollow"}
"""Of a page that only whoever has its link may see. Its address goes to no other site: `Referrer-Policy`."""


@router.get("/scan", dependencies=PUBLIC)
async def scan_form(
    request: Request, who: Visitor, world: CurrentWorld, open_to_all: SelfServe, url: str = ""
) -> Response:
    """Where a website is named; a member sees the account's scans below."""
    return await _form(request, world, who, form={"url": url[:300]})


@router.post("/scan", dependencies=PUBLIC)
async def scan(request: Request, who: Visitor, world: CurrentWorld, open_to_all: SelfServe, url: Text = "") -> Response:
    """Start a scan, and go on to where it is watched."""
    try:
        started = await begin_scan(world, url, who=who, address=client_of(request).address, visitor=visitor_of(request))
    except (InvalidInput, TooManyRequests, LimitReached) as error:
        errors = error.fields if isinstance(error, InvalidInput) else {"": f"{error.message} {error.way_out}"}
        return await _form(request, world, who, form={"url": url[:300]}, errors=errors, status=error.status)
    return see_other(f"/scan/{token_of(world.tokens, started.id)}")


@router.get("/scan/about", dependencies=PUBLIC)
async def about(request: Request, world: CurrentWorld, open_to_all: SelfServe) -> Response:
    """What reads websites under our name, for those whose websites it reads."""
    return render(request, "scan_about.html", robot=ROBOT, user_agent=user_agent(world.settings), most_pages=MOST_PAGES)


@router.get("/scan/cards/{card}.svg", dependencies=PUBLIC)
async def svg_card(world: CurrentWorld, card: str) -> Response:
    """The card of a scan whose owner shares it."""
    return _image(str(await _drawing(world, card)), "image/svg+xml")


@router.get("/scan/cards/{card}.png", dependencies=PUBLIC)
async def png_card(world: CurrentWorld, card: str) -> Response:
    """The same as PNG."""
    return _image(await asyncio.to_thread(card_png, str(await _drawing(world, card))), "image/png")


@router.get("/scan/{token}", dependencies=PUBLIC)
async def result(request: Request, who: Visitor, world: CurrentWorld, open_to_all: SelfServe, token: str) -> Response:
    """What was found, for whoever has the link; before it is done, how far it has come. What the account that keeps it
    found before is for that account."""
    async with world.database.system() as session:
        found = await open_scan(session, world.tokens, token, now=world.clock.now())
        before = await scan_before(session, found) if _owns(who, found) else None
    return _result(request, world, who, found, before)


@router.get("/scan/{token}/state", dependencies=PUBLIC)
async def state(world: CurrentWorld, token: str) -> Response:
    """How far it has come, as JSON."""
    async with world.database.system() as session:
        found = await open_scan(session, world.tokens, token, now=world.clock.now())
    body = {"status": found.status, "over": found.is_over, "pages_read": found.pages_read}
    return JSONResponse(body, headers=PRIVATE)


@router.post("/scan/{token}/keep", dependencies=[guard(verified=False)])
async def keep(who: Who, world: CurrentWorld, token: str) -> Response:
    """Let the caller's account keep a scan that no account keeps yet."""
    async with world.database.system() as session:
        await open_scan(session, world.tokens, token, now=world.clock.now())
        await keep_scan(session, world.tokens, token, account_id=who.account_id, now=world.clock.now())
    return see_other(f"/scan/{token}")


@router.post("/scan/{token}/share", dependencies=PUBLIC)
async def share(
    who: Visitor, world: CurrentWorld, token: str, shared: Text = "", parts: Annotated[list[str] | None, Form()] = None
) -> Response:
    """Show a card with the chosen parts to whoever has its link, or none any more. Raises Forbidden for another than
    its owner: the account that keeps the scan, and before that whoever has its link."""
    async with world.database.system() as session:
        found = await open_scan(session, world.tokens, token, now=world.clock.now())
        if not _owns(who, found):
            raise Forbidden(
                _("Another account keeps this scan, and decides what of it is shared."),
                way_out=_("Scan the website yourself; that scan is yours."),
            )
        share_scan(found, (parts or []) if shared == "yes" else None)
    return see_other(f"/scan/{token}#share")


def _owns(who: SignedIn | None, found: SiteScan) -> bool:
    return found.account_id is None or (who is not None and who.account_id == found.account_id)


async def _form(
    request: Request,
    world: World,
    who: SignedIn | None,
    *,
    form: dict[str, str],
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    scans: list[SiteScan] = []
    if who is not None:
        async with world.database.tenant(who.account_id) as session:
            scans = await scans_of(session, account_id=who.account_id)
    return render(
        request,
        "scan.html",
        status,
        form=form,
        errors=errors or {},
        scans=[scan_line(world, each) for each in scans],
        most_pages=MOST_PAGES,
        storefronts=sorted(world.settings.storefronts),
    )


def _result(request: Request, world: World, who: SignedIn | None, found: SiteScan, before: SiteScan | None) -> Response:
    context: dict[str, Any] = {
        "scan": found,
        "path": f"/scan/{token_of(world.tokens, found.id)}",
        "token": token_of(world.tokens, found.id),
        "may_keep": found.account_id is None,
        "owns": _owns(who, found),
        "most_pages": MOST_PAGES,
    }
    if found.status == ScanStatus.FAILED:
        page = render(request, "scan_failed.html", problem=_(PROBLEMS[found.problem]), **context)
    elif (assessment := assessment_of(found)) is None:
        page = render(request, "scan_progress.html", **context)
    else:
        changed = compared(before, assessment)
        page = render(
            request,
            "scan_result.html",
            assessment=assessment,
            band=band_of(assessment.tier),
            unjudged=_(assessment.unjudged) if assessment.unjudged else "",
            groups=groups_of(assessment),
            before=before,
            changed=changed,
            changes=[
                (change, finding_view(shown))
                for change in (changed.changes if changed else ())
                if (shown := change.after or change.before)
            ],
            card=f"{world.settings.url}/scan/cards/{token_of(world.tokens, found.id, 'card')}",
            parts=Part,
            card_size=(WIDTH, HEIGHT),
            **context,
        )
    page.headers.update(PRIVATE)
    return page


async def _drawing(world: World, card: str) -> object:
    """The drawing of a card that is shared. Raises NotFound."""
    async with world.database.system() as session:
        found = await open_scan(session, world.tokens, card, now=world.clock.now(), opens="card")
    assessment = assessment_of(found)
    if found.shared is None or assessment is None:
        raise NotFound(_("This card is not shared."), way_out=_("Ask whoever sent you the link."))
    return card_svg(found, assessment)


def _image(body: str | bytes, media_type: str) -> Response:
    headers = {**PRIVATE, "Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(body, media_type=media_type, headers=headers)

"""The readout: risk band, trapped capital, and why."""

from __future__ import annotations

from typing import TypedDict

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.activation.queries import activation_progress
from payflux.activation.routing import Page, elsewhere
from payflux.activation.service import first_visit, get_workspace
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.rules import standing_of
from payflux.frontdoor.entitlements.notices import dismissed
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.frontdoor.funnel.events import ComplimentaryAccountFirstView, FirstProjectionSeen, TrialModalShown
from payflux.frontdoor.funnel.recording import record
from payflux.kit.phrases import spoken
from payflux.monitor.processors.models import ConnectionMethod
from payflux.monitor.processors.permissions import missing_capabilities, resource_label
from payflux.monitor.projections.queries import latest_readouts, scores_of_workspace
from payflux.web.alert_views import open_alerts
from payflux.web.billing_words import PREVIEW, open_notices
from payflux.web.books import books_lines
from payflux.web.charts import release_chart, tier_chart, trapped_capital_chart
from payflux.web.first_run import FirstRun, first_run_of
from payflux.web.freshness import freshness_line
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.live import version_of
from payflux.web.offers import offer_of_feature
from payflux.web.outlook import releases_by_week, series_rows
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.readouts import current_readout
from payflux.web.rendering import render, see_other
from payflux.web.sample import sample_readout
from payflux.web.scan_views import ScanLine, latest_scan_line
from payflux.web.visits import record_view
from payflux.world.bootstrap import World

router = APIRouter()

DASHBOARD_FEATURE = "reserve_projection"


@router.get("/dashboard", dependencies=[guard(capability="monitor.read", feature=DASHBOARD_FEATURE)])
async def dashboard(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """The newest readout; until there is one, the page that leads to it, or, where that takes long, what there is."""
    workspace = await get_workspace(session, account_id=who.account_id)
    now = world.clock.now()
    if to := elsewhere(Page.DASHBOARD, workspace, now):
        return see_other(to)
    current = await current_readout(session, workspace)
    product = product_context(world, workspace, subscription)
    first_steps = await _first_steps(request, session, world, who, subscription, workspace)
    if current is None:
        return render(
            request,
            "dashboard_partial.html",
            progress=await activation_progress(session, account_id=who.account_id, now=now),
            **first_steps,
            **product,
        )
    connection, surface, projection = current.connection, current.surface, current.projection
    scorebook = await scores_of_workspace(session, account_id=who.account_id, connection_id=connection.id, now=now)
    held = await entitlements_of(session, world, account_id=who.account_id)
    weeks = releases_by_week(projection.calendar, projection.as_of.date())
    first = who.impersonated_by is None and await first_visit(session, account_id=who.account_id, now=now)
    if first:
        await record(session, FirstProjectionSeen(), at=now, account_id=who.account_id)
    return render(
        request,
        "dashboard.html",
        surface=surface,
        projection=projection,
        reading=current.line,
        scorebook=scorebook,
        first_visit=first,
        processor="Stripe" if connection.processor == "stripe" else connection.name,
        tier_scale=tier_chart(surface),
        projection_chart=trapped_capital_chart(projection),
        projection_chart_narrow=trapped_capital_chart(projection, width=360, height=240),
        release_weeks=weeks,
        release_charts=[release_chart(weeks, projection.currency, width) for width in (720, 360)] if weeks else [],
        series=series_rows(surface.forecasting, projection.currency) if surface.forecasting else [],
        freshness=await freshness_line(session, world, connection, figures_as_of=current.known_until),
        books=await books_lines(session, world, connection),
        degraded=[resource_label(name) for name in missing_capabilities(connection.capabilities)],
        forecasting_offer=await offer_of_feature(session, held, "forecasting"),
        open_alerts=await open_alerts(session, workspace),
        ask_host=connection.method != ConnectionMethod.WEBHOOK and not connection.host,
        live_version=await version_of(session, workspace),
        **first_steps,
        **product,
    )


@router.get("/dashboard/version", dependencies=[guard(capability="monitor.read", feature=DASHBOARD_FEATURE)])
async def version(who: Who, session: Tenant) -> JSONResponse:
    """What the figures and alerts rest on now: a page that shows another version is out of date."""
    workspace = await get_workspace(session, account_id=who.account_id)
    return JSONResponse({"version": await version_of(session, workspace)}, headers={"Cache-Control": "no-store"})


@router.get(PREVIEW, dependencies=[guard(capability="monitor.read", entitled=True)])
async def preview(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """What a plan would show, and the last figures that there were; the dashboard itself for who has it."""
    held = await entitlements_of(session, world, account_id=who.account_id)
    if held.features[DASHBOARD_FEATURE]:
        return see_other("/dashboard")
    workspace = await get_workspace(session, account_id=who.account_id)
    readouts = await latest_readouts(session, account_id=who.account_id, limit=1)
    sample = spoken(sample_readout())
    return render(
        request,
        "dashboard_preview.html",
        readout=tuple(map(spoken, readouts[0])) if readouts else None,
        sample=sample,
        tier_scale=tier_chart(sample.surface),
        sample_chart=trapped_capital_chart(sample.projection),
        sample_chart_narrow=trapped_capital_chart(sample.projection, width=360, height=240),
        offer=await offer_of_feature(session, held, DASHBOARD_FEATURE),
        latest_scan=await latest_scan_line(session, world, who.account_id),
        **product_context(world, workspace, subscription),
    )


@router.get(
    "/dashboard/activate-prompt", dependencies=[guard(capability="monitor.read", feature="processor_connection")]
)
async def activate_prompt(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """The dashboard of a member whose workspace has no processor yet."""
    workspace = await get_workspace(session, account_id=who.account_id)
    if to := elsewhere(Page.PROMPT, workspace, world.clock.now()):
        return see_other(to)
    return render(
        request,
        "dashboard_empty.html",
        problem=workspace.problem,
        **await _first_steps(request, session, world, who, subscription, workspace),
        **product_context(world, workspace, subscription),
    )


class _FirstSteps(TypedDict):
    """What `_next_step.html`, `_notices.html` and `_scan.html` are given."""

    first_run: FirstRun | None
    notices: list[str]
    latest_scan: ScanLine | None


async def _first_steps(
    request: Request,
    session: AsyncSession,
    world: World,
    who: SignedIn,
    subscription: Subscription | None,
    workspace: Workspace,
) -> _FirstSteps:
    """What a member is told on the dashboard until all is set up, and near the end of a trial."""
    standing = standing_of(subscription) if subscription else None
    notices = open_notices(standing, await dismissed(session, who), world.clock.now())
    if "trial_ending" in notices:
        await record_view(request, TrialModalShown(), who)
    if "complimentary" in notices:
        await record_view(request, ComplimentaryAccountFirstView(), who)
    connected = workspace.connection_id is not None
    return {
        "first_run": await first_run_of(session, world, who, subscription, connected=connected),
        "notices": notices,
        "latest_scan": await latest_scan_line(session, world, who.account_id),
    }

"""The one bootstrap of the web application: from a world to an app that can be served."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import BaseRoute

from payflux.admin.routes import lead_to_sign_in
from payflux.admin.routes import router as console
from payflux.api.problems import API_PATH
from payflux.api.reference import page as developers
from payflux.api.routes import create_api
from payflux.hooks.billing import billing_hooks
from payflux.hooks.routes import hooks
from payflux.web.errors import add_error_handlers
from payflux.web.isolation import checking_isolation
from payflux.web.languages import Languages
from payflux.web.pages import (
    activation,
    alert_channels,
    alert_settings,
    alert_times,
    alerts,
    api_keys,
    audit,
    benchmarks,
    billing,
    confirming,
    connecting,
    connection,
    dashboard,
    entry,
    evidence,
    evidence_imports,
    evidence_reports,
    explanation,
    former,
    health,
    history,
    invites,
    landing,
    language,
    ledger,
    legal,
    mail_preferences,
    metrics,
    passwords,
    pricing,
    profile,
    projection_settings,
    projections,
    providers,
    readiness,
    retention,
    sales,
    scan,
    second_step,
    security,
    sessions,
    settings,
    site_files,
    sources,
    sso,
    sso_saml,
    sso_settings,
    styleguide,
    team,
    upgrade,
    verification,
    welcome,
    whatif,
    workspaces,
)
from payflux.web.pages.imports import uploads
from payflux.web.policies import require_policies
from payflux.web.rendering import build_templates
from payflux.web.security import Envelope, require_csrf
from payflux.web.static_files import STATIC, static_files
from payflux.world.bootstrap import World

LARGEST_BODY = 64 * 1024  # bytes; the largest form is a registration


def create_app(world: World) -> FastAPI:
    """The web application on `world`; it refuses to start on database roles with too much power.

    Raises UndeclaredPolicy when a route does not say who may call it.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        await world.database.check()
        async with checking_isolation(app, world):
            yield
        await world.close()

    app = FastAPI(
        title="PayFlux",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.world = world
    app.state.isolation = None
    app.state.templates = build_templates()
    # before the pages: whoever asks for a file or for the API need not be compared with each of them
    app.mount(STATIC, static_files(keep=world.settings.environment == "production"), name="static")
    app.mount(f"{API_PATH}/webhooks", billing_hooks)
    app.mount(API_PATH, create_api(world))
    app.mount("/hooks", hooks)
    app.mount("/uploads", uploads)
    app.routes.extend(_pages())
    lead_to_sign_in(app)
    require_policies(app)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST_BODY)
    add_error_handlers(app)
    app.add_middleware(Languages, settings=world.settings)
    app.add_middleware(Envelope, settings=world.settings, metrics=world.metrics)
    return app


@cache
def _pages() -> list[BaseRoute]:
    """The pages and the console, the same in every application: to find out what their functions ask for takes
    FastAPI a quarter of a second, and it keeps that with the routes."""
    router = APIRouter(dependencies=[Depends(require_csrf)])
    for page in (
        health,
        metrics,
        ledger,
        landing,
        entry,
        pricing,
        sales,
        legal,
        site_files,
        styleguide,
        upgrade,
        billing,
        history,
        sessions,
        verification,
        passwords,
        second_step,
        confirming,
        security,
        providers,
        sso,
        sso_saml,
        sso_settings,
        invites,
        team,
        profile,
        language,
        welcome,
        connecting,
        activation,
        dashboard,
        settings,
        readiness,
        projection_settings,
        retention,
        projections,
        benchmarks,
        connection,
        sources,
        whatif,
        scan,
        explanation,
        alerts,
        alert_settings,
        alert_channels,
        alert_times,
        mail_preferences,
        evidence,
        evidence_reports,
        evidence_imports,
        api_keys,
        workspaces,
        developers,
        audit,
    ):
        router.include_router(page.router)
    router.include_router(console)
    return [*router.routes, *former.router.routes, *sso_saml.answers.routes, *mail_preferences.one_click.routes]

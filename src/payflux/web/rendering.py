"""Turns a template and its context into a page."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.messages import LANGUAGES, gettext, language, ngettext, sentence_start
from payflux.kit.phrases import spoken_words
from payflux.web import billing_words, outlook
from payflux.web.browsers import resend_wait
from payflux.web.formatting import FILTERS
from payflux.web.passkeys import passkeys_here
from payflux.web.places import grouped_places, places_of_account
from payflux.web.security import csrf_token
from payflux.web.static_files import VersionedAddresses
from payflux.world.bootstrap import World
from payflux.world.oidc import sign_in_providers


@cache
def build_templates() -> Environment:
    """The template environment, one for the process, so that each page is compiled once. A name that a page uses and
    nobody gives is an error, not an empty place."""
    environment = Environment(
        loader=PackageLoader("payflux", "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", VersionedAddresses],
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # ty: ignore[missing-attribute] -- i18n's
    in_every_template: dict[str, Any] = {"language": language, "languages": LANGUAGES}
    environment.globals.update(in_every_template)
    environment.filters |= {"translate": gettext, "spoken": spoken_words, "sentence_start": sentence_start}
    environment.filters |= FILTERS | outlook.FILTERS | billing_words.FILTERS
    return environment


def render(request: Request, template: str, status: int = 200, /, **context: object) -> HTMLResponse:
    """The page `template` for this request, with what every page knows: who is asking, the CSRF token, the sandbox, the
    providers that people may sign in by, whether passkeys work under this page's address, the account that welcomes
    somebody who has just joined it, the workspaces to switch to, whether this one is paused, whether everybody may
    register (where the route asked), who runs PayFlux, under which address, and how long the banner about an unproven
    address waits."""
    world: World = request.app.state.world
    environment: Environment = request.app.state.templates
    who: SignedIn | None = getattr(request.state, "who", None)
    everywhere: dict[str, object] = {
        "csrf_token": csrf_token(request, world.tokens),
        "sandbox": world.settings.uses_sandbox,
        "providers": list(sign_in_providers(world.settings)),
        "passkeys_here": passkeys_here(request),
        "user": who,
        "welcome": who.account_name if who and request.query_params.get("welcome") == "teammate" else None,
        "places": grouped_places(who),
        "several_workspaces": who is not None and len(places_of_account(who)) > 1,
        "paused": getattr(request.state, "paused", False),
        "status": int(status),
        "page": _page_of(request),
        "resend_wait": resend_wait(request, world) if who and not who.email_verified else 0,
        "self_serve": getattr(request.state, "self_serve", False),
        "company": world.settings.company_name,
        "site_url": world.settings.url,
    }
    return HTMLResponse(environment.get_template(template).render(everywhere | context), status_code=status)


def _page_of(request: Request) -> str:
    """Where a form that changes how pages look leads back to: this page without its query, which may hold what no page
    repeats; the start after a form."""
    return request.scope["path"] if request.method == "GET" else "/start"


def see_other(path: str) -> RedirectResponse:
    """Go on with a GET of `path`."""
    return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER)

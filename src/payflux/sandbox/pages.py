"""The sandbox's own pages: plain HTML, no script."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

_PAGES = Environment(
    loader=PackageLoader("payflux.sandbox"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# form-action stays open to loopback: the answer to the form is a redirect to the application that asked.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self' http://127.0.0.1:* http://localhost:* https://127.0.0.1:* https://localhost:*"
)


def render_page(template: str, status: int = 200, *, policy: str = POLICY, **context: object) -> HTMLResponse:
    """A page from `templates/`, with a policy that by default lets it load nothing."""
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(_PAGES.get_template(template).render(**context), status, headers)

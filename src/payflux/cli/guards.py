"""`payflux admin guards`: who gets through to which route."""

from __future__ import annotations

import sys

from payflux.app import create_app
from payflux.cli.configured import configured
from payflux.web.guard_matrix import as_table
from payflux.web.policies import guarded_routes
from payflux.world.bootstrap import build_world

_NO_DATABASE = "postgresql://nobody@localhost/nothing"


def guards() -> None:
    """Print who gets through to which route, as Markdown. Needs no database."""
    with configured("admin") as settings:
        app = create_app(build_world(settings, database_url=_NO_DATABASE))
        sys.stdout.write(as_table(guarded_routes(app)))

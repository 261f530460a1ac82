"""Contexts for the pages of an account's workspaces, and for what a page shows of them all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from payflux.frontdoor.accounts.family import FurtherWorkspace, Place
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.monitor.risk.surface import Band
from payflux.web.charts import Exposed, exposure_chart
from payflux.web.places import PlacesOfAccount
from payflux.web.rollup import HORIZONS, State, Trapped, WorkspaceLine, sums_of
from tests.unit.web.team_samples import ACCOUNT_ID, ALICE, MEMBERS

NOW = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
NORTH, SOUTH, OTHER = (UUID(int=number) for number in (31, 32, 33))
FIRST = Place(ACCOUNT_ID, ALICE.account_name, Role.OWNER)
PLACES = [
    PlacesOfAccount(
        ALICE.account_name,
        [
            FIRST,
            *(
                Place(each, name, Role.OWNER, ACCOUNT_ID, ALICE.account_name)
                for each, name in ((NORTH, "North"), (SOUTH, "South and everything beyond it"))
            ),
        ],
    ),
    PlacesOfAccount("Another Company", [Place(OTHER, "Another Company", Role.VIEWER)]),
]
IN_NORTH = SimpleNamespace(
    **vars(ALICE)
    | {
        "account_id": NORTH,
        "account_name": "North",
        "parent_id": ACCOUNT_ID,
        "parent_name": ALICE.account_name,
        "places": tuple(place for account in PLACES for place in account.places),
    }
)


def line(place: UUID, name: str, state: State, *trapped: Trapped, tier: int | None = 2) -> WorkspaceLine:
    """A workspace with figures, where it has any."""
    return WorkspaceLine(
        id=place,
        name=name,
        role=Role.OWNER,
        is_first=place == ACCOUNT_ID,
        state=state,
        risk_tier=tier,
        risk_band=Band.MODERATE if tier else None,
        stability_score=81 if tier else None,
        trapped=trapped,
        open_alerts=2 if tier else 0,
        data_as_of=NOW - timedelta(hours=2) if tier else None,
    )


def trapped(currency: str, amount: int) -> Trapped:
    """So much at the first horizon, and that much more at each later one."""
    return Trapped(currency, tuple((each * amount, each * amount // 2, each * amount * 2) for each in (1, 2, 3)))


LINES = [
    line(ACCOUNT_ID, ALICE.account_name, State.LIVE, trapped("usd", 412_000), trapped("eur", 90_000)),
    line(NORTH, "North", State.LIVE, trapped("usd", 1_180_000)),
    line(SOUTH, "South and everything beyond it", State.NOT_CONNECTED, tier=None),
]


def workspace_pages(signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The roll-up with and without further workspaces, a new one, one that is managed, and where one is paused."""
    owner = signed_in | {"user": ALICE, "who": ALICE, "places": PLACES, "several_workspaces": True}
    sums = sums_of(LINES)
    exposed = [
        [
            Exposed(each.name, one.at[-1][0])
            for each in LINES
            for one in each.trapped
            if one.currency == total.trapped.currency
        ]
        for total in sums
    ]
    charts = [
        [exposure_chart(of, total.trapped.currency, HORIZONS[-1], width) for width in (720, 360)]
        for of, total in zip(exposed, sums, strict=True)
    ]
    rollup = owner | {
        "lines": LINES,
        "sums": sums,
        "charts": charts,
        "horizons": HORIZONS,
        "may_manage": True,
        "account_name": ALICE.account_name,
    }
    managed = owner | {
        "further": FurtherWorkspace(NORTH, "North"),
        "members": MEMBERS[:2],
        "others": MEMBERS[2:],
        "is_here": True,
        "roles": [Role.ADMIN, Role.ANALYST, Role.VIEWER],
        "may_choose_role": True,
        "name": "North",
        "errors": {},
    }
    there = owner | {"user": IN_NORTH, "who": IN_NORTH}
    of_account = {"what_happened": "This is settled for the account.", "what_to_do": "Switch to it.", "status": 409}
    return {
        "workspaces": ("workspaces/list.html", rollup),
        "workspaces-one": (
            "workspaces/list.html",
            rollup | {"lines": LINES[:1], "sums": sums_of(LINES[:1]), "charts": charts, "places": []},
        ),
        "workspaces-elsewhere": ("workspaces/list.html", rollup | {"user": IN_NORTH, "may_manage": False}),
        "workspace-new": ("workspaces/new.html", owner | {"name": "", "errors": {}}),
        "workspace-refused": ("workspaces/new.html", owner | {"name": "", "errors": {"name": "Enter a name."}}),
        "workspace": ("workspaces/manage.html", managed),
        "workspace-on-pro": ("workspaces/manage.html", managed | {"may_choose_role": False}),
        "workspace-full": ("workspaces/manage.html", managed | {"others": [], "is_here": False}),
        "workspace-paused": ("workspaces/paused.html", there | {"paused": True, "live": True}),
        "workspace-walled": ("workspaces/paused.html", there),
        "of-account": ("of_account.html", there | of_account),
        "of-account-alone": (
            "of_account.html",
            there | of_account | {"user": SimpleNamespace(**vars(IN_NORTH) | {"places": ()})},
        ),
        "workspace-delete": (
            "account_delete.html",
            there | {"members": MEMBERS, "blockers": [], "errors": {}},
        ),
        "workspace-team": (
            "workspaces/manage.html",
            managed | {"errors": {"name": "Enter a name."}, "name": ""},
        ),
    }

"""Where each page leads in each mode, walked whole; and what keeps a workspace from going live, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.activation.models import Workspace
from payflux.activation.obstacles import LONGEST_PAUSE, Obstacle, look_again_after, obstacle_of, requirement_label
from payflux.activation.problems import ARMING_FAILED, INTERNAL
from payflux.activation.routing import ELSEWHERE, HOME, Mode, Page, elsewhere, home, mode_of
from payflux.activation.states import ActivationState
from payflux.monitor.processors.snapshots import AccountSnapshot
from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROBLEM = dict.fromkeys(("code", "title", "what_happened", "what_is_safe", "what_to_do"), "x")


def workspace(state: ActivationState, *, projected: bool = False, problem: bool = False, minutes: int = 0) -> Workspace:
    connected = state != ActivationState.PAID_UNCONNECTED
    return Workspace(
        account_id=UUID(int=1),
        id=UUID(int=2),
        activation_state=state,
        connected_at=NOW - timedelta(minutes=minutes) if connected else None,
        first_projection_at=NOW if projected else None,
        problem=PROBLEM if problem else None,
    )


GENERATING, READY = ActivationState.CONNECTED_GENERATING, ActivationState.BASELINE_READY
MODES = [
    (workspace(ActivationState.PAID_UNCONNECTED), Mode.UNCONNECTED),
    (workspace(ActivationState.PAID_UNCONNECTED, problem=True), Mode.UNCONNECTED),
    (workspace(GENERATING), Mode.GENERATING),
    (workspace(GENERATING, minutes=3), Mode.GENERATING),
    (workspace(GENERATING, minutes=4), Mode.DELAYED),
    (workspace(GENERATING, problem=True), Mode.DELAYED),
    (workspace(READY), Mode.GENERATING),
    (workspace(READY, problem=True), Mode.DELAYED),
    (workspace(READY, projected=True), Mode.FINISHING),
    (workspace(READY, projected=True, problem=True), Mode.PARTLY_LIVE),
    (workspace(ActivationState.LIVE_MONITORED, projected=True), Mode.LIVE),
    (workspace(ActivationState.FULLY_CONFIGURED, projected=True), Mode.ADVANCED),
]


@pytest.mark.parametrize(("stored", "mode"), MODES)
def test_every_state_is_in_one_mode(stored: Workspace, mode: Mode) -> None:
    assert mode_of(stored, NOW) == mode
    assert home(stored, NOW) == HOME[mode]


@pytest.mark.parametrize(("mode", "page"), list(product(Mode, Page)))
def test_every_page_leads_in_one_step_to_one_that_stays(mode: Mode, page: Page) -> None:
    to = ELSEWHERE[mode].get(page, page)
    assert to not in ELSEWHERE[mode]
    assert HOME[mode] not in ELSEWHERE[mode]


@pytest.mark.parametrize("mode", Mode)
def test_what_is_connected_and_the_settings_are_open_in_every_mode(mode: Mode) -> None:
    assert not {Page.CONNECTORS, Page.SETTINGS} & ELSEWHERE[mode].keys()


@pytest.mark.parametrize(("stored", "mode"), MODES)
def test_the_dashboard_shows_figures_only_where_there_are_some_or_says_what_there_is(
    stored: Workspace, mode: Mode
) -> None:
    stays = elsewhere(Page.DASHBOARD, stored, NOW) is None
    assert stays == (mode in (Mode.DELAYED, Mode.PARTLY_LIVE, Mode.LIVE, Mode.ADVANCED))


def account(
    *, charges_enabled: bool = True, past_due: tuple[str, ...] = (), currently_due: tuple[str, ...] = ()
) -> AccountSnapshot:
    return AccountSnapshot(
        external_id="acct_1",
        taken_at=NOW,
        charges_enabled=charges_enabled,
        disabled_reason="" if charges_enabled else "requirements.past_due",
        past_due=past_due,
        currently_due=currently_due,
    )


@pytest.mark.parametrize(
    ("snapshot", "payments", "code"),
    [
        (account(), MINIMUM_PAYMENTS, None),
        (account(), MINIMUM_PAYMENTS - 1, Obstacle.TOO_LITTLE),
        (account(), 0, Obstacle.TOO_LITTLE),
        (None, 1, Obstacle.TOO_LITTLE),
        (account(charges_enabled=False), 3, Obstacle.NOT_READY),
        (account(charges_enabled=False), MINIMUM_PAYMENTS, None),
    ],
)
def test_an_account_waits_where_it_is_not_ready_or_has_too_few_payments(
    snapshot: AccountSnapshot | None, payments: int, code: str | None
) -> None:
    problem = obstacle_of(snapshot, payments)
    assert (problem and problem["code"]) == code
    if problem:
        assert all(problem[key] for key in ("title", "what_happened", "what_is_safe", "what_to_do"))


def test_an_account_that_is_not_ready_is_told_which_requirement_and_where() -> None:
    problem = obstacle_of(
        account(
            charges_enabled=False,
            past_due=("individual.verification.document",),
            currently_due=("individual.verification.document", "person_1Abc.dob.day"),
        ),
        0,
    )
    assert problem is not None
    assert problem["what_happened"].endswith("asks for: individual verification document, a person dob day.")
    assert problem["link"].startswith("https://dashboard.stripe.com/")
    assert requirement_label("external_account") == "external account"


@given(st.integers(0, 10_000))
def test_what_fails_is_tried_again_later_each_time_but_at_least_once_an_hour(failures: int) -> None:
    for code in (INTERNAL, ARMING_FAILED, "ProcessorUnavailable"):
        pause, next_pause = look_again_after(code, failures), look_again_after(code, failures + 1)
        assert pause is not None
        assert next_pause is not None
        assert timedelta(0) < pause <= next_pause <= LONGEST_PAUSE


def test_what_only_a_person_can_mend_is_not_tried_again_by_itself() -> None:
    assert [look_again_after(code, 1) for code in ("KeyRefused", "Disconnected", "CodeRefused")] == [None] * 3
    assert look_again_after("PermissionMissing", 1) is not None

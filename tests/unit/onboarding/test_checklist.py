"""Which setup steps there are, what ticks them, and which one is next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.billing.rules import Standing
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.onboarding.checklist import PICK_PLAN, VERIFY_EMAIL, Facts, checklist, up_next

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def trial(left: timedelta) -> Standing:
    return Standing("pro", None, "trialing", NOW - 14 * DAY + left, NOW + left)


NEW = Facts(False, False, False, frozenset(), False, trial(13 * DAY))
ACTIVE = Standing("pro", None, "active", NOW - DAY, NOW + 29 * DAY, stripe_status="active")
COMPLIMENTARY = Standing("pro", None, "complimentary", NOW - DAY, None)
STANDINGS = st.none() | st.sampled_from([ACTIVE, COMPLIMENTARY]) | st.timedeltas(-DAY, 14 * DAY).map(trial)
MILESTONES = ["processor_connected", "first_projection"]
FACTS = st.builds(
    Facts,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.frozensets(st.sampled_from(MILESTONES)),
    st.booleans(),
    STANDINGS,
)


def next_of(facts: Facts) -> str | None:
    found = up_next(checklist(facts, NOW))
    return found.key if found else None


def done_of(facts: Facts) -> set[str]:
    return {item.key for item in checklist(facts, NOW) if item.done}


def test_a_new_owner_has_six_steps_none_of_them_done() -> None:
    items = checklist(NEW, NOW)
    assert [item.key for item in items] == list(read_catalogue().checklist)
    assert len(items) == 6
    assert done_of(NEW) == set()


def test_each_step_is_ticked_by_its_own_event_alone() -> None:
    for changed, key in (
        (replace(NEW, verified=True), "verify_email"),
        (replace(NEW, business_set_up=True), "set_up_business"),
        (replace(NEW, milestones=frozenset({"first_projection"})), "first_projection"),
        (replace(NEW, milestones=frozenset({"processor_connected"})), "connect_processor"),
        (replace(NEW, invited=True), "invite_teammate"),
        (replace(NEW, standing=ACTIVE), "pick_plan"),
    ):
        assert done_of(changed) == {key}


def test_what_does_not_apply_is_not_there() -> None:
    attested = checklist(replace(NEW, verified=True, verified_at_signup=True), NOW)
    assert VERIFY_EMAIL not in [item.key for item in attested]
    assert PICK_PLAN not in [item.key for item in checklist(replace(NEW, standing=COMPLIMENTARY), NOW)]


def test_one_step_after_the_other_is_next_and_a_plan_only_when_it_is_urgent() -> None:
    facts = NEW
    assert next_of(facts) == "set_up_business"
    facts = replace(facts, business_set_up=True)
    assert next_of(facts) == "first_projection"
    facts = replace(facts, milestones=frozenset(MILESTONES))
    assert next_of(facts) == "invite_teammate"
    facts = replace(facts, invited=True)
    assert next_of(facts) is None
    assert next_of(replace(facts, standing=trial(3 * DAY + timedelta(seconds=1)))) is None
    assert next_of(replace(facts, standing=trial(3 * DAY))) == "pick_plan"
    assert next_of(replace(NEW, standing=trial(3 * DAY))) == "pick_plan"


@given(FACTS)
def test_nothing_is_asked_for_that_is_done_or_does_not_apply(facts: Facts) -> None:
    items = checklist(facts, NOW)
    found = up_next(items)
    assert found is None or (found in items and not found.done and found.key != VERIFY_EMAIL)
    assert not any(item.urgent for item in items if item.done or item.key != PICK_PLAN)

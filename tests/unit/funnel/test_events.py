"""What a product event may hold, and when one is the same as another."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import get_args, get_type_hints
from uuid import UUID

import pytest

from payflux.frontdoor.funnel import events
from payflux.frontdoor.funnel.events import (
    EVENTS,
    CatalogueKey,
    FeatureGateBlocked,
    PlanPickerViewed,
    Repeats,
    TrialStarted,
)
from payflux.frontdoor.funnel.rules import dedupe_key, visitor_key
from payflux.kit.crypto import TokenHasher

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ALICE, BOB = UUID(int=1), UUID(int=2)

ASKED_FOR = {
    "pricing_page_viewed",
    "register_started",
    "register_completed",
    "email_verification_sent",
    "email_verification_completed",
    "welcome_wizard_step_completed",
    "welcome_wizard_skipped",
    "welcome_wizard_completed",
    "teammate_invited",
    "teammate_accepted_invite",
    "trial_modal_shown",
    "trial_modal_dismissed",
    "trial_ended_wall_shown",
    "plan_picker_viewed",
    "checkout_session_created",
    "checkout_completed",
    "checkout_abandoned",
    "feature_gate_blocked",
    "talk_to_sales_form_submitted",
    "complimentary_account_first_view",
    "processor_connected",
    "first_projection_seen",
}


def test_every_event_of_the_taxonomy_has_a_type() -> None:
    assert set(EVENTS) >= ASKED_FOR
    for name, kind in EVENTS.items():
        assert re.sub(r"(?<!^)([A-Z])", r"_\1", kind.__name__).lower() == name
        assert kind.__doc__, name


def test_a_property_is_a_word_of_a_list_a_number_or_a_key_and_never_a_free_text() -> None:
    for kind in EVENTS.values():
        hints = get_type_hints(kind, vars(events))
        for field in fields(kind):
            for part in get_args(hints[field.name]) or (hints[field.name],):
                plain = part in (int, bool, CatalogueKey, NoneType)
                assert plain or issubclass(part, StrEnum), f"{kind.__name__}.{field.name} is {part}"


@pytest.mark.parametrize("value", ["alice@example.com", "Alice Miller", "sk_live_4eC39HqLyjWDarjtT1", "10.0.0.1", ""])
def test_a_key_that_is_an_address_a_name_or_a_token_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"trial_started\.plan must be a key"):
        TrialStarted(plan=CatalogueKey(value))


def test_an_event_that_is_kept_once_a_day_is_kept_again_tomorrow_for_another_user_and_for_other_properties() -> None:
    def blocked(feature: str, *, user: UUID = ALICE, at: datetime = NOON) -> str | None:
        event = FeatureGateBlocked(feature_key=CatalogueKey(feature), current_plan=CatalogueKey("starter"))
        return dedupe_key(event, user_id=user, visitor=None, at=at)

    assert blocked("sso") == blocked("sso", at=NOON + timedelta(hours=3))
    others = [blocked("audit_log"), blocked("sso", user=BOB), blocked("sso", at=NOON + timedelta(days=1))]
    assert len({blocked("sso"), *others}) == 4


def test_a_visitor_is_the_same_for_a_day_and_another_one_after_it_or_with_another_key() -> None:
    def visitor(at: datetime = NOON, secret: str = "one") -> str:
        return visitor_key(TokenHasher(secret), address="203.0.113.7", user_agent="Firefox", at=at)

    assert visitor() == visitor(NOON + timedelta(hours=11))
    assert len({visitor(), visitor(NOON + timedelta(days=1)), visitor(secret="two")}) == 3
    viewed = PlanPickerViewed()
    key = dedupe_key(viewed, user_id=None, visitor=visitor(), at=NOON)
    assert key is not None
    assert len(key) < 300
    assert "203.0.113.7" not in key


def test_the_documentation_lists_every_event_with_its_properties_and_how_often_it_is_kept() -> None:
    kept = {Repeats.ALWAYS: "always", Repeats.DAILY: "daily", Repeats.NEVER: "once"}
    table = re.findall(r"^\| `(\w+)` \|.*\|(.*)\| (\w+) \|$", Path("docs/product-events.md").read_text(), re.MULTILINE)
    assert {name: (re.findall(r"`(\w+)`", properties), word) for name, properties, word in table} == {
        name: ([field.name for field in fields(kind)], kept[kind.REPEATS]) for name, kind in EVENTS.items()
    }

"""What a version of a plan says, how two differ, and what the catalogue file may hold."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.billing.rules import TRIAL_PLAN
from payflux.frontdoor.catalogue.content import (
    LEAST_CENTS,
    MOST,
    MOST_CENTS,
    Difference,
    PlanContent,
    as_json,
    compare,
    content_problems,
    entry_content,
    from_json,
)
from payflux.frontdoor.catalogue.file import Catalogue, read_catalogue
from payflux.frontdoor.catalogue.queries import LIMITS

CATALOGUE = read_catalogue()
PRICES = st.none() | st.integers(LEAST_CENTS, MOST_CENTS)
CONTENTS = st.builds(
    PlanContent,
    display_name=st.text("abc é", min_size=1).filter(str.strip),
    description=st.none() | st.text("abc ", max_size=20),
    monthly_price_cents=PRICES,
    annual_price_cents=PRICES,
    is_public=st.booleans(),
    is_archived=st.booleans(),
    sort_order=st.integers(0, 9),
    features=st.frozensets(st.sampled_from(sorted(CATALOGUE.features))),
    limits=st.fixed_dictionaries(dict.fromkeys(LIMITS, st.none() | st.integers(1, MOST))),
)


@given(CONTENTS)
def test_a_content_is_stored_as_the_same_json_every_time_and_read_back_whole(content: PlanContent) -> None:
    stored = json.dumps(as_json(content))
    assert stored == json.dumps(as_json(from_json(json.loads(stored))))
    assert from_json(json.loads(stored)) == content
    assert content_problems(content, CATALOGUE.features) == {}


@given(CONTENTS, CONTENTS)
def test_two_contents_differ_in_exactly_the_fields_that_are_not_equal(before: PlanContent, after: PlanContent) -> None:
    differences = compare(before, after)
    assert (differences == []) == (before == after)
    back = {each.field: (each.after, each.before) for each in compare(after, before)}
    assert {each.field: (each.before, each.after) for each in differences} == back


def test_differences_name_the_field_and_both_values() -> None:
    pro = entry_content(CATALOGUE, "pro")
    edited = msgspec.structs.replace(
        pro,
        monthly_price_cents=59_900,
        features=(pro.features | {"sso"}) - {"benchmarks"},
        limits=pro.limits | {"seats": None},
    )
    assert {each.field: (each.before, each.after) for each in compare(pro, edited)} == {
        "monthly_price_cents": (49_900, 59_900),
        "features.sso": (None, True),
        "features.benchmarks": (True, None),
        "limits.seats": (10, None),
    }
    assert Difference("display_name", None, "Pro") in compare(None, pro)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", " "),
        ("display_name", "x" * 256),
        ("monthly_price_cents", 49),
        ("annual_price_cents", -1),
        ("monthly_price_cents", MOST_CENTS + 1),
        ("sort_order", 2**31),
        ("features", frozenset({"teleport"})),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    wrong = msgspec.structs.replace(entry_content(CATALOGUE, "pro"), **{field: value})
    assert list(content_problems(wrong, CATALOGUE.features)) == [field]


@pytest.mark.parametrize(("limit", "value"), [("seats", 0), ("scans_per_month", -1), ("processors", 2**31)])
def test_a_wrong_limit_is_named(limit: str, value: int) -> None:
    pro = entry_content(CATALOGUE, "pro")
    wrong = msgspec.structs.replace(pro, limits=pro.limits | {limit: value})
    assert list(content_problems(wrong, CATALOGUE.features)) == [f"limits.{limit}"]


def test_the_file_has_words_for_every_limit_there_is_and_holds_only_contents_that_may_be_published() -> None:
    assert tuple(CATALOGUE.limits) == LIMITS
    assert CATALOGUE.trial_plan == TRIAL_PLAN
    for plan in CATALOGUE.plans:
        assert content_problems(entry_content(CATALOGUE, plan), CATALOGUE.features) == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"recommended_plan": "gold"},
        {"trial_plan": "gold"},
        {"plans": {"pro": {"features": ["teleport"]}}},
        {"plans": {"pro": {"limits": {"wishes": 3}}}},
        {"plans": {"pro": {"price": 3}}},
        {"surprise": True},
    ],
)
def test_a_file_that_names_what_it_does_not_have_is_refused(broken: dict) -> None:
    stored = msgspec.to_builtins(CATALOGUE)
    pro = stored["plans"]["pro"] | broken.pop("plans", {}).get("pro", {})
    stored |= {"plans": stored["plans"] | {"pro": pro}, **broken}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(stored, Catalogue)

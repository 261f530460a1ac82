"""What several workspaces come to, and which of them can be switched to: worked out without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.accounts.family import Place
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.monitor.risk.surface import Band
from payflux.web.places import grouped_places, places_of_account
from payflux.web.rollup import State, Trapped, WorkspaceLine, sums_of

ACCOUNT, NORTH, OTHER = (UUID(int=number) for number in (1, 2, 3))
amounts = st.integers(0, 10**12)
exposures = st.builds(
    Trapped,
    st.sampled_from(["usd", "eur", "jpy"]),
    st.tuples(*[st.tuples(amounts, amounts, amounts)] * 3),
)


def line(*trapped: Trapped) -> WorkspaceLine:
    return WorkspaceLine(ACCOUNT, "Shop", "owner", True, State.LIVE, 1, Band.LOW, 90, trapped, 0, None)


@given(st.lists(st.lists(exposures, max_size=3, unique_by=lambda each: each.currency), max_size=5))
def test_each_currency_is_summed_by_itself_and_nothing_is_lost_or_converted(workspaces: list[list[Trapped]]) -> None:
    sums = sums_of([line(*each) for each in workspaces])
    flat = [each for trapped in workspaces for each in trapped]
    assert [each.trapped.currency for each in sums] == sorted({each.currency for each in flat})
    for each in sums:
        parts = [part for part in flat if part.currency == each.trapped.currency]
        assert each.workspaces == len(parts)
        for horizon in range(3):
            for figure in range(3):
                assert each.trapped.at[horizon][figure] == sum(part.at[horizon][figure] for part in parts)


def signed_in(*places: Place, sso: UUID | None = None, here: Place | None = None) -> SignedIn:
    place, now = here or places[0], datetime(2026, 11, 21, tzinfo=UTC)
    return SignedIn(
        user_id=UUID(int=9),
        account_id=place.account_id,
        session_id=UUID(int=10),
        role=place.role,
        name="Alice",
        email="alice@example.com",
        email_verified=True,
        user_created_at=now,
        account_name=place.name,
        authenticated_at=now,
        factors=frozenset({"password"}),
        sso_account_id=sso,
        parent_id=place.parent_id,
        places=places,
    )


def test_places_are_listed_by_account_with_its_first_workspace_first_and_only_where_there_is_another() -> None:
    first, north = Place(ACCOUNT, "Shop", "viewer"), Place(NORTH, "North", "owner", ACCOUNT, "Shop")
    other = Place(OTHER, "Other", "admin")
    assert grouped_places(None) == grouped_places(signed_in(first)) == []
    listed = grouped_places(signed_in(north, other, first))
    assert [(each.name, each.places) for each in listed] == [("Other", [other]), ("Shop", [first, north])]
    assert places_of_account(signed_in(north, other, first)) == [first, north]
    # who is in a further workspace alone is told whose it is
    assert [each.name for each in grouped_places(signed_in(north, other))] == ["Other", "Shop"]
    # a session of an identity provider opens its account and what belongs to it
    assert [each.name for each in grouped_places(signed_in(first, north, other, sso=ACCOUNT))] == ["Shop"]
    assert grouped_places(signed_in(first, north, other, sso=OTHER, here=other)) == []

"""What a refresh token does to its chain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from payflux.frontdoor.accounts.access_tokens import is_genuine, parse_refresh_token, write_refresh_token
from payflux.frontdoor.accounts.api_sessions import REPLAY_TIME, what_a_token_does
from payflux.settings import Settings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SETTINGS = Settings(secret_key=SecretStr("a secret for tests alone, 32 characters or more"))


@given(held=st.integers(0, 1000), age=st.timedeltas(timedelta(0), timedelta(days=30)), behind=st.integers(-3, 1000))
def test_only_the_newest_moves_the_chain_on_and_only_the_one_before_is_forgiven_for_a_while(
    held: int, age: timedelta, behind: int
) -> None:
    given_token = held - behind
    done = what_a_token_does(given_token, held, NOW - age, NOW)
    if behind == 0:
        assert done == "advance"
    elif behind == 1 and age <= REPLAY_TIME:
        assert done == "replay"
    else:
        assert done == "reuse"


@given(st.uuids(), st.integers(0, 999_999_999), st.binary(min_size=32, max_size=32))
def test_a_refresh_token_is_known_again_and_no_part_of_it_can_be_exchanged(
    session_id: UUID, generation: int, bound_to: bytes
) -> None:
    written = write_refresh_token(SETTINGS, session_id=session_id, generation=generation, bound_to=bound_to)
    token = parse_refresh_token(written)
    assert token is not None
    assert (token.session_id, token.generation) == (session_id, generation)
    assert is_genuine(SETTINGS, token, bound_to=bound_to)
    assert not is_genuine(SETTINGS, token, bound_to=bound_to[:-1] + bytes([bound_to[-1] ^ 1]))
    other = Settings(secret_key=SecretStr("another secret, 32 characters or more of it"))
    assert not is_genuine(other, token, bound_to=bound_to)
    rotated = other.model_copy(update={"previous_secret_key": SETTINGS.secret_key})
    assert is_genuine(rotated, token, bound_to=bound_to)


@given(st.text(max_size=120))
def test_what_is_no_refresh_token_is_none(text: str) -> None:
    assert parse_refresh_token(text) is None

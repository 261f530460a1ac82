"""Codes of an authenticator app, and the codes that stand in for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pyotp
import pytest

from payflux.frontdoor.accounts.factors import rules
from payflux.frontdoor.accounts.factors.queries import sign_in_methods
from payflux.frontdoor.accounts.factors.recovery import recovery_codes_left, replace_recovery_codes
from payflux.frontdoor.accounts.factors.second_step import (
    begin_second_step,
    delete_ended_steps,
    half_signed_in,
    needs_second_step,
    prove_by_code,
    use_code,
)
from payflux.frontdoor.accounts.factors.totp import begin_totp, confirm_totp, remove_totp, unconfirmed_secret
from payflux.kit.errors import Conflict, TooManyRequests
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.factors.conftest import new_user, set_up_totp

STEP = timedelta(seconds=30)


async def code_of(world: World, user_id: UUID, code: str, address: str = "203.0.113.7") -> str:
    async with world.database.system() as session:
        now = world.clock.now()
        return await use_code(
            session, world.tokens, world.secrets, user_id=user_id, code=code, address=address, now=now
        )


async def begun(world: World, user_id: UUID) -> str:
    async with world.database.system() as session:
        now = world.clock.now()
        return await begin_second_step(session, world.tokens, user_id=user_id, factors=frozenset({"password"}), now=now)


async def proven(world: World, token: str, code: str) -> frozenset[str] | None:
    async with world.database.system() as session:
        half = await prove_by_code(
            session,
            world.tokens,
            world.secrets,
            token=token,
            code=code,
            address="203.0.113.7",
            now=world.clock.now(),
        )
    return half.factors if half else None


async def test_an_app_counts_once_a_code_of_it_was_typed(world: World, alice: UUID) -> None:
    now = world.clock.now()
    async with world.database.system() as session:
        await begin_totp(session, world.secrets, user_id=alice, now=now)
        assert not await needs_second_step(session, user_id=alice)
        secret = await unconfirmed_secret(session, world.secrets, user_id=alice, now=now)
        assert secret is not None
        assert not await confirm_totp(session, world.secrets, user_id=alice, code="000000x", now=now)
        assert await confirm_totp(session, world.secrets, user_id=alice, code=pyotp.TOTP(secret).at(now), now=now)
        assert await needs_second_step(session, user_id=alice)
        assert await unconfirmed_secret(session, world.secrets, user_id=alice, now=now) is None
        assert (await sign_in_methods(session, user_id=alice)).totp
        with pytest.raises(Conflict):
            await begin_totp(session, world.secrets, user_id=alice, now=now)


async def test_a_set_up_that_was_left_open_ends_after_an_hour(world: World, clock: MovedClock, alice: UUID) -> None:
    async with world.database.system() as session:
        await begin_totp(session, world.secrets, user_id=alice, now=clock.now())
        secret = await unconfirmed_secret(session, world.secrets, user_id=alice, now=clock.now())
        assert secret is not None
        clock.move(rules.TOTP_SETUP_TIME)
        assert await unconfirmed_secret(session, world.secrets, user_id=alice, now=clock.now()) is None
        code = pyotp.TOTP(secret).at(clock.now())
        assert not await confirm_totp(session, world.secrets, user_id=alice, code=code, now=clock.now())


async def test_the_secret_is_stored_encrypted_and_for_its_user_alone(
    world: World, alice: UUID, stored: asyncpg.Connection
) -> None:
    app, _ = await set_up_totp(world, alice)
    kept = await stored.fetchval("SELECT secret FROM totp_factors")
    assert app.secret.encode() not in kept
    charlie = (await new_user(world, "Charlie")).id
    await stored.execute(
        "INSERT INTO totp_factors SELECT $1, secret, created_at, confirmed_at FROM totp_factors", charlie
    )
    with pytest.raises(Exception, match="cannot be decrypted"):
        await code_of(world, charlie, app.at(world.clock.now() + STEP))


async def test_a_code_works_once(world: World, clock: MovedClock, alice: UUID) -> None:
    app, _ = await set_up_totp(world, alice)
    clock.move(STEP)
    code = app.at(clock.now())
    assert await code_of(world, alice, code) == "totp"
    assert await code_of(world, alice, code) == ""
    assert await code_of(world, alice, app.at(clock.now() + STEP)) == "totp"
    assert await code_of(world, alice, app.at(clock.now() - STEP)) == ""


async def test_a_code_sent_twice_at_once_works_once(world: World, clock: MovedClock, alice: UUID) -> None:
    app, _ = await set_up_totp(world, alice)
    clock.move(STEP)
    answers = await asyncio.gather(*(code_of(world, alice, app.at(clock.now())) for _ in range(4)))
    assert sorted(answers) == ["", "", "", "totp"]


async def test_each_recovery_code_works_once_and_for_its_user_alone(world: World, alice: UUID) -> None:
    _, codes = await set_up_totp(world, alice)
    charlie = (await new_user(world, "Charlie")).id
    await set_up_totp(world, charlie)
    assert len(set(codes)) == rules.RECOVERY_CODES
    assert await code_of(world, charlie, codes[0]) == ""
    assert await code_of(world, alice, codes[0].upper().replace("-", " ")) == "recovery_code"
    assert await code_of(world, alice, codes[0]) == ""
    async with world.database.system() as session:
        assert await recovery_codes_left(session, user_id=alice) == rules.RECOVERY_CODES - 1
        await replace_recovery_codes(session, world.tokens, user_id=alice)
        assert await recovery_codes_left(session, user_id=alice) == rules.RECOVERY_CODES
    assert await code_of(world, alice, codes[1]) == ""


async def test_recovery_codes_are_stored_as_digests(world: World, alice: UUID, stored: asyncpg.Connection) -> None:
    _, codes = await set_up_totp(world, alice)
    kept = [bytes(row["code_digest"]) for row in await stored.fetch("SELECT code_digest FROM recovery_codes")]
    assert len(kept) == len(codes)
    assert not any(code.encode() in digest for code in codes for digest in kept)


async def test_recovery_codes_go_with_the_app_they_stand_in_for(world: World, alice: UUID) -> None:
    _, codes = await set_up_totp(world, alice)
    async with world.database.system() as session:
        assert await remove_totp(session, user_id=alice)
        assert not await needs_second_step(session, user_id=alice)
        assert not await remove_totp(session, user_id=alice)
    assert await code_of(world, alice, codes[0]) == ""


async def test_between_the_steps_a_token_is_good_for_ten_minutes(world: World, clock: MovedClock, alice: UUID) -> None:
    app, _ = await set_up_totp(world, alice)
    token = await begun(world, alice)
    clock.move(rules.SECOND_STEP_TIME - timedelta(seconds=1))
    assert await proven(world, token, app.at(clock.now())) == {"password", "totp"}
    assert await proven(world, token, app.at(clock.now() + STEP)) is None
    late = await begun(world, alice)
    clock.move(rules.SECOND_STEP_TIME)
    assert await proven(world, late, app.at(clock.now())) is None
    async with world.database.system() as session:
        assert await half_signed_in(session, world.tokens, token=late, now=clock.now()) is None
        await delete_ended_steps(session, now=clock.now())


async def test_after_five_wrong_codes_the_first_step_has_to_be_taken_again(
    world: World, clock: MovedClock, alice: UUID
) -> None:
    app, _ = await set_up_totp(world, alice)
    token = await begun(world, alice)
    for _ in range(rules.SECOND_STEP_ATTEMPTS):
        assert await proven(world, token, "wrong") is None
    clock.move(timedelta(minutes=2))
    assert await proven(world, token, app.at(clock.now())) is None
    assert await proven(world, await begun(world, alice), app.at(clock.now())) == {"password", "totp"}


async def test_wrong_codes_slow_down_whoever_sends_them_and_not_another_address(
    world: World, clock: MovedClock, alice: UUID
) -> None:
    app, _ = await set_up_totp(world, alice)
    clock.move(STEP)
    for _ in range(5):
        assert await code_of(world, alice, "wrong", "198.51.100.66") == ""
    with pytest.raises(TooManyRequests, match="Too many wrong codes"):
        await code_of(world, alice, app.at(clock.now()), "198.51.100.66")
    assert await code_of(world, alice, app.at(clock.now())) == "totp"


async def test_codes_guessed_from_many_addresses_are_slowed_down_together(
    world: World, clock: MovedClock, alice: UUID
) -> None:
    await set_up_totp(world, alice)
    for number in range(20):
        assert await code_of(world, alice, "wrong", f"198.51.100.{number}") == ""
    with pytest.raises(TooManyRequests):
        await code_of(world, alice, "wrong", "192.0.2.1")
    clock.move(timedelta(minutes=1))
    assert await code_of(world, alice, "wrong", "192.0.2.1") == ""

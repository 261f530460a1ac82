"""A key that somebody found where it should not be: ended at once, whoever tells of it."""

from __future__ import annotations

from payflux.frontdoor.accounts.keys.rules import environment_of
from payflux.frontdoor.accounts.keys.service import revoke_leaked
from payflux.world.bootstrap import World

_WHOSE = "SELECT id, account_id FROM api_keys WHERE digest = ANY($1)"


async def report_leak(world: World, key: str) -> None:
    """Revoke `key` and have its owner told. Who reports it learns nothing: holding it is enough to have it end, and
    text that is no key of ours changes nothing."""
    if environment_of(key) is None:
        return
    found = await world.database.ask(_WHOSE, world.tokens.digests(key))
    if found is None:
        return
    async with world.database.tenant(found["account_id"]) as session:
        await revoke_leaked(session, key_id=found["id"], account_id=found["account_id"], now=world.clock.now())

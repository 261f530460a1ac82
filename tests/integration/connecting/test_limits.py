"""At the limit of the plan no processor is connected, and nothing of what was tried is left."""

from __future__ import annotations

from sqlalchemy import text

from payflux.frontdoor.entitlements.overriding import Author, set_limit_override
from tests.integration.connecting.conftest import Shop
from tests.integration.connecting.test_pages import alice_at, connect_by_key


async def test_no_processor_is_connected_beyond_the_plan(shop: Shop) -> None:
    async with shop.world.database.system() as session:
        await set_limit_override(
            session,
            account_id=shop.account_id,
            limit_key="processors",
            value=0,
            reason="agreed with sales",
            author=Author("sam@payflux.example"),
            now=shop.world.clock.now(),
        )
    alice = await alice_at(shop.world)
    for answer in (await alice.post("/sources", {"processor": "Adyen"}), await connect_by_key(alice)):
        assert answer.status_code == 402, answer.text
    async with shop.world.database.tenant(shop.account_id) as session:
        assert (await session.execute(text("SELECT count(*) FROM processor_connections"))).scalar_one() == 0

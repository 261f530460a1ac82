"""How the database plans what the product asks of it."""

from __future__ import annotations

from payflux.kit.database import driver_connection
from payflux.kit.ids import new_id
from payflux.world.bootstrap import World

KEPT = "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements WHERE statement = $1"


async def test_no_plan_outlives_the_rows_it_was_made_for(world: World) -> None:
    asked = "SELECT $1::uuid"
    async with world.database.tenant(new_id()) as session:
        driver = await driver_connection(session)
        for _ in range(10):  # from the sixth time on, the server would keep one plan for all
            await driver.fetch(asked, new_id())
        assert tuple(await driver.fetchrow(KEPT, asked)) == (0, 10)

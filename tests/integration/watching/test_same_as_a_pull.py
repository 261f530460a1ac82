"""Whatever was stored in whatever order, a reading says of it what a fresh pull of the same would say."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from payflux.kit.ids import new_id
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.models import HistoryPull
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.projections.reading import read_workspace
from payflux.monitor.projections.service import project_workspace
from payflux.monitor.risk.service import score_workspace
from tests.integration.watching.conftest import DAY, START, Shop, account_state, dispute, sale


def happening(random: np.random.Generator, day: int) -> list[PaymentEvent]:
    """What a day brings: sales, and disputes about older ones."""
    hour = timedelta(hours=1)
    noon = START + day * DAY
    sold = [sale(20_000 + day * 100 + n, noon - n * hour) for n in range(random.integers(0, 9))]
    disputed = [dispute(int(number), noon) for number in random.choice(90, random.integers(0, 4), replace=False) * 100]
    return [*sold, *disputed]


@pytest.mark.parametrize("seed", range(4))
async def test_readings_along_the_way_and_a_pull_at_the_end_agree(shop: Shop, seed: int) -> None:
    random = np.random.default_rng(seed)
    for day in range(1, 5):
        shop.clock.move(DAY)
        await shop.set_connection(polled_through=shop.now)
        events = happening(random, day)
        random.shuffle(events)
        due = ("external_account",) if random.random() < 0.3 else ()
        for half in (events[::2], events[1::2]):
            await shop.tell(*half, state=account_state(shop.now, past_due=due))
            if random.random() < 0.7:
                await shop.read()
    pull = HistoryPull(
        account_id=shop.account_id,
        id=new_id(),
        workspace_id=shop.workspace_id,
        connection_id=shop.connection_id,
        from_at=START - 90 * DAY,
        to_at=shop.now + DAY,
        started_at=shop.now,
        finished_at=shop.now,
    )
    place = {"account_id": shop.account_id, "workspace_id": shop.workspace_id, "pull_id": pull.id}
    async with shop.world.database.tenant(shop.account_id) as session:
        connection = await get_connection(session, account_id=shop.account_id, connection_id=shop.connection_id)
        read = await read_workspace(session, connection, as_of=pull.to_at, reason=ReadingReason.EVENT)
        session.add(pull)
        await session.flush()
        assert await score_workspace(session, **place) == read.after.surface
        assert await project_workspace(session, **place) == read.after.projection

"""`payflux seed` and `payflux sync-stripe-plans`, as a person runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from payflux.settings import SANDBOX_SECRET_KEY
from tests.conftest import SECRET
from tests.integration.commands import payflux
from tests.sandbox_server import running_sandbox


@pytest.fixture
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


async def on(owner_url: str, statement: str) -> object:
    connection = await asyncpg.connect(owner_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_seeding_shows_what_differs_first_and_publishes_only_when_told_to(owner_url: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": owner_url, "PAYFLUX_SECRET_KEY": SECRET}
    sold = "SELECT monthly_price_cents FROM plan_billing WHERE plan = 'pro'"
    await on(owner_url, "UPDATE plan_billing SET monthly_price_cents = 59900 WHERE plan = 'pro'")
    await on(owner_url, "UPDATE feature_flags SET description = 'Ours' WHERE key = 'sso'")
    asked = payflux("seed", data_dir=tmp_path, **environment)
    assert (asked.code, await on(owner_url, sold)) == (1, 59_900)
    assert "pro monthly_price_cents: 59900 → 49900" in asked.said
    assert "sso: Ours → Single sign-on" in asked.said
    told = payflux("seed", "--yes", data_dir=tmp_path, **environment)
    assert (told.code, await on(owner_url, sold)) == (0, 49_900)
    assert "Published." in told.said
    assert await on(owner_url, "SELECT description FROM feature_flags WHERE key = 'sso'") == "Single sign-on"


async def test_plans_are_brought_to_stripe_by_the_key_of_the_environment(
    owner_url: str, tmp_path: Path, sandbox_url: str
) -> None:
    environment = {
        "DATABASE_URL": owner_url,
        "PAYFLUX_SECRET_KEY": SECRET,
        "STRIPE_SECRET_KEY": SANDBOX_SECRET_KEY,
        "STRIPE_API_BASE": sandbox_url,
    }
    done = payflux("sync-stripe-plans", data_dir=tmp_path, **environment)
    assert (done.code, done.said.count("created 3")) == (0, 2)
    product = await on(owner_url, "SELECT stripe_product_id FROM plan_billing WHERE plan = 'pro'")
    assert f"pro, version 1: {product}, price_" in done.said
    wrong = payflux("sync-stripe-plans", data_dir=tmp_path, **environment | {"STRIPE_SECRET_KEY": "sk_test_unknown"})
    assert wrong.code == 1
    assert "Check STRIPE_SECRET_KEY" in wrong.said
    assert "sk_test_unknown" not in wrong.said

"""A workspace stands on one processor: what is connected is ended before another is."""

from __future__ import annotations

from sqlalchemy import text

from payflux.activation.states import ActivationState
from tests.integration.connecting.conftest import Mailbox, Shop
from tests.integration.connecting.test_ending import work_off
from tests.integration.connecting.test_pages import agreed, alice_at, connect_by_key


async def active(shop: Shop) -> list[str]:
    """The external accounts that are read or listened to."""
    async with shop.world.database.tenant(shop.account_id) as session:
        query = text("SELECT external_account_id FROM processor_connections WHERE status <> 'disconnected' ORDER BY 1")
        return list((await session.execute(query)).scalars())


async def test_stripe_is_not_connected_beside_a_processor_that_posts(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    assert (await alice.post("/sources", {"processor": "Adyen"})).status_code == 200
    asked = len(shop.network.requests)
    refused = await connect_by_key(alice)
    assert refused.status_code == 422
    assert "Adyen is connected to this workspace." in refused.text
    assert len(shop.network.requests) == asked  # Stripe is not asked in vain
    trip = await alice.post("/api/stripe/authorize")
    assert trip.status_code == 409
    assert "Adyen is connected to this workspace." in trip.text
    assert await active(shop) == ["posted/adyen"]
    await alice.post("/sources/stop")
    assert (await connect_by_key(alice)).headers["Location"] == "/activate/arming"
    assert len(await active(shop)) == 1


async def test_a_processor_that_was_set_up_during_the_trip_to_stripe_stays_alone(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    back = await agreed(alice, shop)
    assert (await alice.post("/sources", {"processor": "Adyen"})).status_code == 200
    refused = await alice.get(back)
    assert refused.status_code == 422
    assert "Adyen is connected to this workspace." in refused.text
    assert await active(shop) == ["posted/adyen"]


async def test_another_stripe_account_is_refused_and_a_new_key_of_the_same_one_is_taken(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice)
    [first] = await active(shop)
    refused = await connect_by_key(alice, "rk_test_sandbox_dispute_spike")
    assert refused.status_code == 422
    assert "is connected to this workspace." in refused.text
    assert await active(shop) == [first]
    assert (await connect_by_key(alice, "rk_test_sandbox_healthy_no_disputes")).status_code == 303
    assert await active(shop) == [first]


async def test_a_key_that_was_rolled_is_replaced_from_the_connection_page(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice, "rk_test_sandbox_healthy_no_disputes")
    page = (await alice.get("/connection")).text
    assert "Use another key" in page
    assert 'action="/api/stripe/key"' in page
    assert (await connect_by_key(alice)).status_code == 303
    assert "Degraded" not in (await alice.get("/connection")).text


async def test_a_wrong_key_is_told_where_it_was_given(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    refused = await connect_by_key(alice, "sk_test_wrong")
    assert "Connect your processor." in refused.text
    await connect_by_key(alice)
    refused = await connect_by_key(alice, "sk_test_wrong")
    assert refused.status_code == 422
    assert "<h1>Connection</h1>" in refused.text
    assert '<details class="disclosure block" open>' in refused.text
    assert "sk_test_wrong" not in refused.text
    assert len(await active(shop)) == 1


async def test_canceling_the_activation_ends_the_connection_and_forgets_its_key(shop: Shop, mailbox: Mailbox) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice)
    assert (await alice.post("/activate/cancel")).headers["Location"] == "/activate"
    assert await active(shop) == []
    assert (await shop.workspace()).activation_state == ActivationState.PAID_UNCONNECTED
    async with shop.world.database.tenant(shop.account_id) as session:
        assert (await session.execute(text("SELECT count(secret) FROM processor_connections"))).scalar_one() == 0
    await work_off(shop)
    assert mailbox.mails == []


async def test_the_owner_is_told_when_a_member_disconnects(shop: Shop, mailbox: Mailbox) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice)
    await alice.post("/connection/disconnect")
    await alice.post("/connection/disconnect")  # a second press of the button
    await work_off(shop)
    [mail] = mailbox.mails
    assert (mail["Subject"], mail["To"]) == ("Stripe was disconnected", "alice@shop.example")
    text_part = mail.get_body(("plain",))
    assert text_part is not None
    assert "Somebody on your team disconnected" in text_part.get_content()


async def test_the_owner_is_told_when_a_processor_that_posts_is_stopped(shop: Shop, mailbox: Mailbox) -> None:
    alice = await alice_at(shop.world)
    await alice.post("/sources", {"processor": "Adyen"})
    await alice.post("/sources/stop")
    await work_off(shop)
    assert [mail["Subject"] for mail in mailbox.mails] == ["Adyen was disconnected"]

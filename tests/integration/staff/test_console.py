"""What the staff find, see and do; and that the account's log tells of it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update

from payflux.frontdoor.accounts.models import Membership, Session, User
from payflux.frontdoor.accounts.team.models import OwnershipTransfer
from payflux.kit.ids import new_id
from payflux.world.bootstrap import World
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import connected
from tests.integration.staff.conftest import ALICE, BOB, Desk, staff_entries, user_id_of

REASON = "Ticket 4711: the owner has left the company"


async def test_an_account_is_found_by_address_name_and_stripe_account(
    sam: Desk, world: World, account_id: UUID
) -> None:
    await connected(world, ALICE, "shop")
    for typed in (ALICE, "ALICE@alice", "alice-shop", "acct_shop"):
        answer = await sam.browser.post("/admin", {"typed": typed})
        assert f"/admin/accounts/{account_id}" in answer.text, typed
    for typed in ("%", "nobody@nowhere.example", "acct_other", "", "\x00"):
        answer = await sam.browser.post("/admin", {"typed": typed})
        assert (answer.status_code, str(account_id) in answer.text) == (200, False), typed


async def test_an_account_and_a_user_are_found_by_id(sam: Desk, world: World, account_id: UUID) -> None:
    alice_id = await user_id_of(world, ALICE)
    assert f"/admin/accounts/{account_id}" in (await sam.browser.post("/admin", {"typed": f" {account_id} "})).text
    assert f"/admin/users/{alice_id}" in (await sam.browser.post("/admin", {"typed": str(alice_id)})).text


async def test_an_account_shows_its_state_and_history_and_that_it_was_opened_stands_in_its_log(
    sam: Desk, world: World, account_id: UUID, bob_id: UUID
) -> None:
    await connected(world, ALICE, "shop")
    page = (await sam.browser.get(f"/admin/accounts/{account_id}")).text
    for shown in (ALICE, BOB, "viewer", "trialing", "acct_shop", "paid_unconnected", "staff.account_opened"):
        assert shown in page
    await sam.browser.get(f"/admin/accounts/{account_id}")
    (entry,) = await staff_entries(world, account_id)
    assert entry.after == {"staff": "Sam <sam@payflux.example>"}


async def test_a_user_shows_their_sessions_and_accounts(sam: Desk, world: World, account_id: UUID) -> None:
    page = (await sam.browser.get(f"/admin/users/{await user_id_of(world, ALICE)}")).text
    for shown in (ALICE, f"/admin/accounts/{account_id}", "not verified", "203.0.113.7", "password"):
        assert shown in page
    assert [entry.action for entry in await staff_entries(world, account_id)] == ["staff.account_opened"]


async def test_what_is_not_there_is_not_found(sam: Desk) -> None:
    for path in (f"/admin/accounts/{new_id()}", f"/admin/users/{new_id()}"):
        assert (await sam.browser.get(path)).status_code == 404
    assert (await sam.browser.post(f"/admin/users/{new_id()}/sessions/end")).status_code == 404


async def test_a_user_is_signed_out_everywhere(sam: Desk, alice: Browser, world: World, account_id: UUID) -> None:
    alice_id = await user_id_of(world, ALICE)
    assert (await sam.browser.post(f"/admin/users/{alice_id}/sessions/end")).status_code == 303
    assert (await alice.get("/activate")).headers["Location"].startswith("/login")
    (entry,) = await staff_entries(world, account_id)
    assert entry.action == "staff.sessions_ended"
    assert entry.after == {"staff": "Sam <sam@payflux.example>", "sessions": 1}


async def test_a_link_for_a_new_password_goes_to_the_user_alone(sam: Desk, world: World, account_id: UUID) -> None:
    alice_id = await user_id_of(world, ALICE)
    answer = await sam.browser.post(f"/admin/users/{alice_id}/mails", {"mail": "password_reset"})
    assert answer.headers["Location"] == f"/admin/users/{alice_id}?done=sent"
    (entry,) = await staff_entries(world, account_id)
    assert entry.after is not None
    assert entry.after["mail"] == "password_reset"
    assert (await sam.browser.post(f"/admin/users/{alice_id}/mails", {"mail": "anything"})).status_code == 422
    # one was mailed when she registered, a moment ago
    again = await sam.browser.post(f"/admin/users/{alice_id}/mails", {"mail": "verification"})
    assert again.status_code in (303, 429)


async def test_another_owner_needs_a_fresh_code_a_reason_and_a_verified_member(
    sam: Desk, world: World, account_id: UUID, bob_id: UUID
) -> None:
    path, form = f"/admin/accounts/{account_id}/owner", {"user_id": str(bob_id), "reason": REASON}
    assert (await sam.browser.post(path, form)).status_code == 422, "no code"
    used = sam.totp.at(sam.clock.now())
    assert (await sam.browser.post(path, form | {"code": used})).status_code == 422, "the code of the sign-in"
    assert (await sam.browser.post(path, form | {"code": sam.code(), "reason": "so"})).status_code == 422
    assert (await sam.browser.post(path, form | {"code": sam.code(), "user_id": "Bob"})).status_code == 422
    stranger = form | {"code": sam.code(), "user_id": str(new_id())}
    assert (await sam.browser.post(path, stranger)).status_code == 404
    owner = form | {"code": sam.code(), "user_id": str(await user_id_of(world, ALICE))}
    assert (await sam.browser.post(path, owner)).status_code == 409
    async with world.database.system() as session:
        await session.execute(update(User).where(User.id == bob_id).values(email_verified_at=None))
    assert (await sam.browser.post(path, form | {"code": sam.code()})).status_code == 409
    assert await staff_entries(world, account_id) == []


async def test_another_owner_is_made_with_both_told_and_logged(
    sam: Desk, world: World, account_id: UUID, bob_id: UUID
) -> None:
    form = {"user_id": str(bob_id), "reason": REASON, "code": sam.code()}
    assert (await sam.browser.post(f"/admin/accounts/{account_id}/owner", form)).status_code == 303
    alice_id = await user_id_of(world, ALICE)
    async with world.database.tenant(account_id) as session:
        roles = dict((await session.execute(select(Membership.user_id, Membership.role))).tuples().all())
        (transfer,) = (await session.execute(select(OwnershipTransfer))).scalars()
    assert roles == {alice_id: "admin", bob_id: "owner"}
    assert (transfer.outcome, transfer.from_user_id, transfer.to_user_id) == ("forced", alice_id, bob_id)
    (entry,) = await staff_entries(world, account_id)
    assert entry.after == {
        "staff": "Sam <sam@payflux.example>",
        "reason": REASON,
        "previous_owner": str(alice_id),
        "owner": str(bob_id),
    }


async def test_the_guards_are_shown_as_the_process_has_them(sam: Desk) -> None:
    page = (await sam.browser.get("/admin/guards")).text
    assert "/admin/accounts/{account_id}/owner" in page
    assert "staff, stepped up" in page
    assert "has not checked yet" in page


async def test_a_form_of_another_site_ends_nobodys_session(sam: Desk, alice: Browser, world: World) -> None:
    alice_id = await user_id_of(world, ALICE)
    forged = await sam.browser.post(f"/admin/users/{alice_id}/sessions/end", {"csrf_token": "0" * 64})
    assert forged.status_code == 403
    async with world.database.system() as session:
        query = select(func.count()).select_from(Session).where(Session.user_id == alice_id)
        assert (await session.execute(query)).scalar_one() == 1

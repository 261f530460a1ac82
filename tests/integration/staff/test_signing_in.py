"""The way into the console: a link, a password, and a code every time."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI
from sqlalchemy import select

from payflux.frontdoor.staff.joining import remove_staff
from payflux.frontdoor.staff.models import StaffMember
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import MACHINE, PASSWORD, Browser
from tests.integration.staff.conftest import ALICE, SAM, STAFF_PASSWORD, TESS, Desk, invited


async def test_sam_signs_in_with_password_and_code_and_the_cookie_goes_to_the_console_alone(joined: Desk) -> None:
    answer = await joined.sign_in()
    assert answer.headers["Location"] == "/admin"
    cookie = next(each for each in answer.headers.get_list("set-cookie") if "payflux_staff=" in each)
    assert {"HttpOnly", "Path=/admin", "SameSite=strict"} <= set(cookie.split("; "))
    assert "Find an account or a user" in (await joined.browser.get("/admin")).text


async def test_one_wrong_part_is_refused_without_saying_which(joined: Desk) -> None:
    for wrong in ({"password": "not the password"}, {"code": "000000"}, {"code": ""}, {"email": ALICE}):
        answer = await joined.sign_in(**wrong)
        assert answer.status_code == 422
        assert "do not belong together" in answer.text
    assert not joined.browser.cookie("staff")


async def test_a_code_works_once(joined: Desk) -> None:
    code = joined.code()
    assert (await joined.sign_in(code=code)).status_code == 303
    joined.clock.move(timedelta(seconds=-30))
    assert (await joined.sign_in(code=code)).status_code == 422


async def test_guesses_have_to_wait_and_a_wait_ends(joined: Desk) -> None:
    right = {"email": SAM, "password": STAFF_PASSWORD, "code": joined.code()}
    for _ in range(5):
        wrong = right | {"password": "a guess"}
        assert (await joined.browser.post("/admin/sign-in", wrong)).status_code == 422
    waiting = await joined.browser.post("/admin/sign-in", right)
    assert waiting.status_code == 429
    assert "Wait" in waiting.text
    joined.clock.move(timedelta(seconds=3))
    assert (await joined.browser.post("/admin/sign-in", right)).status_code == 303


async def test_tess_without_an_app_has_no_way_in(app: FastAPI, world: World, clock: MovedClock) -> None:
    token, totp = await invited(world, TESS, "Tess")
    browser = Browser(app)
    shown = await browser.get(f"/admin/join?token={token}")
    assert totp.secret in shown.text
    for code in ("", "000000"):
        answer = await browser.post("/admin/join", {"token": token, "password": STAFF_PASSWORD, "code": code})
        assert answer.status_code == 422
        assert "not the code" in answer.text
    code = totp.at(clock.now())
    form = {"email": TESS, "password": STAFF_PASSWORD, "code": code}
    assert (await browser.post("/admin/sign-in", form)).status_code == 422
    weak = {"token": token, "password": "password12", "code": code}
    assert "field__error" in (await browser.post("/admin/join", weak)).text
    assert (await browser.post("/admin/join", {"token": token, "password": STAFF_PASSWORD, "code": code})).is_redirect


async def test_a_link_to_join_is_good_once_and_for_a_day(app: FastAPI, world: World, clock: MovedClock) -> None:
    token, totp = await invited(world, TESS, "Tess")
    browser = Browser(app)
    form = {"token": token, "password": STAFF_PASSWORD, "code": totp.at(clock.now())}
    assert (await browser.post("/admin/join", form)).status_code == 303
    assert (await browser.post("/admin/join", form)).status_code == 404
    late, _ = await invited(world, SAM, "Sam")
    clock.move(timedelta(hours=24))
    assert (await browser.get(f"/admin/join?token={late}")).status_code == 404


async def test_a_session_ends_after_30_idle_minutes_and_after_8_hours(sam: Desk) -> None:
    for _ in range(17):
        assert (await sam.browser.get("/admin")).status_code == 200
        sam.clock.move(timedelta(minutes=28))
    sam.clock.move(timedelta(minutes=5))
    assert (await sam.browser.get("/admin")).headers["Location"] == "/admin/sign-in"
    assert (await sam.sign_in()).status_code == 303
    sam.clock.move(timedelta(minutes=31))
    assert (await sam.browser.get("/admin")).headers["Location"] == "/admin/sign-in"


async def test_a_customer_gets_nowhere_in_the_console(alice: Browser, joined: Desk) -> None:
    for path in ("/admin", "/admin/guards"):
        assert (await alice.get(path)).headers["Location"] == "/admin/sign-in"
        refused = await alice.get(path, **MACHINE)
        assert refused.status_code == 401
        assert refused.json()["code"] == "staff_not_signed_in"
    form = {"email": ALICE, "password": PASSWORD, "code": joined.code()}
    assert (await alice.post("/admin/sign-in", form)).status_code == 422


async def test_signing_out_ends_the_session_on_the_server(sam: Desk) -> None:
    kept = sam.browser.cookie("staff")
    assert (await sam.browser.post("/admin/sign-out")).headers["Location"] == "/admin/sign-in"
    again = await sam.browser.http.get("/admin", headers={"Cookie": f"payflux_staff={kept}"})
    assert again.headers["Location"] == "/admin/sign-in"


async def test_who_is_removed_or_starts_anew_is_out_at_once(sam: Desk, world: World) -> None:
    async with world.database.system() as session:
        await remove_staff(session, email=SAM, now=world.clock.now())
    assert (await sam.browser.get("/admin")).status_code == 303
    assert (await sam.sign_in()).status_code == 422
    await invited(world, SAM, "")
    async with world.database.system() as session:
        member = (await session.execute(select(StaffMember))).scalar_one()
    assert (member.name, member.password_hash, member.ended_at) == ("Sam", None, None)

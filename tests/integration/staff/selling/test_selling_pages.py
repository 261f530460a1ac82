"""The console's pages of what is sold: nothing is saved before it was shown who is affected."""

from __future__ import annotations

import re
from html import unescape
from uuid import UUID

import httpx
import pytest

from payflux.frontdoor.catalogue.queries import feature_flags, sold_plan
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.staff.conftest import Desk
from tests.integration.staff.selling.test_selling_api import REASON, bought, value_of

_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


def form_on(page: httpx.Response, action: str) -> dict[str, list[str]]:
    """What a browser would send of the form with this action, before anything is typed."""
    form = page.text.split(f'action="{action}"', 1)[1].split("</form>", 1)[0]
    sent: dict[str, list[str]] = {}
    for found in _INPUT.findall(form):
        each = dict(_ATTRIBUTE.findall(found))
        if each.get("type") != "checkbox" or " checked" in found:
            sent.setdefault(each["name"], []).append(unescape(each.get("value", "")))
    return sent


async def post(desk: Desk, path: str, form: dict[str, list[str]]) -> httpx.Response:
    return await desk.browser.http.post(path, data=form)


async def test_a_plan_is_changed_in_two_steps_and_the_first_changes_nothing(
    sam: Desk, selling: World, account_id: UUID
) -> None:
    page = await sam.browser.get("/admin/plans/pro")
    form = form_on(page, "/admin/plans/pro/preview")
    assert (form["monthly_price_cents"], form["limits.seats"], form["is_public"]) == (["499.00"], ["10"], ["on"])
    form |= {"monthly_price_cents": ["599.50"], "limits.seats": [""], "is_archived": ["on"]}
    form["features"].remove("benchmarks")
    form["features"].append("sso")
    preview = await post(sam, "/admin/plans/pro/preview", form)
    for shown in ("$499.00", "$599.50", "unlimited", "Benchmarks", "Single sign-on", "1 account follows", "Alice-shop"):
        assert shown in preview.text, shown
    async with selling.database.system() as session:
        assert (await sold_plan(session, "pro")).version == 1
    confirmed = form_on(preview, "/admin/plans/pro")
    assert (await post(sam, "/admin/plans/pro", confirmed | {"code": ["000000"]})).status_code == 422
    saved = await post(sam, "/admin/plans/pro", confirmed | {"code": [sam.code()]})
    assert saved.headers["Location"] == "/admin/plans/pro"
    async with selling.database.system() as session:
        sold = await sold_plan(session, "pro")
    assert (sold.version, sold.content.monthly_price_cents, sold.content.limits["seats"]) == (2, 59_950, None)
    assert ("sso" in sold.content.features, "benchmarks" in sold.content.features) == (True, False)
    assert (sold.content.is_archived, sold.content.is_public) == (True, True)
    page = await sam.browser.get("/admin/plans/pro")
    assert "Version 2: Sam" in page.text
    assert "Version 1: the catalogue file" in page.text


async def test_the_form_of_a_plan_sent_as_it_is_changes_nothing(sam: Desk) -> None:
    for plan in ("free", "starter", "pro", "enterprise"):
        form = form_on(await sam.browser.get(f"/admin/plans/{plan}"), f"/admin/plans/{plan}/preview")
        preview = await post(sam, f"/admin/plans/{plan}/preview", form)
        assert "Nothing differs from version 1" in preview.text, plan


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("monthly_price_cents", "four", "Enter dollars and cents"),
        ("monthly_price_cents", "4.999", "Enter dollars and cents"),
        ("annual_price_cents", "0.10", "A price is"),
        ("limits.seats", "0", "Use 1 to"),
        ("limits.scans_per_month", "1.5", "Enter a whole number"),
        ("display_name", " ", "Name the plan"),
    ],
)
async def test_what_cannot_be_sold_is_shown_beside_its_field_with_what_was_typed(
    sam: Desk, name: str, typed: str, said: str
) -> None:
    form = form_on(await sam.browser.get("/admin/plans/pro"), "/admin/plans/pro/preview")
    answer = await post(sam, "/admin/plans/pro/preview", form | {name: [typed], "description": ["My words"]})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert "My words" in answer.text


async def test_the_plans_show_who_has_them_and_come_to_stripe_at_the_press_of_a_button(
    sam: Desk, selling: World, account_id: UUID
) -> None:
    before = (await sam.browser.get("/admin/plans")).text
    assert before.count("cannot be bought") == 2
    assert (await sam.browser.post("/admin/plans/at-stripe")).headers["Location"] == "/admin/plans"
    assert "cannot be bought" not in (await sam.browser.get("/admin/plans")).text
    sam.browser.app.state.world = with_settings(selling, stripe_api_base="http://127.0.0.1:9")
    assert "nobody can buy them" in (await sam.browser.post("/admin/plans/at-stripe")).text


async def test_buyers_of_older_versions_are_moved_only_by_a_code_of_its_own(
    sam: Desk, selling: World, account_id: UUID
) -> None:
    await bought(selling, account_id)
    assert "Move them" not in (await sam.browser.get("/admin/plans/pro")).text
    form = form_on(await sam.browser.get("/admin/plans/pro"), "/admin/plans/pro/preview") | {"sort_order": ["5"]}
    confirmed = form_on(await post(sam, "/admin/plans/pro/preview", form), "/admin/plans/pro")
    await post(sam, "/admin/plans/pro", confirmed | {"code": [sam.code()]})
    page = await sam.browser.get("/admin/plans/pro")
    assert "Move them" in page.text
    assert (await sam.browser.post("/admin/plans/pro/buyers")).status_code == 422
    moved = await sam.browser.post("/admin/plans/pro/buyers", {"code": sam.code()})
    assert moved.headers["Location"] == "/admin/plans/pro"


async def test_features_are_kept_on_the_page_of_the_plans(sam: Desk, selling: World) -> None:
    await sam.browser.post("/admin/features", {"key": "fast_lane", "description": "Fast lane"})
    await sam.browser.post("/admin/features/fast_lane", {"description": "The fast lane"})
    assert "The fast lane" in (await sam.browser.get("/admin/plans")).text
    assert (await sam.browser.post("/admin/features/sso/remove")).status_code == 409
    assert (await sam.browser.post("/admin/features/fast_lane/remove")).status_code == 303
    async with selling.database.system() as session:
        assert "fast_lane" not in await feature_flags(session)


async def test_an_exception_is_granted_in_two_steps_on_the_accounts_page_and_ended_there(
    sam: Desk, selling: World, account_id: UUID
) -> None:
    path = f"/admin/accounts/{account_id}"
    assert "None: the account has what its plan says." in (await sam.browser.get(path)).text
    form = {"key": "seats", "value": "25", "reason": REASON, "expires": "2099-12-31"}
    preview = await sam.browser.post(f"{path}/overrides/preview", form)
    for shown in ("Alice-shop alone", "<dd>10 (", "25, until", "1 Jan 2100", REASON):
        assert shown in unescape(preview.text).replace("\u00a0", " "), shown
    assert await value_of(selling, account_id, "seats") == 10
    confirmed = form_on(preview, f"{path}/overrides")
    assert (await post(sam, f"{path}/overrides", confirmed)).headers["Location"] == f"{path}#overrides"
    assert await value_of(selling, account_id, "seats") == 25
    page = await sam.browser.get(path)
    assert "End it now" in page.text
    (end,) = re.findall(rf'action="({path}/overrides/limit/[^"]+/end)"', page.text)
    assert (await sam.browser.post(end)).status_code == 303
    assert await value_of(selling, account_id, "seats") == 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "sso", "value": "maybe"},
        {"key": "teleport", "value": "on"},
        {"value": "many"},
        {"value": "99999999999"},
        {"reason": "so"},
        {"expires": "tomorrow"},
        {"expires": "2020-01-01"},
        {"expires": "9999-12-31"},
    ],
)
async def test_a_wrong_exception_is_refused_and_nothing_is_granted(
    sam: Desk, selling: World, account_id: UUID, wrong: dict[str, str]
) -> None:
    form = {"key": "seats", "value": "25", "reason": REASON, "expires": "2099-12-31"} | wrong
    answer = await sam.browser.post(f"/admin/accounts/{account_id}/overrides", form)
    assert answer.status_code in (404, 422)
    assert await value_of(selling, account_id, "seats") == 10

"""The control page in a browser: everything with forms, at any width, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.state import SandboxState
from tests.integration.sandbox.conftest import served
from tests.integration.sandbox.receiver import Receiver, receiving
from tests.integration.sandbox.views import problems_in_each_view

ALICE = ARCHETYPES["low-activity"]


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[str, Receiver]]:
    """A sandbox in which an account is listened to."""
    with ExitStack() as stack:
        base = stack.enter_context(served(SandboxState(requests_per_second=1000)))
        receiver = stack.enter_context(receiving())
        endpoint = {"url": receiver.url, "enabled_events[]": "*"}
        httpx.post(f"{base}/v1/webhook_endpoints", data=endpoint, auth=(ALICE.restricted_key, "")).raise_for_status()
        yield base, receiver


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_a_person_moves_the_clock_fires_and_sees_it_delivered(page: Page, running: tuple[str, Receiver]) -> None:
    base, receiver = running
    begun = len(receiver.posts)
    page.goto(f"{base}/control?account={ALICE.account_id}")
    page.get_by_role("button", name="+ 1 hour").click()
    expect(page.get_by_role("status")).to_contain_text("Tasks that ran")
    page.get_by_text("The merchant refunds a payment").click()
    page.get_by_role("button", name="Let it happen: The merchant refunds a payment").click()
    expect(page.get_by_role("status")).to_contain_text("Done: refund. It is about re_")
    expect(page.locator("#events details").first).to_contain_text("refund")
    posts = receiver.wait_for(begun + 2)
    assert "refund.created" in {post.json["type"] for post in posts[begun:]}

    page.reload()
    expect(page.locator("#deliveries")).to_contain_text("delivered")
    page.locator("#deliveries").get_by_role("button", name="Send evt_").first.click()
    expect(page.get_by_role("status")).to_contain_text("Deliveries sent again: 1")
    page.get_by_role("button", name="Roll the secret").click()
    expect(page.get_by_role("status")).to_contain_text("The new secret of we_")
    assert "whsec_" not in page.url


def test_a_person_switches_faults_on_and_off(page: Page, running: tuple[str, Receiver]) -> None:
    base, _ = running
    page.goto(f"{base}/control")
    page.get_by_role("button", name="Next 5 calls: 429").click()
    expect(page.locator("#faults")).to_contain_text("struck 0 of 0, ends after 5")
    refused = httpx.get(f"{base}/v1/balance", auth=(ALICE.restricted_key, ""))
    assert refused.status_code == 429
    page.reload()
    expect(page.locator("#faults")).to_contain_text("struck 1 of 1")
    page.get_by_text("Another fault").click()
    page.get_by_label("kind", exact=False).first.select_option("error")
    page.locator("#fault-status").fill("200")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("alert")).to_contain_text("status is from 400 to 599")
    page.get_by_role("button", name="All off").click()
    expect(page.locator("#faults")).to_contain_text("Everything works")
    assert httpx.get(f"{base}/v1/balance", auth=(ALICE.restricted_key, "")).status_code == 200


def test_it_is_accessible_and_fits_its_window_in_each_view(page: Page, running: tuple[str, Receiver]) -> None:
    base, _ = running
    httpx.post(f"{base}/sandbox/faults", json={"kind": "webhook_delay", "delay": 0, "seconds": 600})
    page.goto(f"{base}/control?account={ALICE.account_id}")
    for summary in page.locator("#events summary, #faults summary").all()[:4]:
        summary.click()

    assert [*problems_in_each_view(page)] == []
    httpx.delete(f"{base}/sandbox/faults")


def test_what_another_site_posts_is_refused_and_what_it_says_is_shown_as_text(running: tuple[str, Receiver]) -> None:
    base, _ = running
    for path in ("clock", "fire", "faults", "roll_secret", "redeliver", "payload"):
        refused = httpx.post(
            f"{base}/control/{path}", data={"advance": "1d"}, headers={"Origin": "https://evil.example"}
        )
        assert refused.status_code == 403
    assert httpx.get(f"{base}/control", headers={"Host": "evil.example"}).status_code == 403
    assert "<b>" not in httpx.get(f"{base}/control", params={"said": "<b>", "account": "<b>"}).text
    again = httpx.post(f"{base}/control/fire", data={"account": ALICE.account_id, "name": "rain"})
    assert "wrong=Nothing+is+called" in again.headers["location"]


def test_what_happens_by_hand_is_json_too(running: tuple[str, Receiver]) -> None:
    base, _ = running
    names = {fire["name"] for fire in httpx.get(f"{base}/sandbox/fires").json()["data"]}
    assert {"dispute", "refund", "deauthorize"} <= names
    path = f"{base}/sandbox/accounts/{ALICE.account_id}/fire"
    dispute = httpx.post(f"{path}/dispute", json={"reason": "product_not_received"}).json()
    assert (dispute["object"], dispute["reason"]) == ("dispute", "product_not_received")
    found = httpx.get(f"{base}/v1/disputes/{dispute['id']}", auth=(ALICE.restricted_key, ""))
    assert found.json() == dispute
    assert httpx.post(f"{path}/rain").status_code == 404
    assert httpx.post(f"{path}/dispute", json={"colour": "red"}).json()["error"]["param"] == "colour"
    assert httpx.post(f"{base}/sandbox/accounts/acct_none/fire/dispute").status_code == 404

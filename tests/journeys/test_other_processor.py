"""Alice uses another processor than Stripe: she posts events, imports a file and sees her own readout."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports import write_plain
from payflux.monitor.processors.generic.signatures import new_secret, sign
from tests.integration.generic.sending import merchant_history
from tests.journeys.test_first_readout import register, serious_problems


def post(address: str, secret: str, events: object, message_id: str) -> httpx.Response:
    body, now = json.dumps(events).encode(), datetime.now(UTC)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign(message_id, body, [secret], now),
    }
    return httpx.post(address, content=body, headers=headers)


def shown(page: Page, label: str) -> str:
    return page.get_by_role("region", name=label, exact=True).inner_text().strip()


def older_history(path: Path) -> None:
    """A file of the month before what is posted."""
    write_plain(
        (
            PaymentEvent(
                kind=Kind.CHARGE,
                source_id=f"old_{number}",
                occurred_at=datetime.fromtimestamp(datetime.now(UTC).timestamp() - 86_400 * 85, UTC),
                status=Status.SUCCEEDED,
                amount=2500,
                currency="usd",
                settled_amount=2500,
                settled_currency="usd",
            )
            for number in range(100)
        ),
        path,
    )


def test_alice_posts_events_imports_a_file_and_sees_her_readout(page: Page, tmp_path: Path) -> None:
    register(page, "alice")
    page.get_by_text("I use a different processor").click()
    page.get_by_role("link", name="Set up another processor").click()
    assert serious_problems(page) == []
    page.get_by_label("Which processor?").fill("Adyen")
    page.get_by_role("button", name="Set up").click()
    secret, address = shown(page, "Signing secret"), shown(page, "Your address")

    example = subprocess.run(
        ["bash", "-c", shown(page, "Example with curl")], capture_output=True, text=True, timeout=30, check=True
    )
    assert json.loads(example.stdout) == {"received": 0, "new": True}

    history = merchant_history(datetime.now(UTC), 900)
    for start in range(0, 900, 100):
        answer = post(address, secret, history[start : start + 100], f"msg_{start}")
        assert answer.json() == {"received": 100, "new": True}
    assert post(address, secret, history[:100], "msg_0").json() == {"received": 100, "new": False}
    assert post(address, new_secret(), history[:1], "msg_charlie").json()["code"] == "webhook_signature"
    refused = post(address, secret, [history[0] | {"amount": "19.99"}], "msg_wrong").json()
    assert refused["errors"][0]["field"] == "amount"

    page.goto("/sources")
    expect(page.get_by_role("cell", name=re.compile("`amount` is a whole number"))).to_be_visible()
    expect(page.get_by_role("cell", name=re.compile("No v1 signature fits"))).to_be_visible()
    assert serious_problems(page) == []
    older_history(tmp_path / "older.csv")
    page.get_by_label("Files", exact=True).set_input_files(tmp_path / "older.csv")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("100 events from 100 rows")).to_be_visible()

    seen = page.get_by_role("link", name="Enter your workspace").or_(
        page.get_by_role("heading", name="Your reserve exposure")
    )
    for _ in range(60):  # until the job that takes the history in has run, /start leads to connecting
        page.goto("/start")
        if seen.count():
            break
        page.wait_for_timeout(500)
    expect(seen).to_be_visible(timeout=30_000)
    page.goto("/dashboard")
    expect(page.get_by_text("Based on 1,000 payment events from your Adyen account")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="T+90").first).to_contain_text(re.compile(r"\$[\d,]+"))
    assert serious_problems(page) == []

"""Sam joins the staff, finds Alice, looks at her account as she sees it, changes nothing, and Alice reads of it."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_first_readout import serious_problems
from tests.journeys.test_team import registered
from tests.running import Running, product_environment

STAFF_PASSWORD = "granite violin thursday"
REASON = "Ticket 4712: she sees no figures"


class App:
    """An authenticator app of which each code is used once: three within half a minute, as clocks may differ."""

    def __init__(self, secret: str) -> None:
        self._totp, self._used = pyotp.TOTP(secret), 0

    def code(self) -> str:
        self._used = max(int(time.time()) // 30 - 1, self._used + 1)
        return self._totp.at(self._used * 30)


def add_staff(product: Running, email: str) -> str:
    """Where the link leads that the command prints for somebody new on the staff."""
    environment = product_environment(product.data_dir, PAYFLUX_PUBLIC_URL=product.url)
    command = [sys.executable, "-m", "payflux", "admin", "add-staff", email, "--name", "Sam"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    found = re.search(r"(/admin/join\?token=\S+)", printed)
    assert found, printed
    return found[1]


@pytest.fixture
def desk(browser: Browser, product: Running) -> Iterator[Page]:
    """Sam's browser."""
    context = browser.new_context(base_url=product.url, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_sam_joins_finds_alice_looks_and_changes_nothing_and_she_reads_of_it(
    page: Page, desk: Page, product: Running, tmp_path: Path
) -> None:
    alice = registered(page, product)
    sam = f"sam.{uuid4().hex[:8]}@payflux.example"
    desk.goto(add_staff(product, sam))
    assert serious_problems(desk) == []
    app = App(desk.get_by_text(re.compile(r"^Key: ")).inner_text().removeprefix("Key: "))
    desk.get_by_label("Password", exact=True).fill(STAFF_PASSWORD)
    desk.get_by_label("Code").fill(app.code())
    desk.get_by_role("button", name="Join").click()
    expect(desk).to_have_url(re.compile(r"/admin/sign-in$"))
    assert serious_problems(desk) == []
    desk.get_by_label("Work e-mail").fill(sam)
    desk.get_by_label("Password", exact=True).fill(STAFF_PASSWORD)
    desk.get_by_label("Code").fill(app.code())
    desk.keyboard.press("Enter")
    expect(desk).to_have_url(re.compile(r"/admin$"))

    desk.get_by_role("searchbox").fill(alice)
    desk.keyboard.press("Enter")
    account = desk.get_by_role("link", name="Cd-shop")
    expect(account).to_be_visible()
    assert serious_problems(desk) == []
    account.click()
    expect(desk.get_by_role("region", name="Members")).to_contain_text(alice)
    expect(desk.get_by_role("region", name="Log")).to_contain_text("account.registered")
    assert serious_problems(desk) == []
    visit = desk.locator("form").filter(has_text="Start the visit")
    visit.get_by_label("Why").fill(REASON)
    visit.get_by_label("Fresh code").fill(app.code())
    visit.get_by_role("button", name="Start the visit").click()
    expect(desk).to_have_url(re.compile(r"/activate$"))
    expect(desk.get_by_text("Support visit.")).to_be_visible()
    expect(desk.get_by_text(alice)).to_have_count(1)
    assert serious_problems(desk) == []
    desk.goto("/account/profile")
    desk.get_by_label("Full name").fill("Mallory")
    desk.get_by_role("button", name="Save").first.click()
    expect(desk.get_by_role("definition").filter(has_text="nothing can be changed")).to_be_visible()
    desk.get_by_role("button", name="End the visit").click()
    expect(desk.get_by_role("region", name="Log")).to_contain_text(REASON)

    page.goto("/account/audit")
    expect(page.get_by_role("row").filter(has_text="staff.visit_started")).to_contain_text(f"Sam <{sam}>")
    expect(page.get_by_text("Mallory")).to_have_count(0)
    with page.expect_download() as started:
        page.get_by_role("link", name="Download CSV").click()
    file = tmp_path / "log.csv"
    started.value.save_as(file)
    rows = {row["action"]: row for row in csv.DictReader(file.open(newline=""))}
    assert rows["staff.visit_started"]["actor"] == f"Sam <{sam}>"
    assert rows["staff.visit_ended"]["actor"] == f"Sam <{sam}>"

    page.goto("/admin")
    expect(page).to_have_url(re.compile(r"/admin/sign-in$"))

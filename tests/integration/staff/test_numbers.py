"""The funnel and the numbers of each day and week, on the console's pages, as a file and on the command line."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest

from payflux.cli import operations
from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.billing.rules import monthly_cents
from payflux.frontdoor.funnel.counting import count_funnel
from payflux.frontdoor.funnel.events import (
    BillingInterval,
    CatalogueKey,
    CheckoutCompleted,
    EmailVerificationCompleted,
    FeatureGateBlocked,
    LiveMonitoringStarted,
    MonthlyRevenueChanged,
    PricingPageViewed,
    ProcessorConnected,
    ProductEvent,
    Proof,
    RegisterCompleted,
    ScanStarted,
    SignUpMethod,
    TrialStarted,
    WelcomeWizardCompleted,
    WelcomeWizardSkipped,
    WelcomeWizardStepCompleted,
)
from payflux.frontdoor.funnel.recording import record
from payflux.frontdoor.staff import reporting
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import PASSWORD
from tests.integration.staff.conftest import Desk

PRO = CatalogueKey("pro")
WIZARD = (WelcomeWizardStepCompleted(1), WelcomeWizardSkipped(2, rest=True), WelcomeWizardCompleted())
WAY: tuple[ProductEvent, ...] = (
    EmailVerificationCompleted(Proof.CODE),
    *WIZARD,
    ProcessorConnected(CatalogueKey("restricted_key")),
    LiveMonitoringStarted(),
    CheckoutCompleted(PRO, BillingInterval.MONTH),
    MonthlyRevenueChanged(0, 99_800),
)
"""What an account does after it was opened, in order."""


async def opened(world: World, name: str, method: SignUpMethod, steps: int, *, visitor: str | None = None) -> UUID:
    """An account that was opened now, and has gone the first `steps` of the way."""
    now = world.clock.now()
    async with world.database.system() as session:
        user, account = await register(
            session, name=name, email=f"{name}@{name}-shop.example", password=PASSWORD, now=now
        )
        registered = RegisterCompleted(method, invited=False)
        await record(session, registered, at=now, account_id=account.id, user_id=user.id, visitor=visitor)
        for event in (TrialStarted(PRO), *WAY[:steps]):
            await record(session, event, at=now, account_id=account.id)
    return account.id


@pytest.fixture
async def history(world: World, clock: MovedClock) -> None:
    """Two days on which three people scanned a website, five looked at the prices and four registered. Bob, who was
    invited, counts nowhere."""
    now = clock.now()
    async with world.database.system() as session:
        for visitor in "abcde":
            await record(session, PricingPageViewed(), at=now, visitor=visitor * 32)
        for visitor in "abbf":
            await record(session, ScanStarted(), at=now, visitor=visitor * 32)
    first = await opened(world, "alice", SignUpMethod.PASSWORD, len(WAY), visitor="a" * 32)
    await opened(world, "charlie", SignUpMethod.GOOGLE, 5, visitor="b" * 32)
    await opened(world, "dora", SignUpMethod.GOOGLE, 1)
    async with world.database.tenant(first) as session:
        await record(session, WelcomeWizardStepCompleted(1), at=now, account_id=first)  # went back, and on again
        await record(session, RegisterCompleted(SignUpMethod.PASSWORD, invited=True), at=now, account_id=first)
        for feature in ("sso", "sso", "benchmarks"):
            await record(session, FeatureGateBlocked(CatalogueKey(feature), PRO), at=now, account_id=first)
    clock.move(timedelta(days=1))
    await opened(world, "erin", SignUpMethod.PASSWORD, 0)


async def test_the_funnel_counts_accounts_by_the_day_they_were_opened_and_how_far_they_came(
    world: World, clock: MovedClock, history: None
) -> None:
    async with world.database.system() as session:
        funnel = await count_funnel(session, since=clock.now() - timedelta(days=5), until=clock.now() + timedelta(1))
    today, yesterday = clock.now().date(), clock.now().date() - timedelta(days=1)
    keys = ("registered", "verified", "wizard", "connected", "live", "paid")
    assert {day: tuple(reached.values()) for day, reached in funnel.by_day().items()} == {
        today: (1, 0, 0, 0, 0, 0),
        yesterday: (3, 3, 2, 2, 1, 1),
    }
    assert tuple(funnel.total) == keys
    assert tuple(funnel.by_method()["google"].values()) == (2, 2, 1, 1, 0, 0)
    assert tuple(funnel.by_method()["password"].values()) == (2, 1, 1, 1, 1, 1)
    assert (funnel.looked.looked, funnel.looked.registered) == (5, 2)
    assert (funnel.scanned.looked, funnel.scanned.registered) == (3, 2)


async def test_the_report_has_trials_conversions_revenue_skips_and_blocks(
    world: World, clock: MovedClock, history: None
) -> None:
    async with world.database.system() as session:
        told = await reporting.report(session, now=clock.now())
    today, yesterday = told.days[:2]
    assert (today.day, today.trials, today.checkouts, today.revenue_change_cents) == (clock.now().date(), 1, 0, 0)
    assert (yesterday.trials, yesterday.checkouts, yesterday.revenue_change_cents) == (3, 1, 99_800)
    assert (len(told.days), len(told.weeks)) == (14, 8)
    weeks = told.weeks[:2]  # both days may lie in one week
    assert sum(week.trials for week in weeks) == 4
    assert sum(week.converted for week in weeks) == 1
    assert sum(week.methods.get("google", 0) for week in weeks) == 2
    (week,) = (week for week in weeks if week.blocks)
    assert week.blocks == {"sso": 1, "benchmarks": 1}, "once a day"
    assert week.wizard_skips == {1: (0, 2), 2: (2, 2), 3: (2, 2)}
    assert week.conversion in (1 / 3, 1 / 4)


async def test_staff_see_the_funnel_as_a_chart_a_table_and_a_file_and_the_numbers_of_each_week(
    history: None, sam: Desk
) -> None:
    page = (await sam.browser.get("/admin/funnel?days=7")).text
    assert 'class="chart chart-bars"' in page
    assert '<th scope="row">Google</th>' in page
    answer = await sam.browser.get("/admin/funnel.csv?days=7")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert sum(int(row["registered"] or 0) for row in rows) == 4
    assert sum(int(row["pricing_visitors"] or 0) for row in rows) == 5
    assert sum(int(row["scan_visitors"] or 0) for row in rows) == 3
    numbers = (await sam.browser.get("/admin/operations")).text
    assert "+$998.00" in numbers
    assert "Step 2 skipped" in numbers
    assert "Nothing waits and nothing has failed." in numbers


async def test_the_command_line_tells_the_same_in_words_and_as_json(
    world: World, clock: MovedClock, history: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world.database.system() as session:
        told = await reporting.report(session, now=clock.now())
    monkeypatch.setattr(operations, "in_one_transaction", lambda _count: told)
    operations.report(as_json=True)
    read = json.loads(capsys.readouterr().out)
    assert read["days"][1] | {"day": ""} == {"day": "", "trials": 3, "checkouts": 1, "revenue_change_cents": 99_800}
    operations.report(as_json=False)
    words = capsys.readouterr().out
    assert "0 paying accounts, $0.00 a month." in words
    assert "$998.00" in words


def test_a_month_of_a_yearly_price_is_a_twelfth_rounded_to_the_cent() -> None:
    assert [monthly_cents(49_900, 2, "month"), monthly_cents(499_000, 1, "year")] == [99_800, 41_583]

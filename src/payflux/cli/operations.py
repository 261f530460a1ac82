"""The numbers of each day and week on the command line, for a mail or a script."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.cli.acting import in_one_transaction
from payflux.cli.configured import console
from payflux.frontdoor.staff import reporting
from payflux.frontdoor.staff.reporting import Report
from payflux.web.formatting import money, percent
from payflux.world.bootstrap import World


def report(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON: money in US cents, counts as they are.")] = False,
) -> None:
    """Trials, Checkouts, conversion and revenue by day and week, and where people turn back."""

    async def count(world: World, session: AsyncSession) -> Report:
        return await reporting.report(session, now=world.clock.now())

    told = in_one_transaction(count)
    if as_json:
        sys.stdout.write(f"{json.dumps(msgspec.to_builtins(told), indent=2)}\n")
    else:
        _print(told)


def _print(told: Report) -> None:
    console.print(f"{told.paying} paying accounts, {money(told.revenue_cents, 'usd')} a month.\n")
    days = Table("day (UTC)", "trials", "checkouts", "revenue a month")
    for day in told.days:
        change = "–" if not day.revenue_change_cents else money(day.revenue_change_cents, "usd")
        days.add_row(day.day.isoformat(), str(day.trials), str(day.checkouts), change)
    console.print(days)
    weeks = Table("week of", "trials", "bought", "registered by", "wizard skipped", "refused by the plan")
    for week in told.weeks:
        bought = f"{week.converted}" + ("" if week.conversion is None else f" ({percent(week.conversion)})")
        skips = ", ".join(f"{step}: {skipped}/{came}" for step, (skipped, came) in week.wizard_skips.items() if came)
        weeks.add_row(
            week.week.isoformat(), str(week.trials), bought, _words(week.methods), skips or "–", _words(week.blocks)
        )
    console.print(weeks)


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items()) or "–"

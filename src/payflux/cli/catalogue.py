"""The commands of what is sold: publish the catalogue file, and bring it to Stripe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from payflux.cli.configured import complaints, configured, console
from payflux.cli.databases import owner_database, urls_of
from payflux.frontdoor.catalogue.content import Difference
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.prices import PlanAtStripe, sync_prices
from payflux.frontdoor.catalogue.publishing import differences, different_words, seed_catalogue
from payflux.kit.migrate import migrate
from payflux.settings import Settings
from payflux.world.bootstrap import World, build_world
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.errors import StripeFailure

Result = TypeVar("Result")


def seed(yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False) -> None:
    """Show how the catalogue file differs from what is sold now, and publish it instead of what the staff published."""
    catalogue = read_catalogue()

    async def differing(world: World) -> tuple[dict[str, list[Difference]], list[Difference]]:
        async with world.database.system() as session:
            return await differences(session, catalogue), await different_words(session, catalogue)

    async def publish(world: World) -> int:
        async with world.database.system() as session:
            return await seed_catalogue(session, now=world.clock.now(), replace=True)

    with configured("seed") as settings, owner_database(settings) as owner_url:
        asyncio.run(migrate(urls_of(settings, owner_url), script_location="payflux:migrations"))
        plans, words = _in_world(settings, owner_url, differing)
        if not plans and not words:
            console.print("What is sold is what the catalogue file says.")
            return
        for plan, different in plans.items():
            _show(console, plan, different)
        _show(console, "features, in words", words)
        if not yes and not typer.confirm("Publish the catalogue file?"):
            raise typer.Exit(1)
        _in_world(settings, owner_url, publish)
        console.print("Published. Who bought an older version keeps it.")
        if plans:
            console.print("Bring new prices to Stripe with `payflux sync-stripe-plans`; a plan is not sold before.")


def sync_stripe_plans() -> None:
    """Find or create the products and prices of what is sold, with this installation's Stripe key, and keep their ids.
    Run it after every change of a plan and of the key; running it again changes nothing."""
    with configured("sync-stripe-plans") as settings, owner_database(settings) as owner_url:
        try:
            synced = sync_with_stripe(settings, owner_url)
        except StripeFailure as error:
            complaints.print(
                f"The plans are not all at Stripe: {escape(str(error))}. Check STRIPE_SECRET_KEY, which has to be "
                "allowed to write products and prices, and STRIPE_API_BASE; then run this again.",
                soft_wrap=True,
            )
            raise typer.Exit(1) from None
    for each in synced:
        prices = ", ".join(f"{price_id} a {interval}" for interval, price_id in each.price_ids.items())
        made = f"created {len(each.created)}" if each.created else "nothing to create"
        console.print(f"{each.plan}, version {each.version}: {each.product_id}, {prices}; {made}", soft_wrap=True)


def sync_with_stripe(settings: Settings, owner_url: str) -> list[PlanAtStripe]:
    """Bring what is sold to Stripe. Raises StripeFailure."""
    return _in_world(settings, owner_url, lambda world: sync_prices(world, StripeBilling(world.settings, world.http)))


def _in_world(settings: Settings, owner_url: str, act: Callable[[World], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        world = build_world(settings, database_url=owner_url)
        try:
            return await act(world)
        finally:
            await world.close()

    return asyncio.run(run())


def _show(out: Console, subject: str, different: list[Difference]) -> None:
    """Each field that differs: what is sold now, and what the file says."""
    if not different:
        return
    out.print(f"[bold]{escape(subject)}[/bold]")
    for each in different:
        now, file = ("nothing" if value is None else str(value) for value in (each.before, each.after))
        out.print(f"  {each.field}: [red]{escape(now)}[/red] → [green]{escape(file)}[/green]", soft_wrap=True)

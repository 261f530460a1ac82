"""The first steps as the dashboard shows them: what is next, who can take it, and all the others."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import CAPABILITIES, may
from payflux.frontdoor.accounts.team.queries import Member, members
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.rules import standing_of
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.entitlements.notices import SETUP_STEPS, dismissed
from payflux.frontdoor.onboarding.checklist import Item, checklist, up_next
from payflux.frontdoor.onboarding.queries import get_facts
from payflux.world.bootstrap import World


@dataclass(frozen=True)
class SetupItem:
    """One setup step in words. `who_can` are the members who can take it where the reader cannot; empty where they
    can."""

    key: str
    title: str
    why: str
    verb: str
    path: str
    done: bool
    urgent: bool
    headline: bool
    who_can: list[Member]


@dataclass(frozen=True)
class FirstRun:
    """The setup steps that apply to an account, and the one to take now, None where nothing is asked for."""

    items: list[SetupItem]
    next: SetupItem | None

    @property
    def done(self) -> int:
        return sum(item.done for item in self.items)


async def first_run_of(
    session: AsyncSession, world: World, who: SignedIn, subscription: Subscription | None, *, connected: bool
) -> FirstRun | None:
    """The setup steps that `who` is shown; None where all are done, where they hid them, and in a further
    workspace, which is set up by connecting it. While nothing is
    `connected`, the steps that wait for it lead to where the processor that the owner named is."""
    if who.parent_id is not None or SETUP_STEPS in await dismissed(session, who):
        return None
    facts, processor = await get_facts(session, who, standing_of(subscription) if subscription else None)
    items = checklist(facts, world.clock.now())
    if all(item.done for item in items):
        return None
    everybody = await members(session, account_id=who.account_id)
    connects_by = None if connected else processor or "none"
    said = {item.key: _in_words(item, who, everybody, connects_by) for item in items}
    following = up_next(items)
    return FirstRun(list(said.values()), said[following.key] if following else None)


def _in_words(item: Item, who: SignedIn, everybody: list[Member], connects_by: str | None) -> SetupItem:
    catalogue = read_catalogue()
    step = catalogue.checklist[item.key]
    taken = step
    if step.by_processor and connects_by in catalogue.wizard.processors:
        taken = catalogue.wizard.processors[connects_by]
    barred = step.capability is not None and not may(who.role, step.capability)
    holders = CAPABILITIES[step.capability] if step.capability else frozenset()
    return SetupItem(
        key=item.key,
        title=step.title,
        why=step.why,
        verb=taken.verb,
        path=taken.path,
        done=item.done,
        urgent=item.urgent,
        headline=step.headline,
        who_can=[member for member in everybody if member.role in holders] if barred else [],
    )

"""An account as Stripe's customer: made at the first Checkout, replaced where Stripe has none of that id any more."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.audit import record_change
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling


async def customer_of(world: World, billing: StripeBilling, who: SignedIn) -> str:
    """The id of the account's customer, of the mode of our key. One that was deleted, or is of another mode, is
    replaced; the audit log keeps its id. Raises StripeFailure."""
    async with world.database.tenant(who.account_id) as session:
        account = (await session.execute(select(Account).where(Account.id == who.account_id))).scalar_one()
    known = account.stripe_customer_id
    if known is not None and await billing.customer(known) is not None:
        return known
    intent = hashlib.sha256(f"{account.name}\n{who.email}\n{known}".encode()).hexdigest()
    made = await billing.create_customer(
        name=account.name,
        email=who.email,
        metadata={"account_id": str(account.id)},
        key=f"customer:{account.id}:{intent}",
    )
    async with world.database.tenant(who.account_id) as session:
        locked = select(Account).where(Account.id == who.account_id).with_for_update(key_share=True)
        account = (await session.execute(locked)).scalar_one()
        if account.stripe_customer_id != known and account.stripe_customer_id is not None:
            return account.stripe_customer_id  # another request was quicker; what it stored is what is kept
        account.stripe_customer_id = made.id
        await record_change(
            session,
            account_id=account.id,
            actor_id=who.user_id,
            action="billing.customer_created",
            subject=made.id,
            at=world.clock.now(),
            before={"customer": known} if known else None,
            after={"customer": made.id},
        )
    return made.id

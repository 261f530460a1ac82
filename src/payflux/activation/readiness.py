"""Whether an account could go live, before anything is paid or stored: the tests of an activation, in words."""

from __future__ import annotations

from typing import NamedTuple

from payflux.activation.obstacles import not_ready_problem, too_little_problem
from payflux.kit.messages import gettext as _
from payflux.kit.phrases import spoken_words
from payflux.monitor.processors.account_state import AccountState
from payflux.monitor.processors.connecting.activity import recent_payments
from payflux.monitor.processors.connecting.hosts import host_of
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.permissions import CAPABILITIES
from payflux.monitor.processors.planning import FIRST_STRETCH
from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS
from payflux.world.bootstrap import World
from payflux.world.stripe import StripeAuth


class Check(NamedTuple):
    """One test: what it is of, whether it passes, and what that means or what to do. One that does not pass and is not
    `needed` takes something away from the figures, and keeps nothing from going live."""

    label: str
    passed: bool
    words: str
    needed: bool = True


async def check_readiness(world: World, *, key: str) -> list[Check]:
    """What an activation by a restricted key would find. The key is used for this and kept nowhere.

    Raises InvalidInput on `key` where it opens nothing that could be scored, or ProcessorUnavailable.
    """
    authorized = await authorize_with_key(world, key=key)
    since = world.clock.now() - FIRST_STRETCH
    payments = await recent_payments(world, StripeAuth(key), since=since)
    return checks_of(authorized.state, authorized.capabilities, payments)


def checks_of(state: AccountState, capabilities: dict[str, str], payments: int) -> list[Check]:
    """The tests of an account that a key opens, of whose newest charges so many were paid. Pure."""
    account = state.account
    assert account is not None, "a key that does not read its account is refused"
    checks = [Check(_("The key"), True, _("Stripe accepts it, and it reads what the projection cannot do without."))]
    ready = account.charges_enabled
    words = _("It may take payments.") if ready else spoken_words(not_ready_problem(account))["what_happened"]
    checks.append(Check(_("The account"), ready, words, needed=payments < MINIMUM_PAYMENTS))
    enough = payments >= MINIMUM_PAYMENTS
    lacking = spoken_words(too_little_problem(payments))
    words = f"{lacking['what_happened']} {lacking['what_to_do']}"
    if enough:
        words = _("At least %(payments)s payments in the last 90 days.") % {"payments": payments}
    checks.append(Check(_("The activity"), enough, words))
    host = host_of(account.url)
    words = (
        _("It sells on %(host)s.") % {"host": host}
        if host
        else _("Stripe does not say which; you are asked for it once connected.")
    )
    checks.append(Check(_("The website"), bool(host), words, needed=False))
    for name, capability in CAPABILITIES.items():
        if capabilities[name] == "forbidden" and not capability.optional:
            words = _(
                "The key may not read it. Missing then: %(without)s Allow “%(permission)s” in the Stripe Dashboard."
            ) % {"without": _(capability.without), "permission": capability.permission}
            checks.append(Check(_(capability.label), False, words, needed=False))
    return checks

"""The account itself, as the processor sees it."""

from __future__ import annotations

from payflux.kit.messages import mark
from payflux.kit.phrases import say
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.measures import NOW, unseen, value_signal
from payflux.monitor.risk.surface import Signal


def account_state(history: History) -> Signal:
    """Stripe's `requirements` as a level: 1 something is due, 2 past due, 3 under review, paused or rejected."""
    account = history.account
    if account is None:
        return unseen("account_state", mark("The account's state cannot be seen in this data."))
    reason = account.disabled_reason
    if reason in ("under_review", "platform_paused", "listed") or reason.startswith("rejected."):
        level, note = 3, say("Disabled: %(reason)s.", reason=reason)
    elif account.past_due or (reason and reason != "requirements.pending_verification"):
        level, note = 2, say("Past due: %(fields)s.", fields=", ".join(account.past_due) or reason)
    elif account.currently_due or reason or not (account.charges_enabled and account.payouts_enabled):
        fields = ", ".join(account.currently_due) or reason or mark("finishing the account")
        level, note = 1, say("Due: %(fields)s.", fields=fields)
    else:
        level, note = 0, mark("Nothing is due.")
    return value_signal("account_state", level, level, window=NOW, note=note)

"""What changed between two snapshots of an account, as events. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.snapshots import AccountSnapshot


def account_changes(before: AccountSnapshot | None, after: AccountSnapshot) -> list[PaymentEvent]:
    """One event for each change, at the instant the later snapshot was taken; none without an earlier one.

    The reason says what changed: payments or payouts stopped or taken up again, a restriction by Stripe's own word, the
    payout delay or interval. The source id holds what was and what is. An account changes no money: amounts are 0.
    """
    if before is None or before.taken_at >= after.taken_at:
        return []
    return [
        PaymentEvent(
            kind=Kind.ACCOUNT_CHANGE,
            source_id=f"{field}:{was}:{now}:{int(after.taken_at.timestamp())}",
            occurred_at=after.taken_at.replace(microsecond=0),
            status=Status.SUCCEEDED,
            amount=0,
            currency=after.default_currency,
            settled_amount=0,
            settled_currency=after.default_currency,
            reason=reason,
        )
        for field, was, now, reason in _changes(before, after)
    ]


def _changes(before: AccountSnapshot, after: AccountSnapshot) -> Iterator[tuple[str, object, object, str]]:
    for what in ("charges", "payouts"):
        was, now = (getattr(snapshot, f"{what}_enabled") for snapshot in (before, after))
        if was != now:
            yield f"{what}_enabled", was, now, f"{what}_{'enabled' if now else 'disabled'}"
    if before.disabled_reason != after.disabled_reason:
        yield (
            "disabled_reason",
            before.disabled_reason,
            after.disabled_reason,
            after.disabled_reason or "restriction_lifted",
        )
    was, now = before.payout_delay_days, after.payout_delay_days
    if was is not None and now is not None and was != now:
        yield "payout_delay_days", was, now, f"payout_delay_{'raised' if now > was else 'lowered'}"
    if before.payout_interval and after.payout_interval and before.payout_interval != after.payout_interval:
        yield "payout_interval", before.payout_interval, after.payout_interval, "payout_interval_changed"

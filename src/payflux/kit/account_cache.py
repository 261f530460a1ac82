"""Values computed for an account, kept in this process for as long as nothing that they rest on has changed."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

MOST_ACCOUNTS = 10_000


@dataclass(frozen=True)
class _Entry:
    version: tuple[int, ...]
    value: Any
    good_from: datetime
    good_until: datetime


class AccountCache:
    """One value per account, of the accounts asked for last.

    A value is given out for the version it was computed of alone, and from the instant it was computed at until its
    own end: whoever reads has to know the version that holds now, which the writer of a change raises.
    """

    def __init__(self, *, size: int = MOST_ACCOUNTS) -> None:
        self._size = size
        self._entries: OrderedDict[UUID, _Entry] = OrderedDict()

    def get(self, account_id: UUID, *, version: tuple[int, ...], now: datetime) -> Any | None:
        """The account's value, or None where there is none of `version` that is good at `now`."""
        entry = self._entries.get(account_id)
        if entry is None or entry.version != version or not entry.good_from <= now < entry.good_until:
            return None
        self._entries.move_to_end(account_id)
        return entry.value

    def put(
        self, account_id: UUID, value: Any, *, version: tuple[int, ...], good_from: datetime, good_until: datetime
    ) -> None:
        """Keep `value`, computed at `good_from` of what `version` names, until `good_until` (excluded)."""
        self._entries[account_id] = _Entry(version, value, good_from, good_until)
        self._entries.move_to_end(account_id)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

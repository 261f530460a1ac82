"""Everything the sandbox remembers: its anchor date, who is connected, codes in flight, and the merchants' books."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from payflux.sandbox import app_grants
from payflux.sandbox.amendments import orders_of
from payflux.sandbox.callers import (
    ALL_READS,
    PERMISSIONS,
    SECRET_KEY,
    WITHOUT_DISPUTES,
    Caller,
    access_token,
    no_access,
)
from payflux.sandbox.errors import OAuthError, StripeError, masked
from payflux.sandbox.merchants.archetypes import APP, ARCHETYPES, PLATFORM, Archetype
from payflux.sandbox.merchants.merchant import Merchant
from payflux.sandbox.objects.view import View
from payflux.sandbox.store import Json, Store

if TYPE_CHECKING:
    from payflux.sandbox.work import Work

CLIENT_ID = "ca_sandbox"
CODE_LIFETIME = timedelta(minutes=5)
A_MONTH = timedelta(days=30)
STATE_FILE = "sandbox.json"
STORE_FILE = "sandbox.sqlite3"

Listener = Callable[[str, Json], None]
"""Told of an account and a stored event."""


def _now() -> datetime:
    return datetime.now(UTC)


class Saved(msgspec.Struct):
    """The part of the state that survives a restart, beside the store."""

    anchor: date
    connected: dict[str, str] = {}  # account id -> scope
    ahead: float = 0  # seconds that the clock has been advanced by


@dataclass
class Code:
    account_id: str
    scope: str
    expires: datetime
    used: bool = False


class SandboxState:
    """The state of one sandbox.

    `now` is the machine's clock, aware and UTC; the sandbox's own, :meth:`now`, may be ahead of it. Without `state_dir`
    nothing is kept; with it the anchor date, the connections and the clock survive in `sandbox.json` there, and what
    calls have made in `sandbox.sqlite3`. `anchor` is today unless it is given or was saved.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = _now,
        state_dir: Path | None = None,
        anchor: date | None = None,
        requests_per_second: float = 25,
    ) -> None:
        self._machine_now, self.requests_per_second = now, requests_per_second
        self._file = state_dir / STATE_FILE if state_dir else None
        self._saved = self._load(anchor)
        self.store = Store(state_dir / STORE_FILE if state_dir else None)
        self.listeners: list[Listener] = []
        self._codes: dict[str, Code] = {}
        self._merchants: dict[str, Merchant] = {}
        self.archetypes: dict[str, Archetype] = {a.account_id: a for a in (*ARCHETYPES.values(), PLATFORM, APP)}
        self._restricted: dict[str, tuple[str, frozenset[str]]] = {}
        for archetype in ARCHETYPES.values():
            self._restricted[archetype.restricted_key] = archetype.account_id, PERMISSIONS
            self._restricted[archetype.restricted_key + WITHOUT_DISPUTES] = (
                archetype.account_id,
                PERMISSIONS - {"rak_dispute_read"},
            )

    @property
    def anchor(self) -> date:
        return self._saved.anchor

    @property
    def connected(self) -> dict[str, str]:
        """The accounts connected to the platform, and their scopes."""
        return dict(self._saved.connected)

    def _load(self, anchor: date | None) -> Saved:
        if self._file and self._file.exists():
            try:
                return msgspec.json.decode(self._file.read_bytes(), type=Saved)
            except msgspec.DecodeError as error:
                raise ValueError(
                    f"{self._file} is not a sandbox state ({error}). Move it away to begin anew."
                ) from error
        saved = Saved(anchor or self._machine_now().astimezone(UTC).date())
        self._save(saved)
        return saved

    def _save(self, saved: Saved) -> None:
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(msgspec.json.format(msgspec.json.encode(saved)))
            fresh.replace(self._file)

    def machine_now(self) -> datetime:
        """The machine's time, which the sandbox's may be ahead of: what leaves the sandbox is dated by it."""
        return self._machine_now().astimezone(UTC)

    def now(self) -> datetime:
        """The sandbox's time."""
        return self.machine_now() + timedelta(seconds=self._saved.ahead)

    @property
    def ahead(self) -> float:
        """Seconds that the sandbox's clock is ahead of the machine's."""
        return self._saved.ahead

    def advance(self, seconds: float) -> None:
        """Set the clock ahead. What is due by then is for :func:`payflux.sandbox.clock.run_due`."""
        if seconds < 0:
            raise ValueError("The clock only goes forward.")
        self._saved.ahead += seconds
        self._save(self._saved)

    def announce(self, work: Work) -> None:
        """Tell the listeners of each event of a unit of work, at the end of the transaction that stores it: what they
        keep of it is kept with it."""
        for event in work.events:
            for listener in self.listeners:
                listener(work.account_id, event)

    def view(self, account_id: str, now: int | None = None) -> View:
        """What `account_id` shows at `now`, unix seconds, by default the sandbox's time; raises KeyError for an account
        that is none of the sandbox's."""
        archetype = self.archetypes[account_id]
        seconds = int(self.now().timestamp()) if now is None else now
        day = datetime.fromtimestamp(seconds, UTC).date()
        merchant = self._merchants.get(account_id)
        orders = orders_of(self.store, account_id)
        if merchant is None or merchant.horizon < day or merchant.orders != orders:
            if merchant:
                # the clock is being moved, and goes on: a month of days to come costs what one does
                day = merchant.horizon if merchant.horizon >= day else day + A_MONTH
            merchant = self._merchants[account_id] = Merchant(archetype, self.anchor, day, orders)
        return View(merchant, account_id, seconds, self.store)

    def caller(self, key: str | None, account: str | None) -> Caller:
        """Who calls with `key` and the Stripe-Account header `account`; raises a 401 or 403 StripeError."""
        if not key:
            raise StripeError(
                401,
                "You did not provide an API key. You need to provide your API key in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
                "https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
            )
        if key == SECRET_KEY:
            own = PLATFORM.account_id
            if account in (None, own):
                return Caller(key, own, None, account)
            return self._connected_caller(key, account, account)
        for known in self.archetypes:
            if key == access_token(known) and account in (None, known):
                return self._connected_caller(key, known, account)
        permissions: frozenset[str] | None
        application = False
        if key == app_grants.APP_SECRET_KEY:
            own, permissions = APP.account_id, None
        elif key in self._restricted:
            own, permissions = self._restricted[key]
        elif found := app_grants.account_of(self.store, key, int(self.now().timestamp())):
            own, permissions, application = found, app_grants.APP_PERMISSIONS, True
        else:
            raise StripeError(401, f"Invalid API Key provided: {masked(key)}")
        if account not in (None, own):
            raise no_access(key, account)
        return Caller(key, own, permissions, account, application)

    def _connected_caller(self, key: str, account_id: str | None, header: str | None) -> Caller:
        scope = self._saved.connected.get(account_id or "")
        if account_id is None or scope is None:
            raise no_access(key, account_id)
        read_only = scope == "read_only"
        return Caller(key, account_id, ALL_READS if read_only else None, header, read_only=read_only)

    def issue_code(self, account_id: str, scope: str) -> str:
        """A one-time authorization code for an account whose owner agreed to `scope`."""
        code = f"ac_{secrets.token_hex(16)}"
        self._codes[code] = Code(account_id, scope, self.now() + CODE_LIFETIME)
        return code

    def redeem_code(self, text: str) -> Code:
        """Connect the account behind a code; raises `invalid_grant`.

        A second use disconnects the account again: it means that somebody else holds the code.
        """
        code = self._codes.get(text)
        if code is None or (code.expires <= self.now() and not code.used):
            raise OAuthError("invalid_grant", f"Authorization code does not exist: {text}")
        if code.used:
            self.disconnect(code.account_id)
            raise OAuthError(
                "invalid_grant",
                "This authorization code has already been used. All tokens issued with this code have been revoked.",
            )
        code.used = True
        self._saved.connected[code.account_id] = code.scope
        self._save(self._saved)
        return code

    def disconnect(self, account_id: str) -> bool:
        """Disconnect an account from the platform; whether it was connected."""
        known = self._saved.connected.pop(account_id, None) is not None
        if known:
            self._save(self._saved)
        return known

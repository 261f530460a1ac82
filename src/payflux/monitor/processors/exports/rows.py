"""One row of an export, its cells read as what they should be; what is wrong with one is an error with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import TypeVar

from payflux.monitor.processors.codes import Method, Network, Status
from payflux.monitor.processors.exports.amounts import minor_units
from payflux.monitor.processors.exports.report import Trouble

Choice = TypeVar("Choice", bound=IntEnum)


class RefusedRowError(Exception):
    """This row gives no event."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


class Row:
    """The cells of one row by column key (see :func:`tables.column_key`); an absent column reads as empty."""

    __slots__ = ("cells", "columns", "decimal_comma", "names", "notices")

    def __init__(
        self, cells: Sequence[str], columns: Mapping[str, int], names: Sequence[str], decimal_comma: bool
    ) -> None:
        self.cells, self.columns, self.names, self.decimal_comma = cells, columns, names, decimal_comma
        self.notices: list[tuple[Trouble, str]] = []

    def raw(self, column: str) -> str:
        """The cell as it stands."""
        index = self.columns.get(column)
        return "" if index is None else self.cells[index]

    def text(self, column: str) -> str:
        return self.raw(column).strip()

    def name(self, column: str) -> str:
        """The column's name as the file writes it."""
        index = self.columns.get(column)
        return column if index is None else self.names[index]

    def required(self, column: str) -> str:
        value = self.text(column)
        if not value:
            raise RefusedRowError(Trouble.MISSING_VALUE, f"{self.name(column)} is empty")
        return value

    def time(self, column: str) -> datetime | None:
        """An ISO 8601 time, UTC where it names no zone; None for an empty cell."""
        value = self.text(column)
        if not value:
            return None
        try:
            parsed = datetime.fromisoformat(value.removesuffix(" UTC"))
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        except (ValueError, OverflowError):
            raise RefusedRowError(
                Trouble.WRONG_TIME, f"{self.name(column)} {value!r} is not a time such as 2026-11-20 13:45:00"
            ) from None

    def required_time(self, column: str) -> datetime:
        self.required(column)
        moment = self.time(column)
        assert moment is not None
        return moment

    def currency(self, column: str) -> str:
        """An ISO 4217 code in lower case; empty for an empty cell."""
        value = self.text(column)
        if value and not (len(value) == 3 and value.isascii() and value.isalpha()):
            raise RefusedRowError(
                Trouble.WRONG_CURRENCY, f"{self.name(column)} {value!r} is not a currency such as usd"
            )
        return value.lower()

    def required_currency(self, column: str) -> str:
        self.required(column)
        return self.currency(column)

    def signed(self, column: str, currency: str) -> int | None:
        """An amount in minor units, whatever its sign; None for an empty cell."""
        value = self.text(column)
        if not value:
            return None
        try:
            return minor_units(value, currency, decimal_comma=self.decimal_comma)
        except ValueError as error:
            raise RefusedRowError(Trouble.WRONG_AMOUNT, f"{self.name(column)} {error}") from None

    def amount(self, column: str, currency: str) -> int | None:
        """An amount in minor units that is not negative; None for an empty cell."""
        minor = self.signed(column, currency)
        if minor is not None and minor < 0:
            raise RefusedRowError(
                Trouble.NEGATIVE_AMOUNT, f"{self.name(column)} {self.text(column)!r} is negative where it cannot be"
            )
        return minor

    def required_amount(self, column: str, currency: str) -> int:
        self.required(column)
        minor = self.amount(column, currency)
        assert minor is not None
        return minor

    def country(self, column: str) -> str:
        """An ISO 3166 alpha-2 code in upper case; anything else is noted and left out."""
        value = self.text(column)
        if value and not (len(value) == 2 and value.isascii() and value.isalpha()):
            self.notices.append((Trouble.IGNORED_VALUE, f"{self.name(column)} {value!r} is not a country such as US"))
            return ""
        return value.upper()

    def choice(self, column: str, choices: Mapping[str, Choice]) -> Choice:
        """What the cell's word stands for; an unknown word is an error that lists the known ones."""
        value = self.required(column)
        found = choices.get(value.lower().replace(" ", "_"))
        if found is None:
            raise RefusedRowError(
                Trouble.UNKNOWN_VALUE, f"{self.name(column)} {value!r} is none of {', '.join(choices)}"
            )
        return found


_NETWORKS = {
    "visa": Network.VISA,
    "mastercard": Network.MASTERCARD,
    "mc": Network.MASTERCARD,
    "american_express": Network.AMEX,
    "amex": Network.AMEX,
    "discover": Network.DISCOVER,
    "diners_club": Network.DINERS,
    "diners": Network.DINERS,
    "jcb": Network.JCB,
    "unionpay": Network.UNIONPAY,
}

DISPUTE_STATUSES = {
    "needs_response": Status.OPEN,
    "under_review": Status.OPEN,
    "appeal_needs_response": Status.OPEN,
    "appeal_under_review": Status.OPEN,
    "charge_refunded": Status.LOST,
    "won": Status.WON,
    "lost": Status.LOST,
    "prevented": Status.PREVENTED,
    "warning_needs_response": Status.INQUIRY,
    "warning_under_review": Status.INQUIRY,
    "warning_closed": Status.INQUIRY,
}
"""Stripe's dispute.status; `charge_refunded` is its older word for a dispute that ended in a refund."""


def network(brand: str) -> Network:
    """The card network behind a brand as exports write it; OTHER for one unheard of."""
    return _NETWORKS.get(brand.strip().lower().replace(" ", "_"), Network.OTHER) if brand.strip() else Network.UNKNOWN


def method(payment_method_type: str, brand: str = "") -> Method:
    """How the payer paid; a card brand tells a card where the type's column is empty."""
    kind = payment_method_type.strip().lower()
    if kind in ("card_present", "interac_present"):
        return Method.CARD_PRESENT
    if kind == "card" or (not kind and brand.strip()):
        return Method.CARD
    return Method.OTHER if kind else Method.UNKNOWN

"""Object ids: a prefix as Stripe prints it, seven letters of the account, and the object's key in hexadecimal."""

from __future__ import annotations

PREFIXES = {
    "charges": "ch_3",
    "intents": "pi_3",
    "refunds": "re_3",
    "disputes": "du_1",
    "warnings": "issfr_1",
    "payouts": "po_1",
    "movements": "txn_3",
    "events": "evt_1",
    "reviews": "prv_1",
    "plans": "resplan_1",
    "holds": "reshold_1",
    "releases": "resrel_1",
}


def print_id(table: str, account_id: str, key: int) -> str:
    """The id of the object with `key` in `table` of the account."""
    return f"{PREFIXES[table]}{account_id[-7:]}{key:016x}"


def read_key(table: str, account_id: str, text: str) -> int | None:
    """The key that `text` was printed from, or None if it is no id of that table and account."""
    head = f"{PREFIXES[table]}{account_id[-7:]}"
    digits = text[len(head) :]
    if not text.startswith(head) or len(digits) != 16:
        return None
    try:
        key = int(digits, 16)
    except ValueError:
        return None
    return key if f"{key:016x}" == digits and key < 2**63 else None


def customer_id(account_id: str, number: int) -> str:
    return f"cus_{account_id[-7:]}{number:07d}"


def read_customer(account_id: str, text: str) -> int | None:
    """The number of the customer with the id `text`, or None if it cannot be one."""
    digits = text.removeprefix(f"cus_{account_id[-7:]}")
    return int(digits) if len(digits) == 7 and digits.isascii() and digits.isdigit() else None

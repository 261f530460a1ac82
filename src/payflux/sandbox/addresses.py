"""Where the sandbox's own pages are: on the address that its callers reach it by."""

from __future__ import annotations

import base64
import binascii

from payflux.sandbox.store import Store
from payflux.sandbox.work import Work

_SETTING = "address"
_DEFAULT = "http://127.0.0.1:8001"


def remember_address(store: Store, base: str) -> None:
    """Keep the address of a call, such as `http://127.0.0.1:8001`, for links that are made when nobody calls."""
    if store.setting(_SETTING) != base:
        store.set(_SETTING, base)


def page_url(work: Work, path: str) -> str:
    """The address of a page of the sandbox; `path` begins with a slash."""
    return work.store.setting(_SETTING, _DEFAULT) + path


def make_ticket(account_id: str, object_id: str) -> str:
    """The unguessable last part of a link to a page about one object: it names the account and the object."""
    return "test_" + base64.urlsafe_b64encode(f"{account_id},{object_id}".encode()).decode().rstrip("=")


def read_ticket(ticket: str) -> tuple[str, str] | None:
    """The account and the object that a ticket names; None for what is no ticket."""
    text = ticket.removeprefix("test_")
    try:
        account_id, _, object_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(",")
    except (binascii.Error, ValueError):
        return None
    return (account_id, object_id) if object_id else None

"""The host that a connected account sells on: the monitored entity."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.models import Connection

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LONGEST = 253  # characters, RFC 1035 section 2.3.4


class HostSource(StrEnum):
    """Where a host comes from; a person's word outlives what is found."""

    UNKNOWN = ""
    ACCOUNT = "account"  # business_profile.url
    SCAN = "scan"
    ASKED = "asked"


def host_of(url: str) -> str:
    """The public host name of `url`, with or without a scheme, in lower case and ASCII; empty where there is none."""
    text = url.strip()
    try:
        name = urlsplit(text if "//" in text else f"//{text}").hostname or ""
        name = name.rstrip(".").encode("idna").decode()
    except (UnicodeError, ValueError):
        return ""
    labels = name.split(".")
    is_name = len(labels) > 1 and not labels[-1].isdigit() and all(map(_LABEL.fullmatch, labels))
    return name if is_name and len(name) <= _LONGEST else ""


def asked_host(text: str) -> str:
    """The host that a person typed. Raises InvalidInput on `host`."""
    host = host_of(text)
    if not host:
        raise InvalidInput({"host": _("This is not the address of a website. Write it like shop.example.com.")})
    return host


async def set_host(session: AsyncSession, connection: Connection, text: str, *, now: datetime, actor_id: UUID) -> None:
    """Monitor the host that a person typed, from now on. Raises InvalidInput on `host`."""
    before, after = connection.host, asked_host(text)
    connection.host, connection.host_source = after, HostSource.ASKED
    await record_change(
        session,
        account_id=connection.account_id,
        actor_id=actor_id,
        action="connection.host_changed",
        subject=str(connection.id),
        at=now,
        before={"host": before},
        after={"host": after},
    )

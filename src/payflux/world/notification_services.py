"""Tell services that people read messages in, such as Microsoft Teams, through Apprise.

Only the services listed here, each over TLS at hosts of its own: where a message goes is never for the customer to say,
and no file or command of this machine can be named. Source: github.com/caronc/apprise/wiki, a page for each service.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import apprise
import httpx

from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.settings import Settings
from payflux.world.notify import Answer, PostFailure, check_address

_LONGEST_ADDRESS = 2000
_STATUS = re.compile(r"error=(\d{3})\b")

_ASSET = apprise.AppriseAsset(
    app_id="PayFlux",
    app_desc="PayFlux",
    app_url="",
    image_url_mask=None,
    http_redirects=False,
    storage_mode=apprise.PersistentStoreMode.MEMORY,
)


@dataclass(frozen=True)
class NotificationService:
    """A service by its `name`, the `hosts` that it is reached at (a leading dot: every host below), an `example` of an
    address, and the `parameters` that an address of it may carry after its question mark."""

    name: str
    hosts: tuple[str, ...]
    example: str
    parameters: frozenset[str] = frozenset()


SERVICES = {
    "workflows": NotificationService(
        "Microsoft Teams",
        (".logic.azure.com", ".api.powerplatform.com"),
        "https://….logic.azure.com:443/workflows/…",
        frozenset({"api-version", "sp", "sv", "sig"}),
    ),
    "discord": NotificationService("Discord", ("discord.com",), "https://discord.com/api/webhooks/…"),
    "gchat": NotificationService(
        "Google Chat",
        ("chat.googleapis.com",),
        "https://chat.googleapis.com/v1/spaces/…",
        frozenset({"key", "token"}),
    ),
    "tgram": NotificationService("Telegram", ("api.telegram.org",), "tgram://BOT_TOKEN/CHAT_ID"),
    "wxteams": NotificationService(
        "Webex", ("api.ciscospark.com", "webexapis.com"), "https://webexapis.com/v1/webhooks/incoming/…"
    ),
    "pover": NotificationService("Pushover", ("api.pushover.net",), "pover://USER_KEY@APP_TOKEN"),
}
"""By the scheme that Apprise knows each under."""


def check_service_address(settings: Settings, address: str, *, field: str) -> tuple[str, NotificationService]:
    """`address` as it may be kept, with the service that it is of. Raises InvalidInput on `field`; no part of the
    address is repeated, for it lets everybody post."""
    address = address.strip()
    found = _plugin(address) if len(address) <= _LONGEST_ADDRESS else None
    if found is None:
        names = ", ".join(service.name for service in SERVICES.values())
        said = _("This is not an address of one of these services: %(names)s. Write it as shown, without options.")
        raise InvalidInput({field: said % {"names": names}})
    plugin, service = found
    if settings.environment == "production" and not _is_of(service, _host(plugin, service)):
        said = _("This is not a host of %(service)s. Its address is like %(example)s.")
        raise InvalidInput({field: said % {"service": service.name, "example": service.example}})
    return address, service


async def notify_service(settings: Settings, address: str, *, title: str, body: str, wrong: bool) -> Answer:
    """Post a message to the service at `address`, once; `wrong` marks bad news. Raises PostFailure where it did not
    arrive and no HTTP status says why."""
    found = _plugin(address)
    if found is None:
        raise PostFailure(mark("Its address is of no service that is posted to."))
    plugin, service = found
    await check_address(settings, httpx.URL(scheme="https", host=_host(plugin, service)))
    kind = apprise.NotifyType.WARNING if wrong else apprise.NotifyType.INFO
    return await asyncio.to_thread(_notify, plugin, title, body, kind)


class _Status(logging.Handler):
    """Hears, of one thread, the HTTP status that a refusal is logged with: Apprise itself says no more than no."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: int | None = None
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread and (found := _STATUS.search(record.getMessage())):
            self.heard = int(found[1])


def _notify(plugin: apprise.NotifyBase, title: str, body: str, kind: apprise.NotifyType) -> Answer:
    status, log = _Status(), logging.getLogger("apprise")
    log.addHandler(status)
    try:
        if plugin.notify(body=body, title=title, notify_type=kind):
            return Answer(200, "", None)
    finally:
        log.removeHandler(status)
    if status.heard is None:
        raise PostFailure(mark("It could not be reached, or did not answer in time."))
    return Answer(status.heard, "", None)


def _plugin(address: str) -> tuple[apprise.NotifyBase, NotificationService] | None:
    plugin = apprise.Apprise.instantiate(address, asset=_ASSET) if _may_be_read(address) else None
    if plugin is None:
        return None
    scheme = plugin.url().partition("://")[0]
    service = SERVICES.get("workflows" if scheme == "workflow" else scheme)
    return None if service is None else (plugin, service)


def _may_be_read(address: str) -> bool:
    """Whether Apprise may look at `address` at all: it knows schemes and options that name files and commands."""
    try:
        url = urlsplit(address)
        host = url.hostname or ""
    except ValueError:
        return False
    if url.scheme in SERVICES:
        return not set(address) & set("?&#;")
    carried = {name for name, _ in parse_qsl(url.query, keep_blank_values=True)}
    own = (service for service in SERVICES.values() if _is_of(service, host))
    return url.scheme == "https" and any(carried <= service.parameters for service in own)


def _host(plugin: apprise.NotifyBase, service: NotificationService) -> str:
    """The host that is posted to: a part of the address where the service has many."""
    return plugin.host if service.hosts[0].startswith(".") else service.hosts[0]


def _is_of(service: NotificationService, host: str) -> bool:
    return any(host.endswith(each) if each.startswith(".") else host == each for each in service.hosts)

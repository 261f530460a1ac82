"""Who may start a scan, and how often: an account as its plan says, a stranger as often as their network may."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.entitlements.usage import use
from payflux.frontdoor.funnel.events import ScanStarted
from payflux.frontdoor.funnel.recording import record
from payflux.kit.errors import TooManyRequests
from payflux.kit.messages import gettext as _
from payflux.monitor.scan.models import AskedBy, SiteScan
from payflux.monitor.scan.service import asked_website, start_scan
from payflux.world.bootstrap import World

SCANS = "scans_per_month"


async def begin_scan(world: World, text: str, *, who: SignedIn | None, address: str, visitor: str | None) -> SiteScan:
    """Start the scan that somebody asks for on a page, and record that they did. Raises InvalidInput,
    TooManyRequests and LimitReached."""
    url, now = asked_website(text, world.settings), world.clock.now()
    if who is None:
        require_turn(world, address, url)
        async with world.database.system() as session:
            await record(session, ScanStarted(), at=now, visitor=visitor)
            return await start_scan(session, url, now=now)
    require_turn(world, "", url)
    async with world.database.tenant(who.account_id) as session:
        await use(session, world, account_id=who.account_id, key=SCANS)
        await record(session, ScanStarted(), at=now, account_id=who.account_id, user_id=who.user_id)
        return await start_scan(session, url, account_id=who.account_id, asked_by=AskedBy.PAGE, now=now)


def require_turn(world: World, address: str, url: str) -> None:
    """Take a turn of the network at `address`, if one is given, and of the website, so that nobody has us read one
    again and again. Raises TooManyRequests."""
    now, host = world.clock.now(), urlsplit(url).hostname
    wait = world.scans.wait(("network", network_of(address)), now) if address else 0.0
    wait = wait or world.scans.wait(("website", host), now)
    if wait:
        raise TooManyRequests(
            _("Too many scans from your network, or of this website, in a short time."),
            way_out=_("Wait %(minutes)s minutes, then try again. An account scans as often as its plan says.")
            % {"minutes": int(wait // 60) + 1},
        )


def network_of(address: str) -> str:
    """What an address counts as: itself, or for IPv6 the /64 that one customer has."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)

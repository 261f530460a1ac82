"""Contexts for the pages of the free scan, with what it finds in the sandbox's shops."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from payflux.kit.messages import gettext as _
from payflux.monitor.risk.surface import BANDS
from payflux.monitor.scan.crawling import PROBLEMS
from payflux.monitor.scan.models import ScanStatus, SiteScan
from payflux.monitor.scan.rules.assessing import TOO_LITTLE, assess
from payflux.monitor.scan.rules.comparing import compare
from payflux.monitor.scan.rules.findings import Assessment, Site
from payflux.monitor.scan.rules.links import MOST_PAGES
from payflux.monitor.scan.rules.pages import read_page
from payflux.sandbox.storefronts.pages import ENCRYPTED, shop_pages
from payflux.settings import SANDBOX_STOREFRONTS
from payflux.web.scan_card import HEIGHT, WIDTH
from payflux.web.scan_views import ScanLine, band_of, finding_view, groups_of
from tests.unit.web.staff_samples import NOW

GOOD, GAPS, RESTRICTED = SANDBOX_STOREFRONTS
PATH = "/scan/0123456789abcdef"


@cache
def assessed(host: str) -> tuple[Assessment, list[str]]:
    """What is found in a shop of the sandbox, and the addresses that were read."""
    start = f"{'https' if host in ENCRYPTED else 'http'}://{host}"
    pages = [read_page(f"{start}{path}", html) for path, html in list(shop_pages(host).items())[:MOST_PAGES]]
    return assess(Site(host, tuple(pages))), [page.url for page in pages]


def scanned(host: str, **more: Any) -> SiteScan:
    """A scan that is over."""
    found = {"pages_read": assessed(host)[1], "status": ScanStatus.DONE, "problem": "", "shared": None}
    times = {"created_at": NOW, "finished_at": NOW}
    return SiteScan(id=UUID(int=1), host=host, **times | found | more)


def result(host: str, **more: Any) -> dict[str, Any]:
    """What the page of a scan of `host` is told, for somebody who holds its link."""
    found = assessed(host)[0]
    return {
        "scan": scanned(host),
        "path": PATH,
        "token": "0123456789abcdef",
        "assessment": found,
        "band": band_of(found.tier),
        "unjudged": "",
        "groups": groups_of(found),
        "before": None,
        "changed": None,
        "changes": [],
        "may_keep": True,
        "self_serve": True,
        "owns": True,
        "card": "https://payflux.example/scan/cards/0123456789abcdef",
        "card_size": (WIDTH, HEIGHT),
    } | more


def line(host: str, status: str, tier: int = 0, days: int = 0) -> ScanLine:
    return ScanLine(host, PATH, NOW - timedelta(days=days), status, band_of(tier), tier, 2 * tier)


def scan_pages(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name."""
    form = {"form": {"url": ""}, "errors": {}, "scans": [], "most_pages": MOST_PAGES, "storefronts": []}
    lines = [
        line(GOOD, "done", 1),
        line("www.a-shop-with-a-long-name-of-its-own.example", "done", max(BANDS), 9),
        line(GAPS, "failed", days=30),
        line(GAPS, "reading", days=31),
    ]
    nothing = assess(Site(GOOD, (read_page(f"https://{GOOD}/", "<p>Soon here.</p>"),)))
    changed = compare(assessed(GAPS)[0], assessed(RESTRICTED)[0])
    again = {
        "before": scanned(GAPS, created_at=NOW - timedelta(days=9)),
        "changed": changed,
        "changes": [(each, finding_view(shown)) for each in changed.changes if (shown := each.after or each.before)],
    }
    kept = {"may_keep": False, "scan": scanned(RESTRICTED, shared=["host", "counts"])}
    under_way = {"path": PATH, "most_pages": MOST_PAGES}
    read = assessed(GOOD)[1]
    return {
        "scan": ("scan.html", signed_out | form),
        "scan-refused": (
            "scan.html",
            signed_out
            | form
            | {"form": {"url": "my shop"}, "errors": {"url": "This is not the address of a website."}},
        ),
        "scan-member": ("scan.html", signed_in | form | {"scans": lines, "storefronts": list(SANDBOX_STOREFRONTS)}),
        "scan-about": (
            "scan_about.html",
            signed_out
            | {
                "robot": "PayFluxScan",
                "user_agent": "PayFluxScan/1.0 (+https://payflux.example/scan/about)",
                "most_pages": MOST_PAGES,
            },
        ),
        "scan-begun": (
            "scan_progress.html",
            signed_out | under_way | {"scan": scanned(GOOD, status=ScanStatus.WAITING, pages_read=[])},
        ),
        "scan-progress": (
            "scan_progress.html",
            signed_out | under_way | {"scan": scanned(GOOD, status=ScanStatus.READING, pages_read=read[:4])},
        ),
        "scan-failed": (
            "scan_failed.html",
            signed_out
            | {"scan": scanned(GAPS, status=ScanStatus.FAILED, pages_read=[]), "problem": _(PROBLEMS["robots"])},
        ),
        "scan-result": ("scan_result.html", signed_out | result(GAPS)),
        "scan-result-good": ("scan_result.html", signed_in | result(GOOD)),
        "scan-result-kept": ("scan_result.html", signed_in | result(RESTRICTED, **again, **kept)),
        "scan-result-no-band": (
            "scan_result.html",
            signed_out
            | result(GOOD, assessment=nothing, band="", unjudged=_(TOO_LITTLE), groups=groups_of(nothing), owns=False),
        ),
    }

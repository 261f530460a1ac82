"""A scan as its pages show it: each finding with what its check says, and the words for bands and states."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.risk.surface import BANDS
from payflux.monitor.scan.links import token_of
from payflux.monitor.scan.models import SiteScan
from payflux.monitor.scan.queries import assessment_of, latest_scan
from payflux.monitor.scan.rules.comparing import Comparison, compare
from payflux.monitor.scan.rules.findings import Assessment, Finding, Severity, Status
from payflux.monitor.scan.rules.registry import RESTRICTED, check_of
from payflux.monitor.scan.rules.restricted import MEND, NONE_FOUND, UNSEEN, WHY, family_of
from payflux.world.bootstrap import World

BAND_WORDS = {
    1: mark("Low"),
    2: mark("Moderate"),
    3: mark("Elevated"),
    4: mark("High"),
    5: mark("Critical"),
}
STATUS_WORDS = {
    Status.PRESENT: mark("Present"),
    Status.AMBIGUOUS: mark("Ambiguous"),
    Status.ABSENT: mark("Absent"),
    Status.NOT_APPLICABLE: mark("Does not apply"),
    Status.UNJUDGED: mark("Cannot judge"),
}
SEVERITY_WORDS = {
    Severity.LOW: mark("low severity"),
    Severity.MEDIUM: mark("medium severity"),
    Severity.HIGH: mark("high severity"),
    Severity.CRITICAL: mark("critical"),
}
_NO_RESTRICTED = mark("Restricted goods and services")
_OLD_CHECK = mark("A check that is made no more")


class FindingView(NamedTuple):
    """A finding in words of the reader's language. `tone` is "danger", "warn", "good" or "" for its mark."""

    key: str
    title: str
    status: str
    severity: str
    tone: str
    said: str
    url: str
    quote: str
    why: str
    mend: str
    unseen: str
    source: str


class FindingGroups(NamedTuple):
    """What is to be mended, the gravest first; what is in order; what does not apply, or could not be judged."""

    to_mend: list[FindingView]
    in_order: list[FindingView]
    aside: list[FindingView]


class ScanLine(NamedTuple):
    """A scan in one line, for lists: `band` is empty while there is none."""

    host: str
    path: str
    at: datetime
    status: str
    band: str
    tier: int
    to_mend: int


def groups_of(assessment: Assessment) -> FindingGroups:
    to_mend = sorted((each for each in assessment.findings if each.severity), key=lambda each: -each.severity)
    good = [each for each in assessment.findings if not each.severity and each.status is Status.PRESENT]
    good += [each for each in assessment.findings if each.key == NONE_FOUND and each.status is Status.ABSENT]
    aside = [each for each in assessment.findings if each not in to_mend and each not in good]
    return FindingGroups(*([finding_view(each) for each in group] for group in (to_mend, good, aside)))


def finding_view(finding: Finding) -> FindingView:
    check, family = check_of(finding.key), family_of(finding.key)
    if check:
        title, why, mend, unseen, source = check.title, check.why, check.mend, check.unseen, check.source
    else:
        title = family.title if family else _NO_RESTRICTED if finding.key == NONE_FOUND else _OLD_CHECK
        why, mend, unseen, source = WHY, MEND if family else "", UNSEEN, RESTRICTED
    return FindingView(
        key=finding.key.replace(":", "-"),
        title=_(title),
        status=_status(finding),
        severity=_(SEVERITY_WORDS[finding.severity]) if finding.severity else "",
        tone=_tone(finding),
        said=_(finding.seen.said),
        url=finding.seen.url,
        quote=finding.seen.quote,
        why=_(why),
        mend=_(mend) if mend else "",
        unseen=_(unseen),
        source=source,
    )


def _status(finding: Finding) -> str:
    if finding.key == NONE_FOUND and finding.status is Status.ABSENT:
        return _("None found")
    return (
        _("Found") if family_of(finding.key) and finding.status is Status.PRESENT else _(STATUS_WORDS[finding.status])
    )


def _tone(finding: Finding) -> str:
    if finding.severity:
        return "danger" if finding.severity >= Severity.HIGH else "warn"
    return "good" if finding.status is Status.PRESENT or finding.key == NONE_FOUND else ""


def band_of(tier: int | None) -> str:
    """The band's name; empty for none."""
    assert set(BAND_WORDS) == set(BANDS), "the scan speaks of the same bands as the product"
    return _(BAND_WORDS[tier]) if tier else ""


def compared(before: SiteScan | None, after: Assessment) -> Comparison | None:
    earlier = assessment_of(before) if before else None
    return compare(earlier, after) if earlier else None


def scan_line(world: World, scan: SiteScan) -> ScanLine:
    found = assessment_of(scan)
    return ScanLine(
        host=scan.host,
        path=f"/scan/{token_of(world.tokens, scan.id)}",
        at=scan.created_at,
        status=scan.status,
        band=band_of(found.tier) if found else "",
        tier=(found.tier or 0) if found else 0,
        to_mend=len(found.reasons) if found else 0,
    )


async def latest_scan_line(session: AsyncSession, world: World, account_id: UUID) -> ScanLine | None:
    """The account's newest scan, for its dashboard."""
    scan = await latest_scan(session, account_id=account_id)
    return scan_line(world, scan) if scan else None

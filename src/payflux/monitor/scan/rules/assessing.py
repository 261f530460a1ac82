"""From the pages of a website to one answer with its reasons. Pure.

The band is ours, not a processor's: it says in which direction the public pages point, and nothing about payments.
Every gap weighs by its severity; what is offered of a prohibited kind sets a floor. The weights are documented in
docs/scan.md, and no source gives others.
"""

from __future__ import annotations

from payflux.kit.messages import mark
from payflux.monitor.scan.rules.checks import JUDGES
from payflux.monitor.scan.rules.findings import Assessment, Finding, Seen, Severity, Site, Status
from payflux.monitor.scan.rules.language import READ, language_of, too_little
from payflux.monitor.scan.rules.registry import CHECKS, VERSION, Check
from payflux.monitor.scan.rules.restricted import NONE_FOUND, restricted

WEIGHTS = {Severity.NONE: 0, Severity.LOW: 1, Severity.MEDIUM: 2, Severity.HIGH: 4, Severity.CRITICAL: 10}
TIERS = ((3, 1), (7, 2), (12, 3), (18, 4))
"""The highest sum of weights of each tier; above the last it is 5."""

NOT_READ = mark("The pages are in neither English nor German, which are the languages that this scan reads.")
TOO_LITTLE = mark(
    "There is too little text on these pages to judge. They may be drawn by a script, which the scan does not run: a "
    "reviewer's tool may see as little."
)


def assess(site: Site) -> Assessment:
    """Judge `site`, which has at least one page."""
    language, thin = language_of(site.pages), too_little(site.pages)
    reads = language in READ and not thin
    findings = [_finding(check, site, reads=reads) for check in CHECKS]
    findings += restricted(site) if reads else [_unjudged(NONE_FOUND)]
    grave = sorted((each for each in findings if each.severity), key=lambda each: -each.severity)
    return Assessment(
        version=VERSION,
        tier=_tier(grave) if reads else None,
        reasons=tuple(each.key for each in grave),
        findings=tuple(findings),
        language=language,
        unjudged="" if reads else TOO_LITTLE if thin else NOT_READ,
    )


def _finding(check: Check, site: Site, *, reads: bool) -> Finding:
    if check.reads and not reads:
        return _unjudged(check.key)
    seen = JUDGES[check.key](site)
    if seen.status is Status.ABSENT:
        return Finding(check.key, seen, check.severity)
    return Finding(check.key, seen, check.severity.lighter if seen.status is Status.AMBIGUOUS else Severity.NONE)


def _unjudged(key: str) -> Finding:
    return Finding(key, Seen(Status.UNJUDGED, mark("This cannot be told from these pages.")), Severity.NONE)


def _tier(grave: list[Finding]) -> int:
    total = sum(WEIGHTS[each.severity] for each in grave)
    by_sum = next((tier for most, tier in TIERS if total <= most), 5)
    return max(by_sum, 4) if any(each.severity is Severity.CRITICAL for each in grave) else by_sum

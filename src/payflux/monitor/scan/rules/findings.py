"""The words of a scan's answer: what was found, how grave that is, and the whole of it. Pure."""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

from payflux.monitor.scan.rules.pages import Page


class Status(StrEnum):
    """What a check found. UNJUDGED: it cannot be told from these pages; NOT_APPLICABLE: nothing asks for it here."""

    PRESENT = "present"
    AMBIGUOUS = "ambiguous"
    ABSENT = "absent"
    NOT_APPLICABLE = "not_applicable"
    UNJUDGED = "unjudged"


class Severity(IntEnum):
    """How much a processor's reviewer is likely to mind."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def lighter(self) -> Severity:
        """That of something that is only half found."""
        return Severity(max(int(self) - 1, min(int(self), 1)))


class Seen(msgspec.Struct, frozen=True):
    """What one check saw: `said` is the sentence that says it, in English, looked up where it is shown; `quote` the
    words on the page `url` that it rests on. Both are empty where nothing was seen."""

    status: Status
    said: str
    url: str = ""
    quote: str = ""


class Finding(msgspec.Struct, frozen=True):
    """`key` names the check (:mod:`.registry`) or the family of restricted goods (:mod:`.restricted`)."""

    key: str
    seen: Seen
    severity: Severity

    @property
    def status(self) -> Status:
        return self.seen.status


class Site(msgspec.Struct, frozen=True):
    """The pages that were read of one website, its entry first."""

    host: str
    pages: tuple[Page, ...]


class Assessment(msgspec.Struct, frozen=True):
    """The whole answer. `tier` is 1 (low) to 5 (critical), and None where the pages allow none, for the reason in
    `unjudged`. `reasons` are the keys of the findings that set it, the gravest first. `version` is of the rules."""

    version: str
    tier: int | None
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    language: str
    unjudged: str = ""

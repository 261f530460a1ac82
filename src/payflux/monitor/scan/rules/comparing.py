"""What is different between two scans of one website. Pure."""

from __future__ import annotations

from typing import NamedTuple

from payflux.monitor.scan.rules.findings import Assessment, Finding


class Change(NamedTuple):
    """A finding that was another before; either side is None where there was none."""

    key: str
    before: Finding | None
    after: Finding | None

    @property
    def is_better(self) -> bool:
        return _weight(self.after) < _weight(self.before)


class Comparison(NamedTuple):
    """`same_rules` is false where the rules have changed in between, so that a change may be theirs."""

    changes: tuple[Change, ...]
    same_rules: bool
    tier_before: int | None
    tier_after: int | None


def compare(before: Assessment, after: Assessment) -> Comparison:
    """The findings whose status or severity is another, in the order of the later scan."""
    old, new = ({each.key: each for each in scan.findings} for scan in (before, after))
    changes = [
        Change(key, old.get(key), new.get(key))
        for key in dict.fromkeys([*new, *old])
        if _gist(old.get(key)) != _gist(new.get(key))
    ]
    return Comparison(tuple(changes), before.version == after.version, before.tier, after.tier)


def _gist(finding: Finding | None) -> tuple[str, int]:
    return (finding.status, finding.severity) if finding else ("", 0)


def _weight(finding: Finding | None) -> int:
    return int(finding.severity) if finding else 0

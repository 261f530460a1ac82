"""Artifacts of the ledger in words, as the evidence pages list them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.ledger.artifacts import Kind
from payflux.monitor.ledger.models import LedgerArtifact
from payflux.web.formatting import money_short

KINDS: dict[Kind, str] = {
    Kind.CONNECTION: mark("Connection"),
    Kind.BASELINE: mark("Baseline"),
    Kind.PROJECTION: mark("Projection"),
    Kind.ALERT: mark("Alert"),
    Kind.SCORE: mark("Score of a projection"),
    Kind.ENVELOPE: mark("Envelope"),
    Kind.IMPORTED: mark("Imported from elsewhere"),
}

HAPPENINGS = {
    "raised": mark("An alert was raised."),
    "worsened": mark("An alert became worse."),
    "cleared": mark("An alert is over: the figures are calm again."),
    "resolved": mark("An alert was resolved by a member."),
}

PURPOSES = {
    "activation": mark("Names the connection, its baseline and the first projection."),
    "reserve_review": mark("Vouches for a reserve review dossier, by the hash of its figures."),
}


class ArtifactView(NamedTuple):
    """An artifact with its kind and what it says in a sentence; `body` is its JSON to read, empty where it is kept no
    longer."""

    row: LedgerArtifact
    kind: str
    says: str
    body: str


class Filter(NamedTuple):
    """What the list is narrowed to. `until` is the end of the last day, both in UTC."""

    kinds: tuple[Kind, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def read_filter(*, kind: str, first_day: str, last_day: str) -> Filter:
    """The filter that a form asks for, as it was typed. Raises InvalidInput naming each wrong field."""
    problems: dict[str, str] = {}
    if kind and kind not in set(Kind):
        problems["kind"] = _("Choose a kind from the list.")
    days: dict[str, datetime | None] = {}
    for name, typed, after in (("from", first_day, 0), ("to", last_day, 1)):
        try:
            day = datetime.combine(date.fromisoformat(typed), time.min, UTC) if typed else None
            days[name] = day and day + timedelta(days=after)
        except (ValueError, OverflowError):
            problems[name] = _("Write the day as 2026-11-21.")
    if problems:
        raise InvalidInput(problems)
    return Filter((Kind(kind),) if kind else (), days["from"], days["to"])


def artifact_view(row: LedgerArtifact) -> ArtifactView:
    """`row` as a page shows it."""
    kind = Kind(row.kind)
    if row.body is None:
        return ArtifactView(row, _(KINDS[kind]), _("Your plan keeps what it said no longer. Its hash still holds."), "")
    body = json.loads(row.body)
    says = _SAYINGS[kind](body)
    return ArtifactView(row, _(KINDS[kind]), says, json.dumps(body, indent=2, ensure_ascii=False))


def _connection(body: Mapping[str, Any]) -> str:
    return _("%(processor)s account %(account)s was connected.") % {
        "processor": str(body["processor"]).capitalize(),
        "account": body["external_account_id"],
    }


def _baseline(body: Mapping[str, Any]) -> str:
    return _("Risk tier %(tier)s of 5, stability %(stability)s of 100, on %(events)s payment events.") % {
        "tier": body["tier"],
        "stability": body["stability_score"],
        "events": body["event_count"],
    }


def _projection(body: Mapping[str, Any]) -> str:
    last = body["windows"][-1]
    return _("Risk tier %(tier)s of 5; %(amount)s trapped at T+%(days)s.") % {
        "tier": body["risk"]["tier"],
        "amount": money_short(last["trapped"], body["currency"]),
        "days": last["horizon_days"],
    }


def _alert(body: Mapping[str, Any]) -> str:
    return _(HAPPENINGS.get(str(body.get("happening")), ""))


def _score(body: Mapping[str, Any]) -> str:
    score = body["score"]
    return _("T+%(days)s: %(said)s trapped was said, %(came)s came.") % {
        "days": body["horizon_days"],
        "said": money_short(score["trapped_said"], score["currency"]),
        "came": money_short(score["trapped"], score["currency"]),
    }


def _envelope(body: Mapping[str, Any]) -> str:
    return _(PURPOSES.get(str(body.get("purpose")), ""))


def _imported(body: Mapping[str, Any]) -> str:
    return _("A file with %(records)s records came from elsewhere. PayFlux vouches for its hash, not its words.") % {
        "records": body["records"]
    }


_SAYINGS = {
    Kind.CONNECTION: _connection,
    Kind.BASELINE: _baseline,
    Kind.PROJECTION: _projection,
    Kind.ALERT: _alert,
    Kind.SCORE: _score,
    Kind.ENVELOPE: _envelope,
    Kind.IMPORTED: _imported,
}

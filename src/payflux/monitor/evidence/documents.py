"""Documents of evidence as tagged PDF: PDF/A-3a for keeping, with what is signed attached, and PDF/UA-1 for readers who
hear it. Pure but for the fonts that come with typst."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import typst

from payflux.kit.charts import BandPoint, band_chart
from payflux.kit.figures import day_words, moment_words
from payflux.monitor.evidence.dossier import MONEY, Dossier, Figure
from payflux.monitor.ledger.models import LedgerArtifact
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.scorebook import Outcome
from payflux.monitor.risk.rules.measures import money, percent

TEMPLATE = Path(__file__).with_name("document.typ")
Part = dict[str, Any]


class Attachment(msgspec.Struct, frozen=True):
    """A file inside the document."""

    content: str
    type: str
    description: str


def compile_pdf(
    document: Mapping[str, object],
    *,
    charts: Mapping[str, Mapping[str, str]],
    attachments: Mapping[str, Attachment],
    at: datetime,
) -> bytes:
    """The PDF of `document`: title, subject, lead, footer, unit and sections of parts. The same input gives the same
    bytes."""
    data = {**document, "attachments": msgspec.to_builtins(attachments)}
    made = typst.compile(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data), "charts": json.dumps(charts)},
        timestamp=at.replace(microsecond=0),  # PDF knows none
    )
    assert isinstance(made, bytes)
    return made


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a document for whom, and the envelope in the ledger that vouches for it."""

    account: str
    workspace_id: str
    made_by: str
    made_at: datetime
    document_hash: str
    envelope: LedgerArtifact
    named: Sequence[LedgerArtifact]
    first_attached: int
    installation: str


def dossier_pdf(dossier: Dossier, projection: ReserveProjection, made: Provenance, ledger: bytes) -> bytes:
    """The dossier. `ledger` is the ledger up to the envelope, as JSON lines."""
    sections = [
        _section("The short of it", _short(dossier)),
        _section("Exposure arithmetic", _exposure(dossier)),
        _section("What is projected to be held", _trapped(dossier)),
        _section("Disputes", _disputes(dossier)),
        _section("Position in the networks' programmes", _programmes(dossier)),
        _section("Track record of the projections", _track_record(dossier)),
        _section("What this rests on", _basis(dossier)),
        _section("Who made this, and how to check it", _proof(made)),
    ]
    charts = {"trapped": _trapped_chart(projection)}
    if len(dossier.dispute_curve) > 1:
        charts["disputes"] = _dispute_chart(dossier)
    document = {
        "title": "Reserve review dossier",
        "subject": f"Risk exposure and coverage of {made.account} as of {moment_words(dossier.as_of)}",
        "lead": f"{made.account}, account {dossier.account_of_processor} at {dossier.processor.capitalize()}. "
        f"As of {moment_words(dossier.as_of)}, based on {dossier.event_count:,} payment events of the last "
        f"{dossier.window_days} days.",
        "footer": f"{made.account}, {moment_words(made.made_at)}. SHA-256 of the figures: {made.document_hash[:16]}…",
        "unit": dossier.currency.upper(),
        "sections": sections,
    }
    attachments = {
        "dossier.json": Attachment(dossier.encoded().decode(), "application/json", "The figures of this document"),
        "evidence.jsonl": Attachment(ledger.decode(), "application/x-ndjson", "The signed ledger that vouches for it"),
    }
    return compile_pdf(document, charts=charts, attachments=attachments, at=made.made_at)


def artifacts_pdf(
    artifacts: Sequence[LedgerArtifact], *, account: str, workspace_id: str, ledger: bytes, at: datetime
) -> bytes:
    """Artifacts one after another, each with its proof and its body. `ledger` is the same as JSON lines."""
    sections = []
    for each in artifacts:
        rows = [
            ["Recorded", moment_words(each.recorded_at), False],
            ["Model version", each.model_version or "none: nothing was computed", False],
            ["Hash (SHA-256)", each.hash.hex(), True],
            ["Previous hash", each.previous_hash.hex(), True],
            ["Body's hash", each.body_hash.hex(), True],
            ["Signing key", each.key_id, True],
        ]
        body = "The plan keeps this body no longer. Its hash stays, and the chain holds."
        if each.body is not None:
            body = json.dumps(json.loads(each.body), indent=1, ensure_ascii=False)
        parts: list[Part] = [{"kind": "facts", "rows": rows}, {"kind": "code", "text": body}]
        sections.append(_section(f"{each.sequence}. {each.kind.capitalize()}", parts))
    subject = f"Artifacts {artifacts[0].sequence} to {artifacts[-1].sequence} of workspace {workspace_id}"
    document = {
        "title": "Signed evidence",
        "subject": subject,
        "lead": f"{subject}, recorded for {account}. "
        "The attached evidence.jsonl has the same with every signature; check it with payflux verify.",
        "footer": f"{account}, {moment_words(at)}",
        "unit": "",
        "sections": sections,
    }
    attached = {"evidence.jsonl": Attachment(ledger.decode(), "application/x-ndjson", "The same, signed")}
    return compile_pdf(document, charts={}, attachments=attached, at=at)


def _section(title: str, parts: list[Part]) -> dict[str, object]:
    return {"title": title, "parts": parts}


def _text(words: str) -> Part:
    return {"kind": "text", "text": words}


def _fine(words: str) -> Part:
    return {"kind": "fine", "text": words}


def _short(dossier: Dossier) -> list[Part]:
    named = {figure.label: figure for figure in (*dossier.exposure, *dossier.coverage)}
    keys = ("Expected exposure", "Coverage", "Held by the processor now", "Coverage beyond the stressed exposure")
    rows = [_row(dossier, named[key]) for key in keys if key in named]
    return [
        _text(
            f"Risk tier {dossier.risk_tier} of 5 ({dossier.risk_band}), stability {dossier.stability_score} of 100, "
            f"trend {dossier.trend.lower()}."
        ),
        {"kind": "figures", "caption": f"In {dossier.currency.upper()}.", "rows": rows},
    ]


def _exposure(dossier: Dossier) -> list[Part]:
    return [
        {
            "kind": "figures",
            "caption": "What the processor stands to lose.",
            "rows": [_row(dossier, each) for each in dossier.exposure],
        },
        {
            "kind": "figures",
            "caption": "What covers it.",
            "rows": [_row(dossier, each) for each in dossier.coverage],
        },
    ]


def _trapped(dossier: Dossier) -> list[Part]:
    rows = [_row(dossier, each) for each in dossier.trapped]
    caption = "Trapped capital at each horizon, expected, with its 80 % range."
    return [{"kind": "figures", "caption": caption, "rows": rows}, {"kind": "chart", "name": "trapped"}]


def _disputes(dossier: Dossier) -> list[Part]:
    rows = [
        [
            _network(each.network, each.reason) + (" (too little seen)" if each.insufficient else ""),
            f"{each.payments:,}",
            f"{each.seen:,}",
            f"{each.to_come:.1f} ({each.to_come_low:.1f} to {each.to_come_high:.1f})",
            f"{percent(each.rate)} ({percent(each.rate_low)} to {percent(each.rate_high)})",
            f"{percent(each.over_threshold)} of {percent(each.threshold)}",
        ]
        for each in dossier.dispute_outlook
    ]
    if not rows:
        return [_text("No payment was seen in the window, so nothing is said of disputes.")]
    head = ["Payments", "Number", "Seen", "Still to come", "Disputed in the end", "Chance of the threshold"]
    parts: list[Part] = [
        {
            "kind": "table",
            "caption": f"Payments of the last {dossier.window_days} days. Disputes arrive weeks late: those still to "
            "come are estimated from the account's own reporting delays. Ranges are 80 %.",
            "head": head,
            "rows": rows,
        }
    ]
    if len(dossier.dispute_curve) > 1:
        parts.append({"kind": "chart", "name": "disputes"})
    return parts


def _programmes(dossier: Dossier) -> list[Part]:
    def further(events: int | None) -> str:
        return "cannot say" if events is None else "reached" if events == 0 else f"{events:,} more"

    rows = [
        [
            f"{each.name}, {each.step}: {each.needs}",
            f"{each.events:,} on {each.payments:,}",
            further(each.now),
            further(each.month_end),
        ]
        for each in dossier.programmes
    ]
    parts: list[Part] = []
    if rows:
        caption = "Further events of the running month that would reach a network's step."
        head = ["Step", "Events on payments", "As of now", "By the month's end"]
        parts.append({"kind": "table", "caption": caption, "head": head, "rows": rows})
        sources = sorted({each.source for each in dossier.programmes if each.source})
        parts.append(_fine("Sources: " + "; ".join(sources) + "."))
    if dossier.escalation is not None:
        next_tier = dossier.escalation
        parts.append(
            _text(
                f"The chance that the next {next_tier.days_ahead} days ask for tier {next_tier.tier} or worse is "
                f"{percent(next_tier.probability)}: it takes {next_tier.events:,} events on {next_tier.payments:,} "
                f"expected payments; {next_tier.expected:.1f} are expected (80 %: {next_tier.low:.0f} to "
                f"{next_tier.high:.0f})."
            )
        )
    return parts or [_text("No programme of a card network can be counted on what this account shows.")]


def _track_record(dossier: Dossier) -> list[Part]:
    record = dossier.track_record
    if not record.scored:
        return [_text("No horizon of a projection is over yet. Each is scored when it is, and cannot be changed then.")]
    summary = (
        f"In {record.trapped_inside} of {record.scored} scored horizons what the stated scenario would have held came "
        "inside the stated 80 % range"
    )
    if record.sales_stated:
        summary += f"; sales did in {record.sales_inside} of {record.sales_stated}"
    head = ["Horizon", "Sales, said", "came", "Trapped, said", "came", "Held", "Tier, said/came"]
    rows = [_outcome(each) for each in record.outcomes if each.score is not None]
    caption = "What was said beside what came. Trapped capital is what the stated scenario would have held given the "
    caption += "real sales; held is what the processor really held, where it can be seen."
    return [_text(summary + "."), {"kind": "table", "caption": caption, "head": head, "rows": rows}]


def _outcome(each: Outcome) -> list[str]:
    score = each.score
    assert score is not None
    return [
        f"T+{each.horizon_days} of {day_words(each.as_of)}",
        money(score.sales_said, score.currency),
        money(score.sales, score.currency),
        money(score.trapped_said, score.currency),
        money(score.trapped, score.currency),
        "cannot be seen" if score.held is None else money(score.held, score.currency),
        f"{score.tier_said} / {score.tier}",
    ]


def _basis(dossier: Dossier) -> list[Part]:
    reasons = [f"Tier {each.tier}: {each.sentence}" for each in dossier.reasons]
    models = ", ".join(f"{name} model {version}" for name, version in dossier.models.items())
    return [
        {"kind": "list", "items": [*dossier.assumptions, *dossier.notes]},
        _text("Why the risk tier is what it is:"),
        {"kind": "list", "items": reasons or ["No signal asks for more than the lowest tier."]},
        _fine(f"Computed by PayFlux, {models}. A projection, not the processor's decision."),
    ]


def _proof(made: Provenance) -> list[Part]:
    envelope = made.envelope
    named = ", ".join(f"{each.sequence} ({each.kind})" for each in made.named)
    rows = [
        ["Made by", f"{made.made_by}, for {made.account}, with PayFlux at {made.installation}", False],
        ["Made at", moment_words(made.made_at), False],
        ["SHA-256 of dossier.json", made.document_hash, True],
        ["Envelope", f"artifact {envelope.sequence} of workspace {made.workspace_id}; it names {named}", False],
        ["Its hash (SHA-256)", envelope.hash.hex(), True],
        ["Signing key", envelope.key_id, True],
        ["Signature (JWS)", envelope.jws, True],
    ]
    return [
        _text(
            "Every figure of this document stands in the attached file dossier.json. Its hash stands in an envelope "
            "that PayFlux signed and chained to all it said before; the attached file evidence.jsonl has artifacts "
            f"{made.first_attached} to {envelope.sequence} of that ledger."
        ),
        {"kind": "facts", "rows": rows},
        _text("To check it without trusting anybody, take both files out of this document and run:"),
        {
            "kind": "code",
            "text": f"curl -O {made.installation}/.well-known/payflux-keys.json\n"
            "payflux verify evidence.jsonl --keys payflux-keys.json\n"
            "sha256sum dossier.json",
        },
    ]


def _row(dossier: Dossier, figure: Figure) -> dict[str, str]:
    def written(value: float | None) -> str:
        if value is None:
            return "cannot say"
        return money(round(value), dossier.currency) if figure.unit == MONEY else percent(value)

    between = f"{written(figure.low)} to {written(figure.high)}" if figure.low is not None else ""
    return {
        "label": figure.label,
        "value": written(figure.value),
        "range": between,
        "window": figure.window[:1].upper() + figure.window[1:],
        "basis": figure.basis[:1].upper() + figure.basis[1:].removesuffix("."),
    }


def _network(network: str, reason: str) -> str:
    name = "All cards" if network == "all" else network.replace("_", " ").capitalize()
    return name if reason == "all" else f"{name}, {'for fraud' if reason == 'fraud' else 'other reasons'}"


def _trapped_chart(projection: ReserveProjection) -> dict[str, str]:
    currency = projection.currency
    last = projection.windows[-1]
    alt = f"Trapped capital by day, rising to {money(last.trapped, currency)} at T+{last.horizon_days}; 80 % range "
    alt += f"{money(last.low, currency)} to {money(last.high, currency)}."
    drawn = band_chart(
        [BandPoint(*day) for day in projection.daily],
        title="Projected trapped capital by day",
        description=alt,
        format_x=lambda day: f"T+{day:.0f}",
        format_y=lambda amount: money(round(amount), currency),
        marks=[each.horizon_days for each in projection.windows],
    )
    return {"svg": str(drawn), "alt": alt, "caption": "Projected trapped capital by day, with its 80 % range."}


def _dispute_chart(dossier: Dossier) -> dict[str, str]:
    points, first = dossier.dispute_curve, dossier.dispute_curve[0].as_of
    alt = f"Disputed in the end, by reading: from {percent(points[0].rate)} to {percent(points[-1].rate)} of payments."
    placed = [
        BandPoint((each.as_of - first).total_seconds(), each.rate, each.rate_low, each.rate_high) for each in points
    ]
    ends = {placed[0].x: points[0].as_of, placed[-1].x: points[-1].as_of}
    drawn = band_chart(
        placed,
        title="Disputed in the end, by reading",
        description=alt,
        format_x=lambda seconds: day_words(ends.get(seconds, first)),
        format_y=percent,
        marks=[placed[-1].x],
    )
    return {"svg": str(drawn), "alt": alt, "caption": "Share of the window's payments disputed in the end, by reading."}

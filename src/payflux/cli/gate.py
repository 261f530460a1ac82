"""`payflux gate`: let a pipeline go on only while the risk is no worse than what was agreed."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple
from xml.etree import ElementTree

import msgspec
import typer

from payflux.cli.analyze import read_files
from payflux.cli.configured import complaints
from payflux.client import ApiError, Client, Unreachable
from payflux.kit.clock import SystemClock
from payflux.monitor.processors.exports import UnreadableFileError
from payflux.monitor.risk.rules import score
from payflux.monitor.risk.surface import BANDS, Band

PASSED, FAILED, CANNOT_TELL = 0, 1, 2
"""The exit codes."""


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


class CannotTell(Exception):
    """There is no reading to judge; the message says why, and what to do."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged. `score` is 0 to 100, the higher the calmer; None for a website, which has none."""

    subject: str
    tier: int
    score: int | None
    as_of: str
    reasons: list[str]

    @property
    def band(self) -> Band:
        return BANDS[self.tier]


class Check(NamedTuple):
    name: str
    passed: bool
    said: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for a machine. `passed` is null where it cannot be told, for the reason in `problem`."""

    passed: bool | None
    reading: Reading | None = None
    checks: list[Check] = []
    problem: str = ""

    @property
    def exit_code(self) -> int:
        return CANNOT_TELL if self.passed is None else PASSED if self.passed else FAILED


class _Surface(msgspec.Struct, frozen=True):
    """What is read of an analysis (`payflux analyze --json`)."""

    risk_tier: Annotated[int, msgspec.Meta(ge=1, le=5)]
    stability_score: int
    as_of: str
    reasons: list[dict[str, object]]


class _Analysis(msgspec.Struct, frozen=True):
    surface: _Surface


def gate(
    max_band: Annotated[Band, typer.Option(help="The worst band that passes.")] = Band.MODERATE,
    min_score: Annotated[
        int | None, typer.Option(min=0, max=100, help="The lowest stability score that passes.", show_default=False)
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Judge the scan of this website instead of your workspace.", show_default=False)
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            help="Judge this file instead, without a server: what `payflux analyze --json` wrote, or a processor's "
            "export. Several exports are merged.",
            show_default=False,
        ),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How the outcome is written.")] = Format.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write it to this file, and the text to the screen.", show_default=False),
    ] = None,
    api_url: Annotated[
        str | None,
        typer.Option(envvar="PAYFLUX_API_URL", help="Where PayFlux is.", show_default="http://127.0.0.1:8000"),
    ] = None,
) -> None:
    """Fail a pipeline whose risk is worse than agreed. Reads your workspace with the key in PAYFLUX_API_KEY (scope
    risk:read), a website's scan, or a file.

    Exit code 0: it passes. 1: it does not. 2: it cannot be told, as nothing answers or nothing was scored.
    """
    try:
        if url is not None and file:
            raise CannotTell("Choose one of --url and --file.")
        if min_score is not None and url is not None:
            raise CannotTell("The scan of a website has no stability score: leave --min-score out.")
        verdict = judge(_of_files(file) if file else _of_api(url, api_url), max_band=max_band, min_score=min_score)
    except CannotTell as error:
        verdict = Verdict(passed=None, problem=str(error))
    written = _WRITERS[format_](verdict)
    if output is not None:
        try:
            output.write_text(written + "\n", encoding="utf-8")
        except OSError as error:
            complaints.print(f"{output} cannot be written: {error.strerror or error}.", markup=False)
            raise typer.Exit(CANNOT_TELL) from None
    print(as_text(verdict) if output is not None else written)
    raise typer.Exit(verdict.exit_code)


def judge(reading: Reading, *, max_band: Band, min_score: int | None) -> Verdict:
    """Whether `reading` is as good as was agreed. Pure."""
    worst = next(tier for tier, band in BANDS.items() if band is max_band)
    checks = [
        Check("band", reading.tier <= worst, f"The band is {reading.band} (tier {reading.tier}); at most {max_band}.")
    ]
    if min_score is not None and reading.score is not None:
        said = f"The stability score is {reading.score}; at least {min_score}."
        checks.append(Check("score", reading.score >= min_score, said))
    return Verdict(passed=all(check.passed for check in checks), reading=reading, checks=checks)


def _of_api(website: str | None, api_url: str | None) -> Reading:
    """What the API says of the workspace, or of a website. Raises CannotTell."""
    if not os.environ.get("PAYFLUX_API_KEY"):
        raise CannotTell("PAYFLUX_API_KEY is not set. Make a key with risk:read under API keys, or judge a --file.")
    try:
        with Client(url=api_url) as payflux:
            if website is None:
                risk = payflux.risk()
                return Reading(
                    subject=f"{risk.processor} {risk.merchant_id}",
                    tier=risk.risk_tier,
                    score=risk.stability_score,
                    as_of=risk.known_until.isoformat(),
                    reasons=[reason.sentence for reason in risk.surface.reasons],
                )
            scan = payflux.scan(website)
    except msgspec.DecodeError:
        raise CannotTell("What answered is no PayFlux. Check --api-url or PAYFLUX_API_URL.") from None
    except (ApiError, Unreachable, ValueError) as error:
        raise CannotTell(str(error)) from None
    if scan.tier is None:
        raise CannotTell(scan.unjudged or scan.problem or "The scan takes longer than usual; run this again.")
    as_of = scan.scanned_at.isoformat() if scan.scanned_at else ""
    return Reading(subject=scan.url, tier=scan.tier, score=None, as_of=as_of, reasons=scan.reasons)


def _of_files(files: list[Path]) -> Reading:
    """What an analysis says, or exports that are analysed now. Raises CannotTell."""
    subject = ", ".join(file.name for file in files)
    if len(files) == 1 and files[0].suffix == ".json":
        try:
            surface = msgspec.json.decode(files[0].read_bytes(), type=_Analysis).surface
        except (OSError, msgspec.DecodeError) as error:
            raise CannotTell(f"{files[0]} is no analysis: {error}. `payflux analyze --json` writes one.") from None
        reasons = [str(reason.get("sentence", "")) for reason in surface.reasons]
        return Reading(
            subject=subject,
            tier=surface.risk_tier,
            score=surface.stability_score,
            as_of=surface.as_of,
            reasons=reasons,
        )
    try:
        history, report, _ = read_files(files, None, SystemClock().now(), None)
    except (UnreadableFileError, ValueError) as error:
        raise CannotTell(str(error)) from None
    if not report.events:
        raise CannotTell("There is no usable payment event in what was given.")
    found = score(history)
    return Reading(
        subject=subject,
        tier=found.risk_tier,
        score=found.stability_score,
        as_of=found.as_of.isoformat(),
        reasons=[reason.sentence for reason in found.reasons],
    )


def as_text(verdict: Verdict) -> str:
    if verdict.reading is None:
        return f"Cannot tell: {verdict.problem}"
    lines = [f"{'Passed' if verdict.passed else 'Failed'}: {verdict.reading.subject}, as of {verdict.reading.as_of}"]
    lines += [f"  {'ok  ' if check.passed else 'FAIL'} {check.said}" for check in verdict.checks]
    return "\n".join(lines + [f"       {reason}" for reason in verdict.reading.reasons if not verdict.passed])


def as_json(verdict: Verdict) -> str:
    checks = [{"name": each.name, "passed": each.passed, "said": each.said} for each in verdict.checks]
    read = verdict.reading
    reading = None if read is None else {"band": read.band, **msgspec.structs.asdict(read)}
    told = {"passed": verdict.passed, "problem": verdict.problem, "reading": reading, "checks": checks}
    return msgspec.json.format(msgspec.json.encode(told)).decode()


def as_junit(verdict: Verdict) -> str:
    """One test case for each check; what cannot be told is an error of the suite's only one."""
    failed = sum(not check.passed for check in verdict.checks)
    unknown = int(verdict.reading is None)
    suite = ElementTree.Element(
        "testsuite",
        name="payflux gate",
        tests=str(len(verdict.checks) + unknown),
        failures=str(failed),
        errors=str(unknown),
    )
    if verdict.reading is None:
        case = ElementTree.SubElement(suite, "testcase", classname="payflux.gate", name="reading")
        ElementTree.SubElement(case, "error", message=verdict.problem)
    else:
        for check in verdict.checks:
            case = ElementTree.SubElement(suite, "testcase", classname="payflux.gate", name=check.name)
            if not check.passed:
                failure = ElementTree.SubElement(case, "failure", message=check.said)
                failure.text = "\n".join(verdict.reading.reasons)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=False)


_WRITERS = {Format.TEXT: as_text, Format.JSON: as_json, Format.JUNIT: as_junit}

"""Files of plain events by DuckDB: what the reader in Python and NumPy make of them, to the bit."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payflux.monitor.processors.codes import Kind, Method, Network, Outcome, RiskLevel, Status
from payflux.monitor.processors.events import PaymentEvent, event_columns
from payflux.monitor.processors.exports import UnreadableFileError, read_exports
from payflux.monitor.processors.exports.layouts.plain import FIELDS, write_plain
from payflux.monitor.processors.exports.report import ReadReport
from payflux.monitor.risk.engines.duckdb import stage_files
from payflux.monitor.risk.rules.summary import Summary, summarise

NOW = datetime(2026, 11, 21, 12, 30, 5, tzinfo=UTC)
HEADER = ",".join(FIELDS)

MOMENTS = st.one_of(
    st.integers(0, 420 * 86_400).map(lambda ago: NOW - timedelta(seconds=ago)),
    st.integers(-3 * 86_400, 86_400).map(lambda ago: NOW - timedelta(seconds=ago)),
    st.integers(0, 3).map(lambda ago: NOW - timedelta(days=3, seconds=1800 * ago)),
)
FEW_IDS = st.sampled_from(["", "a", "b", "ü", "d'e", 'f"g'])
EVENTS = st.builds(
    PaymentEvent,
    kind=st.sampled_from([Kind.CHARGE, Kind.CHARGE, *Kind]),
    source_id=st.integers(0, 40).map("id_{}".format),
    occurred_at=MOMENTS,
    status=st.sampled_from([Status.SUCCEEDED, Status.FAILED, *Status]),
    amount=st.integers(0, 10**15) | st.integers(0, 100_000),
    currency=st.sampled_from(["usd", "eur", "jpy"]),
    settled_amount=st.integers(0, 10**15) | st.integers(0, 2_000),
    settled_currency=st.sampled_from(["usd", "eur"]),
    charge_id=FEW_IDS,
    charge_occurred_at=st.none() | MOMENTS,
    network=st.sampled_from(Network),
    method=st.sampled_from(Method),
    outcome=st.sampled_from(Outcome),
    risk_level=st.sampled_from(RiskLevel),
    three_d_secure=st.sampled_from([None, True, False]),
    country=st.sampled_from(["", "US", "DE"]),
    reason=st.sampled_from(["", "fraudulent", "card_declined", "a_word_of_tomorrow"]),
    card=FEW_IDS,
    customer=FEW_IDS,
    ends_at=st.none() | MOMENTS,
)


def by_python(paths: list[Path], as_of: datetime = NOW) -> tuple[Summary, ReadReport]:
    reading = read_exports(paths, now=NOW)
    return summarise(event_columns(reading.events), as_of=as_of), reading.report


def by_duckdb(paths: list[Path], as_of: datetime = NOW) -> tuple[Summary, ReadReport]:
    with stage_files(paths, now=NOW, memory_limit="256MB") as staged:
        return staged.summary(as_of), staged.report


def same(ours: Summary, theirs: Summary) -> None:
    for name, mine, other in zip(Summary._fields, ours, theirs, strict=True):
        if isinstance(mine, np.ndarray) and isinstance(other, np.ndarray):
            assert mine.dtype == other.dtype, name
            assert mine.tolist() == other.tolist(), name
        else:
            assert mine == other, name


def same_report(ours: ReadReport, theirs: ReadReport) -> None:
    """Equal, but for the note that lines count rows."""
    for file in ours.files:
        file.notes = ()
    assert msgspec.to_builtins(ours) == msgspec.to_builtins(theirs)


def written(folder: Path, *lines: str, name: str = "events.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@settings(max_examples=40)
@given(st.lists(EVENTS, max_size=40), st.sampled_from([".csv", ".parquet"]), st.integers(0, 500))
def test_any_events_are_summed_up_as_without_duckdb(events: list[PaymentEvent], suffix: str, days: int) -> None:
    with TemporaryDirectory() as folder:
        halves = [Path(folder) / f"{half}{suffix}" for half in ("first", "second")]
        write_plain(events[::2], halves[0])
        write_plain(events[1::2], halves[1])
        as_of = NOW - timedelta(days=days)
        (ours, report), (theirs, expected) = by_duckdb(halves, as_of), by_python(halves, as_of)
    same(ours, theirs)
    same_report(report, expected)


CHARGE = "charge,{id},{at},{status},{amount},{currency},1000,usd,,,visa,card,,,,US,,c1,k1,".format
FINE = {"id": "a", "at": "2026-11-20T10:00:00+00:00", "status": "succeeded", "amount": "1000", "currency": "usd"}
ODD = [
    {"at": "2026-11-20"},
    {"at": "20261120T101112"},
    {"at": "2026-11-20 10:00:00 UTC"},
    {"at": " 2026-11-20 10:00:00 "},
    {"at": "2026-11-20T10:00:00.123456+02:00"},
    {"at": "2026-02-30 10:00:00"},
    {"at": "1969-12-31 10:00:00"},
    {"at": "2026-12-24 10:00:00"},
    {"at": "yesterday"},
    {"at": ""},
    {"amount": "-5"},
    {"amount": "12.50"},
    {"amount": "1000000000000000"},
    {"amount": "1000000000000001"},
    {"amount": " 7 "},
    {"currency": "US$"},
    {"currency": "USD"},
    {"status": "Succeeded"},
    {"status": "done"},
    {"id": " "},
    {"id": "ch_1/refund/summary_not"},
]


def test_rows_out_of_the_ordinary_are_used_or_refused_as_without_duckdb(tmp_path: Path) -> None:
    lines = [CHARGE(**{**FINE, "id": f"x{number}", **odd}) for number, odd in enumerate(ODD)]
    lines[3:3] = [CHARGE(**{**FINE, "id": f"y{number}"}) for number in range(30)]
    paths = [written(tmp_path, *lines)]
    (ours, report), (theirs, expected) = by_duckdb(paths), by_python(paths)
    same(ours, theirs)
    assert report.files[0].notes == ("The line numbers of refused rows count rows, as if no cell held a line break.",)
    same_report(report, expected)
    assert report.refused == 9
    assert len(report.problems) == 10


def test_rows_with_other_cells_than_the_header_are_refused_with_their_line(tmp_path: Path) -> None:
    path = written(tmp_path, CHARGE(**FINE), "charge,b", CHARGE(**{**FINE, "id": "c"}), CHARGE(**FINE) + ",more")
    _, report = by_duckdb([path])
    _, expected = by_python([path])
    assert [problem.line for problem in report.problems] == [problem.line for problem in expected.problems]
    assert report.troubles == expected.troubles
    assert (report.files[0].rows, report.files[0].used, report.refused) == (4, 2, 2)


@pytest.mark.parametrize("seconds", [0, 1])
def test_attempts_of_one_second_are_told_apart_as_without_duckdb(tmp_path: Path, seconds: int) -> None:
    def attempt(number: int) -> PaymentEvent:
        return PaymentEvent(
            kind=Kind.CHARGE,
            source_id=f"ch_{number}",
            occurred_at=NOW - timedelta(hours=3, seconds=seconds * number),
            status=Status.FAILED if number % 3 else Status.SUCCEEDED,
            amount=5,
            currency="usd",
            settled_amount=5,
            settled_currency="usd",
            charge_id="one payment",
            network=Network(1 + number % 4),
            card="4242",
        )

    dispute = msgspec.structs.replace(attempt(0), kind=Kind.DISPUTE, source_id="dp", network=Network.UNKNOWN)
    write_plain([*map(attempt, range(30)), dispute], tmp_path / "events.csv")
    (ours, _), (theirs, _) = by_duckdb([tmp_path / "events.csv"]), by_python([tmp_path / "events.csv"])
    same(ours, theirs)
    assert ours.cards["retries"].sum() > 0


def test_the_usual_ways_of_writing_a_csv_file_are_read(tmp_path: Path) -> None:
    text = "\r\n".join([HEADER.replace(",", ";"), CHARGE(**FINE).replace(",", ";")]) + "\r\n"
    (tmp_path / "semicolons.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (tmp_path / "packed.csv.gz").write_bytes(
        gzip.compress(written(tmp_path, CHARGE(**{**FINE, "id": "b"})).read_bytes())
    )
    few = "Kind,Source ID,occurred at,STATUS,amount,currency,colour"
    short = written(tmp_path, "charge,z,2026-11-20 10:00:00,failed,4,usd,red", name="it's few.csv", header=few)
    paths = [tmp_path / "semicolons.csv", tmp_path / "packed.csv.gz", short]
    (ours, report), (theirs, expected) = by_duckdb(paths), by_python(paths)
    same(ours, theirs)
    same_report(report, expected)
    assert report.events == 3


def test_no_event_at_all_is_an_empty_summary(tmp_path: Path) -> None:
    path = written(tmp_path)
    with stage_files([path], now=NOW) as staged:
        assert staged.last_before(NOW) is None
        same(staged.summary(NOW), by_python([path])[0])


def test_what_this_engine_does_not_read_is_refused_with_the_way_out(tmp_path: Path) -> None:
    stripe = tmp_path / "disputes.csv"
    stripe.write_text(
        "Dispute ID,Charge ID,Dispute Created (UTC),Disputed Amount,Disputed Currency,Dispute Reason,Dispute Status\n"
    )
    latin = tmp_path / "latin.csv"
    latin.write_bytes((HEADER + "\n" + CHARGE(**{**FINE, "id": "ü"}) + "\n").encode("cp1252"))
    summed = written(tmp_path, CHARGE(**{**FINE, "id": "ch_1/refund/summary"}))
    for path, words in (
        (latin, "not in UTF-8"),
        (summed, "summed up by charge"),
        (tmp_path / "none.csv", "cannot be read"),
    ):
        with pytest.raises(UnreadableFileError, match=words), stage_files([path], now=NOW):
            pass
    with (
        pytest.raises(ValueError, match="no amount of memory"),
        stage_files([written(tmp_path)], now=NOW, memory_limit="a lot"),
    ):
        pass

"""Reading is honest: what is wrong is named with its place, counted, and never passed over."""

from __future__ import annotations

import gzip

import pytest

from payflux.monitor.processors.exports import Trouble, UnreadableFileError, read_exports
from payflux.monitor.processors.exports.report import PROBLEMS_KEPT, ReadReport
from tests.unit.exports.files import DISPUTE, EVENT, MOVEMENT, NOW, PAYMENT, read, write


def only_problem(report: ReadReport):
    (problem,) = report.problems
    return problem


@pytest.mark.parametrize(
    ("cells", "trouble", "words"),
    [
        ({"Created date (UTC)": "yesterday"}, Trouble.WRONG_TIME, "'yesterday' is not a time"),
        ({"Created date (UTC)": "13/25/2026"}, Trouble.WRONG_TIME, "Created date (UTC)"),
        ({"Created date (UTC)": ""}, Trouble.MISSING_VALUE, "Created date (UTC) is empty"),
        ({"Amount": "forty"}, Trouble.WRONG_AMOUNT, "'forty' is not an amount"),
        ({"Amount": "40.005"}, Trouble.WRONG_AMOUNT, "more decimals than USD has (2)"),
        ({"Amount": "-40.00"}, Trouble.NEGATIVE_AMOUNT, "'-40.00' is negative"),
        ({"Amount": "9" * 40}, Trouble.WRONG_AMOUNT, "larger than any amount"),
        ({"Currency": "dollars"}, Trouble.WRONG_CURRENCY, "'dollars' is not a currency"),
        ({"Status": "Splendid"}, Trouble.UNKNOWN_VALUE, "'Splendid' is none of paid"),
        ({"id": " "}, Trouble.MISSING_VALUE, "id is empty"),
        ({"Disputed Amount": "40.00"}, Trouble.MISSING_VALUE, "Dispute Date (UTC) of a disputed payment is empty"),
    ],
)
def test_a_bad_payment_is_refused_with_file_line_and_reason(tmp_path, cells, trouble, words):
    path = write(tmp_path / "payments.csv", PAYMENT, PAYMENT | {"id": "ch_2"} | cells, PAYMENT | {"id": "ch_3"})
    events, report = read(path)
    problem = only_problem(report)
    assert [event.source_id for event in events] == ["ch_1", "ch_3"]
    assert (problem.file, problem.line, problem.trouble) == (str(path), 3, trouble)
    assert words in problem.message
    assert report.refused == 1
    assert report.troubles == {trouble: 1}


def test_a_movement_with_the_wrong_sign_is_refused(tmp_path):
    path = write(tmp_path / "itemized.csv", MOVEMENT | {"reporting_category": "refund", "gross": "5.00"})
    _, report = read(path)
    assert "wrong sign for a refund" in only_problem(report).message


def test_a_row_with_too_few_cells_is_refused_and_the_next_one_read(tmp_path):
    path = write(tmp_path / "plain.csv", EVENT)
    with path.open("a") as file:
        file.write("charge,py_2\n" + ",".join((EVENT | {"source_id": "py_3"}).values()) + "\n")
    events, report = read(path)
    assert [event.source_id for event in events] == ["py_1", "py_3"]
    assert (only_problem(report).line, only_problem(report).trouble) == (3, Trouble.BROKEN_ROW)


def test_line_numbers_count_lines_inside_quotes(tmp_path):
    path = write(tmp_path / "payments.csv", PAYMENT | {"Customer ID": "two\nlines"}, PAYMENT | {"Amount": "x"})
    assert only_problem(read(path).report).line == 4


def test_every_row_is_accounted_for(tmp_path):
    rows = [PAYMENT, PAYMENT | {"Amount": "x"}, PAYMENT | {"Status": "Canceled"}, PAYMENT | {"id": "ch_4"}]
    (file,) = read(write(tmp_path / "payments.csv", *rows)).report.files
    assert (file.rows, file.used, file.refused, sum(file.set_aside.values())) == (4, 2, 1, 1)


def test_all_problems_are_counted_though_only_the_first_are_kept(tmp_path):
    rows = [EVENT | {"source_id": f"py_{index}", "amount": "x"} for index in range(PROBLEMS_KEPT + 5)]
    _, report = read(write(tmp_path / "plain.csv", *rows))
    assert report.troubles == {Trouble.WRONG_AMOUNT: PROBLEMS_KEPT + 5}
    assert len(report.problems) == PROBLEMS_KEPT


def test_notices_are_named_but_the_row_is_used(tmp_path):
    refunded = {
        "Amount Refunded": "5.00",
        "Card Issue Country": "Atlantis",
        "Created date (UTC)": "2031-01-01 00:00:00",
    }
    events, report = read(write(tmp_path / "payments.csv", PAYMENT | refunded))
    assert len(events) == 2
    assert report.refused == 0
    assert report.troubles == {Trouble.ASSUMED_TIME: 1, Trouble.IGNORED_VALUE: 1, Trouble.FUTURE_TIME: 2}


def test_unknown_and_missing_columns_are_named_as_the_file_writes_them(tmp_path):
    (file,) = read(write(tmp_path / "plain.csv", EVENT | {"Loyalty tier": "gold"})).report.files
    assert file.unknown_columns == ("Loyalty tier",)
    assert "settled_amount" in file.missing_columns


def test_several_settlement_currencies_are_counted(tmp_path):
    rows = [EVENT, EVENT | {"source_id": "py_2", "currency": "jpy"}, EVENT | {"source_id": "py_3"}]
    assert read(write(tmp_path / "plain.csv", *rows)).report.currencies == {"usd": 2, "jpy": 1}


def test_what_the_files_cannot_show_is_said(tmp_path):
    _, report = read(write(tmp_path / "itemized.csv", MOVEMENT))
    said = " ".join(report.unseen)
    for unseen in ("Early fraud warnings", "Failed attempts", "Card fingerprints", "Disputes", "balance now"):
        assert unseen in said


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found_out(tmp_path, delimiter):
    assert len(read(write(tmp_path / "disputes.csv", DISPUTE, delimiter=delimiter)).events) == 1


def test_semicolons_come_with_decimal_commas(tmp_path):
    (dispute,) = read(write(tmp_path / "disputes.csv", DISPUTE | {"Amount": "1.040,50"}, delimiter=";")).events
    assert dispute.amount == 104050


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_found_out(tmp_path, encoding):
    path = write(tmp_path / "plain.csv", EVENT | {"customer": "Zoë"})
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    (charge,) = read(path).events
    assert charge.customer == "Zoë"


def test_a_compressed_file_is_read_whatever_its_name(tmp_path):
    path = write(tmp_path / "plain.csv", EVENT)
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert len(read(path).events) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04rest", "spreadsheet or zip archive. Save or export it as CSV"),
        (b"PAR1 but not really", "is damaged"),
        (b"\x1f\x8b\x08 cut short", "is damaged"),
        (b"name,colour\na,b\n", "none of the known headers"),
    ],
)
def test_a_file_that_gives_no_table_is_refused_in_a_sentence(tmp_path, content, words):
    path = tmp_path / "strange.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=words):
        read(path)


def test_a_missing_file_and_a_folder_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(UnreadableFileError, match="No such file"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(UnreadableFileError, match="Is a directory"):
        read(tmp_path)


def test_an_almost_known_header_names_the_missing_columns_and_the_remedy(tmp_path):
    cells = {("Created (CET)" if "Created" in name else name): cell for name, cell in PAYMENT.items()}
    with pytest.raises(UnreadableFileError) as refusal:
        read(write(tmp_path / "payments.csv", cells))
    assert "misses created_utc" in str(refusal.value)
    assert "time zone UTC" in str(refusal.value)


def test_progress_reaches_the_end_of_each_file(tmp_path):
    path = write(tmp_path / "plain.csv", *(EVENT | {"source_id": f"py_{index}"} for index in range(5_000)))
    steps: list[tuple[int, int]] = []
    read_exports([path], now=NOW, progress=lambda _, done, whole: steps.append((done, whole)))
    assert len(steps) >= 2
    assert steps == sorted(steps)
    assert steps[-1] == (path.stat().st_size, path.stat().st_size)

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.whatif.changes import RDR_SHARE, Changes, parse_changes


def test_changes_are_read_as_they_are_written() -> None:
    texts = ["refund-warnings", "rdr", "3DS=50%", "growth = 10 %", "reserve=15%x120"]
    assert parse_changes(texts) == Changes(
        refund_warnings=True, rdr=RDR_SHARE, three_d_secure=0.5, growth=0.1, reserve_rate=0.15, hold_days=120
    )


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("rdr=high", "rdr=80%"),
        ("3ds", "3ds=10%"),
        ("3ds=120%", "from 0 % to 100 %"),
        ("growth=-80%", "from -50 %"),
        ("reserve=15", "reserve=15%x120"),
        ("reserve=15%x0", "1 to 365 days"),
        ("refund-warnings=2", "takes no value"),
        ("close-shop", "refund-warnings, rdr, 3ds, growth and reserve"),
    ],
)
def test_what_means_nothing_is_refused_with_the_way_out(text: str, way_out: str) -> None:
    with pytest.raises(ValueError, match=way_out.replace("(", r"\(")):
        parse_changes([text])


def test_a_change_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="named twice"):
        parse_changes(["rdr", "rdr=50%"])


def test_no_change_is_false() -> None:
    assert not Changes()
    assert parse_changes(["growth=0%"])


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    said = ""
    try:
        parse_changes([text])
    except ValueError as error:
        said = str(error)
    assert not said or said.endswith(".")


@given(st.decimals(0, 100, places=2), st.integers(1, 365))
def test_any_reserve_is_read_back(rate: Decimal, days: int) -> None:
    changes = parse_changes([f"reserve={rate}%x{days}"])
    assert changes.reserve_rate == float(rate) / 100
    assert changes.hold_days == days

import itertools

from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.windows import Window, cut, pages_left, parts_of

START = st.integers(0, 2_000_000_000)
SPAN = st.integers(0, 400 * 86_400)


def seconds_of(stretches: list[tuple[int, int]]) -> int:
    return sum(end - start + 1 for start, end in stretches)


def touch(stretches: list[tuple[int, int]]) -> bool:
    """Whether each stretch, newest first, begins one second after the next one ends."""
    return all(newer[0] == older[1] + 1 for newer, older in itertools.pairwise(stretches))


@given(START, SPAN, st.integers(-2, 20))
def test_the_parts_cover_every_second_once(start: int, span: int, parts: int) -> None:
    stretches = cut(start, start + span, parts)
    assert 1 <= len(stretches) <= max(parts, 1)
    assert (stretches[-1][0], stretches[0][1]) == (start, start + span)
    assert touch(stretches)
    assert seconds_of(stretches) == span + 1
    assert all(first <= last for first, last in stretches)


@given(st.lists(st.floats(0, 500), min_size=1, max_size=40), st.integers(1, 100))
def test_what_is_left_is_divided_into_about_as_many_parts_as_leave_together_and_none_below_half_a_page(
    left: list[float], at_once: int
) -> None:
    parts = [parts_of(pages, total=sum(left), at_once=at_once) for pages in left]
    assert all(part >= 1 for part in parts)
    assert sum(parts) <= 1.5 * at_once + len(left)
    # rounded half up at most
    assert all(pages / part >= 1 / 3 for pages, part in zip(left, parts, strict=True) if part > 1)


def test_a_window_is_cut_by_its_share_of_what_is_left() -> None:
    assert parts_of(8, total=80, at_once=10) == 1
    assert parts_of(16, total=80, at_once=10) == 1
    assert parts_of(24, total=80, at_once=10) == 2


def test_what_can_leave_at_once_does_in_short_parts() -> None:
    assert parts_of(4, total=8, at_once=10) == 5
    assert parts_of(1.4, total=1.4, at_once=10) == 3


def test_what_is_left_is_taken_to_be_as_dense_as_the_last_page() -> None:
    window = Window(resource="charges", number=0, filter="", start=0, end=4_000)
    assert pages_left(window, top=4_000, oldest=3_000) == 3

import itertools

from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.windows import Window, cut, remaining

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


@given(START, SPAN, SPAN, st.integers(-20, 20))
def test_what_remains_of_a_window_is_cut_for_idle_readers_only(start: int, below: int, read: int, idle: int) -> None:
    window = Window(resource="charges", number=0, filter="", start=start, end=start + below + read)
    stretches = remaining(window, top=window.end, oldest=start + below, idle=idle)
    assert 1 <= len(stretches) <= 1 + max(idle, 0)
    assert (stretches[-1][0], stretches[0][1]) == (start, start + below)
    assert touch(stretches)


def test_a_short_rest_is_not_cut_however_many_readers_are_idle() -> None:
    window = Window(resource="charges", number=0, filter="", start=0, end=4_000)
    assert len(remaining(window, top=4_000, oldest=3_000, idle=10)) == 1
    assert len(remaining(window, top=4_000, oldest=3_600, idle=10)) == 4

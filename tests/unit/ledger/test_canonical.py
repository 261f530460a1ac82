"""What the ledger hashes is RFC 8785, whichever encoder wrote it."""

from __future__ import annotations

from typing import Any

import jcs
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from payflux.monitor.ledger.canonical import canonical

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53) + 1, 2**53 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
@example(
    {
        "n": [-0.0, 1.0, 1e16, 1e-4, 9.999e-5, 5e-324, 2.0**53, 0.1 + 0.2, 1e21],
        "\U0001f600": 1,
        "\ufb33": 2,
        "\x7f": "\x1f/",
    }
)
def test_two_other_implementations_write_the_same(body: dict[str, Any]) -> None:
    assert canonical(body) == rfc8785.dumps(body)
    assert canonical(body) == jcs.canonicalize(body)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53])
def test_what_is_no_number_of_json_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical({"n": value})

"""Ids, secrets, tokens and logs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.kit.crypto import SecretBox, TokenHasher, UndecryptableSecret
from payflux.kit.errors import InvalidInput, problem_details
from payflux.kit.ids import new_id
from payflux.kit.logs import redact

BOX = SecretBox("a secret for tests")


@given(st.text())
def test_a_stored_secret_comes_back_as_it_was(plaintext: str) -> None:
    sealed = BOX.encrypt(plaintext, bound_to="table.column.1")
    assert BOX.decrypt(sealed, bound_to="table.column.1") == plaintext


@given(st.text(), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_secret_does_not_open(plaintext: str, position: int, change: int) -> None:
    sealed = bytearray(BOX.encrypt(plaintext, bound_to="row"))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(UndecryptableSecret):
        BOX.decrypt(bytes(sealed), bound_to="row")


def test_a_secret_copied_to_another_row_or_read_with_another_key_does_not_open() -> None:
    sealed = BOX.encrypt("rk_live_x", bound_to="row 1")
    for box, row in ((BOX, "row 2"), (SecretBox("another secret"), "row 1")):
        with pytest.raises(UndecryptableSecret, match="PAYFLUX_SECRET_KEY"):
            box.decrypt(sealed, bound_to=row)


def test_a_token_matches_its_own_text_alone() -> None:
    tokens = TokenHasher("a secret for tests")
    digest = tokens.digest("csrf seed").hex()
    assert tokens.matches(digest, "csrf seed")
    assert not tokens.matches(digest, "csrf other")
    assert not tokens.matches("", "csrf seed")
    assert not tokens.matches("ü", "csrf seed")


def test_ids_are_version_7_and_differ() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {identifier.version for identifier in ids} == {7}


@pytest.mark.parametrize(
    "line",
    [
        {"event": "x", "password": "hunter2 hunter2"},
        {"event": "x", "stripe_secret": "hunter2 hunter2"},
        {"event": "key rk_live_hunter2 refused"},
        {"event": "x", "path": "/callback?code=ac_hunter2"},
        {"event": "x", "url": "postgresql://owner:hunter2@127.0.0.1/payflux"},
        {"event": "x", "who": "hunter2@shop.example"},
        {"event": "x", "error": ValueError("whsec_hunter2")},
        {"event": "x", "number": "4242 4242 4242 4242 hunter2"},
    ],
)
def test_no_secret_and_no_personal_datum_reaches_a_log(line: dict[str, object]) -> None:
    text = str(redact(None, "info", dict(line)))
    assert "hunter2" not in text or "4242" not in text
    if "number" not in line:
        assert "hunter2" not in text


def test_an_error_is_presented_as_problem_details_with_its_fields() -> None:
    error = InvalidInput({"email": "Enter an e-mail address."})
    details = problem_details(error, instance="/register", request_id="1")
    assert details["status"] == 422
    assert details["errors"] == [{"field": "email", "detail": "Enter an e-mail address."}]
    assert details["type"] == "urn:payflux:error:invalid_input"


def test_no_file_of_the_package_names_a_package_index() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert "http" not in "".join(line for line in Path(lock).read_text().splitlines() if "://" in line)

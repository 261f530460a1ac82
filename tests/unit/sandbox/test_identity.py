"""How long codes, tokens and keys of the sandbox's identity providers last."""

from __future__ import annotations

from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from payflux.sandbox.errors import OAuthError
from payflux.sandbox.identity import keys
from payflux.sandbox.identity.codes import CODE_LIFETIME, TOKEN_LIFETIME, SignIn, bearer, issue_code, redeem
from payflux.sandbox.store import Store

ALICE = SignIn("google", "alice", ["openid"], "http://localhost/back", "", "")


def test_a_code_and_its_token_end_with_their_time() -> None:
    store = Store(None)
    form = {"code": issue_code(store, ALICE, 0), "redirect_uri": ALICE.redirect_uri}
    with pytest.raises(OAuthError, match="expired"):
        redeem(store, "google", form, CODE_LIFETIME)
    sign_in, token = redeem(store, "google", form, CODE_LIFETIME - 1)
    assert sign_in == ALICE
    end = CODE_LIFETIME - 1 + TOKEN_LIFETIME
    assert bearer(store, "google", token, end - 1) == ALICE
    assert bearer(store, "google", token, end) is None
    issue_code(store, ALICE, end)
    assert store.get("identity", form["code"]) is None
    assert store.get("identity", token) is None


def test_keys_survive_a_restart_and_the_oldest_goes_at_last(tmp_path: Path) -> None:
    store = Store(tmp_path / "sandbox.sqlite3")
    token = keys.signed(store, {"sub": "1"})
    store.close()
    again = Store(tmp_path / "sandbox.sqlite3")
    first = keys.published(again)[0]["kid"]
    for _ in range(keys.KEPT - 1):
        published = keys.rotate(again)
    assert published[-1]["kid"] == first
    claims = jwt.decode(token, KeySet.import_key_set({"keys": published}), algorithms=["RS256"]).claims
    assert claims == {"sub": "1"}
    assert first not in [key["kid"] for key in keys.rotate(again)]

"""What people are told by mail when a provider begins or ends to sign them in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from payflux.activation.mails import WRITERS
from payflux.frontdoor.accounts.queries import Addressee
from payflux.world.bootstrap import World

ALICE = Addressee("Alice <Owner>", "alice@shop.example", "")
WORLD = cast("World", SimpleNamespace(settings=SimpleNamespace(url="https://payflux.example")))


@pytest.mark.parametrize(
    ("mail", "subject"),
    [
        ("provider_connected", "Google can now sign you in"),
        ("provider_disconnected", "Google no longer signs you in"),
        ("address_claimed", "Your PayFlux account is yours alone"),
    ],
)
async def test_a_change_of_how_somebody_signs_in_is_told_with_the_way_to_undo_it(mail: str, subject: str) -> None:
    written = await WRITERS[mail](WORLD, {"mail": mail, "provider": "google"}, ALICE)
    assert written is not None
    assert written.subject == subject
    assert "Hello Alice <Owner>," in written.text
    assert "Hello Alice &lt;Owner&gt;," in written.html
    for part in (written.text, written.html):
        assert "https://payflux.example/account/security" in part
        assert "how you sign in" in part

"""A sentence that was kept in English is said in the language of whoever reads it, figures and all."""

from __future__ import annotations

from datetime import date

import msgspec

from payflux.kit.messages import speaking
from payflux.kit.phrases import (
    Phrasebook,
    changed_words,
    counted,
    dated,
    figure,
    joined,
    kept,
    kept_words,
    revived,
    say,
    spoken,
    spoken_words,
    without_phrases,
)
from payflux.monitor.alerts.facts import facts_of, reading_of
from payflux.monitor.alerts.rules import Rule, Trigger, Watch
from payflux.monitor.projections.rules import project
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.surface import RiskSurface
from tests.unit.risk.building import AS_OF, FULL, SOUND, elevated_merchant


class Note(msgspec.Struct, frozen=True):
    key: str
    lines: tuple[str, ...]
    phrases: Phrasebook | msgspec.UnsetType = msgspec.UNSET


COVERS = say("The balance covers %(times)s times what is expected to be disputed and refunded.", times=figure("1.5"))
NOTE = Note(
    "now",
    (
        joined(" ", ["", COVERS]),
        counted(1_200, "%(count)s payment", "%(count)s payments"),
        joined("; ", [dated(date(2026, 11, 22)), "Nothing is due."]),
        "what an earlier version said, as it stands",
    ),
)


def test_what_is_kept_is_english_and_what_is_shown_is_the_readers() -> None:
    stored = msgspec.json.decode(msgspec.json.encode(kept(NOTE)), type=Note)
    english = without_phrases(stored)
    assert english.lines == (
        "The balance covers 1.5 times what is expected to be disputed and refunded.",
        "1,200 payments",
        "2026-11-22; Nothing is due.",
        "what an earlier version said, as it stands",
    )
    assert spoken(stored) == stored, "nothing is changed for whoever reads English"
    with speaking("de"):
        said = spoken(stored)
    assert said.lines == (
        "Das Guthaben deckt das 1,5-Fache dessen, was voraussichtlich angefochten und erstattet wird.",
        "1.200 Zahlungen",
        "22.11.2026; Nichts ist fällig.",
        "what an earlier version said, as it stands",
    )
    assert said.key == "now", "a single word is a name that code goes by"


def test_words_in_a_row_of_a_table_are_kept_changed_and_said() -> None:
    words = kept_words({"code": "internal", "title": say("Stripe asks for: %(asked)s.", asked="tax id")})
    changed = changed_words(words, way_out="Nothing to do.")
    assert changed["title"] == words["title"] == "Stripe asks for: tax id."
    with speaking("de"):
        assert spoken_words(changed) == {
            "code": "internal",
            "title": "Stripe verlangt: tax id.",
            "way_out": "Nichts zu tun.",
        }
    old = {"code": "x", "title": "That did not work."}
    with speaking("de"):
        assert spoken_words(old)["title"] != old["title"], "a sentence without values needs no phrasebook"


def test_every_sentence_of_a_readout_is_said_in_german_and_its_hash_is_the_same() -> None:
    history = prepare(elevated_merchant(), as_of=AS_OF, account=SOUND, balance=FULL)
    surface = score(history)
    with speaking("de"):
        assert score(history) == surface, "what is computed and kept does not depend on who asks"
    stored = msgspec.convert(msgspec.to_builtins(surface), RiskSurface)
    assert stored == surface
    with speaking("de"):
        said, projection = spoken(stored), spoken(project(history, surface))
    for before, after in zip(surface.reasons, said.reasons, strict=True):
        assert before.sentence != after.sentence
        assert before.lowers != after.lowers
        assert before.key == after.key
    assert all(" the " not in text for text in projection.assumptions), projection.assumptions
    noted = {signal.note for signal in said.signals if signal.note}
    assert not noted & {signal.note for signal in surface.signals}


def test_an_alert_keeps_the_words_of_its_causes() -> None:
    history = prepare(elevated_merchant(), as_of=AS_OF, account=SOUND, balance=FULL)
    surface = score(history)
    reading = reading_of(surface, project(history, surface))
    facts = facts_of(Rule(Trigger.TIER_ESCALATION, 1), Watch({"tier": 1.0}), reading)
    first = surface.reasons[0].sentence
    assert facts.causes[0][0] == first
    assert revived(first, facts.phrases) == first
    with speaking("de"):
        assert spoken(facts).causes[0][0] == spoken(surface).reasons[0].sentence != first

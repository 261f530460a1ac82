"""An exported ledger is checked with public keys alone: whatever was changed in it is found, and named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from payflux.cli.commands import app
from payflux.monitor.ledger.checkpoints import SignedNote, read_consistency, read_note
from payflux.monitor.ledger.scanning import Flaw, Flawed
from payflux.monitor.ledger.verifying import MissingProof, read_keys, verify_export
from tests.unit.ledger import second
from tests.unit.ledger.files import START, chain, file_of, key, plain_file

LINES = plain_file()
DATA = b"".join(LINES)


def flaw_of(lines: list[bytes], **choices: object) -> Flaw:
    with pytest.raises(Flawed) as found:
        verify_export(lines, **choices)  # ty: ignore[invalid-argument-type] -- the tests' own choices
    return found.value.flaw


def cut(data: bytes) -> list[bytes]:
    """The lines as a file gives them: each ends with a line feed but perhaps the last."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def test_a_file_that_nobody_touched_holds_by_both_implementations() -> None:
    found = verify_export(LINES, keys=read_keys([key().jwk]))
    assert (found.artifacts, found.first_sequence, found.last_sequence, found.proven_sequence) == (6, 1, 6, 4)
    assert found.checkpoint is not None
    assert found.checkpoint.checkpoint.tree_size == 9
    assert second.holds(DATA)
    for other in (plain_file(0, 0), plain_file(1, 0), plain_file(9, 9, others=0), plain_file(5, 2, expired=3)):
        verify_export(other)
        assert second.holds(b"".join(other))


@settings(max_examples=150)
@given(st.integers(0, len(DATA) - 1), st.integers(0, 255))
@example(len(DATA) - 1, 32)
def test_any_byte_that_is_changed_is_found_where_it_is(place: int, byte: int) -> None:
    if DATA[place] == byte:
        return
    changed = DATA[:place] + bytes([byte]) + DATA[place + 1 :]
    flaw = flaw_of(cut(changed))
    assert flaw.start <= place < flaw.end
    assert changed[: flaw.start].count(b"\n") == flaw.line - 1
    assert flaw.field
    assert flaw.expected
    assert not second.holds(changed)


def test_every_byte_of_one_line_is_covered() -> None:
    start = len(LINES[0])
    for place in range(start, start + len(LINES[1])):
        for byte in (DATA[place] ^ 1, ord("."), ord("\n")):
            if byte != DATA[place]:
                flaw = flaw_of(cut(DATA[:place] + bytes([byte]) + DATA[place + 1 :]))
                assert flaw.start <= place < flaw.end, (place, byte, flaw)


@given(st.integers(0, len(DATA) - 1))
def test_a_file_that_was_cut_short_anywhere_does_not_hold(length: int) -> None:
    flaw_of(cut(DATA[:length]))
    assert not second.holds(DATA[:length])


@given(st.permutations(range(1, len(LINES))), st.integers(1, len(LINES) - 1))
def test_lines_that_were_moved_doubled_or_left_out_are_named(order: list[int], which: int) -> None:
    shuffled = [LINES[0], *(LINES[n] for n in order)]
    if shuffled != LINES:
        assert flaw_of(shuffled).line == 1 + next(
            n for n, (a, b) in enumerate(zip(shuffled, LINES, strict=True)) if a != b
        )
        assert not second.holds(b"".join(shuffled))
    doubled, without = [*LINES[: which + 1], *LINES[which:]], LINES[:which] + LINES[which + 1 :]
    assert flaw_of(doubled).line == which + 2
    assert flaw_of(without).line == which + 1
    assert not second.holds(b"".join(doubled))
    assert not second.holds(b"".join(without))


def test_a_chain_that_forks_is_found_though_every_signature_holds() -> None:
    bodies: list[dict[str, object]] = [{"n": n} for n in range(4)]
    other: list[dict[str, object]] = [{"n": 0}, {"n": 1}, {"n": "another"}, {"n": 3}]
    one, two = file_of(chain(bodies), proven=0), file_of(chain(other), proven=0)
    flaw = flaw_of([*one[:3], two[3], one[4]])
    assert (flaw.line, flaw.field) == (5, "statement")
    assert "previous_hash" in flaw.expected


def test_a_body_that_was_taken_away_is_missed_unless_its_time_was_over() -> None:
    assert verify_export(plain_file(5, 3, expired=2)).without_body == 2
    line = LINES[2]
    stripped = line[: line.index(b',"body":') + 8] + b"null}\n"
    assert flaw_of([*LINES[:2], stripped, *LINES[3:]]).field == "body"


def test_a_file_that_somebody_else_has_signed_holds_by_their_keys_and_not_by_yours() -> None:
    theirs = file_of(chain([{"n": 1}], signer=key(2)), proven=1, signer=key(2))
    verify_export(theirs)
    assert flaw_of(theirs, keys=read_keys([key().jwk])).field == "keys"


def test_a_key_signs_in_its_time_alone() -> None:
    ended = key().jwk | {"exp": int(START.timestamp()) + 60}
    flaw = flaw_of(LINES, keys=read_keys([ended]))
    assert (flaw.line, flaw.field) == (2, "statement")


def test_artifacts_signed_before_a_key_was_replaced_hold_beside_those_after() -> None:
    old = chain([{"n": 1}, {"n": 2}])
    new = chain([{"n": 3}], before=old.artifacts[-1][1], first=3, signer=key(2))
    both = old._replace(artifacts=[*old.artifacts, *new.artifacts])
    lines = file_of(both, proven=2, signer=key(2), keys=[key(), key(2)])
    assert verify_export(lines).artifacts == 3
    assert second.holds(b"".join(lines))


def test_a_range_holds_and_goes_on_from_an_earlier_checkpoint() -> None:
    bodies: list[dict[str, object]] = [{"n": n} for n in range(5)]
    whole = chain(bodies)
    kept = note_of(file_of(whole, proven=1))
    part = file_of(whole, proven=5, earlier=6)
    assert verify_export(part, kept=kept).artifacts == 5
    rewritten = chain([{"n": "changed later"}, *bodies[1:]])
    assert flaw_of(file_of(rewritten, proven=5, earlier=6), kept=kept).field == "consistency"
    assert flaw_of(file_of(rewritten, proven=1), kept=kept).field == "consistency"
    later = chain(bodies[2:], before=whole.artifacts[1][1], first=3)
    assert verify_export(file_of(later, proven=1, first=3)).first_sequence == 3


def test_a_checkpoint_that_was_kept_takes_the_published_proof_whichever_of_the_two_is_older() -> None:
    whole = chain([{"n": n} for n in range(5)])
    small, large = file_of(whole, proven=1), file_of(whole, proven=5)
    proof = json.loads(file_of(whole, proven=5, earlier=6)[0])["header"]["consistency"]
    published = proof | {"checkpoint": json.loads(large[0])["header"]["checkpoint"]}
    right = read_consistency(json.dumps(published).encode())
    for file, kept in ((large, note_of(small)), (small, note_of(large))):
        assert verify_export(file, kept=kept, consistency=right).artifacts == 5
        for unfit in (None, right._replace(later_size=9)):
            with pytest.raises(MissingProof) as missing:
                verify_export(file, kept=kept, consistency=unfit)
            assert (missing.value.tree_size, missing.value.later_size) == (6, 10)
        forged = right._replace(hashes=[b"\x00" * 32, *right.hashes[1:]])
        assert flaw_of(file, kept=kept, consistency=forged).field == "consistency"


def test_a_header_that_its_own_key_signed_over_what_is_no_hash_is_a_flaw_and_no_crash() -> None:
    later = chain([{"n": 1}], first=2)
    for before in (b"\xab" * 31, b""):
        assert flaw_of(file_of(later._replace(before=before), proven=0, first=2)).field == "header"


def note_of(lines: list[bytes]) -> SignedNote:
    return read_note(json.loads(lines[0])["header"]["checkpoint"])


def test_the_command_says_what_holds_and_where_it_does_not(tmp_path: Path) -> None:
    file, keys, kept = tmp_path / "ledger.jsonl", tmp_path / "keys.json", tmp_path / "checkpoint"
    file.write_bytes(DATA)
    keys.write_text(json.dumps({"keys": [key().jwk]}))
    kept.write_text(json.loads(LINES[0])["header"]["checkpoint"])
    run = CliRunner()
    good = run.invoke(app, ["verify", str(file), "--keys", str(keys), "--checkpoint", str(kept)])
    assert good.exit_code == 0, good.output
    assert "This file holds: 6 artifacts" in good.output
    assert "keys that it names itself" in run.invoke(app, ["verify", str(file)]).output
    later = file_of(chain([{"n": n} for n in range(3)]), proven=3)
    (tmp_path / "later").write_text(json.loads(later[0])["header"]["checkpoint"])
    cannot_tell = run.invoke(app, ["verify", str(file), "--keys", str(keys), "--checkpoint", str(tmp_path / "later")])
    assert cannot_tell.exit_code == 2
    fetch = "'https://payflux.example/.well-known/payflux-consistency?tree_size=8&later_size=9'"
    assert fetch in cannot_tell.output
    for named, code in (("later", 2), ("checkpoint", 0)):  # of two checkpoints, too
        with_kept = ["--keys", str(keys), "--checkpoint", str(tmp_path / named)]
        assert run.invoke(app, ["verify", str(kept), *with_kept]).exit_code == code
    (tmp_path / "proof").write_text("{}")
    assert run.invoke(app, ["verify", str(file), "--consistency", str(tmp_path / "proof")]).exit_code == 2
    file.write_bytes(b"".join(file_of(chain([{"n": 7}], before=bytes(32), first=7), proven=0, first=7)))
    assert "in the signed tree" not in run.invoke(app, ["verify", str(file)]).output
    place = DATA.index(b'"tier":2')
    file.write_bytes(DATA[:place] + b'"tier":1' + DATA[place + 8 :])
    bad = run.invoke(app, ["verify", str(file)])
    assert bad.exit_code == 1
    assert "Line 3" in bad.output
    assert "body" in bad.output
    for none in ("[]", '{"keys": []}'):
        keys.write_text(none)
        assert run.invoke(app, ["verify", str(file), "--keys", str(keys)]).exit_code == 2


def test_a_checkpoint_of_a_rewritten_past_is_told_from_the_one_that_was_kept(tmp_path: Path) -> None:
    said: dict[str, list[dict[str, object]]] = {
        "kept": [{"n": 1}],
        "honest": [{"n": 1}, {"n": 2}],
        "rewritten": [{"n": 3}, {"n": 2}],
    }
    for name, bodies in said.items():
        header = json.loads(file_of(chain(bodies), proven=len(bodies), earlier=6)[0])["header"]
        (tmp_path / name).write_text(header["checkpoint"])
        published = header["consistency"] | {"checkpoint": header["checkpoint"]}
        (tmp_path / f"{name}.json").write_text(json.dumps(published))
    (tmp_path / "keys").write_text(json.dumps({"keys": [key().jwk]}))
    for name, code in (("honest", 0), ("rewritten", 1)):
        options = {"--keys": "keys", "--checkpoint": "kept", "--consistency": f"{name}.json"}
        named = [word for option, file in options.items() for word in (option, str(tmp_path / file))]
        told = CliRunner().invoke(app, ["verify", str(tmp_path / name), *named])
        assert (told.exit_code, "not of one history" in told.output) == (code, code == 1), told.output

"""Check an exported ledger offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from payflux.cli.configured import complaints, console
from payflux.monitor.ledger.checkpoints import ConsistencyProof, SignedNote, find_note, read_consistency
from payflux.monitor.ledger.scanning import Flawed
from payflux.monitor.ledger.verifying import (
    MissingProof,
    PublicKey,
    Verified,
    is_signed,
    of_one_history,
    read_keys,
    verify_export,
)


def verify(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="A ledger as PayFlux exports it (JSONL), or a checkpoint."),
    ],
    keys: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Public keys that you trust: /.well-known/payflux-keys.json"),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A checkpoint that you kept: the file is of its history."),
    ] = None,
    consistency: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The published proof that joins it and the file."),
    ] = None,
) -> None:
    """Check every signature, hash and proof of an exported ledger, with the public keys alone. Needs no database and no
    network; exit code 1 where it does not hold, 2 where it cannot be checked. A checkpoint, or the text of
    the mail that it came in, is checked by the keys that are named."""
    trusted, kept, proof = _trusted(keys), _kept(checkpoint), _proof(consistency)
    try:
        if (note := _note_in(file)) is not None:
            _verify_note(note, trusted, kept, proof)
            return
        with file.open("rb") as lines:
            found = verify_export(lines, keys=trusted, kept=kept, consistency=proof)
    except Flawed as error:
        flaw = error.flaw
        complaints.print(
            f"[bold red]This file does not hold.[/bold red] Line {flaw.line}, bytes {flaw.start} to {flaw.end}, "
            f"{flaw.field}: expected {escape(flaw.expected)}.",
            soft_wrap=True,
        )
        raise typer.Exit(1) from None
    except MissingProof as missing:
        sizes = f"tree_size={missing.tree_size}&later_size={missing.later_size}"
        published = f"https://{missing.origin.removesuffix('/ledger')}/.well-known/payflux-consistency?{sizes}"
        complaints.print(
            "Whether this and the checkpoint that you kept are of one history takes a proof. Fetch it, and name it by "
            f"--consistency: curl -o consistency.json {escape(repr(published))}",
            soft_wrap=True,
        )
        raise typer.Exit(2) from None
    console.print("\n".join(_told(found, trusted is not None)), soft_wrap=True)


def _note_in(file: Path) -> SignedNote | None:
    """The checkpoint that the file is, or holds as text; None where it is an export, which begins as JSON."""
    with file.open("rb") as begun:
        if begun.read(64).lstrip()[:1] in (b"{", b""):
            return None
    try:
        return find_note(file.read_text(encoding="utf-8"))
    except ValueError:
        return None  # to be refused as the export that it is not


def _verify_note(
    note: SignedNote,
    trusted: dict[str, PublicKey] | None,
    kept: SignedNote | None,
    proof: ConsistencyProof | None,
) -> None:
    said = note.checkpoint
    if trusted is None:
        complaints.print(
            f"This is a checkpoint of {escape(said.origin)}. Name the keys that you trust by --keys: those of its "
            "origin are at /.well-known/payflux-keys.json.",
            soft_wrap=True,
        )
        raise typer.Exit(2)
    if not is_signed(note, trusted):
        complaints.print("[bold red]This checkpoint does not hold.[/bold red] None of the keys has signed it.")
        raise typer.Exit(1)
    if kept is not None and not (
        is_signed(kept, trusted) and of_one_history(kept.checkpoint, said, [] if proof is None else [proof])
    ):
        complaints.print(
            "[bold red]This checkpoint does not hold.[/bold red] It is not of one history with the one that you kept."
        )
        raise typer.Exit(1)
    console.print(
        f"This checkpoint holds: the signed tree of {escape(said.origin)}, of {said.tree_size:,} artifacts.",
        soft_wrap=True,
    )


def _told(found: Verified, trusted: bool) -> list[str]:
    told = [
        f"This file holds: {found.artifacts:,} artifacts of workspace {found.workspace_id}, "
        f"{found.first_sequence} to {found.last_sequence}."
    ]
    if found.checkpoint is not None and found.proven_sequence >= found.first_sequence:
        said = found.checkpoint.checkpoint
        tree = f"the signed tree of {said.origin}, of {said.tree_size:,} artifacts"
        told.append(f"Those up to {found.proven_sequence} are in {tree}.")
    if found.without_body:
        told.append(f"{found.without_body:,} of their bodies are kept no longer; their hashes hold.")
    if not trusted:
        told.append(
            "It was checked by the keys that it names itself. Compare them with those of its origin, "
            "/.well-known/payflux-keys.json, by --keys."
        )
    return told


def _trusted(path: Path | None) -> dict[str, PublicKey] | None:
    if path is None:
        return None
    try:
        document = msgspec.json.decode(path.read_bytes(), type=dict[str, list[dict[str, object]]])
        if found := read_keys(document.get("keys", [])):
            return found
        raise ValueError("it names no key")
    except ValueError as error:
        raise _unusable(path, "a set of public keys (JWKS)", error) from None


def _kept(path: Path | None) -> SignedNote | None:
    if path is None:
        return None
    try:
        return find_note(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _unusable(path, "a signed checkpoint", error) from None


def _proof(path: Path | None) -> ConsistencyProof | None:
    if path is None:
        return None
    try:
        return read_consistency(path.read_bytes())
    except ValueError as error:
        raise _unusable(path, "a proof of consistency", error) from None


def _unusable(path: Path, what: str, error: ValueError) -> typer.Exit:
    complaints.print(escape(f"{path} is not {what}: {error}."), soft_wrap=True)
    return typer.Exit(2)

"""Bring evidence from elsewhere: another installation's ledger, or plain records. It never becomes a statement of ours:
the ledger holds that a file came, when, from whom and with which SHA-256, and the records stand apart."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import Conflict, InvalidInput
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.monitor.evidence.models import EvidenceImport, Form, ImportedRecord
from payflux.monitor.ledger.artifacts import Draft, Kind, decode_statement, unb64, written
from payflux.monitor.ledger.canonical import canonical
from payflux.monitor.ledger.recording import record_artifacts
from payflux.monitor.ledger.scanning import Flawed
from payflux.monitor.ledger.verifying import verify_export
from payflux.world.bootstrap import World

MOST_RECORDS = 10_000
FILE = "file"


class Record(NamedTuple):
    """One imported record; `body` is canonical JSON, None where its origin kept it no longer."""

    kind: str
    at: datetime
    body: str | None


class ReadFile(NamedTuple):
    """What a file holds. `origin` says whose ledger it is, empty for plain records."""

    form: Form
    origin: str
    records: Sequence[Record]


_Kind = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_.-]{0,39}\Z")]


class PlainRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of plain records: when something happened, what kind of thing it was, and anything that is to be kept."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    kind: _Kind
    body: dict[str, object]


class _Line(msgspec.Struct, frozen=True):
    jws: str
    body: msgspec.Raw


def read_file(data: bytes) -> ReadFile:
    """The records of a file: of an exported ledger, each signature and hash of which holds, or of plain records, one
    JSON object a line. Pure. Raises InvalidInput on `file`, naming the line."""
    lines = data.splitlines(keepends=True)
    if not data.strip():
        raise InvalidInput({FILE: _("The file is empty.")})
    is_ledger = data.startswith(b'{"header":')
    if len(lines) > MOST_RECORDS + is_ledger:
        raise InvalidInput({FILE: _("Bring %(most)s records at most at a time.") % {"most": MOST_RECORDS}})
    return _read_ledger(lines) if is_ledger else _read_records(lines)


def _read_ledger(lines: Sequence[bytes]) -> ReadFile:
    try:
        checked = verify_export(lines)
        note = checked.checkpoint
        where = f"{note.checkpoint.origin}, " if note is not None else ""
        origin = f"{where}workspace {UUID(checked.workspace_id)}"
        records = [_signed_record(line) for line in lines[1:]]
        if not origin.isprintable():
            raise ValueError
    except Flawed as error:
        flaw = error.flaw
        raise InvalidInput(
            {
                FILE: _("This ledger does not hold: line %(line)s, %(field)s. Expected %(expected)s.")
                % {"line": flaw.line, "field": flaw.field, "expected": flaw.expected}
            }
        ) from None
    except (ValueError, OverflowError, RecursionError):
        # whoever makes their own keys may sign what no ledger of ours holds
        raise InvalidInput({FILE: _("This ledger does not hold what PayFlux records. Export it again.")}) from None
    return ReadFile(Form.LEDGER, origin, records)


def _signed_record(line: bytes) -> Record:
    found = msgspec.json.decode(line, type=_Line)
    statement = decode_statement(unb64(found.jws.split(".")[1]))
    body = bytes(found.body).decode()
    msgspec.json.decode(body, type=dict[str, object] | None)
    kind = msgspec.convert(statement.kind, _Kind)
    return Record(kind, datetime.fromisoformat(statement.recorded_at), None if body == "null" else body)


def _read_records(lines: Sequence[bytes]) -> ReadFile:
    records = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            plain = msgspec.json.decode(line, type=PlainRecord)
            records.append(Record(plain.kind, plain.at.astimezone(UTC), canonical(plain.body).decode()))
        except (ValueError, OverflowError, RecursionError) as error:
            raise InvalidInput(
                {
                    FILE: _("Line %(line)s is no record: %(why)s. Write at, kind and body, one object a line.")
                    % {"line": number, "why": str(error)}
                }
            ) from None
    return ReadFile(Form.RECORDS, "", records)


class ImportedBefore(Conflict):
    """The very same file was brought before, as `brought`."""

    code = "imported_before"

    def __init__(self, brought: EvidenceImport) -> None:
        super().__init__(_("This very file was brought before."), way_out=_("Look for it under Evidence."))
        self.brought = brought


async def import_evidence(
    world: World,
    session: AsyncSession,
    data: bytes,
    *,
    account_id: UUID,
    workspace_id: UUID,
    file_name: str,
    imported_by: UUID,
) -> EvidenceImport:
    """Keep the records of a file beside the ledger, and record in the ledger that it came. Raises InvalidInput on
    `file`, and ImportedBefore."""
    # a large file takes seconds, in which others are served
    found, source_hash = await asyncio.to_thread(read_file, data), hashlib.sha256(data).hexdigest()
    row = EvidenceImport
    same = select(row).where(
        row.account_id == account_id, row.workspace_id == workspace_id, row.source_hash == source_hash
    )
    # of two at once, the second finds what the first has brought
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{workspace_id} {source_hash}", 0))))
    if (before := (await session.execute(same)).scalar_one_or_none()) is not None:
        raise ImportedBefore(before)
    place, import_id, now = {"account_id": account_id, "workspace_id": workspace_id}, new_id(), world.clock.now()
    times = [each.at for each in found.records]
    body = {
        "import_id": import_id,
        "form": found.form,
        "origin": found.origin,
        "source_hash": source_hash,
        "records": len(found.records),
        "first_at": written(min(times)) if times else None,
        "last_at": written(max(times)) if times else None,
        "imported_by": imported_by,
    }
    draft = Draft(kind=Kind.IMPORTED, body=body)
    [recorded] = await record_artifacts(
        world, session, account_id=account_id, workspace_id=workspace_id, drafts=[draft]
    )
    brought = EvidenceImport(
        **place,
        id=import_id,
        form=found.form,
        file_name="".join(letter for letter in file_name if letter.isprintable())[:100],
        source_hash=source_hash,
        records=len(found.records),
        origin=found.origin,
        imported_by=imported_by,
        imported_at=now,
        sequence=recorded.sequence,
    )
    session.add(brought)
    await session.flush()
    rows = [
        {"account_id": account_id, "import_id": import_id, "number": number, **each._asdict()}
        for number, each in enumerate(found.records, start=1)
    ]
    if rows:
        await session.execute(insert(ImportedRecord), rows)
    return brought

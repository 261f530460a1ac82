"""The signed evidence of a workspace: what was said, and the proof that it was."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from payflux.activation.service import get_workspace
from payflux.api.instants import Instant
from payflux.api.paging import Cursor, Limit, Page, page_of, read_cursor
from payflux.api.problems import Responses
from payflux.kit.errors import NotFound
from payflux.monitor.ledger.artifacts import Kind
from payflux.monitor.ledger.models import LedgerArtifact
from payflux.monitor.ledger.queries import get_artifact, inclusion_proof, list_artifacts
from payflux.web.guards import Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/evidence", tags=["evidence"])

READ = [guard(capability="monitor.read", entitled=True, history=True, metered=True, scope="evidence:read")]
UNKNOWN: Responses = {404: {"description": "no artifact of yours"}}
WRONG: Responses = {422: {"description": "a parameter is wrong"}}

LARGEST = 2**63 - 1
Sequence = Annotated[int, Path(ge=1, le=LARGEST, description="the artifact's number in your workspace's ledger")]


class Artifact(BaseModel):
    """One artifact. Hashes are SHA-256 in hex; `jws` is its signed statement, which holds the hash of the body and the
    hash of the artifact before. `body` is null where your plan keeps it no longer."""

    sequence: int
    kind: Kind
    recorded_at: datetime
    model_version: str
    inputs_hash: str
    body_hash: str
    previous_hash: str
    hash: str
    key_id: str
    jws: str
    body: dict[str, Any] | None


class InclusionProof(BaseModel):
    """That an artifact is leaf `leaf` of the tree of `tree_size` leaves that `checkpoint`, a signed note, names the
    root of: hash the leaf together with `hashes` as RFC 6962 says."""

    sequence: int
    hash: str
    leaf: int
    tree_size: int
    hashes: list[str] = Field(description="from the leaf to the root, in hex")
    checkpoint: str


@router.get("", dependencies=READ, responses=WRONG)
async def artifacts(
    who: Who,
    session: Tenant,
    kind: Annotated[list[Kind] | None, Query(description="of these kinds alone")] = None,
    since: Annotated[Instant | None, Query(description="recorded then or later")] = None,
    until: Annotated[Instant | None, Query(description="recorded before")] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Artifact]:
    """What was recorded, the newest first."""
    place = read_cursor(cursor, int)
    before = place[0] if place else None
    workspace = await get_workspace(session, account_id=who.account_id)
    page = await list_artifacts(
        session,
        account_id=who.account_id,
        workspace_id=workspace.id,
        kinds=kind or (),
        since=since,
        until=until,
        before=before if isinstance(before, int) else None,
        limit=limit + 1,
    )
    shown, following = page_of(page.artifacts, limit, lambda row: (row.sequence,))
    return Page(data=[_artifact(each) for each in shown], next_cursor=following)


@router.get("/{sequence}", dependencies=READ, responses={**UNKNOWN, **WRONG})
async def artifact(who: Who, session: Tenant, sequence: Sequence) -> Artifact:
    """One artifact."""
    workspace = await get_workspace(session, account_id=who.account_id)
    place = {"account_id": who.account_id, "workspace_id": workspace.id}
    return _artifact(await get_artifact(session, **place, sequence=sequence))


@router.get("/{sequence}/proof", dependencies=READ, responses={**UNKNOWN, **WRONG})
async def proof(who: Who, session: Tenant, sequence: Sequence) -> InclusionProof:
    """That an artifact is in the signed tree over all ledgers; 404 until the night after it was recorded."""
    workspace = await get_workspace(session, account_id=who.account_id)
    place = {"account_id": who.account_id, "workspace_id": workspace.id}
    found = await get_artifact(session, **place, sequence=sequence)
    shown = await inclusion_proof(session, **place, sequence=sequence)
    if shown is None:
        raise NotFound(
            "No checkpoint holds this artifact yet.", way_out="Ask again tomorrow: one is signed every night."
        )
    return InclusionProof(
        sequence=sequence,
        hash=found.hash.hex(),
        leaf=shown.leaf,
        tree_size=shown.checkpoint.tree_size,
        hashes=[each.hex() for each in shown.hashes],
        checkpoint=shown.checkpoint.note,
    )


def _artifact(each: LedgerArtifact) -> Artifact:
    return Artifact(
        sequence=each.sequence,
        kind=Kind(each.kind),
        recorded_at=each.recorded_at,
        model_version=each.model_version,
        inputs_hash=each.inputs_hash,
        body_hash=each.body_hash.hex(),
        previous_hash=each.previous_hash.hex(),
        hash=each.hash.hex(),
        key_id=each.key_id,
        jws=each.jws,
        body=None if each.body is None else json.loads(each.body),
    )

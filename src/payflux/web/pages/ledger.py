"""What is published of the ledger, for whoever checks it: the public keys, the newest checkpoint, and proofs that it
goes on from earlier ones. Nothing of any account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, PlainTextResponse

from payflux.kit.errors import NotFound
from payflux.monitor.ledger.keys import published_keys
from payflux.monitor.ledger.queries import consistency_proof, latest_checkpoint
from payflux.web.guards import CurrentWorld
from payflux.web.policies import Audience, guard

router = APIRouter(prefix="/.well-known")

_KEPT = {"Cache-Control": "public, max-age=300"}


@router.get("/payflux-keys.json", dependencies=[guard(Audience.PUBLIC)])
async def keys(world: CurrentWorld) -> JSONResponse:
    """Every key that has signed, as a JWK Set with the time in which each did."""
    async with world.database.system() as session:
        return JSONResponse(await published_keys(session), headers=_KEPT, media_type="application/jwk-set+json")


@router.get("/payflux-checkpoint", dependencies=[guard(Audience.PUBLIC)])
async def checkpoint(world: CurrentWorld) -> PlainTextResponse:
    """The tree over all ledgers as it was last signed. 404 before the first time."""
    async with world.database.system() as session:
        newest = await latest_checkpoint(session)
    if newest is None:
        raise NotFound("There is no checkpoint yet.", way_out="The first one is signed during the night.")
    return PlainTextResponse(newest.note, headers=_KEPT)


@router.get("/payflux-consistency", dependencies=[guard(Audience.PUBLIC)])
async def consistency(
    world: CurrentWorld, tree_size: Annotated[int, Query()], later_size: Annotated[int | None, Query()] = None
) -> JSONResponse:
    """That the tree of a checkpoint, the newest or that of `later_size` artifacts, goes on from that of an earlier one
    of `tree_size`."""
    async with world.database.system() as session:
        proof = await consistency_proof(session, tree_size=tree_size, later_size=later_size)
    return JSONResponse(proof, headers=_KEPT)

"""Exceptions of single accounts as JSON, for the staff's tools; sent and previewed as in :mod:`.plans_api`."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, StrictBool, StrictInt

from payflux.admin.guards import STAFF, CurrentStaff
from payflux.admin.plans_api import FLAGS, LIMITS
from payflux.admin.selling import Json, Preview
from payflux.frontdoor.staff.acts import record_look
from payflux.frontdoor.staff.selling.overrides import (
    OverrideKind,
    WantedOverride,
    grant_override,
    overrides,
    preview_override,
    take_override_back,
)
from payflux.web.guards import CurrentWorld

router = APIRouter()


class Override(BaseModel):
    """An exception of one account, until `expires_at` or until it is taken back: whether it has the feature, or its
    limit, of which null is none."""

    model_config = ConfigDict(extra="forbid")

    account_id: UUID
    key: str
    value: StrictBool | StrictInt | None
    reason: str
    expires_at: AwareDatetime | None = None


def _add_routes(kind: OverrideKind, path: str, granting: list[str]) -> None:
    async def every(account_id: UUID, staff: CurrentStaff, world: CurrentWorld) -> list[Json]:
        """Every override of the account, also those that have ended, the newest first."""
        async with world.database.system() as session:
            await record_look(session, staff, account_id=account_id, now=world.clock.now())
            found = await overrides(session, account_id=account_id)
        return [asdict(each) for each in found if each.kind == kind]

    async def grant(override: Override, staff: CurrentStaff, world: CurrentWorld, preview: Preview = False) -> Json:
        """Grant it from now on; an earlier one of the same key ends."""
        now = world.clock.now()
        wanted = WantedOverride(override.account_id, kind, override.key, override.value)
        async with world.database.system() as session:
            seen = asdict(await preview_override(session, wanted, now=now))
            if preview:
                return seen
            granted = await grant_override(
                session, staff, wanted, reason=override.reason, expires_at=override.expires_at, now=now
            )
            return seen | asdict(granted)

    async def take_back(
        account_id: UUID, override_id: UUID, staff: CurrentStaff, world: CurrentWorld, preview: Preview = False
    ) -> list[Json]:
        """End it now; the account has what its plan says again."""
        if not preview:
            async with world.database.system() as session:
                await take_override_back(
                    session, staff, account_id=account_id, kind=kind, override_id=override_id, now=world.clock.now()
                )
        return await every(account_id, staff, world)

    router.add_api_route(path, every, methods=["GET"], dependencies=STAFF)
    for method in granting:
        router.add_api_route(path, grant, methods=[method], dependencies=STAFF)
    router.add_api_route(path, take_back, methods=["DELETE"], dependencies=STAFF)


_add_routes("limit", f"{LIMITS}/account-overrides", ["POST", "PUT"])
_add_routes("feature", f"{FLAGS}/account-overrides", ["POST"])

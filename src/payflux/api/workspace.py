"""The caller's workspace, for programs: how far it has come, and what is missing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from payflux.activation.conditions import conditions_of
from payflux.activation.service import get_workspace
from payflux.activation.states import ActivationState
from payflux.activation.watching import may_be_monitored
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.monitor.ledger.queries import count_artifacts
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

EVIDENCE_FEATURE = "evidence_export"

router = APIRouter(prefix="/workspace", tags=["workspace"])


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Missing(_Camel):
    """A condition of a live workspace that is not met, and the page that leads to it."""

    condition: str
    way_out: str
    path: str


class Problem(_Camel):
    """What is in the way, for a person. PayFlux looks at it again at `retryAt`; null where only a person can help."""

    code: str
    title: str
    what_happened: str
    what_is_safe: str
    what_to_do: str
    retry_at: datetime | None


class WorkspaceState(_Camel):
    """A workspace with its activation; a moment is null until it has come. `paidAt` is when the account became
    entitled, by a trial too. Every workspace has a ledger; `evidenceLedgerEnabled` is whether the plan lets it out."""

    workspace_id: UUID
    workspace_name: str
    activation_state: ActivationState
    is_live_monitored: bool
    missing: list[Missing]
    problem: Problem | None
    paid_at: datetime
    connected_at: datetime | None
    baseline_generated_at: datetime | None
    first_projection_at: datetime | None
    alert_policy_armed_at: datetime | None
    live_monitored_at: datetime | None
    fully_configured_at: datetime | None
    evidence_ledger_enabled: bool
    ledger_entry_count: int


@router.get("", dependencies=[guard(capability="monitor.read", metered=True, scope="risk:read")])
async def workspace(who: Who, session: Tenant, world: CurrentWorld) -> WorkspaceState:
    """Where the activation stands."""
    stored = await get_workspace(session, account_id=who.account_id)
    held = await entitlements_of(session, world, account_id=who.account_id)
    missing = [each for each in conditions_of(stored, entitled=may_be_monitored(held)) if not each.met]
    found = stored.problem
    return WorkspaceState(
        workspace_id=stored.id,
        workspace_name=stored.name,
        activation_state=ActivationState(stored.activation_state),
        is_live_monitored=not missing,
        missing=[Missing(condition=each.key, way_out=each.way_out, path=each.path) for each in missing],
        problem=None
        if found is None
        else Problem(
            code=found["code"],
            title=found["title"],
            what_happened=found["what_happened"],
            what_is_safe=found["what_is_safe"],
            what_to_do=found["what_to_do"],
            retry_at=stored.retry_at,
        ),
        paid_at=stored.entitled_at,
        connected_at=stored.connected_at,
        baseline_generated_at=stored.baseline_generated_at,
        first_projection_at=stored.first_projection_at,
        alert_policy_armed_at=stored.alert_policy_armed_at,
        live_monitored_at=stored.live_monitored_at,
        fully_configured_at=stored.fully_configured_at,
        evidence_ledger_enabled=held.features[EVIDENCE_FEATURE],
        ledger_entry_count=await count_artifacts(session, account_id=who.account_id, workspace_id=stored.id),
    )

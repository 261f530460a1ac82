"""The one door through which a workspace changes its activation state, and the verbs that go through it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.beside import refuse_beside_another
from payflux.activation.models import ActivationTransition, ConnectAttempt, Workspace
from payflux.activation.states import TRANSITIONS, ActivationState, Cause
from payflux.frontdoor.funnel.events import CatalogueKey, ProcessorConnected
from payflux.frontdoor.funnel.recording import record
from payflux.frontdoor.onboarding.milestones import record_milestone
from payflux.kit.audit import record_change
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Conflict, Forbidden, NotFound
from payflux.kit.ids import new_id
from payflux.kit.jobs import enqueue
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.generic.history import take_stored_history
from payflux.monitor.processors.models import Connection, ConnectionMethod, HistoryPull
from payflux.monitor.processors.pull import start_pull

CONNECT_ATTEMPT_LIFETIME = timedelta(minutes=15)


class NoSuchTransition(Conflict):
    code = "activation_state"


async def create_workspace(session: AsyncSession, *, account_id: UUID, name: str, now: datetime) -> Workspace:
    """The workspace of a newly entitled account."""
    workspace = Workspace(account_id=account_id, id=new_id(), name=name, entitled_at=now, activation_state="")
    await _change_state(session, workspace, Cause.ENTITLED, now=now, from_state=None)
    return workspace


async def get_workspace(session: AsyncSession, *, account_id: UUID, lock: bool = False) -> Workspace:
    """The account's workspace, locked until the transaction ends where it is about to change. Raises NotFound."""
    query = select(Workspace).where(Workspace.account_id == account_id)
    workspace = (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    if workspace is None:
        raise NotFound(_("This account has no workspace."), way_out=_("Contact support; this should not happen."))
    return workspace


async def change_state(
    session: AsyncSession, workspace: Workspace, cause: Cause, *, now: datetime, actor_id: UUID | None = None
) -> None:
    """Move `workspace` along the transition that `cause` names, with a history row and an audit row.

    Raises NoSuchTransition, and changes nothing, when there is none from the present state.
    """
    await _change_state(
        session, workspace, cause, now=now, from_state=ActivationState(workspace.activation_state), actor_id=actor_id
    )


async def _change_state(
    session: AsyncSession,
    workspace: Workspace,
    cause: Cause,
    *,
    now: datetime,
    from_state: ActivationState | None,
    actor_id: UUID | None = None,
) -> None:
    to_state = TRANSITIONS.get((from_state, cause))
    if to_state is None:
        raise NoSuchTransition(
            _("A workspace that is %(from_state)s cannot change by %(cause)s.")
            % {"from_state": from_state, "cause": cause},
            way_out=_("Reload the page to see where it is."),
        )
    workspace.activation_state = to_state
    session.add(workspace)
    await session.flush()
    session.add(
        ActivationTransition(
            account_id=workspace.account_id,
            id=new_id(),
            workspace_id=workspace.id,
            from_state=from_state,
            to_state=to_state,
            cause=cause,
            at=now,
        )
    )
    await record_change(
        session,
        account_id=workspace.account_id,
        actor_id=actor_id,
        action=f"activation.{cause}",
        subject=str(workspace.id),
        at=now,
        before={"state": from_state},
        after={"state": to_state},
    )


async def begin_connect_attempt(
    session: AsyncSession, tokens: TokenHasher, *, workspace: Workspace, session_id: UUID, method: str, now: datetime
) -> str:
    """The `state` that a trip to the processor's OAuth page carries, good once, for this browser session and for the
    `method` of connecting that it was begun for."""
    state = tokens.new_token()
    session.add(
        ConnectAttempt(
            account_id=workspace.account_id,
            id=new_id(),
            workspace_id=workspace.id,
            session_id=session_id,
            state_digest=_state_digest(tokens, method, state),
            expires_at=now + CONNECT_ATTEMPT_LIFETIME,
        )
    )
    return state


async def use_connect_attempt(
    session: AsyncSession,
    tokens: TokenHasher,
    *,
    account_id: UUID,
    session_id: UUID,
    method: str,
    state: str,
    now: datetime,
) -> bool:
    """Use up the attempt that `state` belongs to; False when it was used before, so that a second submit of the same
    callback exchanges nothing. Raises Forbidden when it is unknown, expired or another browser's."""
    mine = (
        ConnectAttempt.account_id == account_id,
        ConnectAttempt.state_digest == _state_digest(tokens, method, state),
        ConnectAttempt.session_id == session_id,
        ConnectAttempt.expires_at > now,
    )
    used = await session.execute(
        update(ConnectAttempt)
        .where(*mine, ConnectAttempt.used_at.is_(None))
        .values(used_at=now)
        .returning(ConnectAttempt.id)
    )
    if used.scalar_one_or_none() is not None:
        return True
    if (await session.execute(select(ConnectAttempt.id).where(*mine))).scalar_one_or_none() is None:
        raise Forbidden(
            _("This connection was not started in this browser, or more than 15 minutes ago. Nothing was connected."),
            way_out=_("Go to Activate and press Connect Stripe again."),
            code="connect_state",
        )
    return False


def _state_digest(tokens: TokenHasher, method: str, state: str) -> bytes:
    # RFC 9700 section 4.4: an answer of one authorization server is never taken for another's
    return tokens.digest(f"{method} {state}")


async def begin_pipeline(
    session: AsyncSession, workspace: Workspace, connection: Connection, *, now: datetime, actor_id: UUID | None
) -> None:
    """Point the workspace at a processor that has just been connected, and start pulling its history.

    Raises AnotherConnected while another one is connected.
    """
    await refuse_beside_another(session, workspace, connection.id)
    pull = await start_pull(session, connection, now)
    await _stand_on(session, workspace, pull, Cause.CONNECTED, now=now, actor_id=actor_id)
    await _record_connected(session, connection, now=now, user_id=actor_id)
    await enqueue_step(session, "pull_processor_events", workspace)


async def begin_again(session: AsyncSession, workspace: Workspace, connection: Connection, *, now: datetime) -> None:
    """What a scored workspace waited for has come: read its history anew, up to now."""
    if connection.method == ConnectionMethod.WEBHOOK:
        pull, step = await take_stored_history(session, connection, now=now), "compute_baseline"
    else:
        pull, step = await start_pull(session, connection, now), "pull_processor_events"
    await _stand_on(session, workspace, pull, Cause.ACTIVE, now=now, actor_id=None)
    workspace.pulled_at = pull.finished_at
    await enqueue_step(session, step, workspace)


async def begin_with_stored(
    session: AsyncSession, workspace: Workspace, connection: Connection, *, now: datetime, actor_id: UUID | None
) -> None:
    """Point the workspace at a processor that posts to us and whose history is in; what follows a pull begins.

    Raises AnotherConnected while another one is connected.
    """
    await refuse_beside_another(session, workspace, connection.id)
    pull = await take_stored_history(session, connection, now=now)
    await _stand_on(session, workspace, pull, Cause.CONNECTED, now=now, actor_id=actor_id)
    await _record_connected(session, connection, now=now, user_id=actor_id)
    workspace.pulled_at = now
    await enqueue_step(session, "compute_baseline", workspace)


async def _record_connected(
    session: AsyncSession, connection: Connection, *, now: datetime, user_id: UUID | None
) -> None:
    connected = ProcessorConnected(CatalogueKey(connection.method))
    await record(session, connected, at=now, account_id=connection.account_id, user_id=user_id)


async def _stand_on(
    session: AsyncSession,
    workspace: Workspace,
    pull: HistoryPull,
    cause: Cause,
    *,
    now: datetime,
    actor_id: UUID | None,
) -> None:
    workspace.connection_id = pull.connection_id
    workspace.pull_id = pull.id
    workspace.connected_at = now
    forget_problem(workspace)
    _forget_results(workspace)
    await change_state(session, workspace, cause, now=now, actor_id=actor_id)
    await record_milestone(session, account_id=workspace.account_id, milestone="processor_connected", now=now)


async def leave_connection(
    session: AsyncSession, workspace: Workspace, cause: Cause, *, now: datetime, actor_id: UUID | None
) -> None:
    """Take the workspace back to unconnected; jobs that are still under way find themselves out of date."""
    workspace.connection_id = workspace.pull_id = workspace.connected_at = None
    forget_problem(workspace)
    _forget_results(workspace)
    await change_state(session, workspace, cause, now=now, actor_id=actor_id)


def forget_problem(workspace: Workspace) -> None:
    """Nothing is in the way any more."""
    workspace.problem = workspace.failing_since = workspace.retry_at = workspace.support_told_at = None
    workspace.failures = 0


def _forget_results(workspace: Workspace) -> None:
    workspace.pulled_at = workspace.baseline_generated_at = workspace.first_projection_at = None
    workspace.alert_policy_armed_at = workspace.live_monitored_at = workspace.first_seen_live_at = None
    workspace.fully_configured_at = None


async def enqueue_step(session: AsyncSession, step: str, workspace: Workspace) -> None:
    """Enqueue a step of the pipeline for the history the workspace stands on now."""
    payload = {
        "account_id": str(workspace.account_id),
        "workspace_id": str(workspace.id),
        "pull_id": str(workspace.pull_id),
    }
    await enqueue(session, step, payload, dedupe_key=f"{step}:{workspace.pull_id}")


async def first_visit(session: AsyncSession, *, account_id: UUID, now: datetime) -> bool:
    """Whether this is the first look at the live workspace; true once."""
    seen = await session.execute(
        update(Workspace)
        .where(
            Workspace.account_id == account_id,
            Workspace.live_monitored_at.is_not(None),
            Workspace.first_seen_live_at.is_(None),
        )
        .values(first_seen_live_at=now)
        .returning(Workspace.id)
        .execution_options(synchronize_session=False)
    )
    return seen.scalar_one_or_none() is not None

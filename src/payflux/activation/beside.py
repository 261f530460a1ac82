"""One workspace, one processor: figures of two accounts are never mixed. What is connected is ended first."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.kit.errors import Conflict
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.generic.connecting import current_source
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.queries import another_active


class AnotherConnected(Conflict):
    """Another processor, or another account, is connected to the workspace."""

    code = "another_processor"

    def __init__(self, other: Connection) -> None:
        super().__init__(
            _("%(external_account_id)s is connected to this workspace.")
            % {"external_account_id": other.name or other.external_account_id},
            way_out=_("Disconnect it on the Connection page first; what was read stays."),
        )


async def refuse_beside_another(session: AsyncSession, workspace: Workspace, connection_id: UUID | None) -> None:
    """Raises AnotherConnected when something else than `connection_id` is connected to the workspace."""
    other = await another_active(session, account_id=workspace.account_id, workspace_id=workspace.id, but=connection_id)
    if other is not None:
        raise AnotherConnected(other)


async def refuse_beside_source(session: AsyncSession, workspace: Workspace) -> None:
    """The same where it is not known yet which account of Stripe will be connected: raises AnotherConnected when a
    processor posts to the workspace."""
    source = await current_source(session, account_id=workspace.account_id, workspace_id=workspace.id)
    if source is not None:
        raise AnotherConnected(source)

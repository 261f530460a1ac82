"""The mails about an activation: how each is written. One that is out of date by now is not sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.queries import Addressee
from payflux.kit.jobs import Payload
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail


async def _activation_failing(world: World, payload: Payload, _addressee: Addressee) -> Mail | None:
    async with world.database.tenant(UUID(payload["account_id"])) as session:
        workspace = await get_workspace(session, account_id=UUID(payload["account_id"]))
    if workspace.problem is None or workspace.failing_since is None:
        return None
    return write_mail(
        "activation_failing",
        code=workspace.problem["code"],
        state=workspace.activation_state,
        failures=workspace.failures,
        failing_since=f"{workspace.failing_since:%d %B %Y, %H:%M} UTC",
        account_id=str(workspace.account_id),
        url=f"{world.settings.url}/admin/accounts/{workspace.account_id}",
    )


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {
    "activation_failing": _activation_failing,
}

"""What this process counted, and how the installation does, for a Prometheus to read."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.health import health_readings
from payflux.kit.errors import NotFound
from payflux.kit.metrics import CONTENT_TYPE, exposition
from payflux.settings import Settings
from payflux.web.guards import CurrentWorld, get_world
from payflux.web.policies import Audience, Guard, Policy

router = APIRouter()


async def require_collector(request: Request) -> None:
    """Let through whoever sends `PAYFLUX_METRICS_TOKEN` as a bearer token. Without such a setting: in development
    alone, whoever asks this machine from this machine by its own name, and not through a proxy. Raises NotFound."""
    settings = get_world(request).settings
    wanted = settings.metrics_token.get_secret_value()
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if hmac.compare_digest(sent.encode(), wanted.encode()) if wanted else _is_local(request, settings):
        return
    raise NotFound(
        "There is no page at this address, or what stood here is gone.",
        way_out="A collector of metrics has to send PAYFLUX_METRICS_TOKEN as its bearer token.",
    )


def _is_local(request: Request, settings: Settings) -> bool:
    if settings.environment == "production" or any(
        name in request.headers for name in ("Forwarded", "X-Forwarded-For")
    ):
        return False
    return all(map(_is_loopback, (request.client.host if request.client else "", request.url.hostname or "")))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


COLLECTOR = [Guard(policy=Policy(Audience.COLLECTOR), dependency=require_collector)]


@router.get("/metrics", dependencies=COLLECTOR)
async def metrics(world: CurrentWorld) -> Response:
    async with world.database.system() as session:
        readings = await health_readings(session, world)
    return Response(exposition(world.metrics, readings), media_type=CONTENT_TYPE)

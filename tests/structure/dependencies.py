"""What FastAPI calls for a route."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.dependencies.models import Dependant


def calls_of(dependant: Dependant) -> set[Callable[..., object] | None]:
    """Every dependency of a route, at any depth, and its endpoint."""
    return {dependant.call}.union(*(calls_of(child) for child in dependant.dependencies))

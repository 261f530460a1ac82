"""Answers that the core's own structs are: sent as they are, and described by their own definition."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi.responses import JSONResponse

from payflux.api.problems import Responses

_REF = "#/components/schemas/{name}"


class StructResponse(JSONResponse):
    """A msgspec struct as JSON."""

    def render(self, content: object) -> bytes:
        return msgspec.json.encode(content)


def struct_answer(kind: Any, description: str) -> Responses:
    """What a route declares that answers 200 with a `kind`, a struct or what is made of structs."""
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REF)
    return {200: {"description": description, "content": {"application/json": {"schema": schema}}}}


def struct_schemas(kinds: tuple[Any, ...]) -> dict[str, Any]:
    """The named schemas that the schemas of `kinds` refer to."""
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    return components

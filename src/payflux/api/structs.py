"""Answers that the core's own structs are: sent as they are, and described by their own definition."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi.responses import JSONResponse

from payflux.api.problems import Responses
from payflux.kit.phrases import without_phrases

_REF = "#/components/schemas/{name}"


class StructResponse(JSONResponse):
    """A msgspec struct as JSON, in English whoever asks."""

    def render(self, content: object) -> bytes:
        return msgspec.json.encode(without_phrases(content))


def struct_answer(kind: Any, description: str) -> Responses:
    """What a route declares that answers 200 with a `kind`, a struct or what is made of structs."""
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REF)
    return {200: {"description": description, "content": {"application/json": {"schema": schema}}}}


def struct_schemas(kinds: tuple[Any, ...], *, names: dict[str, str]) -> dict[str, Any]:
    """The named schemas that the schemas of `kinds` refer to; `names` are other names for some of them, which they have
    in common with schemas of another part."""
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    for schema in components.values():
        schema.get("properties", {}).pop("phrases", None)
    written = msgspec.json.encode({names.get(name, name): schema for name, schema in components.items()}).decode()
    for name, other in names.items():
        written = written.replace(f'"{_REF.format(name=name)}"', f'"{_REF.format(name=other)}"')
    return msgspec.json.decode(written)

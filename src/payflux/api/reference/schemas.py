"""JSON Schemas in words: what a field is, and a value that fits it. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

REF = "#/components/schemas/"

Schema = dict[str, Any]
Schemas = dict[str, Schema]

_FORMATS = {
    "date-time": "2026-11-20T10:00:00Z",
    "date": "2026-11-20",
    "uuid": "01a200c5-c773-756e-9bbc-ed96e85bc815",
    "email": "alice@example.com",
}
_NAMED = {
    "id": "ch_1001",
    "currency": "usd",
    "email": "bob@example.com",
    "emails": ["bob@example.com"],
    "role": "viewer",
    "plan": "pro",
    "name": "Alice's Records",
}
_PLAIN: dict[str, object] = {"string": "text", "integer": 1, "number": 0.5, "boolean": True, "null": None}


class Field(NamedTuple):
    """One field. `kind` is its type in words, `refers` the objects that are part of it."""

    name: str
    kind: str
    refers: list[str]
    required: bool
    about: str


def resolved(schema: Schema, schemas: Schemas) -> Schema:
    """`schema`, or what it refers to."""
    return schemas[schema["$ref"].removeprefix(REF)] if "$ref" in schema else schema


def kind_of(schema: Schema, schemas: Schemas) -> str:
    """What fits `schema`, in words; an object by its name."""
    if "$ref" in schema:
        named = resolved(schema, schemas)
        return kind_of(named, schemas) if "enum" in named else schema["$ref"].removeprefix(REF)
    if "enum" in schema or "const" in schema:
        return " | ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(dict.fromkeys(kind_of(each, schemas) for each in schema[union]))
    if schema.get("type") == "array":
        return f"array of {', '.join(dict.fromkeys(kind_of(each, schemas) for each in _items(schema)))}"
    kinds = schema.get("type", "any")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def refers_to(schema: Schema, schemas: Schemas) -> list[str]:
    """The names of the objects in `schema`, as far as they have fields."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        return [name] if "properties" in schemas[name] else []
    inner = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    inner += _items(schema) if schema.get("type") == "array" else []
    inner += [schema["additionalProperties"]] if isinstance(schema.get("additionalProperties"), dict) else []
    return list(dict.fromkeys(name for each in inner for name in refers_to(each, schemas)))


def _example_named(name: str, schema: Schema, schemas: Schemas) -> object:
    known = "examples" in schema or name not in _NAMED
    return example_of(schema, schemas) if known else _NAMED[name]


def _items(schema: Schema) -> list[Schema]:
    """What is in an array: each place of a tuple, or what all are."""
    return schema["prefixItems"] if "prefixItems" in schema else [schema.get("items", {})]


def fields_of(schema: Schema, schemas: Schemas) -> list[Field]:
    """The fields of an object."""
    found = resolved(schema, schemas)
    required = found.get("required", [])
    return [
        Field(
            name,
            kind_of(inner, schemas),
            refers_to(inner, schemas),
            name in required,
            str(inner.get("description", "")),
        )
        for name, inner in found.get("properties", {}).items()
    ]


def example_of(schema: Schema, schemas: Schemas) -> object:
    """A value that fits `schema`: its own example, or the simplest. An object has what is required, and what has an
    example of its own."""
    found = resolved(schema, schemas)
    for source in ("examples", "example", "default", "const", "enum"):
        if source in found:
            return found[source][0] if source in ("examples", "enum") else found[source]
    for union in ("anyOf", "oneOf"):
        if union in found:
            return example_of(found[union][0], schemas)
    if "properties" in found:
        required = found.get("required", [])
        wanted = {name: each for name, each in found["properties"].items() if name in required or "examples" in each}
        return {name: _example_named(name, each, schemas) for name, each in wanted.items()}
    if found.get("type") == "array":
        return [example_of(each, schemas) for each in _items(found)]
    if "format" in found:
        return _FORMATS.get(found["format"], "text")
    return found.get("minimum", _PLAIN.get(str(found.get("type")), {}))

"""The OpenAPI document as the reference shows it. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import Any, NamedTuple

from payflux.api.reference.examples import JSON, Call, curl, python
from payflux.api.reference.schemas import Field, Schemas, example_of, fields_of, kind_of, refers_to

KEY, TOKEN = "PAYFLUX_API_KEY", "PAYFLUX_ACCESS_TOKEN"


class Answer(NamedTuple):
    status: int
    about: str
    kind: str
    refers: list[str]


class Operation(NamedTuple):
    """One operation. `scope` is what a key needs for it, empty where no key opens it; `public` is whether anybody may
    call it. `fields` are by where they are sent: path, query, header, body."""

    id: str
    method: str
    path: str
    title: str
    about: str
    scope: str
    public: bool
    fields: dict[str, list[Field]]
    answers: list[Answer]
    refusals: list[Answer]
    curl: str
    python: str


class Group(NamedTuple):
    name: str
    operations: list[Operation]


class Named(NamedTuple):
    """An object that operations take or answer."""

    name: str
    about: str
    fields: list[Field]


def groups_of(document: dict[str, Any], base: str) -> list[Group]:
    """Every operation of the document, by tag; `base` is the address that the examples call. Those that a key opens
    come first."""
    schemas = document["components"]["schemas"]
    found = [
        (str(operation["tags"][0]), _operation(method.upper(), path, operation, schemas, base))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    opened = {tag for tag, operation in found if operation.scope}
    found.sort(key=lambda each: (each[0] not in opened, each[0].lower()))
    return [
        Group(f"{tag[:1].upper()}{tag[1:]}", [each for _, each in rows])
        for tag, rows in groupby(found, key=lambda each: each[0])
    ]


def objects_of(document: dict[str, Any]) -> list[Named]:
    """Every object with fields, by name."""
    schemas = document["components"]["schemas"]
    return [
        Named(name, _plain(schema.get("description", "")), fields_of(schema, schemas))
        for name, schema in sorted(schemas.items())
        if "properties" in schema
    ]


def _operation(method: str, path: str, operation: dict[str, Any], schemas: Schemas, base: str) -> Operation:
    fields: dict[str, list[Field]] = {}
    known = {}
    for each in operation.get("parameters", []):
        schema = each["schema"]
        about = str(each.get("description", schema.get("description", "")))
        field = Field(each["name"], kind_of(schema, schemas), [], bool(each.get("required")), about)
        fields.setdefault(each["in"], []).append(field)
        examples = schema.get("examples", [])
        if each["in"] == "path" and examples:
            known[each["name"]] = str(examples[0])
    content = operation.get("requestBody", {}).get("content", {})
    media = JSON if JSON in content else next(iter(content), "")
    body = content.get(media, {}).get("schema")
    if body is not None:
        fields["body"] = fields_of(body, schemas) or [
            Field("", kind_of(body, schemas), refers_to(body, schemas), True, "")
        ]
    security = operation.get("security", [])
    scope = next((str(each["key"][0]) for each in security if "key" in each), "")
    sent = None if body is None else example_of(body, schemas)
    call = Call(operation["operationId"], method, path, known, media, sent, KEY if scope else TOKEN if security else "")
    answers = [_answer(int(status), said, schemas) for status, said in operation["responses"].items()]
    return Operation(
        id=operation["operationId"],
        method=method,
        path=path,
        title=str(operation["summary"]),
        about=_plain(operation.get("description", "")),
        scope=scope,
        public=not security,
        fields=fields,
        answers=[each for each in answers if each.status < 400],
        refusals=sorted(each for each in answers if each.status >= 400),
        curl=curl(call, base),
        python=python(call),
    )


def _answer(status: int, said: dict[str, Any], schemas: Schemas) -> Answer:
    content = said.get("content", {})
    schema = content.get("application/json", {}).get("schema")
    about = "" if said["description"] == "Successful Response" else said["description"]
    if schema is None:
        return Answer(status, about, ", ".join(content), [])
    return Answer(status, about, kind_of(schema, schemas), refers_to(schema, schemas))


def _plain(text: str) -> str:
    return " ".join(text.split())

"""What an answer of the API is when it is a refusal: RFC 9457 problem details, described once for all routes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from payflux.web.policies import Audience, Policy, guarded_routes

API_PATH = "/api/v1"
MEDIA_TYPE = "application/problem+json"

Responses = dict[int | str, dict[str, Any]]
"""What a route declares beside its guard's refusals: a description by status."""

TOO_MANY: Responses = {429: {"description": "Too many attempts; wait as long as the answer says"}}


class FieldProblem(BaseModel):
    """One field that was filled in wrongly."""

    field: str
    detail: str


class Problem(BaseModel):
    """Why a request was refused. `code` is stable; `detail` and `way_out` are for people. A rule adds what belongs to
    it, such as who can change it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="urn:payflux:error: and the code")
    title: str
    status: int
    code: str
    detail: str = Field(description="what happened")
    way_out: str | None = Field(None, description="what to do about it")
    instance: str = Field(description="the path that was asked for")
    request_id: str
    errors: list[FieldProblem] | None = Field(None, description="the fields that are wrong, for invalid_input")


def describe(api: FastAPI, *, schemas_of_structs: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of `api`: its routes, and beside what they declare the refusals of their guards."""
    description = get_openapi(
        title=api.title,
        version=api.version,
        description=api.description,
        routes=api.routes,
        servers=[{"url": API_PATH}],
    )
    components = description.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    if taken := schemas.keys() & schemas_of_structs.keys():
        raise ValueError(f"two schemas are called {', '.join(sorted(taken))}; name one of them otherwise")
    schemas |= {model.__name__: _schema_of(model) for model in (Problem, FieldProblem)} | schemas_of_structs
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "an access token of /auth/login"},
        "key": {"type": "http", "scheme": "bearer", "description": "an API key, pfx_…, with the scope named"},
    }
    for methods, path, policy in guarded_routes(api):
        for method in methods:
            operation = description["paths"].get(path, {}).get(method.lower())
            if operation is not None:
                _describe_refusals(operation, method, policy)
    return description


def _describe_refusals(operation: dict[str, Any], method: str, policy: Policy) -> None:
    responses = operation["responses"]
    for status in _refusals_of(method, policy):
        responses.setdefault(str(int(status)), {"description": status.phrase})
    for status, response in responses.items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if policy.audience is Audience.SIGNED_IN:
        operation["security"] = [{"bearer": []}]
        if policy.scope is not None:
            operation["security"].append({"key": [policy.scope]})


def _refusals_of(method: str, policy: Policy) -> list[HTTPStatus]:
    refusals = []
    if policy.audience is not Audience.PUBLIC:
        refusals.append(HTTPStatus.UNAUTHORIZED)
    if policy.asks_plan or policy.metered:
        refusals.append(HTTPStatus.PAYMENT_REQUIRED)
    if policy.metered:
        refusals.append(HTTPStatus.TOO_MANY_REQUESTS)
    if method != "GET" or policy.verified or policy.capability or policy.step_up:
        refusals.append(HTTPStatus.FORBIDDEN)
    if method != "GET":
        refusals.append(HTTPStatus.BAD_REQUEST)
        refusals.append(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return refusals


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema

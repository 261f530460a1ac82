"""What is said in SCIM: people, lists, versions, changes and refusals. Source: RFC 7643 section 4.1, RFC 7644 sections
3.4 to 3.14.

Attributes of a person that PayFlux has no use for are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from payflux.frontdoor.accounts.sso.directory import Person
from payflux.frontdoor.accounts.sso.models import DirectoryUser
from payflux.kit.errors import InvalidInput, UserError

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
MEDIA_TYPE = "application/scim+json"
_FILTER = re.compile(r'\s*(userName|externalId)\s+eq\s+"([^"\\\x00]{1,320})"\s*', re.IGNORECASE)
_NOT_KEPT = re.compile(r"[\x00\ud800-\udfff]")  # what the database cannot hold

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OtherVersion(UserError):
    status = HTTPStatus.PRECONDITION_FAILED
    code = "other_version"


def _kept(text: str) -> str:
    """`text`, where it can be kept. Raises ValueError."""
    if _NOT_KEPT.search(text):
        raise ValueError("it holds a character that no text has")
    return text


Text = Annotated[str, AfterValidator(_kept)]


class ScimName(BaseModel):
    formatted: Text = Field("", max_length=400)
    givenName: Text = Field("", max_length=200)  # noqa: N815 -- the protocol's own names
    familyName: Text = Field("", max_length=200)  # noqa: N815


class ScimUser(BaseModel):
    """A person as a directory sends them."""

    model_config = ConfigDict(extra="ignore")

    userName: Text = Field(max_length=320)  # noqa: N815
    externalId: Text = Field("", max_length=255)  # noqa: N815
    displayName: Text = Field("", max_length=400)  # noqa: N815
    name: ScimName = ScimName()
    active: bool = True

    def told(self) -> Person:
        parts = f"{self.name.givenName} {self.name.familyName}".strip()
        return Person(self.userName, self.externalId, self.displayName or self.name.formatted or parts, self.active)


class Operation(BaseModel):
    op: str = Field(max_length=10)
    path: str = Field("", max_length=200)
    value: Any = None


class Patch(BaseModel):
    Operations: list[Operation] = Field([], max_length=50)


class ScimRoute(APIRoute):
    """A route whose refusals are SCIM's, with the code and details that ours have everywhere."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except UserError as refusal:
                detail = " ".join(filter(None, [_fields(refusal) or refusal.message, refusal.way_out]))
                kind = {"uniqueness": "uniqueness", "invalid_filter": "invalidFilter", "invalid_input": "invalidValue"}
                status = 400 if isinstance(refusal, InvalidInput) else int(refusal.status)
                return _refusal(status, detail, kind.get(refusal.code, ""), {**refusal.details, "code": refusal.code})
            except RequestValidationError as wrong:
                where = ".".join(str(part) for part in wrong.errors()[0]["loc"][1:])
                return _refusal(400, f"{where or 'The request'} cannot be read.", "invalidSyntax")

        return answered


def _fields(refusal: UserError) -> str:
    if not isinstance(refusal, InvalidInput):
        return ""
    return " ".join(f"{name}: {words}" for name, words in refusal.fields.items())


def _refusal(status: int, detail: str, kind: str, more: Mapping[str, object] | None = None) -> Response:
    body = {**(more or {}), "schemas": [_ERROR], "status": str(status), "detail": detail}
    return scim(body | ({"scimType": kind} if kind else {}), status)


def scim(body: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(dict(body), status, dict(headers or {}), media_type=MEDIA_TYPE)


def location(base: str, row: DirectoryUser) -> str:
    return f"{base}/Users/{row.id}"


def person(base: str, row: DirectoryUser) -> dict[str, object]:
    """Somebody as SCIM shows them."""
    return {
        "schemas": [USER],
        "id": str(row.id),
        "userName": row.user_name,
        "active": row.active,
        "emails": [{"value": row.user_name, "primary": True}],
        "meta": {
            "resourceType": "User",
            "created": row.created_at.isoformat(),
            "lastModified": row.changed_at.isoformat(),
            "location": location(base, row),
            "version": person_version(row),
        },
    } | {
        name: value
        for name, value in (
            ("externalId", row.external_id),
            ("displayName", row.name),
            ("name", {"formatted": row.name} if row.name else None),
        )
        if value
    }


def listed(total: int, start: int, shown: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """A page of a list."""
    return {
        "schemas": [_LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(shown),
        "Resources": list(shown),
    }


def person_version(row: DirectoryUser) -> str:
    """The entity tag of somebody as they are told now."""
    return f'W/"{row.changed_at.timestamp():.6f}"'


def refuse_other_version(request: Request, version: str) -> None:
    """Raises OtherVersion where the caller means to change another version than the one that stands. Source: RFC 9110,
    section 13.1.1, and RFC 7644, section 3.14: tags are compared weakly."""
    meant = request.headers.get("If-Match", "")
    if meant and not _names(meant, version):
        raise OtherVersion(
            "It has changed since this version.", way_out="Read it again, and send the change for what stands."
        )


def is_known(request: Request, version: str) -> bool:
    """Whether the caller has this version, and is to be told so with 304."""
    return _names(request.headers.get("If-None-Match", ""), version)


def _names(header: str, version: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or version.removeprefix("W/") in tags


def read_filter(text: str) -> tuple[str | None, str | None]:
    """The user name, or the external id, that a filter asks for. Raises UserError for any other."""
    if not text:
        return None, None
    found = _FILTER.fullmatch(text)
    if found is None:
        raise UserError(
            "This filter is not supported.",
            way_out='Ask for userName eq "…" or externalId eq "…".',
            code="invalid_filter",
        )
    return (found[2], None) if found[1].lower() == "username" else (None, found[2])


def patched(told: Person, patch: Patch) -> Person:
    """What a patch makes of somebody. Raises InvalidInput for a value that cannot be."""
    if not patch.Operations:
        raise InvalidInput({"Operations": "Send at least one operation."})
    for operation in patch.Operations:
        kind = operation.op.lower()
        if kind not in ("add", "replace", "remove"):
            raise InvalidInput({"op": "Use add, replace or remove."})
        if operation.path:
            values: Mapping[str, object] = {operation.path: "" if kind == "remove" else operation.value}
        elif isinstance(operation.value, dict):
            values = operation.value
        else:
            raise InvalidInput({"value": "Without a path, send the attributes to change."})
        for path, value in values.items():
            told = _with(told, path.removeprefix(f"{USER}:").lower(), value)
    return told


def _with(told: Person, path: str, value: object) -> Person:
    if path == "name" and isinstance(value, dict):
        return _with(told, "name.formatted", value["formatted"]) if "formatted" in value else told
    field = {"username": "user_name", "externalid": "external_id", "displayname": "name", "name.formatted": "name"}
    if path == "active":
        return replace(told, active=_truth(value))
    if path not in field:
        return told
    return replace(told, **{field[path]: read_text(path, value)})


def read_text(path: str, value: object) -> str:
    """The text that a patch sets `path` to. Raises InvalidInput."""
    if not isinstance(value, str) or len(value) > 400 or _NOT_KEPT.search(value):
        raise InvalidInput({path: "Send a text."})
    return value


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):  # as Microsoft Entra sends it
        return value.lower() == "true"
    raise InvalidInput({"active": "Send true or false."})


CONFIG: dict[str, object] = {
    "schemas": [_CONFIG],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
    "filter": {"supported": True, "maxResults": 200},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": True},
    "authenticationSchemes": [
        {
            "type": "oauthbearertoken",
            "name": "API key",
            "description": "A key with the scope scim:write",
            "primary": True,
        }
    ],
}
"""What of the protocol is there."""

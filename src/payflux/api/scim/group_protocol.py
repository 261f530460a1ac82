"""What is said of groups in SCIM. Source: RFC 7643 section 4.2, RFC 7644 sections 3.4 and 3.5.2; and how Okta and
Microsoft Entra write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from payflux.api.scim.protocol import Patch, Text, read_text
from payflux.frontdoor.accounts.sso.groups import Group
from payflux.frontdoor.accounts.sso.models import DirectoryGroup
from payflux.kit.errors import InvalidInput, UserError

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_FILTER = re.compile(r'\s*displayName\s+eq\s+"((?:[^"\\\x00]|\\["\\]){1,255})"\s*', re.IGNORECASE)
_ONE_MEMBER = re.compile(r'members\[\s*value\s+eq\s+"([^"\\]{1,100})"\s*\]', re.IGNORECASE)


class ScimMember(BaseModel):
    value: str = Field(max_length=100)


class ScimGroup(BaseModel):
    """A group as a directory sends it."""

    model_config = ConfigDict(extra="ignore")

    displayName: Text = Field(max_length=400)  # noqa: N815 -- the protocol's own names
    externalId: Text = Field("", max_length=255)  # noqa: N815
    members: list[ScimMember] = []

    def told(self) -> Group:
        return Group(self.displayName, self.externalId, frozenset(_id(each.value) for each in self.members))


def group_location(base: str, row: DirectoryGroup) -> str:
    return f"{base}/Groups/{row.id}"


def group_version(row: DirectoryGroup) -> str:
    return f'W/"{row.version}"'


def group(base: str, row: DirectoryGroup, members: Mapping[UUID, str] | None) -> dict[str, object]:
    """A group as SCIM shows it; without its members where they are None."""
    shown: dict[str, object] = {
        "schemas": [GROUP],
        "id": str(row.id),
        "displayName": row.display_name,
        "meta": {
            "resourceType": "Group",
            "created": row.created_at.isoformat(),
            "lastModified": row.changed_at.isoformat(),
            "location": group_location(base, row),
            "version": group_version(row),
        },
    }
    if row.external_id:
        shown["externalId"] = row.external_id
    if members is not None:
        shown["members"] = [
            {"value": str(each), "display": address, "$ref": f"{base}/Users/{each}", "type": "User"}
            for each, address in members.items()
        ]
    return shown


def shows_members(attributes: str, excluded: str) -> bool:
    """Whether the query's `attributes` and `excludedAttributes` leave a group its members. Source: RFC 7644, section
    3.9."""
    asked, left_out = (
        {name.strip().removeprefix(f"{GROUP}:").lower() for name in names.split(",") if name.strip()}
        for names in (attributes, excluded)
    )
    return "members" in asked if asked else "members" not in left_out


def read_group_filter(text: str) -> str | None:
    """The name that a filter asks for. Raises UserError for any other."""
    if not text:
        return None
    found = _FILTER.fullmatch(text)
    if found is None:
        raise UserError("This filter is not supported.", way_out='Ask for displayName eq "…".', code="invalid_filter")
    return re.sub(r"\\(.)", r"\1", found[1])


def patched_group(told: Group, patch: Patch) -> Group:
    """What a patch makes of a group. Raises InvalidInput for a value that cannot be."""
    if not patch.Operations:
        raise InvalidInput({"Operations": "Send at least one operation."})
    for operation in patch.Operations:
        kind = operation.op.lower()
        if kind not in ("add", "replace", "remove"):
            raise InvalidInput({"op": "Use add, replace or remove."})
        if operation.path:
            told = _with(told, kind, operation.path.removeprefix(f"{GROUP}:"), operation.value)
        elif kind != "remove" and isinstance(operation.value, dict):
            for path, value in operation.value.items():
                told = _with(told, kind, path.removeprefix(f"{GROUP}:"), value)
        else:
            raise InvalidInput({"path": "Name what is to be changed."})
    return told


def _with(told: Group, kind: str, path: str, value: object) -> Group:
    if one := _ONE_MEMBER.fullmatch(path.strip()):
        if kind != "remove":
            raise InvalidInput({"path": "A single member can be removed. Add members to members."})
        # whoever is not in it is removed already
        return replace(told, members=told.members - {_id(one[1])})
    match kind, path.lower():
        case "remove", "members":
            return replace(told, members=told.members - _ids(value) if value else frozenset())
        case "add", "members":
            return replace(told, members=told.members | _ids(value))
        case "replace", "members":
            return replace(told, members=_ids(value))
        case "remove", "externalid":
            return replace(told, external_id="")
        case "add" | "replace", "displayname":
            return replace(told, display_name=read_text(path, value))
        case "add" | "replace", "externalid":
            return replace(told, external_id=read_text(path, value))
        case "remove", "displayname":
            raise InvalidInput({path: "A group has a name."})
    return told  # what PayFlux has no use for


def _ids(value: object) -> frozenset[UUID]:
    several = value if isinstance(value, list) else [value]
    return frozenset(_id(each.get("value") if isinstance(each, dict) else each) for each in several)


def _id(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidInput({"members": "Name each member by the id that PayFlux gave them."}) from None

"""Stripe's form encoding: brackets for what is nested, such as `items[0][price]=…` and `expand[]=…`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from typing import Any

from payflux.sandbox.errors import StripeError

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def parse_form(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The nested dictionaries and lists that `items` spell. Raises StripeError 400 for what spells nothing."""
    tree: dict[str, Any] = {}
    for name, value in items:
        whole = _NAME.fullmatch(name)
        if whole is None:
            raise StripeError(400, f"Invalid parameter name: {name}", code="parameter_unknown", param=name)
        _put(tree, [whole[1], *_PART.findall(whole[2])], value, name)
    return {key: _listed(value) for key, value in tree.items()}


def _put(node: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for part, following in itertools.pairwise(path):
        key = part or str(len(node))
        # `a[][b]=1&a[][c]=2` is one entry until a key repeats
        last = str(len(node) - 1)
        if not part and isinstance(node.get(last), dict) and following and following not in node[last]:
            key = last
        node = node.setdefault(key, {})
        if not isinstance(node, dict):
            raise StripeError(400, f"Invalid {path[0]}: both a value and a hash", param=name)
    key = path[-1] or str(len(node))
    if isinstance(node.get(key), dict):
        raise StripeError(400, f"Invalid {path[0]}: both a value and a hash", param=name)
    node[key] = value


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    inner = {key: _listed(value) for key, value in node.items()}
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner

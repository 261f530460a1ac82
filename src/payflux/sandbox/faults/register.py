"""The faults that are on: kept over a restart, gone when they are over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from payflux.sandbox.faults.model import Fault, read_fault
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import new_id

_ACCOUNT, _TYPE = "sandbox", "_fault"


def add(state: SandboxState, given: Mapping[str, Any]) -> Fault:
    """Switch a fault on. Raises ValueError that names the field that is wrong."""
    fault = read_fault(given)
    fault.id = new_id("fault")
    if fault.seconds is not None:
        fault.until = state.machine_now().timestamp() + fault.seconds
    _save(state, fault)
    return fault


def faults(state: SandboxState) -> list[Fault]:
    """The faults that are on, the oldest first."""
    now = state.machine_now().timestamp()
    found = [_read(document) for document in state.store.find(_ACCOUNT, _TYPE, oldest_first=True)]
    for fault in found:
        if fault.until is not None and fault.until <= now:
            remove(state, fault.id)
    return [fault for fault in found if fault.until is None or fault.until > now]


def remove(state: SandboxState, fault_id: str) -> bool:
    """Switch a fault off; whether it was on."""
    known = state.store.get(_ACCOUNT, fault_id) is not None
    state.store.delete(_ACCOUNT, fault_id)
    return known


def keep(state: SandboxState, fault: Fault) -> None:
    """Note that a fault was drawn; one that has struck its `times` is over."""
    if fault.spent:
        remove(state, fault.id)
    else:
        _save(state, fault)


def _save(state: SandboxState, fault: Fault) -> None:
    state.store.put(_ACCOUNT, {"object": _TYPE, **msgspec.to_builtins(fault)})


def _read(document: Json) -> Fault:
    return msgspec.convert({name: value for name, value in document.items() if name != "object"}, Fault)

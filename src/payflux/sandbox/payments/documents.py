"""What calls can change: documents, and not what the simulated merchant's books tell."""

from __future__ import annotations

from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work


def require_document(work: Work, kind: str, object_id: str, param: str = "id") -> Json:
    """An object of type `kind` that a call has made. Raises StripeError: 404, or 400 for one of the books."""
    found = work.store.get(work.account_id, object_id)
    if found is not None and found["object"] == kind:
        return found
    if work.get(kind, object_id) is None:
        raise no_such(kind, object_id, param)
    raise StripeError(
        400,
        f"The {kind} '{object_id}' belongs to the simulated merchant's history, which this call cannot change.",
        param=param,
    )

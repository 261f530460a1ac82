"""What a call of the API is, and what answers it, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from stripe import StripeObject

from payflux.sandbox.callers import Caller
from payflux.sandbox.errors import StripeError
from payflux.sandbox.listing import list_page
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.objects import type_of
from payflux.sandbox.store import Json
from payflux.sandbox.work import API_VERSION, Work


@dataclass
class Call:
    """One call: who makes it, the ids in its path, and its parameters, checked, without `expand`."""

    work: Work
    caller: Caller
    path: Mapping[str, str]
    params: dict[str, Any]
    version: str = API_VERSION
    """What the header Stripe-Version says."""
    refusal: StripeError | None = None
    """Set where the call is refused but what it wrote stays, such as the failed charge of a declined card."""

    @property
    def now(self) -> int:
        return self.work.now

    @property
    def id(self) -> str:
        """The object's id in the path."""
        return self.path["id"]


Answer = Callable[[Call], Json]


class Endpoint(NamedTuple):
    """One method of one path.

    `of` is the class of the object, or of the objects in the list, that it answers. `params` is a typed dictionary of
    `stripe.params`, None where there are none but `expand`. A restricted key needs `permission`.
    """

    method: str
    path: str  # such as /v1/customers/{id}
    permission: str
    of: type[StripeObject]
    answer: Answer
    params: Any = None


def retrieving(path: str, permission: str, of: type[StripeObject], params: Any = None) -> Endpoint:
    """GET of one object by its id."""
    kind = type_of(of)
    return Endpoint("GET", f"{path}/{{id}}", permission, of, lambda call: call.work.require(kind, call.id), params)


def listing(path: str, permission: str, of: type[StripeObject], params: Any) -> Endpoint:
    """GET of a list, filtered by the parameters that are the objects' own fields."""
    kind = type_of(of)

    def answer(call: Call) -> Json:
        return list_page(call.work, kind, path, query_of(call.params))

    return Endpoint("GET", path, permission, of, answer, params)

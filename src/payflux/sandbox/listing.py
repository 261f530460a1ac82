"""A page of a list: the documents that calls have made, and the merchant's books, in one order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payflux.sandbox.errors import no_such
from payflux.sandbox.query import FOREVER, Query
from payflux.sandbox.resources import BY_KIND, Found, find_in_books, find_page
from payflux.sandbox.store import NEWEST, OLDEST, Json
from payflux.sandbox.work import Work


def list_page(work: Work, kind: str, url: str, query: Query, where: Mapping[str, Any] | None = None) -> Json:
    """One page of the objects of type `kind`, the newest first, whose fields equal `where`; by default what the query
    filters by. `url` is the list's own, such as `/v1/charges`. Raises a 404 StripeError for an unknown cursor."""
    upward = query.ending_before is not None
    cursor = query.ending_before or query.starting_after
    place = work.store.place(work.account_id, cursor) if cursor else None
    documents = _documents(work, kind, query, place, query.filters if where is None else where)
    found = _merge(documents, _books(work, kind, query, place), query.limit, upward=upward)
    return {
        "object": "list",
        "data": found.objects[::-1] if upward else found.objects,
        "has_more": found.more,
        "url": url,
    }


def _documents(work: Work, kind: str, query: Query, place: tuple[int, int] | None, where: Mapping[str, Any]) -> Found:
    """Documents beyond the cursor. Of one second, they are newer than what is in the books."""
    upward = query.ending_before is not None
    after, before = OLDEST, NEWEST
    if place is None and (cursor := query.ending_before or query.starting_after):
        shown = find_in_books(work.view, cursor)
        if shown is None:
            raise no_such(kind, cursor, "ending_before" if upward else "starting_after")
        place = shown["created"], -1
    if place is not None:
        after, before = (place, NEWEST) if upward else (OLDEST, place)
    low, high = query.created
    found = work.find(
        kind,
        where,
        created=(low, min(high, work.now)),
        after=after,
        before=before,
        limit=query.limit + 1,
        oldest_first=upward,
    )
    return Found(found[: query.limit], len(found) > query.limit)


def _books(work: Work, kind: str, query: Query, place: tuple[int, int] | None) -> Found:
    """Objects of the merchant's books beyond the cursor."""
    resource = BY_KIND.get(kind)
    if resource is None:
        return Found([], more=False)
    if any(isinstance(one, str) and work.store.place(work.account_id, one) for one in query.filters.values()):
        return Found([], more=False)  # nothing in the books belongs to a document
    upward = query.ending_before is not None
    if place is not None:
        low, high = query.created
        bounds = (max(low, place[0] + 1), high) if upward else (low, min(high, place[0]))
        query = query._replace(created=bounds, starting_after=None, ending_before=None)
    return find_page(work.view, resource, query, upward=upward)


def _merge(documents: Found, books: Found, limit: int, *, upward: bool) -> Found:
    both = [(document["created"], 1, document) for document in documents.objects]
    both += [(shown["created"], 0, shown) for shown in books.objects]
    both.sort(key=lambda entry: entry[:2], reverse=not upward)
    return Found([shown for _, _, shown in both[:limit]], documents.more or books.more or len(both) > limit)


def embedded(url: str, objects: list[Json], *, limit: int = 10) -> Json:
    """A list inside an object, such as a subscription's items."""
    return {
        "object": "list",
        "data": objects[:limit],
        "has_more": len(objects) > limit,
        "total_count": len(objects),
        "url": url,
    }


EVERYTHING = Query(100, None, None, (0, FOREVER), (0, FOREVER), {})

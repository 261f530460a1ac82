"""A merchant's lists at Stripe, as many charges as asked for and no rate limit: `python -m tests.soak.server PORT COUNT
END`. Charges lie evenly in the 89 days up to END (unix seconds); every 20th is refunded, every 200th disputed.

It knows the lists' paging and filters and no more; every object is rendered once, at the start.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_left, bisect_right
from urllib.parse import parse_qs

import uvicorn

SPAN = 89 * 86_400
_EMPTY = b'{"object":"list","data":[],"has_more":false}'


class Listing:
    """Objects by id and time, oldest first; they leave newest first, as Stripe's do."""

    def __init__(self, objects: list[dict]) -> None:
        self._times = [item["created"] for item in objects]
        self._places = {item["id"]: place for place, item in enumerate(objects)}
        self._rendered = [json.dumps(item).encode() for item in objects]

    def page(self, query: dict[str, list[str]]) -> bytes:
        low = bisect_left(self._times, int(query.get("created[gte]", ["0"])[0]))
        high = bisect_right(self._times, int(query.get("created[lte]", ["99999999999"])[0]))
        if "starting_after" in query:
            high = min(high, self._places[query["starting_after"][0]])
        first = max(low, high - int(query.get("limit", ["10"])[0]))
        items = b",".join(reversed(self._rendered[first:high]))
        return b'{"object":"list","data":[%s],"has_more":%s}' % (items, b"true" if first > low else b"false")


def charge(number: int, created: int) -> dict:
    amount, paid = 500 + number * 37 % 20_000, number % 25 != 7
    return {
        "id": f"ch_{number:08}",
        "object": "charge",
        "created": created,
        "amount": amount,
        "amount_captured": amount if paid else 0,
        "currency": "usd",
        "status": "succeeded" if paid else "failed",
        "captured": paid,
        "customer": f"cus_{number % 5000}",
        "failure_code": None if paid else "card_declined",
        "outcome": {"type": "authorized" if paid else "issuer_declined", "risk_level": "normal"},
        "payment_method_details": {
            "type": "card",
            "card": {"brand": "visa", "country": "US", "fingerprint": f"fp_{number % 7000}", "network": "visa"},
        },
        "balance_transaction": movement(f"txn_{number}", amount, created, "charge") if paid else None,
    }


def movement(name: str, amount: int, created: int, kind: str) -> dict:
    return {"id": name, "amount": amount, "created": created, "currency": "usd", "type": kind}


def refund(of: dict) -> dict:
    amount, created = of["amount"] // 2, of["created"] + 60
    return {
        "id": of["id"].replace("ch_", "re_"),
        "object": "refund",
        "created": created,
        "amount": amount,
        "currency": "usd",
        "status": "succeeded",
        "reason": "requested_by_customer",
        "charge": of,
        "balance_transaction": movement(f"txn_r{of['id']}", -amount, created, "refund"),
    }


def dispute(of: dict) -> dict:
    return {
        "id": of["id"].replace("ch_", "dp_"),
        "object": "dispute",
        "created": of["created"] + 120,
        "amount": of["amount"],
        "currency": "usd",
        "status": "needs_response",
        "reason": "fraudulent",
        "charge": of,
        "balance_transactions": [],
        "evidence_details": {"due_by": of["created"] + 864_000},
    }


def bodies(count: int, end: int) -> tuple[dict[str, Listing], dict[str, bytes]]:
    charges = [charge(number, end - SPAN + number * (SPAN - 300) // count) for number in range(count)]
    paid = [item for item in charges if item["status"] == "succeeded"]
    listings = {
        "/v1/charges": Listing(charges),
        "/v1/refunds": Listing([refund(item) for item in paid if int(item["id"][3:]) % 20 == 0]),
        "/v1/disputes": Listing([dispute(item) for item in paid if int(item["id"][3:]) % 200 == 0]),
    }
    account = {"id": "acct_soak", "object": "account", "country": "US", "default_currency": "usd", "created": 1}
    able = dict.fromkeys(("charges_enabled", "payouts_enabled", "details_submitted"), True)
    money = [{"amount": 100_000, "currency": "usd"}]
    single = {"/v1/account": account | able, "/v1/balance": {"available": money, "pending": money, "livemode": False}}
    return listings, {path: json.dumps(body).encode() for path, body in single.items()}


def application(count: int, end: int):
    listings, single = bodies(count, end)

    async def app(scope, _receive, send) -> None:
        path = scope["path"]
        listing = listings.get(path)
        body = listing.page(parse_qs(scope["query_string"].decode())) if listing else single.get(path, _EMPTY)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


if __name__ == "__main__":
    port, count, end = map(int, sys.argv[1:4])
    app = application(count, end)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", lifespan="off")

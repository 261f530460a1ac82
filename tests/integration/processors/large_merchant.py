"""A merchant whose lists look endless, and whose reports hold what really happened."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx

from payflux.kit.money import exponent
from tests.unit.processors.objects import charge, movement

CURRENCIES = ("usd", "jpy", "kwd")
Json = dict[str, Any]


def merchant_charge(number: int, created: int) -> Json:
    """A charge of its own currency, settled in US dollars."""
    amount, settled = 1_000 + 37 * number, 900 + 41 * number
    return charge(
        id=f"ch_{number}",
        created=created,
        amount=amount,
        amount_captured=amount,
        currency=CURRENCIES[number % 3],
        customer=f"cus_{number % 50}",
        balance_transaction=movement(id=f"txn_{number}", amount=settled, created=created, currency="usd"),
    )


def merchant_refund(of: Json) -> Json:
    created = of["created"] + 3600
    name = of["id"].removeprefix("ch_")
    return {
        "id": f"re_{name}",
        "object": "refund",
        "amount": of["amount"] // 2,
        "currency": of["currency"],
        "created": created,
        "status": "succeeded",
        "reason": None,
        "charge": of,
        "balance_transaction": movement(
            id=f"txn_re_{name}", amount=-(of["balance_transaction"]["amount"] // 2), created=created, currency="usd"
        ),
    }


class LargeMerchant:
    """Stripe for one large account, as an httpx handler. `charges` and `refunds` are API objects; `failed` are ids of
    charges whose money came and went. What is asked for is counted in `asked`, by method and path."""

    def __init__(self, charges: list[Json], *, until: int) -> None:
        self.charges = {item["id"]: item for item in charges}
        self.refunds = {f"re_{item['id']}": merchant_refund(item) for item in charges[::10]}
        self.until = until
        self.failed: set[str] = set()
        self.runs: dict[str, tuple[str, int, int]] = {}
        self.looks: Counter[str] = Counter()
        self.downloads: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.refusal: httpx.Response | None = None
        self.broken_downloads = 0
        self.failing_runs = 0
        self.file_base = ""
        self.on_download: Callable[[], None] = lambda: None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked[f"{request.method} {path}"] += 1
        self.base = f"{request.url.scheme}://{request.url.netloc.decode()}"
        if path.startswith("/v1/reporting/"):
            return self.refusal or self._reporting(request)
        if path.startswith("/v1/files/"):
            return httpx.Response(200, content=self._contents(path.split("/")[3]))
        if path.startswith("/v1/charges/"):
            item = self.charges[path.rsplit("/", 1)[1]]
            return httpx.Response(200, json=item | {"status": "failed", "failure_code": "processing_error"})
        if path == "/v1/charges":
            return self._page_without_end(request)
        if path == "/v1/account":
            able = dict.fromkeys(("charges_enabled", "payouts_enabled", "details_submitted"), True)
            return httpx.Response(200, json={"id": "acct_large", "object": "account", **able})
        if path == "/v1/balance":
            return httpx.Response(200, json={"object": "balance", "available": [], "pending": []})
        return httpx.Response(200, json={"object": "list", "data": [], "has_more": False})

    def _page_without_end(self, request: httpx.Request) -> httpx.Response:
        """A page of five charges each second, and more to come for five pages of a window; none in the last hours."""
        query = parse_qs(request.url.query.decode())
        top, page = int(query["created[lte]"][0]), 0
        if int(query["created[gte]"][0]) >= self.until:
            return httpx.Response(200, json={"object": "list", "data": [], "has_more": False})
        if "starting_after" in query:
            top, page = (int(part) for part in query["starting_after"][0].split("_")[1:3])
        if page == 5:
            return httpx.Response(200, json={"object": "list", "data": [], "has_more": False})
        data = [charge(id=f"ch_{top - 1}_{page + 1}_{n}", created=top) for n in range(5)]
        return httpx.Response(200, json={"object": "list", "data": data, "has_more": True})

    def _reporting(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            fields = parse_qs(request.content.decode())
            key = request.headers["Idempotency-Key"]
            start, end = (int(fields[f"parameters[interval_{edge}]"][0]) for edge in ("start", "end"))
            name = next((name for name, run in self.runs.items() if run[0] == key), f"frr_{len(self.runs)}")
            self.runs[name] = key, start, end
            return httpx.Response(200, json={"id": name, "object": "reporting.report_run", "status": "pending"})
        name = request.url.path.rsplit("/", 1)[1]
        if name not in self.runs:
            available = {"data_available_start": self.until - 10**8, "data_available_end": self.until}
            return httpx.Response(200, json={"id": name, "object": "reporting.report_type", **available})
        self.looks[name] += 1
        run: Json = {"id": name, "status": "pending", "result": None}
        if self.failing_runs:
            self.failing_runs -= 1
            run |= {"status": "failed"}
        elif self.looks[name] > 1:
            url = f"{self.file_base or self.base}/v1/files/{name}/contents"
            run |= {"status": "succeeded", "result": {"url": url}}
        return httpx.Response(200, json=run)

    async def _contents(self, name: str):
        """The file in pieces; a download that breaks off does so a quarter later each time."""
        self.on_download()
        data = self.report(*self.runs[name][1:]).encode()
        self.downloads[name] += 1
        breaks = self.downloads[name] <= self.broken_downloads
        for place in range(0, len(data) * self.downloads[name] // 4 if breaks else len(data), 5_000):
            yield data[place : place + 5_000]
        if breaks:
            raise httpx.ReadError("the line went dead")

    def report(self, start: int, end: int) -> str:
        rows = [_row(item, "charge", item) for item in self.charges.values()]
        rows += [_row(self.charges[name], "charge_failure", self.charges[name]) for name in self.failed]
        rows += [_row(item, "refund", item["charge"]) for item in self.refunds.values()]
        rows.append(_payout(start))
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        for row in rows:
            if start <= row["created_utc"] < end:
                writer.writerow(row | {"created_utc": _utc(row["created_utc"])})
        return out.getvalue()


def _row(item: Json, category: str, of: Json) -> Json:
    transaction, sign = item["balance_transaction"], -1 if category in ("refund", "charge_failure") else 1
    return {
        "balance_transaction_id": f"{transaction['id']}{'_f' if category == 'charge_failure' else ''}",
        "created_utc": item["created"],
        "currency": transaction["currency"],
        "gross": major(sign * abs(transaction["amount"]), transaction["currency"]),
        "reporting_category": category,
        "source_id": item["id"],
        "charge_id": of["id"],
        "charge_created_utc": _utc(of["created"]),
        "customer_id": of["customer"],
        "customer_facing_amount": major(sign * item["amount"], item["currency"]),
        "customer_facing_currency": item["currency"],
        "payment_method_type": "card",
        "card_brand": "Visa",
        "card_country": "CA",
    }


def _payout(created: int) -> Json:
    like = merchant_charge(0, 0)
    row = dict.fromkeys(_row(like, "charge", like), "")
    facts = {"balance_transaction_id": "txn_po", "currency": "usd", "gross": "-5.00", "source_id": "po_1"}
    return row | facts | {"created_utc": created, "reporting_category": "payout"}


def major(minor: int, currency: str) -> str:
    """`minor` units as reports write them: major units with all decimals."""
    places = exponent(currency)
    whole, rest = divmod(abs(minor), 10**places)
    return f"{'-' if minor < 0 else ''}{whole}" + (f".{rest:0{places}}" if places else "")


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def body(item: Json) -> bytes:
    return json.dumps(item).encode()

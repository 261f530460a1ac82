"""One POST of a webhook, as Stripe makes it."""

from __future__ import annotations

import asyncio
import re

import httpx

TIMEOUT = 10  # seconds that an endpoint may take
EXCERPT = 200  # characters of an answer that are kept
_READ = 2_000  # bytes of an answer that are read

_HEADERS = {
    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    "Content-Type": "application/json; charset=utf-8",
    "Accept": "*/*; q=0.5, application/xml",
    "Cache-Control": "no-cache",
}
_SECRET = re.compile(r"\b(whsec|sk|rk|pk|Bearer)([_ ])[\w.-]+")


async def post(transport: httpx.AsyncBaseTransport, url: str, body: bytes, signature: str) -> tuple[int | None, str]:
    """The status and the beginning of what is answered, keys and secrets masked; None and why, without an answer.

    It follows no redirect and keeps no cookie, hence no client.
    """
    headers = {**_HEADERS, "Stripe-Signature": signature}
    status: int | None
    try:
        async with asyncio.timeout(TIMEOUT):
            answer = await transport.handle_async_request(httpx.Request("POST", url, headers=headers, content=body))
            status, text = answer.status_code, await _beginning(answer)
    except (TimeoutError, httpx.TimeoutException):
        status, text = None, f"Timed out after {TIMEOUT} seconds."
    except httpx.HTTPError as error:
        status, text = None, f"{type(error).__name__}: {error}"
    return status, _SECRET.sub(r"\1\2…", text)[:EXCERPT]


async def _beginning(answer: httpx.Response) -> str:
    read = b""
    try:
        async for part in answer.aiter_bytes():
            read += part
            if len(read) > _READ:
                break
    finally:
        await answer.aclose()
    return read[:_READ].decode(errors="replace")

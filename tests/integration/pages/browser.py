"""Browsers without a screen, on the web application in this process."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from starlette.types import Message

from payflux.settings import Settings

MACHINE = {"Accept": "application/json"}
PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"
PASSWORD = "quiet harbour lantern"
_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')


class Browser:
    """One browser: its cookies, its network address, and the token of the forms it was shown. Follows no redirect."""

    def __init__(self, app: FastAPI, *, address: str = "203.0.113.7") -> None:
        settings: Settings = app.state.world.settings
        self.app = app
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=(address, 50000)),
            base_url=settings.url,
            headers={"Accept": PAGE},
        )
        self._token = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """The page at `path`; an underscore in a header's name stands for its hyphen."""
        return self._seen(await self.http.get(path, headers=_named(headers)))

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        """Send a form as a page of ours would, with the token of this browser unless `fields` has another."""
        form = {"csrf_token": await self.token(), **(fields or {})}
        return self._seen(await self.http.post(path, data=form, headers=_named(headers)))

    async def token(self) -> str:
        if not self._token:
            await self.get("/register")
        return self._token

    async def register(self, name: str, email: str = "", password: str = PASSWORD) -> httpx.Response:
        email = email or f"{name.lower()}@{name.lower()}-shop.example"
        return await self.post("/register", {"name": name, "email": email, "password": password})

    async def sign_in(self, email: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return await self.post("/login", {"email": email, "password": password, **fields})

    def cookie(self, name: str) -> str:
        """The value of our cookie `name`, with whatever prefix it carries; empty when there is none."""
        found = [cookie.value for cookie in self.http.cookies.jar if cookie.name.endswith(f"payflux_{name}")]
        return found[0] or "" if found else ""

    def _seen(self, response: httpx.Response) -> httpx.Response:
        if found := _TOKEN.search(response.text):
            self._token = found[1]
        return response


@asynccontextmanager
async def listening(browser: Browser, path: str) -> AsyncGenerator[AsyncIterator[bytes], None]:
    """The pieces of a streamed answer as they are sent, which httpx's own transport holds back until the end."""
    sent: asyncio.Queue[Message] = asyncio.Queue()
    request = browser.http.build_request("GET", path, headers={"Accept": "text/event-stream"})
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (request.url.host, request.url.port),
        "client": ("203.0.113.7", 50000),
    }
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def pieces() -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await sent.get()
            if message["type"] == "http.response.body":
                more = message.get("more_body", False)
                if message["body"]:
                    yield message["body"]

    serving = asyncio.create_task(browser.app(scope, receive, sent.put))
    try:
        async with asyncio.timeout(20):
            yield pieces()
            await serving
    finally:
        serving.cancel()


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}

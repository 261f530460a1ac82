"""A loopback server for the sample pages and the real static files, under the product's content security policy."""

from __future__ import annotations

import json
import mimetypes
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT

from tests.unit.web.samples import PAGES, ROOT, render

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


ELSEWHERE = "/elsewhere"
"""Where a page leads that a browser is to stay on: an answer without content leaves it there."""


class SampleServer(ThreadingHTTPServer):
    """Serves `/pages/NAME`, `/static/…`, `/axe.js`, and the arming endpoints from `progress`; events if `events`.

    A scan goes on for ever.

    `shown` names the sample that stands at another's address.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.progress: list[dict[str, Any]] = []
        self.events = True
        self.shown: dict[str, str] = {}
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    @property
    def samples(self) -> SampleServer:
        assert isinstance(self.server, SampleServer)
        return self.server

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        page = path.removeprefix("/pages/")
        if page in PAGES:
            self._answer("text/html; charset=utf-8", render(self.samples.shown.get(page, page)).encode())
        elif path.startswith("/static/") and (ROOT / path[1:]).is_file():
            self._answer(
                mimetypes.guess_type(path)[0] or "text/plain", (ROOT / path[1:]).read_bytes(), kept="max-age=600"
            )
        elif path == "/axe.js":
            self._answer("text/javascript", AXE_SCRIPT.encode(), kept="max-age=600")
        elif path == ELSEWHERE:
            self.send_response(204)
            self.end_headers()
        elif path == "/activate/arming/events" and self.samples.events:
            messages = (f"event: progress\ndata: {json.dumps(message)}\n\n" for message in self.samples.progress)
            self._answer("text/event-stream", f"retry: 50\n{''.join(messages)}".encode())
        elif path == "/activate/arming/state":
            self._answer("application/json", json.dumps(self.samples.progress[-1]).encode())
        elif path.startswith("/scan/") and path.endswith("/state"):
            self._answer("application/json", json.dumps({"over": False, "pages_read": []}).encode())
        else:
            self.send_error(404)

    def _answer(self, kind: str, body: bytes, kept: str = "no-store") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", kept)
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name is the base class's
        """Keeps the test output clean."""


@contextmanager
def serving() -> Generator[SampleServer]:
    """A running server on a free port of loopback, stopped at the end."""
    server = SampleServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

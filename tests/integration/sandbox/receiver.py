"""A webhook's receiver on a free port: it keeps what is posted to it, and answers as a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


@dataclass(frozen=True)
class Post:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return msgspec.json.decode(self.body)

    @property
    def signature(self) -> str:
        return self.headers["stripe-signature"]


@dataclass
class Receiver:
    url: str = ""
    status: int = 200
    posts: list[Post] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, wanted: int, *, patience: float = 15) -> list[Post]:
        """What was posted, as soon as it is `wanted` posts."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.posts) >= wanted, patience), f"{len(self.posts)} posts came"
            return list(self.posts)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with receiver.changed:
                status = receiver.status
                receiver.posts.append(Post(self.path, headers, body))
                receiver.changed.notify_all()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"taken with whsec_of_mine")

        log_message: Callable[..., None] = lambda *_: None

    return Handler


@contextmanager
def receiving() -> Generator[Receiver, None, None]:
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)

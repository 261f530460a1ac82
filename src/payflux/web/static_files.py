"""Styles, scripts and pictures: compressed, and kept by browsers for as long as they are the same.

A page asks for each by an address that ends in a digest of its content, so that a new version is another address.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from importlib.resources import files

from jinja2.ext import Extension
from starlette.datastructures import QueryParams
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

STATIC = "/static"
_KEPT = "public, max-age=31536000, immutable"
_ASKED_FOR_AGAIN = "no-cache"
_ADDRESS = re.compile(r'(?<=")/static/([\w./-]+)(?=")')


@cache
def version(path: str) -> str:
    """The first 8 hex digits of the SHA-256 of the file at `path` below static/; empty where there is none."""
    file = files("payflux") / "static" / path
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8] if file.is_file() else ""


class VersionedAddresses(Extension):
    """Gives each static file that a template names the version of its content, when the template is compiled."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return _ADDRESS.sub(
            lambda found: f"{found[0]}?v={version(found[1])}" if version(found[1]) else found[0], source
        )


def static_files(*, keep: bool) -> ASGIApp:
    """What serves them. With `keep`, browsers keep what is asked for by its present version, and ask no more; without,
    as in development, and for any other address, they ask each time whether theirs is still the one."""
    return GZipMiddleware(_Files(keep=keep), minimum_size=500)


class _Files(StaticFiles):
    def __init__(self, *, keep: bool) -> None:
        super().__init__(packages=[("payflux", "static")])
        self._keep = keep

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        asked = QueryParams(scope["query_string"]).get("v")
        present = version(self.get_path(scope))
        response.headers["Cache-Control"] = _KEPT if self._keep and present and asked == present else _ASKED_FOR_AGAIN
        return response

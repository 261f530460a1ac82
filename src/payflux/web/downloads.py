"""Files of exports, sent whole or from where a download broke off. Source: RFC 9110, sections 13 and 14; RFC 9530."""

from __future__ import annotations

import base64
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from payflux.kit.errors import UserError
from payflux.kit.messages import gettext as _
from payflux.monitor.evidence.exporting import file_bytes
from payflux.monitor.evidence.models import EvidenceExport, Format
from payflux.monitor.evidence.queries import require_file
from payflux.monitor.evidence.rules import ByteRange, Unsatisfiable, read_range
from payflux.world.bootstrap import World

MEDIA_TYPES = {
    Format.JSONL: "application/x-ndjson",
    Format.CSV: "text/csv; charset=utf-8",
    Format.PDF: "application/pdf",
}


class RangeNotSatisfiable(UserError):
    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    code = "range_not_satisfiable"


def export_file(request: Request, world: World, export: EvidenceExport) -> Response:
    """The file of `export`, or the bytes of it that the request's `Range` asks for. Its `ETag` is of its SHA-256, so
    that a download goes on with the same file or begins anew.

    Raises NotReady, and RangeNotSatisfiable for a range behind the end of the file.
    """
    require_file(export)
    etag = f'"{export.sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{export.file_name}"',
        "ETag": etag,
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(export.sha256)).decode()}:",
    }
    if etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        asked = read_range(
            request.headers.get("Range", ""),
            size=export.size,
            etag=etag,
            if_range=request.headers.get("If-Range", ""),
        )
    except Unsatisfiable:
        raise RangeNotSatisfiable(
            _("The file has %(size)s bytes; the range begins behind its end.") % {"size": export.size},
            way_out=_("Ask for a range inside the file, or for the whole of it."),
            details={"size": export.size},
        ) from None
    part = asked or ByteRange(0, export.size - 1)
    if asked is not None:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{export.size}"
    headers["Content-Length"] = str(part.last - part.first + 1)
    return StreamingResponse(
        file_bytes(world.database, export, part.first, part.last),
        HTTPStatus.OK if asked is None else HTTPStatus.PARTIAL_CONTENT,
        headers,
        MEDIA_TYPES[Format(export.format)],
    )

"""Uploads of history: files as large as histories are, so the addresses have a limit of their own and check by
themselves what every other form is checked for."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from payflux.kit.messages import gettext as _
from payflux.monitor.processors.exports import UnreadableFileError
from payflux.monitor.processors.generic.importing import import_history
from payflux.web.guards import CurrentWorld, Who
from payflux.web.pages import evidence_imports
from payflux.web.pages.connecting import MAY_CONNECT
from payflux.web.pages.sources import source_in, sources_page
from payflux.web.rendering import see_other
from payflux.web.security import CSRF_FIELD, refuse_other_sites, refuse_wrong_token

LARGEST_IMPORT = 64 * 1024 * 1024  # bytes of CSV, about 300,000 payments
MOST_FILES = 5

router = APIRouter()


@router.post("/history", dependencies=MAY_CONNECT)
async def upload_history(request: Request, who: Who, world: CurrentWorld) -> Response:
    """Read files of history into the connection of a processor that posts to us."""
    refuse_other_sites(request)
    async with request.form(max_files=MOST_FILES, max_fields=2) as form:
        refuse_wrong_token(request, form.get(CSRF_FIELD))
        async with world.database.tenant(who.account_id) as session:
            source = await source_in(session, who)
        async with _saved(form) as files:
            try:
                if not files:
                    raise UnreadableFileError(_("No file was chosen."))
                await import_history(
                    world,
                    account_id=who.account_id,
                    connection_id=source.id,
                    files=files,
                    imported_by=who.user_id,
                )
            except UnreadableFileError as unreadable:
                return await sources_page(request, world, who, errors={"file": str(unreadable)}, status=422)
    return see_other("/sources#imports")


@asynccontextmanager
async def _saved(form: FormData) -> AsyncGenerator[Mapping[Path, str]]:
    """The uploaded files on disk, by path their names, until the block is left: they name payers, so none is kept."""
    with TemporaryDirectory(prefix="payflux-import-") as folder:
        files: dict[Path, str] = {}
        for upload in form.getlist("file"):
            if isinstance(upload, UploadFile) and upload.filename:
                path = Path(folder) / f"{len(files)}.csv"
                await run_in_threadpool(_copy, upload, path)
                name = "".join(letter for letter in upload.filename if letter.isprintable())
                files[path] = name[:100]
        yield files


def _copy(upload: UploadFile, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file)


router.include_router(evidence_imports.uploading)

uploads = RequestBodyLimitMiddleware(router, max_body_size=LARGEST_IMPORT)
"""What the app mounts at /uploads."""

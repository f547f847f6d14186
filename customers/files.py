"""Files in the database, a piece a row: kept whole or not at all, read a piece at a time, handed out as attachments alone.

Why not in a directory: docs/decisions/0008.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from customers.models import StoredChunk, StoredFile
from lendconsole.tenancy import current_organization_id, organization_context

CHUNK_BYTES: Final = 1024 * 1024
LONGEST_NAME: Final = 100
IN_MEMORY: Final = 4 * CHUNK_BYTES
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069]+')


@transaction.atomic
def store(file: BinaryIO, *, name: str) -> StoredFile:
    """Keep what is left to read of the file, for the current organization, under a name without a path."""
    organization_id = current_organization_id()
    stored = StoredFile.objects.create(organization_id=organization_id, name=safe_name(name), size=0, digest="")
    digest, number = hashlib.sha256(), 0
    while content := file.read(CHUNK_BYTES):
        StoredChunk.objects.create(organization_id=organization_id, file=stored, number=number, content=content)
        digest.update(content)
        stored.size += len(content)
        number += 1
    stored.digest = digest.hexdigest()
    stored.save(update_fields=["size", "digest"])
    return stored


def drop_files(numbers: Iterable[int | None]) -> None:
    """Those that there are, with their pieces."""
    StoredFile.objects.filter(pk__in=[number for number in numbers if number is not None]).delete()


def pieces(file: StoredFile) -> Iterator[bytes]:
    """Read in a short transaction for each piece, so that it works after a request's own has ended."""
    number = 0
    while True:
        with organization_context(file.organization_id):
            chunks = StoredChunk.objects.filter(organization=file.organization_id, file=file.pk, number=number)
            content = chunks.values_list("content", flat=True).first()
        if content is None:
            return
        yield bytes(content)
        number += 1


def opened(file: StoredFile) -> BinaryIO:
    """The file at its beginning, for readers that seek; on disk when it is large. To be closed by the caller."""
    copy = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # the caller closes it
    for piece in pieces(file):
        copy.write(piece)
    copy.seek(0)
    return copy  # type: ignore[return-value]  # it is one in all but name


def attachment(file: StoredFile) -> StreamingHttpResponse:
    """The file to be saved, never to be shown: whatever it holds, no browser runs it as a page of the console."""
    return StreamingHttpResponse(
        pieces(file),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=file.name) or "attachment",
            "Content-Length": str(file.size),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


def safe_name(name: str) -> str:
    """A name that means nothing to a file system, a header or a line of text; its end, which tells the kind, is kept."""
    parts = re.split(r"[/\\]", name.replace("\x00", ""))
    clean = " ".join(_NOT_IN_NAMES.sub(" ", parts[-1]).split()).strip(". ")
    if len(clean) > LONGEST_NAME:
        stem, dot, ending = clean.rpartition(".")
        ending = f"{dot}{ending}" if stem and len(ending) <= 10 else ""
        clean = f"{clean[: LONGEST_NAME - len(ending)].strip()}{ending}"
    return clean or "file"

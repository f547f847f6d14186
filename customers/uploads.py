"""Which files people may bring: papers as PDF or picture. What the content is counts as much as what the name says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from PIL import Image

from customers.files import safe_name
from lendconsole.errors import DomainError

MOST_BYTES: Final = 10 * 1024**2
MOST: Final = f"{MOST_BYTES // 1024**2} MB"
ACCEPTED: Final = "application/pdf,image/png,image/jpeg,image/webp"
KINDS: Final = "PDF, PNG, JPEG or WebP"
_PDF_ENDS_WITHIN: Final = 1024


class FileRefused(DomainError):
    """The file is too big, empty, or not of a kind that is kept."""

    field = "file"


def check_upload(file: BinaryIO, *, name: str) -> None:
    """Leaves the file at its beginning. Raises FileRefused.

    Nothing is decoded, and nothing here makes a file safe to show: it is handed out as an attachment alone.
    """
    name = safe_name(name)
    size = file.seek(0, os.SEEK_END)
    if not size:
        raise FileRefused(f"“{name}” is empty.")
    if size > MOST_BYTES:
        raise FileRefused(f"“{name}” is larger than {MOST}. Choose a smaller file.")
    is_of_its_kind = _KINDS.get(Path(name).suffix.lower())
    if is_of_its_kind is None:
        raise FileRefused(f"“{name}” is not a {KINDS} file.")
    if not is_of_its_kind(file):
        raise FileRefused(f"“{name}” does not hold what its name says. Save it once more as {KINDS}.")
    file.seek(0)


def _is_pdf(file: BinaryIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    begins = file.read(5) == b"%PDF-"
    file.seek(max(0, size - _PDF_ENDS_WITHIN))
    return begins and b"%%EOF" in file.read()


def _picture(format_: str) -> Callable[[BinaryIO], bool]:
    def is_picture(file: BinaryIO) -> bool:
        file.seek(0)
        try:
            with Image.open(file, formats=[format_]) as picture:
                picture.verify()
        except Exception:  # whatever a made-up file does to a decoder
            return False
        return True

    return is_picture


_KINDS: Final[dict[str, Callable[[BinaryIO], bool]]] = {
    ".pdf": _is_pdf,
    ".png": _picture("PNG"),
    ".jpg": _picture("JPEG"),
    ".jpeg": _picture("JPEG"),
    ".webp": _picture("WEBP"),
}

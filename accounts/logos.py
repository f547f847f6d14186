"""The picture that an organization shows of itself. Whatever was uploaded, what is kept is a small PNG that we wrote."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

from lendconsole.errors import DomainError

MOST_BYTES: Final = 1024 * 1024
LONGEST_SIDE: Final = 2000
KEPT_SIDE: Final = 512
FORMATS: Final = ("PNG", "JPEG", "WEBP")
NOT_A_PICTURE: Final = "This is not a PNG, JPEG or WebP picture."


class LogoRefused(DomainError):
    """The file is too big, or no picture of a kind that is safe to show."""

    field = "logo"


@dataclass(frozen=True, slots=True)
class Logo:
    content: bytes
    digest: str


def read_logo(content: bytes) -> Logo:
    """Decoded and written anew, at most 512 pixels wide or high, so that nothing of the file itself is passed on.

    Size and dimensions are looked at before anything is decoded. Raises LogoRefused.
    """
    if len(content) > MOST_BYTES:
        raise LogoRefused("The file is larger than 1 MB. Choose a smaller picture.")
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except Exception as error:  # whatever a made-up file does to a decoder
        raise LogoRefused(NOT_A_PICTURE) from error
    if max(picture.size) > LONGEST_SIDE:
        raise LogoRefused(
            f"The picture is larger than {LONGEST_SIDE:,} by {LONGEST_SIDE:,} pixels. Choose a smaller one."
        )
    try:
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except Exception as error:  # as above
        raise LogoRefused(NOT_A_PICTURE) from error
    upright.thumbnail((KEPT_SIDE, KEPT_SIDE))
    upright.info.clear()
    written = io.BytesIO()
    upright.save(written, "PNG", optimize=True)
    return Logo(written.getvalue(), hashlib.sha256(written.getvalue()).hexdigest()[:32])

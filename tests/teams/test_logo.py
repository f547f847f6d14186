"""The logo: only pictures, written anew by us, shown to everybody, and nothing of the uploaded file with it."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from accounts.logos import KEPT_SIDE, MOST_BYTES, LogoRefused
from accounts.models import OrganizationLogo
from lendconsole.errors import PermissionMissing
from teams import services
from teams.invitation_links import invitation_url
from tests.teams.support import fresh, inside, invitation_for, refused, verbs
from tests.world import Lender, World

UPLOAD = "settings/organization/logo/"


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 100), **options: object) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, (20, 90, 160)).save(written, kind, **options)
    return written.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(200_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HARMFUL = {
    "svg": SVG,
    "html": b"<!DOCTYPE html><script>alert(1)</script>",
    "html_after_a_signature": b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    "nothing": b"",
    "nul": bytes(1000),
    "gif": picture("GIF"),
    "bmp": picture("BMP"),
    "truncated": picture("JPEG", (400, 400))[:-200],
    "wide": picture(size=(2001, 10)),
    "high": picture(size=(10, 2001)),
    "bomb": png_that_claims(60_000, 60_000),
    "text_bomb": picture()[:-12] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000))) + picture()[-12:],
    "large": picture() + bytes(MOST_BYTES),
}


def upload(lender: Lender, content: bytes, *, actor: str = "admin", name: str = "logo.png") -> HttpResponse:
    file = SimpleUploadedFile(name, content, "image/png")
    response: HttpResponse = lender.client(actor).post(lender.url(UPLOAD), {"logo": file})
    return response


def address(lender: Lender) -> str:
    return f"/logo/{lender.organization.slug}/{fresh(lender.organization).logo_digest}.png"


@pytest.mark.parametrize("name", [name for name in HARMFUL if name != "text_bomb"])
def test_refuses_what_is_no_small_picture(world: World, name: str) -> None:
    with inside(world.kudi), refused(LogoRefused):
        services.set_logo(actor=world.kudi["admin"], content=HARMFUL[name])
    with inside(world.kudi):
        assert not OrganizationLogo.objects.exists()


def test_hidden_text_never_grows_in_memory(world: World) -> None:
    """Either refused or left out: never kept."""
    with inside(world.kudi):
        try:
            services.set_logo(actor=world.kudi["admin"], content=HARMFUL["text_bomb"])
        except LogoRefused:
            return
        assert len(OrganizationLogo.objects.get().content) < 10_000


def test_needs_its_permission(world: World) -> None:
    with inside(world.kudi), refused(PermissionMissing):
        services.set_logo(actor=world.kudi["compliance"], content=picture())
    with inside(world.kudi), refused(PermissionMissing):
        services.remove_logo(actor=world.kudi["compliance"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_keeps_a_small_png_without_the_files_own_words(world: World, kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at the CANARY's home"
    with inside(world.kudi):
        content = picture(kind, (1800, 900), exif=exif) + b"<script>CANARY</script>"
        services.set_logo(actor=world.kudi["admin"], content=content)
        kept = bytes(OrganizationLogo.objects.get().content)
    shown = Image.open(io.BytesIO(kept))
    assert (shown.format, shown.size) == ("PNG", (KEPT_SIDE, KEPT_SIDE // 2))
    assert b"CANARY" not in kept
    assert not shown.info


def test_again_changes_nothing_and_removing_ends_it(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        for content in (picture(), picture(), picture(size=(50, 50))):
            services.set_logo(actor=kudi["admin"], content=content)
        assert OrganizationLogo.objects.count() == 1
        services.remove_logo(actor=kudi["admin"])
        services.remove_logo(actor=kudi["admin"])
        assert not OrganizationLogo.objects.exists()
        assert verbs() == ["organization.changed"] * 3
    assert fresh(kudi.organization).logo_digest == ""


def test_it_is_served_to_everybody_as_a_picture_and_nothing_else(world: World) -> None:
    kudi = world.kudi
    assert upload(kudi, picture()).status_code == 302
    response = Client().get(address(kudi))
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "immutable" in response["Cache-Control"]
    assert "sessionid" not in response.cookies
    assert Image.open(io.BytesIO(response.content)).size == (300, 100)


def test_the_address_holds_for_its_own_lender_and_picture_alone(world: World) -> None:
    kudi = world.kudi
    upload(kudi, picture())
    old = address(kudi)
    assert Client().get(old.replace("/kudi/", "/rival/")).status_code == 404
    assert Client().get(f"/logo/kudi/{'0' * 32}.png").status_code == 404
    assert Client().get("/logo/kudi/.png").status_code == 404
    upload(kudi, picture(size=(20, 20)))
    assert Client().get(old).status_code == 404
    kudi.client("admin").post(kudi.url("settings/organization/logo/remove/"))
    assert Client().get("/logo/kudi/.png").status_code == 404


def test_it_stands_in_the_menu_on_the_borrowers_page_and_on_the_invitation(world: World) -> None:
    kudi = world.kudi
    upload(kudi, picture())
    with inside(kudi):
        link = invitation_url(invitation_for(kudi))
    visitor = Client()
    pages = [
        kudi.client("account_manager").get(kudi.url()),
        visitor.get("/borrower/kudi/"),
        visitor.get("/" + link.split("/", 3)[3], follow=True),
    ]
    for page in pages:
        assert f'src="{address(kudi)}"' in page.content.decode()
    assert "/logo/" not in world.rival.client("admin").get(world.rival.url()).content.decode()


def test_a_refused_file_is_explained_beside_its_field(world: World) -> None:
    response = upload(world.kudi, SVG, name="logo\x00.png")
    assert response.status_code == 422
    assert "not a PNG, JPEG or WebP picture" in response.content.decode()
    assert "Choose a file." in world.kudi.client("admin").post(world.kudi.url(UPLOAD), {}).content.decode()

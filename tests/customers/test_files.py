from __future__ import annotations

import hashlib
import io

import pytest
from django.db import IntegrityError, connection, transaction

from customers.files import CHUNK_BYTES, LONGEST_NAME, attachment, opened, pieces, safe_name, store
from customers.models import StoredChunk, StoredFile
from lendconsole.tenancy import organization_context
from tests.world import World

pytestmark = pytest.mark.django_db

CONTENT = b"a" * CHUNK_BYTES + b"the rest"


@pytest.fixture
def stored(world: World) -> StoredFile:
    with organization_context(world.kudi.organization.pk):
        return store(io.BytesIO(CONTENT), name="letter.pdf")


def test_what_comes_out_is_what_went_in(stored: StoredFile) -> None:
    assert [len(piece) for piece in pieces(stored)] == [CHUNK_BYTES, 8]
    assert stored.size == len(CONTENT)
    assert stored.digest == hashlib.sha256(CONTENT).hexdigest()
    with opened(stored) as file:
        assert file.read() == CONTENT


def test_it_is_never_handed_out_to_be_shown(stored: StoredFile) -> None:
    response = attachment(stored)

    assert response["Content-Disposition"] == 'attachment; filename="letter.pdf"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert b"".join(response) == CONTENT


def test_another_lender_reads_nothing(world: World, stored: StoredFile) -> None:
    with organization_context(world.rival.organization.pk):
        assert not StoredFile.objects.filter(pk=stored.pk).exists()
        assert not StoredChunk.objects.filter(file=stored.pk).exists()
        with pytest.raises(IntegrityError), transaction.atomic():
            _add_chunk(stored)


def _add_chunk(file: StoredFile) -> None:
    StoredChunk.objects.create(file_id=file.pk, number=7, content=b"x")
    connection.check_constraints()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("payslip.pdf", "payslip.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\payslip.pdf", "payslip.pdf"),
        ('a"b\r\nSet-Cookie: x.pdf', "a b Set-Cookie x.pdf"),
        ("payslip\u202efdp.exe", "payslip fdp.exe"),
        ("", "file"),
        ("...", "file"),
        ("Ọlá bank statement.pdf", "Ọlá bank statement.pdf"),
        ("x" * 300 + ".pdf", "x" * (LONGEST_NAME - 4) + ".pdf"),
        ("nul\x00.pdf", "nul.pdf"),
    ],
)
def test_names_are_made_harmless(name: str, kept: str) -> None:
    assert safe_name(name) == kept

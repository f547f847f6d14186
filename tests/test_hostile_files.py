"""Files that nobody wants, at every place that takes one: refused beside the field, soon, and nothing of them is kept."""

from __future__ import annotations

import functools
import io
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.module_loading import import_string
from PIL import Image

from accounts.models import OrganizationLogo
from customers.models import CustomerImport, Document, Note, StoredFile
from lendconsole.forms import ConsoleForm
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.models import Invitation
from tests import factories
from tests.customers.pages import words
from tests.customers.workbooks import data, packed
from tests.world import Lender, World

COLUMNS: Final = 1_000_000
SCRIPT: Final = "<script>alert(1)</script>"
FILES: Final[dict[str, Callable[[], bytes]]] = {
    "HTML": f"<!doctype html><title>x</title>{SCRIPT}".encode,
    "SVG": f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">{SCRIPT}</svg>'.encode,
    "a zip bomb": lambda: packed(data("<row>" + " " * 50_000_000 + "</row>")),
    "NUL": lambda: b"e-mail\x00,first name\x00\n" * 100,
    "UTF-16": lambda: "e-mail,first name\nada@mail.example,Ada\n".encode("utf-16"),
    "a million columns": lambda: b"x," * COLUMNS,
    "a million columns in a spreadsheet": lambda: packed(data("<row>" + "<c><v>1</v></c>" * COLUMNS + "</row>")),
    "nothing": lambda: b"",
}
SWELLING: Final = ("a zip bomb", "a million columns", "a million columns in a spreadsheet")
HOSTILE_NAME: Final = "=cmd|'<img src=x onerror=alert(1)>"
KEPT: Final = (StoredFile, CustomerImport, Document, Note, OrganizationLogo, Invitation, OutgoingEmail)
SECONDS, MEGABYTES = 10, 30
content_of = functools.cache(lambda name: FILES[name]())


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 20), (20, 90, 160)).save(file, "PNG")
    return file.getvalue()


@dataclass(frozen=True)
class Place:
    """`form` is the class that takes the file in `file_field`; `good` is one that is taken."""

    address: str
    form: str
    ending: str
    good: Callable[[], bytes]
    file_field: str = "file"
    facts: dict[str, str] = field(default_factory=dict)
    is_about_customer: bool = False

    def bring(self, lender: Lender, content: bytes, name: str) -> Any:
        args = [lender.customers["own"].pk] if self.is_about_customer else []
        url = reverse(self.address, args=[lender.organization.slug, *args])
        return lender.client("admin").post(url, {**self.facts, self.file_field: SimpleUploadedFile(name, content)})


IMPORT, INVITE = "customers.forms.imports.UploadForm", "teams.forms.InviteSeveralForm"
SHEET: Final = '<row><c t="inlineStr"><is><t>Customer number</t></is></c><c t="inlineStr"><is><t>x</t></is></c></row>'
PLACES: Final = {
    "document": Place(
        "customers:document_upload", "customers.forms.documents.DocumentUploadForm", ".pdf", lambda: factories.PDF,
        facts={"type": "identity"}, is_about_customer=True,
    ),
    "note": Place(
        "customers:note_create", "customers.forms.notes.NoteCreateForm", ".png", picture,
        facts={"kind": "note", "text": "With a file"}, is_about_customer=True,
    ),
    "logo": Place("teams:organization_logo", "teams.forms.LogoForm", ".png", picture, file_field="logo"),
    "import of CSV": Place("customers:customer_import", IMPORT, ".csv", lambda: b"Customer number,First name\n1,Ada\n"),
    "import of XLSX": Place("customers:customer_import", IMPORT, ".xlsx", lambda: packed(data(SHEET * 2))),
    "invitations": Place("teams:members_invite", INVITE, ".csv", lambda: b"e-mail,first name\nada@mail.example,Ada\n"),
}  # fmt: skip


def kept(lender: Lender) -> list[int]:
    with organization_context(lender.organization.pk):
        return [model._default_manager.count() for model in KEPT]


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_hostile_files_are_refused_beside_the_field(world: World, place: Place) -> None:
    before = kept(world.kudi)
    for kind in FILES:
        content, started = content_of(kind), time.perf_counter()
        response = place.bring(world.kudi, content, f"{HOSTILE_NAME}{place.ending}")
        assert time.perf_counter() - started < SECONDS, kind
        assert response.status_code == 422, kind
        assert response.context["form"].errors[place.file_field], kind
        html = words(response)
        assert "<img src=x" not in html, kind
        assert SCRIPT not in html, kind
    assert kept(world.kudi) == before


@pytest.mark.parametrize("kind", SWELLING)
def test_what_swells_takes_little_memory(world: World, kind: str) -> None:
    """Where a file is read as a table; nothing is unpacked of what must be a picture or a PDF."""
    place, content = PLACES["import of XLSX"], content_of(kind)
    place.bring(world.kudi, b"", "warm.xlsx")
    tracemalloc.start()
    try:
        assert place.bring(world.kudi, content, "people.xlsx").status_code == 422
        assert tracemalloc.get_traced_memory()[1] < MEGABYTES * 1024**2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_good_file_of_a_hostile_name_is_taken_and_runs_nothing(world: World, place: Place) -> None:
    response = place.bring(world.kudi, place.good(), f"../../{HOSTILE_NAME}{place.ending}")
    if response.status_code == 302:
        assert kept(world.kudi) != [0] * len(KEPT)
        response = world.kudi.client("admin").get(response["Location"])
    assert response.status_code == 200
    assert "<img src=x" not in words(response)
    assert "../" not in words(response).replace("/../", "")


def test_no_place_is_forgotten() -> None:
    """A new form that takes a file gets its line in PLACES."""
    forms_with_files = {
        form
        for form in _subclasses(ConsoleForm)
        if any(isinstance(each, forms.FileField) for each in form.base_fields.values())
    }
    assert forms_with_files == {import_string(place.form) for place in PLACES.values()}


def _subclasses(form: type[forms.Form]) -> set[Any]:
    return {form}.union(*(_subclasses(each) for each in form.__subclasses__()))

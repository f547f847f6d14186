"""Every address of the console, every method, every actor of both lenders: status, no foreign canary, nothing changed."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Organization, OrganizationLogo
from audit.services import record
from audit.verbs import Verb
from customers.files import store
from customers.models import SavedView
from lendconsole.tenancy import as_owner, organization_context, tenant_models
from notifications.models import OutgoingEmail
from tests import factories
from tests.matrix import EVERYBODY, ROWS, Row
from tests.world import Lender, World, build_world

OUTSIDERS = ("deactivated", "rival super_admin", "rival account_manager", "anonymous")
States = tuple[dict[str, str], dict[str, str]]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TABLES = sorted(model._meta.db_table for model in tenant_models(list(apps.get_models())))
TOKEN = re.compile(rb"\b[A-Za-z0-9]{64}\b")  # differs in every answer
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def world(world: World) -> World:
    return furnished(world)


def furnished(world: World) -> World:
    """With a row of everything that has a page of its own in each lender, all of it marked."""
    """With a logo, a closed office, an open invitation, an export, imports and a failed e-mail in each lender."""
    for lender in (world.kudi, world.rival):
        canary = lender.organization.name.split()[1].removesuffix("-Bank")
        Organization.objects.filter(pk=lender.organization.pk).update(logo_digest="0" * 32)
        with organization_context(lender.organization.pk):
            factories.OfficeFactory(
                organization=lender.organization, name=f"{canary}-Closed", parent=lender.head, is_active=False
            )
            OrganizationLogo.objects.create(organization=lender.organization, content=b"picture")
            factories.InvitationFactory(
                organization=lender.organization,
                last_name=f"{canary}-Invited",
                role=lender.roles["account_manager"],
                office=lender.branch,
                invited_by=lender["admin"],
            )
            record(
                actor=lender["admin"],
                verb=Verb.MEMBERS_INVITED,
                target=lender.organization,
                after={"invited": 1, "not_invited": 0, "rows": [{"name": f"{canary}-Row", "outcome": "invited"}]},
            )
            factories.ExportFactory(organization=lender.organization, member=lender["admin"], words=f"{canary}-Words")
            imports = {
                "organization": lender.organization,
                "member": lender["admin"],
                "file_name": f"{canary}-file.csv",
            }
            for import_state in ("draft", "checked"):
                factories.ImportFactory(**imports, state=import_state)
            refusals = store(io.BytesIO(b"Line"), name=f"{canary}-refused.csv")
            factories.ImportFactory(**imports, state="done", refusals=refusals)
            factories.BulkChangeFactory(
                organization=lender.organization,
                member=lender["admin"],
                customer_ids=[lender.customers["own"].pk],
                words=f"{canary}-Words",
            )
            SavedView.objects.create(
                organization=lender.organization, member=lender["super_admin"], name=f"{canary}-View", is_shared=True
            )
            factories.request(lender.customers["own"], lender["customer_support"], reason=f"{canary}-Reason")
            factories.emergency(lender.customers["distant"], lender["loan_officer"], reason=f"{canary}-Reason")
            factories.cover(lender["account_manager"], lender["loan_officer"], reason=f"{canary}-Reason")
            factories.document(lender.customers["own"], lender["deactivated"], name=f"{canary}-paper.pdf")
            factories.related_person(lender.customers["own"], name=f"{canary}-Guarantor")
            factories.note(
                lender.customers["own"],
                lender["account_manager"],
                text=f"{canary}-Text",
                kind="enquiry",
                file=f"{canary}-attached.pdf",
            )
            factories.impostor_report(lender.organization, what_happened=f"{canary}-Words", contact=f"{canary}-Contact")
            OutgoingEmail.objects.create(
                organization=lender.organization,
                kind="customers/manager_assigned",
                dedupe_key="failed",
                recipient=f"{canary}-failed@mail.example",
                subject=f"{canary}-Subject",
                state=OutgoingEmail.State.FAILED,
                attempts=5,
            )
    return world


def console_names(resolver: URLResolver | None = None, prefix: str = "", namespace: str = "") -> Iterator[str]:
    """The names of all addresses below /o/<organization>/."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from console_names(entry, route, inner)
        elif isinstance(entry, URLPattern) and route.startswith("o/<slug:organization>/"):
            yield f"{namespace}{entry.name}"


def test_every_address_and_method_has_its_row() -> None:
    assert {row.name for row in ROWS} == set(console_names())


def address(row: Row, lender: Lender) -> str:
    with organization_context(lender.organization.pk):
        return reverse(row.name, args=[lender.organization.slug, *row.args(lender)])


def payload(row: Row, lender: Lender) -> dict[str, object]:
    with organization_context(lender.organization.pk):
        return row.payload(lender)


def client_of(world: World, actor: str) -> Client:
    if actor == "anonymous":
        return Client()
    if actor.startswith("rival "):
        return world.rival.client(actor.removeprefix("rival "))
    return world.kudi.client(actor)


def call(world: World, row: Row, actor: str, method: str) -> HttpResponse:
    url, data = address(row, world.kudi), payload(row, world.kudi)
    response: HttpResponse = client_of(world, actor).generic(method, url, urlencode(data), FORM)
    return response


def state(lender: Lender) -> dict[str, str]:
    """A checksum of each table of the lender; refusals may be audited, nothing else may change."""
    sums = {}
    with organization_context(lender.organization.pk), connection.cursor() as cursor:
        for table in TABLES:
            refused = "WHERE verb <> 'access.refused'" if table == "audit_auditevent" else ""
            cursor.execute(f"SELECT coalesce(string_agg(t::text, '|' ORDER BY t.id), '') FROM {table} t {refused}")
            sums[table] = hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()
    return sums


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def expected(row: Row, actor: str) -> int:
    if actor == "anonymous":
        return 302
    if actor in OUTSIDERS or actor in row.hidden:
        return 404
    if actor in row.unfit:
        return 422
    return 200 if actor in row.allowed else 403


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_cell(world: World, row: Row) -> None:
    before = (state(world.kudi), state(world.rival))
    for actor in (*sorted(EVERYBODY), *OUTSIDERS):
        with undone():
            check_cell(world, row, actor, before)


def check_cell(world: World, row: Row, actor: str, before: States) -> None:
    want = expected(row, actor)
    response = call(world, row, actor, row.method)
    after = (state(world.kudi), state(world.rival))
    where = f"{row} as {actor}"
    if want == 200:
        done = {200} if row.method == "GET" else {200, 204, 302}
        assert response.status_code in done, f"{where}: {response.status_code} {response.content.decode()[:3000]}"
        assert (row.method == "GET") or before[0] != after[0], f"{where}: nothing happened"
    else:
        assert response.status_code == want, where
        assert before[0] == after[0], f"{where}: something changed"
    if want == 302:
        assert response["Location"].startswith("/accounts/login/"), where
    assert before[1] == after[1], f"{where}: the other lender changed"
    foreign = rb"\bT1\b" if actor.startswith("rival") else rb"\bT-2\b"
    assert not re.search(foreign, response.getvalue()), f"{where}: a word of the other lender"


@pytest.mark.parametrize("name", sorted({row.name for row in ROWS}))
def test_methods_without_a_row_are_refused(world: World, name: str) -> None:
    rows = [row for row in ROWS if row.name == name]
    for method in set(METHODS) - {row.method for row in rows}:
        actor = sorted(rows[0].allowed)[-1]
        assert call(world, rows[0], actor, method).status_code == 405, f"{method} {name}"


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_objects_of_the_other_lender_do_not_exist(world: World, row: Row) -> None:
    """The address of the own organization with the other lender's ids: the same 404 as an id that nobody has."""
    args = foreign_args(row, world)
    if not args:
        return
    actor = "super_admin"
    data = payload(row, world.kudi)
    answers = []
    for pk in (args[0], 9_999_999_999, 2**70):
        url = reverse(row.name, args=[world.kudi.organization.slug, pk])
        before = state(world.rival)
        answers.append(world.kudi.client(actor).generic(row.method, url, urlencode(data), FORM))
        assert state(world.rival) == before
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({TOKEN.sub(b"", answer.content) for answer in answers}) == 1


@pytest.mark.django_db(transaction=True)
def test_the_code_holds_without_row_level_security() -> None:
    """The first wall alone: asked as the owner of the tables, whom no policy binds, strangers and foreign ids still get nothing."""
    world = furnished(build_world())
    with as_owner():
        for row in ROWS:
            for actor in ("rival super_admin", "deactivated"):
                assert call(world, row, actor, row.method).status_code == 404, f"{row} as {actor}"
            if args := foreign_args(row, world):
                url = reverse(row.name, args=[world.kudi.organization.slug, *args])
                answer = world.kudi.client("super_admin").generic(
                    row.method, url, urlencode(payload(row, world.kudi)), FORM
                )
                assert answer.status_code == 404, f"{row} with a foreign id"
            elif row.method == "GET":
                assert not re.search(rb"\bT-2\b", call(world, row, "super_admin", "GET").content), row


def foreign_args(row: Row, world: World) -> list[object]:
    with organization_context(world.rival.organization.pk):
        return row.args(world.rival)

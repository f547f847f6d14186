"""What is held on a person: the inventory, everything taken out, legal holds, erasure and deletion."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.utils import timezone

from audit.models import AuditEvent
from customers.bvn import bvn_columns
from customers.errors import CustomerErased, CustomerKept, WrongConfirmation
from customers.models import BorrowerLink, Customer, ManagerCode, NoteMention, StoredChunk
from customers.personal_bundle import rows_of
from customers.personal_data import TABLES, Kind, about_customers
from customers.policy import may
from customers.services.access import request_access
from customers.services.account_managers import assign_account_manager, remove_account_manager
from customers.services.borrowers import request_link, ways_in
from customers.services.impostors import report_impostor
from customers.services.personal_data import (
    DELETED_WITHIN,
    change_hold,
    delete_customer,
    erase_customer,
    export_personal_data,
)
from customers.services.records import change_customer, change_customer_status, open_profile
from customers.services.verification import new_code
from lendconsole.errors import DomainError, NotVisible, PermissionMissing
from lendconsole.tenancy import organization_context, tenant_models
from notifications.models import OutgoingEmail
from teams.capabilities import Capability
from tests import factories
from tests.customers.pages import traces
from tests.pages import statements
from tests.world import Lender, World

OURS = ("accounts", "audit", "notifications", "teams", "customers", "loans")
CANARIES = {
    "first_name": "Zsuzsanna",
    "last_name": "Canaryborn",
    "email": "zsuzsanna.canaryborn@mail.example",
    "phone": "+2348031112223",
    "address": "17 Canaryborn Close",
    "state": "Canarystate",
    "employer": "Canarymills Ltd",
    "status_reason": "Canaryreason of the status",
}
BVN = "22177788899"
WHY = "Asked for it by e-mail"
WORDS = ["zsuzsanna", "canary", "8031112223", "803 111 2223", "777888", "1987-03-29", "4433221"]
"""Whatever of the person a dump must not hold, in small letters."""


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk):
        yield world.kudi


@pytest.fixture
def person(kudi: Lender) -> Customer:
    """Somebody about whom there is a row in every table that is about customers."""
    admin, customer = kudi["admin"], kudi.customers["free"]
    Customer.objects.filter(pk=customer.pk).update(
        **CANARIES, **bvn_columns(BVN), date_of_birth=date(1987, 3, 29), monthly_income=4433221, gender="female"
    )
    customer = Customer.objects.select_related("organization", "office").get(pk=customer.pk)
    facts: Any = {"first_name": "Zsuzsanna Canaryborn", "phone": "+2348031112224"}
    customer = change_customer(actor=admin, customer=customer, version=customer.version, facts=facts)
    assign_account_manager(actor=admin, customer=customer, manager=kudi["account_manager"])
    assign_account_manager(actor=admin, customer=customer, manager=kudi["other_manager"], reason="Canaryreason")
    customer.refresh_from_db()
    request_access(actor=kudi["customer_support"], customer=customer, reason="Canaryreason", hours=24)
    factories.emergency(customer, kudi["loan_officer"], reason="Canaryreason")
    code = new_code(customer.assignments.get(ended_at=None))
    report_impostor(
        organization=kudi.organization,
        what_happened="Canarywords",
        contact=CANARIES["phone"],
        code=code,
        customer=customer,
    )
    request_link(organization=kudi.organization, email=CANARIES["email"], browser="mark")
    ways_in(customer, browser="mark")
    open_profile(actor=kudi["compliance"], pk=customer.pk)
    factories.document(
        customer, kudi["loan_officer"], name="canary.pdf", state="declined", reason="Canaryreason", reviewed_by=admin
    )
    note = factories.note(customer, admin, text="Canarytext", file="canary.pdf")
    NoteMention.objects.create(organization=kudi.organization, note=note, member=kudi["other_manager"])
    factories.related_person(customer, name="Canary Kin", phone=CANARIES["phone"], address="Canaryborn Close")
    changes = factories.ImportFactory(organization=kudi.organization, member=admin).changed_customers
    changes.create(organization=kudi.organization, customer=customer, version=2, before={"last_name": "Canaryborn"})
    change = factories.BulkChangeFactory(organization=kudi.organization, member=admin, customer_ids=[customer.pk])
    change.former_statuses.create(customer=customer, status="blacklisted", reason="Canaryreason")
    change_hold(actor=kudi["compliance"], customer=customer, until=date(2020, 1, 1), reason="Case of the tax office")
    return Customer.objects.select_related("organization", "office").get(pk=customer.pk)


def erase(lender: Lender, customer: Customer, role: str = "admin", **facts: str) -> Customer:
    facts = {"confirmation": customer.number, "reason": WHY, **facts}
    return erase_customer(actor=lender[role], customer=customer, **facts)


# The inventory


def test_every_field_of_every_model_has_one_class() -> None:
    """A model or field that this names goes into customers/personal_data.py."""
    listed = {table.model: table for table in TABLES}
    assert len(listed) == len(TABLES), "a model stands there twice"
    for model in apps.get_models():
        if model._meta.app_label not in OURS:
            continue
        assert model in listed, f"{model._meta.label} is not in the inventory: add it to customers/personal_data.py."
        table = listed[model]
        for field in [*model._meta.concrete_fields, *model._meta.many_to_many]:
            assert field.name in table.classes or field.attname in table.classes, (
                f"{model._meta.label}.{field.name} has no class: name it in customers/personal_data.py "
                "as none, personal, sensitive, others or derived."
            )
        named = [name for kind in Kind for name in getattr(table, kind).split()]
        assert sorted(named) == sorted(set(named)), f"{model._meta.label} gives a field two classes."
        for name in named:
            model._meta.get_field(name)


def test_what_points_at_a_customer_says_how_its_rows_are_found_and_erased() -> None:
    for model in apps.get_models():
        points = any(field.related_model is Customer for field in model._meta.concrete_fields)
        if model._meta.app_label in OURS and points:
            assert any(table.model is model for table in about_customers()), f"{model._meta.label} needs `rows`."
    for table in about_customers():
        assert (table.erase is None) == bool(table.kept), (
            f"{table.model._meta.label} needs `erase`, or `kept` with why."
        )


# Taking out


def test_the_bundle_holds_every_labelled_field(kudi: Lender, person: Customer) -> None:
    with export_personal_data(actor=kudi["compliance"], customer=person) as file:
        bundle = zipfile.ZipFile(io.BytesIO(file.read()))
    everything = json.loads(bundle.read("all.json"))
    for table in about_customers():
        if not table.exported:
            continue
        rows = everything[table.name]
        assert rows, f"this test makes no {table.name}"
        titles = {name.removesuffix("_encrypted") for name in table.exported}
        assert all(set(row) == titles for row in rows), table.name
        text = bundle.read(f"{table.name.replace(' ', '-')}.csv").decode("utf-8-sig")
        assert len(list(csv.DictReader(io.StringIO(text)))) == len(rows)
    assert [bundle.read(name) for name in bundle.namelist() if name.startswith("files/")] == [factories.PDF] * 2
    [row] = everything["customers"]
    assert (row["bvn"], row["email"], row["date_of_birth"]) == (BVN, CANARIES["email"], "1987-03-29")
    assert {row["manager"] for row in everything["assignments"]} == {
        kudi["account_manager"].name, kudi["other_manager"].name
    }  # fmt: skip
    assert person.number in bundle.read("README.txt").decode()
    assert "nonce" not in str(everything)
    assert kudi["admin"].name in str(everything)
    assert kudi["customer_support"].user.email not in str(everything), "who acted is named, not to be written to"


def test_the_bundle_holds_nobody_else(kudi: Lender, person: Customer) -> None:
    with export_personal_data(actor=kudi["admin"], customer=person) as file:
        text = zipfile.ZipFile(io.BytesIO(file.read())).read("all.json").decode()
    for other in ("own", "distant"):
        assert kudi.customers[other].number not in text
        assert kudi.customers[other].email not in text


def test_taking_out_is_audited_and_asks_who_sits_there(kudi: Lender) -> None:
    free = kudi.customers["free"]
    path, back = kudi.url(f"customers/{free.pk}/data/file/"), kudi.url(f"customers/{free.pk}/data/")
    client = kudi.client("compliance")
    response = client.get(path)
    assert response["Content-Disposition"] == f'attachment; filename="personal-data-{free.number}.zip"'
    assert zipfile.ZipFile(io.BytesIO(response.getvalue())).testzip() is None
    assert AuditEvent.objects.filter(verb="customer.data_exported").count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        asked = client.get(path)
    assert "/accounts/reauthenticate/" in asked["Location"]
    assert back.replace("/", "%2F") in asked["Location"]
    assert AuditEvent.objects.filter(verb="customer.data_exported").count() == 1


def test_the_tab_asks_little(kudi: Lender) -> None:
    client, url = kudi.client("admin"), kudi.url(f"customers/{kudi.customers['free'].pk}/data/")
    client.get(url)
    asked = statements(client, url)
    assert len(asked) <= 8, asked


def test_every_table_is_one_statement(kudi: Lender, person: Customer, django_assert_num_queries: Any) -> None:
    for table in about_customers():
        with django_assert_num_queries(3 if table.model is OutgoingEmail else 1):
            rows_of(table, person)


# Legal holds


def test_a_hold_keeps_until_its_last_day(kudi: Lender, person: Customer) -> None:
    today = timezone.localdate()
    change_customer_status(actor=kudi["admin"], customer=person, status="inactive", reason="Paid back")
    change_hold(actor=kudi["compliance"], customer=person, until=today, reason="Case 12")
    with pytest.raises(CustomerKept, match="A legal hold keeps"):
        erase(kudi, person)
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=True):
        assert erase(kudi, person).erased_at is not None


def test_a_hold_is_lifted_and_the_same_again_leaves_no_trace(kudi: Lender) -> None:
    free = kudi.customers["free"]
    change_hold(actor=kudi["admin"], customer=free, until=date(2099, 1, 1), reason="Case 12")
    before = traces(kudi)
    change_hold(actor=kudi["admin"], customer=free, until=date(2099, 1, 1), reason="Case 12")
    assert traces(kudi) == before
    row = change_hold(actor=kudi["admin"], customer=free, until=None)
    assert (row.held_until, row.hold_reason) == (None, "")
    with pytest.raises(PermissionMissing):
        change_hold(actor=kudi["loan_officer"], customer=free, until=date(2099, 1, 1), reason="Mine")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"until": "2099-12-31"}, "Fill this in."),
        ({"until": "2020-01-01", "reason": "Case"}, "This day is over."),
    ],
)
def test_a_hold_needs_a_day_to_come_and_a_reason(world: World, data: dict[str, str], sentence: str) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    response = kudi.client("admin").post(kudi.url(f"customers/{free.pk}/data/hold/"), data)
    assert response.status_code == 422
    assert sentence in response.content.decode()


# Erasing


def dump(lender: Lender) -> dict[str, str]:
    """The text of every row of the lender, by table, in small letters."""
    texts = {}
    with connection.cursor() as cursor:
        for model in tenant_models(list(apps.get_models())):
            table = model._meta.db_table
            cursor.execute(f"SELECT coalesce(string_agg(t::text, '\n'), '') FROM {table} t")
            texts[table] = cursor.fetchone()[0].lower()
    return texts


def test_nothing_of_the_person_is_left(kudi: Lender, person: Customer) -> None:
    before = dump(kudi)
    assert all(
        any(word in text for text in before.values()) for word in WORDS if word not in ("777888", "803 111 2223")
    )
    number, joined_on, office = person.number, person.joined_on, person.office
    row = erase(kudi, person)
    after = dump(kudi)
    left = {(table, word) for table, text in after.items() for word in WORDS if word in text}
    assert left <= {("audit_auditevent", "canary")}, "only reasons that members typed stay, in the log"
    reasons = AuditEvent.objects.exclude(reason="").values_list("reason", flat=True)
    assert not any(
        "canary" in f"{event.before}{event.after}{event.target_label}".lower() for event in AuditEvent.objects.all()
    )
    assert any("Canary" in reason for reason in reasons)
    assert not StoredChunk.objects.exists()
    assert (row.number, row.joined_on, row.office) == (number, joined_on, office)
    assert (row.name, row.status, row.account_manager) == ("Erased customer", "inactive", None)


def test_rights_links_and_e_mails_end(kudi: Lender, person: Customer) -> None:
    erase(kudi, person)
    assert not person.user_permissions.exists()
    assert not person.assignments.filter(ended_at=None).exists()
    assert person.assignments.count() == 2, "the periods stay, without reasons"
    assert not person.temporary_accesses.filter(ends_at__gt=timezone.now() + timedelta(seconds=5)).exists()
    assert not person.access_requests.filter(state="open").exists()
    assert not BorrowerLink.objects.filter(customer=person).exists()
    assert not ManagerCode.objects.exists()
    about = OutgoingEmail.objects.filter(topic__startswith=f"customer:{person.pk}:")
    assert {email.state for email in about} == {"canceled"}
    assert not OutgoingEmail.objects.filter(state="pending", payload__customer_id=person.pk).exists()


def test_the_log_keeps_who_erased_whom(kudi: Lender, person: Customer) -> None:
    erase(kudi, person)
    line = AuditEvent.objects.get(verb="customer.erased")
    assert (line.actor_id, line.target_id, line.target_label, line.reason) == (
        kudi["admin"].pk, person.pk, person.number, WHY
    )  # fmt: skip


def test_nothing_can_be_done_with_who_was_erased(kudi: Lender, person: Customer) -> None:
    row = erase(kudi, person)
    acts: list[Callable[[], Any]] = [
        lambda: assign_account_manager(actor=kudi["admin"], customer=row, manager=kudi["account_manager"]),
        lambda: change_customer(actor=kudi["admin"], customer=row, version=row.version, facts={"first_name": "Back"}),
        lambda: change_customer_status(actor=kudi["admin"], customer=row, status="active"),
        lambda: erase(kudi, row),
    ]
    for act in acts:
        with pytest.raises(CustomerErased, match="was erased"):
            act()
    assert may(kudi["admin"], Capability.CUSTOMERS_FIND, row)
    page = kudi.client("admin").get(kudi.url(f"customers/{row.pk}/")).content.decode()
    assert "Erased customer" in page
    for button in ("/edit/", "/status/", "/account-manager/"):
        assert f"customers/{row.pk}{button}" not in page


def refused(lender: Lender, error: type[DomainError], act: Callable[[], Any], words: str | None = None) -> None:
    before = (dump(lender), traces(lender))
    with pytest.raises(error, match=words):
        act()
    assert (dump(lender), traces(lender)) == before


def test_who_is_kept(kudi: Lender, person: Customer) -> None:
    refused(kudi, WrongConfirmation, lambda: erase(kudi, person, confirmation="T1-000"), "Type T1-004FRE")
    refused(kudi, PermissionMissing, lambda: erase(kudi, person, role="compliance"))
    refused(kudi, NotVisible, lambda: erase(kudi, person, role="account_manager"))
    for status, words in (("active", "is an active customer"), ("blacklisted", "is blacklisted and kept")):
        Customer.objects.filter(pk=person.pk).update(status=status)
        refused(kudi, CustomerKept, lambda: erase(kudi, person), words)


def test_another_lenders_customer_does_not_exist(world: World) -> None:
    foreign = world.rival.customers["free"]
    with organization_context(world.kudi.organization.pk), pytest.raises(NotVisible):
        erase(world.kudi, foreign)


def test_the_page_erases_once_the_number_is_typed(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    client, path = kudi.client("admin"), kudi.url(f"customers/{free.pk}/data/erase/")
    wrong = client.post(path, {"confirmation": "KM", "reason": WHY})
    assert wrong.status_code == 422
    assert f"Type {free.number}, the number of this customer." in wrong.content.decode()
    assert client.post(path, {"confirmation": free.number.lower(), "reason": WHY}).status_code == 302
    text = client.get(kudi.url(f"customers/{free.pk}/data/")).content.decode()
    assert f"{free.number} is erased." in text
    assert "Only the number, the office and the dates are left." in text
    assert "Legal hold" not in text.partition("<main")[2]


# Deleting


def delete(lender: Lender, key: str = "free", role: str = "admin", **facts: str) -> None:
    customer = Customer.objects.get(pk=lender.customers[key].pk)
    facts = {"confirmation": customer.number, "reason": "Added twice", **facts}
    delete_customer(actor=lender[role], customer=customer, **facts)


def test_a_mistake_goes_with_a_line_in_the_log_alone(kudi: Lender) -> None:
    free = kudi.customers["free"]
    request_link(organization=kudi.organization, email=free.email)
    delete(kudi)
    assert not Customer.objects.filter(pk=free.pk).exists()
    line = AuditEvent.objects.get(verb="customer.deleted")
    assert (line.target_id, line.target_label, line.reason) == (free.pk, free.number, "Added twice")
    assert free.email not in "".join(dump(kudi).values())


def test_whoever_had_anything_to_do_is_not_deleted(kudi: Lender) -> None:
    remove_account_manager(actor=kudi["admin"], customer=kudi.customers["own"])
    refused(kudi, CustomerKept, lambda: delete(kudi, "own"), "There are assignments on record")
    refused(kudi, WrongConfirmation, lambda: delete(kudi, confirmation="x"))
    refused(kudi, PermissionMissing, lambda: delete(kudi, role="loan_officer"))
    with time_machine.travel(timezone.now() + DELETED_WITHIN + timedelta(hours=1), tick=True):
        refused(kudi, CustomerKept, lambda: delete(kudi), "within 30 days")
    change_hold(actor=kudi["admin"], customer=kudi.customers["free"], until=date(2099, 1, 1), reason="Case 12")
    refused(kudi, CustomerKept, lambda: delete(kudi), "A legal hold keeps")

"""The database's walls: no organization set means no rows, and no statement of the restricted login gets around them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.db.models import ForeignKey

from accounts.models import Organization
from audit.models import AuditEvent
from audit.services import record
from audit.verbs import Verb
from customers.models import Assignment, Customer, CustomerUserObjectPermission
from lendconsole.tenancy import (
    OrganizationContextError,
    RowLevelSecurity,
    SameOrganization,
    current_organization_id,
    organization_context,
    tenant_models,
    user_context,
)
from teams.models import Member, Role
from tests.world import Lender, World

TENANT_MODELS = tenant_models(list(apps.get_models()))
TABLES = sorted(model._meta.db_table for model in TENANT_MODELS)


def catalog(sql: str, *params: object) -> set[object]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.django_db
def test_every_table_with_an_organization_has_row_level_security() -> None:
    columns = catalog(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'organization_id' AND table_schema = 'public'"
    )
    walled = catalog("SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace")
    assert columns == walled == {*TABLES}


@pytest.mark.django_db
def test_what_many_rows_point_at_is_checked_once_for_each() -> None:
    twice = catalog(
        "SELECT plain.conname FROM pg_constraint AS plain JOIN pg_constraint AS composite USING (conrelid, confrelid, contype)"
        " WHERE contype = 'f' AND cardinality(plain.conkey) = 1 AND cardinality(composite.conkey) = 2"
        " AND plain.conkey <@ composite.conkey AND (confrelid = ANY (%s::regclass[]) OR conrelid = ANY (%s::regclass[]))",
        [Customer._meta.db_table],
        [model._meta.db_table for model in (Customer, Assignment, CustomerUserObjectPermission)],
    )
    assert not twice


@pytest.mark.django_db
def test_what_the_models_declare_stands_in_the_database() -> None:
    standing = catalog(
        "SELECT relname FROM pg_class WHERE relkind = 'i' UNION SELECT conname FROM pg_constraint"
        " UNION SELECT polname FROM pg_policy"
    )
    declared = {each.name for model in apps.get_models() for each in (*model._meta.constraints, *model._meta.indexes)}
    assert declared <= standing


def test_where_no_key_leads_to_the_organization_a_composite_one_does() -> None:
    without = [model for model in TENANT_MODELS if not model._meta.get_field("organization").db_constraint]
    assert {Customer, Assignment, CustomerUserObjectPermission} <= set(without)
    for model in without:
        composite = [each.field for each in model._meta.constraints if isinstance(each, SameOrganization)]
        assert not all(model._meta.get_field(name).null for name in composite), model


@pytest.mark.django_db
def test_the_login_of_the_program_owns_nothing_and_bypasses_nothing() -> None:
    assert catalog("SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user") == {
        False
    }
    assert not catalog("SELECT tablename FROM pg_tables WHERE tableowner = current_user AND schemaname = 'public'")
    for statement in ("ALTER TABLE teams_member ADD COLUMN x int", "DROP POLICY teams_member_tenant ON teams_member",
                      "CREATE TABLE x (id int)", "TRUNCATE customers_customer"):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_without_an_organization_there_are_no_rows(world: World) -> None:
    for model in TENANT_MODELS:
        assert not model._default_manager.exists(), model
    with pytest.raises(OrganizationContextError):
        current_organization_id()


def test_inside_one_organization_the_other_does_not_exist(world: World) -> None:
    with organization_context(world.kudi.organization.pk):
        for model in TENANT_MODELS:
            others = model._default_manager.exclude(organization=world.kudi.organization)
            assert not others.exists(), model
        assert Customer.objects.filter(pk=world.rival.customers["free"].pk).update(first_name="x") == 0
        assert Customer.objects.filter(pk=world.rival.customers["free"].pk).delete()[0] == 0


def test_a_row_cannot_be_written_into_another_organization(world: World) -> None:
    inside = organization_context(world.kudi.organization.pk)
    with inside, pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Role.objects.create(organization=world.rival.organization, name="Smuggled")


@pytest.mark.parametrize(
    "foreign",
    [
        lambda kudi, rival: Customer.objects.filter(pk=kudi.customers["free"].pk).update(office=rival.branch),
        lambda kudi, rival: Customer.objects.filter(pk=kudi.customers["free"].pk).update(account_manager=rival["account_manager"]),
        lambda kudi, rival: Member.objects.filter(pk=kudi["admin"].pk).update(role=rival.roles["super_admin"]),
        lambda kudi, rival: Member.objects.filter(pk=kudi["admin"].pk).update(office=rival.head),
        lambda kudi, rival: Assignment.objects.filter(customer=kudi.customers["own"]).update(manager=rival["account_manager"]),
        lambda kudi, rival: CustomerUserObjectPermission.objects.filter(content_object=kudi.customers["own"]).update(
            content_object=rival.customers["own"]
        ),
    ],
)  # fmt: skip
def test_no_foreign_key_points_into_another_organization(
    world: World, foreign: Callable[[Lender, Lender], int]
) -> None:
    def write() -> None:
        foreign(world.kudi, world.rival)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with organization_context(world.kudi.organization.pk), pytest.raises(IntegrityError), transaction.atomic():
        write()


def test_every_foreign_key_between_tenant_tables_is_composite() -> None:
    for model in TENANT_MODELS:
        guarded = {c.field for c in model._meta.constraints if isinstance(c, SameOrganization)}
        needed = {
            field.name
            for field in model._meta.local_fields
            if isinstance(field, ForeignKey) and field.related_model in TENANT_MODELS
        }
        assert needed <= guarded, model


def test_the_setting_ends_with_the_transaction(world: World) -> None:
    with organization_context(world.kudi.organization.pk):
        assert Customer.objects.exists()
    assert not Customer.objects.exists()
    with pytest.raises(ValueError, match="stop"), organization_context(world.kudi.organization.pk):
        raise ValueError("stop")
    assert not Customer.objects.exists()


def test_two_organizations_are_never_nested(world: World) -> None:
    with organization_context(world.kudi.organization.pk):
        with organization_context(world.kudi.organization.pk):
            assert Customer.objects.exists()
        with pytest.raises(OrganizationContextError), organization_context(world.rival.organization.pk):
            pass
        assert Customer.objects.exists()


def test_a_login_reads_its_own_memberships_everywhere_and_no_others(world: World) -> None:
    user = world.kudi["admin"].user
    with organization_context(world.rival.organization.pk):
        Member.objects.create(
            organization=world.rival.organization, user=user, role=world.rival.roles["admin"], office=world.rival.head
        )
    with user_context(user.pk):
        assert set(Member.objects.values_list("organization", flat=True)) == {
            world.kudi.organization.pk,
            world.rival.organization.pk,
        }
        assert set(Member.objects.values_list("user", flat=True)) == {user.pk}
        assert Member.objects.update(status="deactivated") == 0
    assert not Member.objects.exists()


def test_the_audit_log_cannot_be_changed(world: World) -> None:
    with organization_context(world.kudi.organization.pk):
        record(actor=None, verb=Verb.ORGANIZATION_CREATED, target=world.kudi.organization)
        for change in (
            lambda: AuditEvent.objects.update(reason="x"),
            lambda: AuditEvent.objects.all().delete(),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()
        assert AuditEvent.objects.count() == 1


def test_policies_compare_the_organization_column() -> None:
    for model in TENANT_MODELS:
        policies = [c for c in model._meta.constraints if isinstance(c, RowLevelSecurity)]
        assert [policy.field for policy in policies] == ["organization"], model
    assert not hasattr(Organization, "organization")

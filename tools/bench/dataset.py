"""The rows to measure on: 200 lenders, three customers in ten with the biggest of them, six in ten with an account manager.

Seeded, so that the same scale always gives the same rows; kept in a database of its own until its shape changes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from accounts.models import Organization, User
from lendconsole.tenancy import organization_context
from teams.built_in_roles import BuiltInRole
from teams.capabilities import Capability, Reach
from teams.models import Member, Office, Role, RolePermission
from teams.services import create_organization
from teams.services.offices import add_office

ORGANIZATIONS: Final = 200
BIGGEST_SHARE: Final = 0.3
BIGGEST: Final = "bench-1"
DOMAIN: Final = "staff.example"
FIRST_DAY: Final = date(2020, 1, 1)
DAYS: Final = 2000
"""Customers joined on each day from the first one on, equally many."""
LEAVING: Final = 40
"""One account manager in so many has been deactivated and keeps the customers."""
FIRST_NAMES: Final = """
Adaeze Musa Grace Tunde Efe Halima Ngozi Amaka Ibrahim Yusuf Bola Chidi Emeka Uche Samuel Peter Aisha Fatima Zainab
Sani Blessing Kemi Segun Obinna Ifeoma Chinwe Damilola Folake Gbenga Hauwa Jumoke Kabiru Lami Maryam Nkechi Ope Queen
Rita Sade Temitope Umar Victor Wale Xavier Yetunde Zubairu Ayo Bisi Chuka Dapo
"""
LAST_NAMES: Final = """
Okafor Ibrahim Etim Adeyemi Osagie Bello Eze Obi Ayodele Balogun Nwosu Nnaji Johnson Nwankwo Abubakar Aliyu Danjuma
Hassan Williams Cole Briggs Harry Essien Edet Akinyemi Adebayo Chukwu Dangote Ekong Fashola Garba Haruna Igwe Jaja Kalu
Lawal Mohammed Nnamdi Ojo Peters Quadri Rabiu Salami Tijani Udo Vincent Wada Yakubu Zakari Ogun Ajayi Bankole Coker Dada
Ezeh Fagbemi Giwa Hamza Ike Jide
"""
# Common names are commoner: the square of a random number falls more often near the beginning of the list.
_CUSTOMERS: Final = """
INSERT INTO customers_customer (organization_id, number, first_name, last_name, email, phone, status, status_reason,
  segment, office_id, account_manager_id, joined_on, bvn_encrypted, bvn_fingerprint, bvn_last_digits, gender, address,
  state, employer, employment_status, created_at, updated_at, version)
SELECT %(organization)s, 'BM-' || lpad(i::text, 7, '0'),
  (%(first_names)s::text[])[1 + floor(cardinality(%(first_names)s::text[]) * power(random(), 2))::int],
  (%(last_names)s::text[])[1 + floor(cardinality(%(last_names)s::text[]) * power(random(), 2))::int]
    || CASE WHEN i %% 3 = 0 THEN '-' || initcap(substr(translate(md5(i::text), '0123456789', 'ghijklmnop'), 1, 6)) ELSE '' END,
  'c' || i || '@mail.example', '+23480' || lpad((30000000 + i)::text, 8, '0'),
  (ARRAY['pending', 'active', 'active', 'active', 'inactive'])[1 + i %% 5], '', 'standard',
  (%(offices)s::bigint[])[1 + i %% cardinality(%(offices)s::bigint[])],
  CASE WHEN i %% 10 < 6 THEN (%(managers)s::bigint[])[1 + (i * 31) %% cardinality(%(managers)s::bigint[])] END,
  %(first_day)s::date + (i %% %(days)s)::int, '', '', '', 'female', '1 Broad Street', 'Lagos', '', '', now(), now(), 1
FROM generate_series(1::bigint, %(customers)s::bigint) i
"""
_ASSIGNMENTS: Final = """
INSERT INTO customers_assignment (organization_id, customer_id, manager_id, started_at, reason, end_reason)
SELECT organization_id, id, account_manager_id, now(), '', '' FROM customers_customer WHERE account_manager_id IS NOT NULL
"""
_GRANTS: Final = """
INSERT INTO customers_customeruserobjectpermission (organization_id, content_object_id, user_id, permission_id)
SELECT customer.organization_id, customer.id, member.user_id, (SELECT id FROM auth_permission WHERE codename = 'manage_customer')
FROM customers_customer customer JOIN teams_member member ON member.id = customer.account_manager_id
"""
# The secondary indexes of customers are made anew after the rows: ten times faster than to keep them in step.
_SECONDARY: Final = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'customers_customer'
AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = 'customers_customer'::regclass)
"""


@dataclass(frozen=True, slots=True)
class Staff:
    offices: list[int]
    managers: list[int]


def prepare(scale: int) -> None:
    """Make the data set unless it stands already, for the present migrations."""
    stamp = f"{scale} customers, {', '.join(sorted(map('.'.join, MigrationLoader(None).graph.leaf_nodes())))}"
    if _stamp() == stamp:
        return
    _make_database()
    call_command("migrate", verbosity=0)
    _fill(scale)
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(_name()), stamp))


def _name() -> str:
    return str(settings.DATABASES["owner"]["NAME"])


def _stamp() -> str | None:
    with _server() as server:
        found = server.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [_name()]
        )
        row = found.fetchone()
    return row[0] if row else None


def _make_database() -> None:
    with _server() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name())))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_name())))


def _server() -> psycopg.Connection:
    """The owner's login, outside of the database that is made."""
    facts = connections["owner"].get_connection_params()
    return psycopg.connect(
        host=facts.get("host"),
        port=facts.get("port"),
        user=facts["user"],
        password=facts.get("password"),
        dbname="postgres",
        autocommit=True,
    )


def _fill(scale: int) -> None:
    sizes = _sizes(scale)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT setseed(0.42)")
        cursor.execute(_SECONDARY)
        indexes = cursor.fetchall()
        for index, _ in indexes:
            cursor.execute(f'DROP INDEX "{index}"')
        for number, customers in enumerate(sizes, start=1):
            organization = _found(f"bench-{number}")
            staff = _hire(organization, offices=40 if number == 1 else 4, members=400 if number == 1 else 8)
            facts: dict[str, Any] = {"organization": organization.pk, "customers": customers, "offices": staff.offices}
            facts |= {"first_day": FIRST_DAY, "days": DAYS}
            names = {"first_names": FIRST_NAMES.split(), "last_names": LAST_NAMES.split()}
            cursor.execute(_CUSTOMERS, {**facts, **names, "managers": staff.managers})
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute(_ASSIGNMENTS)
        cursor.execute(_GRANTS)


def _sizes(scale: int) -> list[int]:
    """The biggest first; the others of very different sizes, as lenders are."""
    chance = random.Random(42)  # noqa: S311  # a data set, not a secret
    weights = [chance.paretovariate(1.2) for _ in range(ORGANIZATIONS - 1)]
    biggest = round(scale * BIGGEST_SHARE)
    rest = [round((scale - biggest) * weight / sum(weights)) for weight in weights]
    return [biggest, *(min(size, biggest // 2) for size in rest)]


def _found(slug: str) -> Organization:
    create_organization(
        name=slug.replace("-", " ").capitalize(),
        slug=slug,
        super_admin_email=f"owner@{slug}.{DOMAIN}",
        first_name="Ada",
        last_name="Owner",
        time_zone="Africa/Lagos",
        currency="NGN",
        requires_second_factor=False,
    )
    return Organization.objects.get(slug=slug)


def _hire(organization: Organization, *, offices: int, members: int) -> Staff:
    with organization_context(organization.pk):
        head = Office.objects.get(organization=organization)
        tree = [head]
        for number in range(1, offices):
            name, parent = f"Branch {number}", tree[(number - 1) // 4]
            tree.append(add_office(organization=organization, name=name, office_type=Office.Type.BRANCH, parent=parent))
        roles = {role.built_in: role for role in Role.objects.filter(organization=organization) if role.built_in}
        for built_in, role in roles.items():
            _hire_one(organization, role, head if built_in != BuiltInRole.LOAN_OFFICER else tree[-1], built_in)
        manager = roles[BuiltInRole.ACCOUNT_MANAGER]
        managers = [
            _hire_one(organization, manager, tree[number % len(tree)], f"manager{number}")
            for number in range(members - 6)
        ]
        heads = _branch_head_role(organization)
        for login, office in {"area_head": tree[1], "branch_head": tree[-1]}.items():
            _hire_one(organization, heads, office, login)
        gone = [member.pk for member in managers[LEAVING - 1 :: LEAVING]]
        Member.objects.filter(pk__in=gone).update(status=Member.Status.DEACTIVATED)
        return Staff(offices=[office.pk for office in tree], managers=[member.pk for member in managers])


def _branch_head_role(organization: Organization) -> Role:
    """A role that the lender made: everything with the customers of one's own office and those below it."""
    role = Role.objects.create(organization=organization, name="Branch head")
    RolePermission.objects.bulk_create(
        RolePermission(organization=organization, role=role, capability=capability, reach=Reach.OFFICE)
        for capability in Capability
        if capability.startswith("customers.")
    )
    return role


def _hire_one(organization: Organization, role: Role, office: Office, login: str) -> Member:
    user = User.objects.create(
        email=f"{login}@{organization.slug}.{DOMAIN}",
        first_name="Staff",
        last_name=login.replace("_", " ").title().replace(" ", "-"),
        password="!",  # noqa: S106  # nobody signs in with it
    )
    return Member.objects.create(organization=organization, user=user, role=role, office=office)

"""New customers, changed details, another status: the services and their pages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from customers.errors import DuplicateCustomer, OfficeOutOfReach, ReasonMissing
from customers.models import Assignment, Customer
from customers.services.records import (
    change_customer,
    change_customer_status,
    create_customer,
    open_profile,
    reveal_bvn,
)
from lendconsole.encryption import decrypt
from lendconsole.errors import NotVisible, PermissionMissing, StaleVersion
from lendconsole.tenancy import organization_context
from teams.capabilities import Capability, Reach
from tests import factories
from tests.customers.pages import fresh, traces, words
from tests.world import Lender, World

BVN = "22406404018"


def typed(lender: Lender, **changes: Any) -> dict[str, Any]:
    """What a person types on "New customer"."""
    return {
        "submission_key": str(uuid4()),
        "office": lender.branch.pk,
        "first_name": "Grace",
        "last_name": "Etim",
        "phone": "0803 412 9981",
        "email": "Grace.Etim@Example.COM",
        "segment": "standard",
        "joined_on": "2026-01-05",
        "date_of_birth": "1990-02-03",
        "bvn": "224 0640 4018",
        "monthly_income": "250,000.50",
        "address": "17 Allen Avenue",
        **changes,
    }


def create(lender: Lender, role: str = "admin", **changes: Any) -> Any:
    return lender.client(role).post(lender.url("customers/new/"), typed(lender, **changes))


def created(lender: Lender) -> Customer:
    with organization_context(lender.organization.pk):
        return Customer.objects.get(first_name="Grace")


def nobody_new(lender: Lender) -> bool:
    with organization_context(lender.organization.pk):
        return Customer.objects.count() == 4


def test_what_is_typed_is_stored_in_one_spelling(world: World) -> None:
    kudi = world.kudi
    response = create(kudi)
    customer = created(kudi)
    assert response.status_code == 302
    assert response.headers["Location"] == kudi.url(f"customers/{customer.pk}/")
    assert (customer.phone, customer.email) == ("+2348034129981", "grace.etim@example.com")
    assert customer.monthly_income == 250_000_50
    assert (customer.status, customer.number) == ("pending", "C000001")
    assert (customer.bvn_last_digits, decrypt(customer.bvn_encrypted)) == ("4018", BVN)
    assert BVN not in customer.bvn_encrypted


def test_a_creation_is_audited_without_personal_values(world: World) -> None:
    create(world.kudi)
    with organization_context(world.kudi.organization.pk):
        event = AuditEvent.objects.get(verb="customer.created")
    assert event.after == {"number": "C000001", "office": "Ikeja T1"}


def test_numbers_are_given_once_and_step_over_taken_ones(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        factories.CustomerFactory(organization=kudi.organization, office=kudi.branch, number="c000001")
    create(kudi)
    assert created(kudi).number == "C000002"
    response = create(kudi, number="KM-9", phone="0803 412 9982", email="", bvn="", first_name="Given")
    assert response.status_code == 302
    assert create(kudi, number="km-9", phone="", email="", bvn="").status_code == 422


def test_a_double_press_makes_one_customer(world: World) -> None:
    kudi, client = world.kudi, world.kudi.client("admin")
    data = typed(kudi)
    first = client.post(kudi.url("customers/new/"), data)
    second = client.post(kudi.url("customers/new/"), data)
    assert first.headers["Location"] == second.headers["Location"]
    assert created(kudi)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phone": "12"}, "is not a phone number"),
        ({"phone": "0803\x00412"}, "cannot be stored"),
        ({"phone": "9" * 41}, "at most 40"),
        ({"email": "grace"}, "not a complete e-mail address"),
        ({"bvn": "1234"}, "A BVN has 11 digits."),
        ({"bvn": "٢٢٤٠٦٤٠٤٠١٨"}, "A BVN has 11 digits."),
        ({"first_name": "<b>"}, "A name cannot contain"),
        ({"first_name": "=cmd()"}, "A name cannot contain"),
        ({"first_name": "x" * 81}, "at most 80"),
        ({"last_name": ""}, "Fill this in."),
        ({"date_of_birth": "1850-01-01"}, "Look at the year again."),
        ({"date_of_birth": "soon"}, "This is not a date"),
        ({"date_of_birth": "2025-01-01", "joined_on": "2024-01-01"}, "before the date of birth"),
        ({"monthly_income": "-1"}, "Use 0 or more."),
        ({"monthly_income": "1.005"}, "Use at most 2 digits"),
        ({"monthly_income": "1e400"}, "digits"),
        ({"monthly_income": "NaN"}, "This is not a number."),
        ({"monthly_income": "9" * 30}, "Use at most 15 digits."),
        ({"segment": "royal"}, "not available"),
        ({"number": "KM 1"}, "Letters, digits"),
        ({"office": ""}, "Choose one."),
        ({"office": "99999999999999999999999"}, "not available"),
        ({"office": "x"}, "not available"),
    ],
)
def test_bad_input_stands_beside_its_field_and_saves_nothing(
    world: World, changes: dict[str, str], message: str
) -> None:
    kudi = world.kudi
    response = create(kudi, **changes)
    html = words(response)
    assert response.status_code == 422
    assert message in html
    assert "Etim" in html or "last_name" in changes
    assert nobody_new(kudi)
    assert traces(kudi) == (0, 0)


def test_the_future_is_not_accepted(world: World) -> None:
    tomorrow = (timezone.localdate() + timedelta(days=2)).isoformat()
    assert "born in the future" in words(create(world.kudi, date_of_birth=tomorrow))
    assert "lies in the future" in words(create(world.kudi, joined_on=tomorrow))


def test_what_another_customer_has_is_said_beside_its_field(world: World) -> None:
    kudi = world.kudi
    own = kudi.customers["own"]
    html = words(create(kudi, phone=own.phone, email=own.email.upper(), number=own.number.lower()))
    for thing in ("phone number", "e-mail address", "customer number"):
        assert f"{own.name} ({own.number}) has this {thing}." in html
    assert nobody_new(kudi)


def test_the_holder_is_not_named_to_those_who_may_not_see_them(world: World) -> None:
    kudi, distant = world.kudi, world.kudi.customers["distant"]
    own = kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        facts = {"phone": distant.phone, "version": str(own.version)}
    data = {**edit_data(kudi, own), **facts}
    html = words(kudi.client("account_manager").post(kudi.url(f"customers/{own.pk}/edit/"), data))
    assert "Another customer has this phone number." in html
    assert distant.name not in html
    assert distant.number not in html


def test_a_bvn_is_given_once_and_its_holder_never_named(world: World) -> None:
    kudi = world.kudi
    create(kudi)
    html = words(create(kudi, first_name="Twin", phone="", email=""))
    assert "Another customer has this BVN." in html
    assert "Grace" not in html.replace("Grace.Etim", "")


def test_the_other_lender_is_no_duplicate(world: World) -> None:
    kudi, rival = world.kudi, world.rival
    other = rival.customers["free"]
    assert create(kudi, phone=other.phone, email=other.email, number=other.number).status_code == 302


def test_the_database_has_the_last_word_on_duplicates(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk), pytest.raises(DuplicateCustomer) as refusal:
        create_customer(
            actor=kudi["admin"],
            office=kudi.branch,
            facts={"first_name": "Grace", "last_name": "Etim", "phone": kudi.customers["own"].phone},
        )
    assert refusal.value.field == "phone"
    assert nobody_new(kudi)


def test_an_office_out_of_reach_is_neither_offered_nor_accepted(world: World) -> None:
    kudi = world.kudi
    officer = kudi.client("loan_officer")
    html = words(officer.get(kudi.url("customers/new/")))
    assert kudi.branch.name in html
    assert kudi.other_branch.name not in html
    for office in (kudi.other_branch, world.rival.branch):
        assert create(kudi, "loan_officer", office=office.pk).status_code == 422
    with organization_context(kudi.organization.pk), pytest.raises(OfficeOutOfReach):
        create_customer(
            actor=kudi["loan_officer"], office=kudi.other_branch, facts={"first_name": "A", "last_name": "B"}
        )
    assert nobody_new(kudi)


@pytest.mark.parametrize("role", ["account_manager", "customer_support", "compliance", "no_users_unit"])
def test_those_without_the_permission_create_nothing(world: World, role: str) -> None:
    kudi = world.kudi
    assert kudi.client(role).get(kudi.url("customers/new/")).status_code == 403
    assert create(kudi, role).status_code == 403
    assert nobody_new(kudi)
    assert traces(kudi) == (0, 0)


def test_a_new_customer_can_have_an_account_manager_of_the_office(world: World) -> None:
    kudi = world.kudi
    response = create(kudi, account_manager=kudi["account_manager"].pk)
    assert response.status_code == 302
    customer = created(kudi)
    assert customer.account_manager_id == kudi["account_manager"].pk
    with organization_context(kudi.organization.pk):
        assert Assignment.objects.get(customer=customer).manager_id == kudi["account_manager"].pk


def test_a_manager_of_another_office_or_lender_is_refused_on_creation(world: World) -> None:
    kudi = world.kudi
    for member in (kudi["other_manager"], kudi["no_users_unit"], world.rival["account_manager"]):
        assert create(kudi, account_manager=member.pk).status_code == 422
    assert nobody_new(kudi)


def test_an_officer_who_may_not_assign_is_not_asked_for_a_manager(world: World) -> None:
    kudi = world.kudi
    html = words(kudi.client("loan_officer").get(kudi.url("customers/new/")))
    assert 'id="managers"' not in html
    create(kudi, "loan_officer", account_manager=kudi["account_manager"].pk)
    assert created(kudi).account_manager is None


def test_without_javascript_the_office_brings_its_members_and_keeps_what_was_typed(world: World) -> None:
    kudi = world.kudi
    response = create(kudi, refresh="1", office=kudi.other_branch.pk, last_name="")
    html = words(response)
    assert response.status_code == 200
    assert kudi["other_manager"].name in html
    assert 'value="0803 412 9981"' in html
    assert "Fill this in." not in html
    assert nobody_new(kudi)


def edit_data(lender: Lender, customer: Customer, **changes: Any) -> dict[str, Any]:
    return {
        "submission_key": str(uuid4()),
        "version": customer.version,
        "office": customer.office_id,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone": customer.phone,
        "email": customer.email,
        "segment": customer.segment,
        "joined_on": customer.joined_on.isoformat(),
        "address": customer.address,
        **changes,
    }


def test_an_edit_writes_and_audits_what_differs(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    url = kudi.url(f"customers/{own.pk}/edit/")
    data = edit_data(
        kudi, own, first_name="Owen", phone="0803 412 9981", address="Elsewhere", bvn=BVN, monthly_income="10"
    )
    assert kudi.client("account_manager").post(url, data).status_code == 302
    changed = fresh(kudi, own)
    assert (changed.first_name, changed.phone, changed.monthly_income) == ("Owen", "+2348034129981", 1000)
    assert changed.version == own.version + 1
    with organization_context(kudi.organization.pk):
        event = AuditEvent.objects.get(verb="customer.changed")
    assert event.before == {
        "first_name": "withheld", "phone": own.masked_phone, "address": "withheld",
        "bvn": "withheld", "monthly_income": "",
    }  # fmt: skip
    assert event.after == {
        "first_name": "withheld",
        "phone": "0803 *** **81",
        "address": "withheld",
        "bvn": "withheld",
        "monthly_income": "withheld",
    }


def test_an_edit_that_changes_nothing_leaves_no_trace(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    url = kudi.url(f"customers/{own.pk}/edit/")
    assert kudi.client("admin").post(url, edit_data(kudi, own, version=99)).status_code == 302
    assert traces(kudi) == (0, 0)
    assert fresh(kudi, own).version == own.version


def test_the_second_of_two_editors_is_told(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    url = kudi.url(f"customers/{own.pk}/edit/")
    kudi.client("admin").post(url, edit_data(kudi, own, first_name="First"))
    response = kudi.client("account_manager").post(url, edit_data(kudi, own, first_name="Second"))
    assert response.status_code == 422
    assert "Somebody else changed First" in words(response)
    assert 'value="Second"' in words(response)
    assert fresh(kudi, own).first_name == "First"


def test_fields_that_are_not_on_the_form_stay(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    extra = {
        "status": "active",
        "account_manager": kudi["other_manager"].pk,
        "organization": world.rival.organization.pk,
        "number": "HACKED",
        "bvn_encrypted": "x",
        "status_reason": "x",
    }
    kudi.client("account_manager").post(
        kudi.url(f"customers/{own.pk}/edit/"), edit_data(kudi, own, first_name="Owen", **extra)
    )
    changed = fresh(kudi, own)
    assert (changed.status, changed.number, changed.bvn_encrypted) == (own.status, own.number, own.bvn_encrypted)
    assert changed.account_manager_id == own.account_manager_id
    assert changed.organization_id == kudi.organization.pk


def test_the_office_can_only_be_changed_within_reach(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    url = kudi.url(f"customers/{own.pk}/edit/")
    moved = edit_data(kudi, own, office=kudi.other_branch.pk)
    assert kudi.client("account_manager").post(url, moved).status_code == 422
    foreign = edit_data(kudi, own, office=world.rival.branch.pk)
    assert kudi.client("admin").post(url, foreign).status_code == 422
    assert fresh(kudi, own).office == kudi.branch
    with organization_context(kudi.organization.pk), pytest.raises(OfficeOutOfReach):
        change_customer(
            actor=kudi["account_manager"], customer=own, version=own.version, facts={"office": kudi.other_branch}
        )
    assert kudi.client("admin").post(url, moved).status_code == 302
    assert fresh(kudi, own).office == kudi.other_branch


def test_an_edit_without_a_bvn_keeps_the_one_on_record(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        change_customer(actor=kudi["admin"], customer=own, version=1, facts={"bvn": BVN})
    html = words(kudi.client("admin").get(kudi.url(f"customers/{own.pk}/edit/")))
    assert "Ends with 4018." in html
    assert "+234" not in html
    assert BVN not in html
    kudi.client("admin").post(
        kudi.url(f"customers/{own.pk}/edit/"), edit_data(kudi, fresh(kudi, own), first_name="Owen")
    )
    assert decrypt(fresh(kudi, own).bvn_encrypted) == BVN


PAGES = ["edit/", "status/", "bvn/", "account-manager/", "account-manager/remove/", "activity/", ""]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", ["no_users_unit", "other_manager"])
def test_a_customer_one_may_not_see_does_not_exist(world: World, role: str, page: str) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    client = kudi.client(role)
    url = kudi.url(f"customers/{own.pk}/{page}")
    statuses = {client.get(url).status_code, client.post(url, edit_data(kudi, own, status="active")).status_code}
    assert statuses <= {404, 405}
    assert 404 in statuses
    foreign = kudi.url(f"customers/{world.rival.customers['own'].pk}/{page}")
    assert {client.get(foreign).status_code, client.post(foreign).status_code} <= {404, 405}
    assert traces(kudi) == (0, 0)


@pytest.mark.parametrize("page", ["edit/", "status/", "bvn/", "account-manager/", "account-manager/remove/"])
def test_a_card_is_refused_with_a_reason_and_changes_nothing(world: World, page: str) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    client = kudi.client("customer_support")
    response = client.post(
        kudi.url(f"customers/{own.pk}/{page}"), edit_data(kudi, own, first_name="X", status="active")
    )
    assert response.status_code == 403
    assert "Ask" in words(response)
    assert fresh(kudi, own).version == own.version
    assert traces(kudi) == (0, 0)


def test_a_customer_dedicated_to_somebody_else_names_whom_to_ask(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    html = words(kudi.client("loan_officer").get(kudi.url(f"customers/{own.pk}/edit/")))
    assert f"dedicated to {kudi['account_manager'].name}" in html


@pytest.mark.parametrize("pk", ["0", "99999999999999999999999999"])
@pytest.mark.parametrize("page", PAGES)
def test_an_address_of_nothing_is_404(world: World, pk: str, page: str) -> None:
    client = world.kudi.client("admin")
    url = world.kudi.url(f"customers/{pk}/{page}")
    assert {client.get(url).status_code, client.post(url).status_code} <= {404, 405}


def change_status(lender: Lender, customer: Customer, role: str = "admin", **data: Any) -> Any:
    data = {"submission_key": str(uuid4()), "version": customer.version, **data}
    return lender.client(role).post(lender.url(f"customers/{customer.pk}/status/"), data)


def test_a_status_is_changed_and_audited_with_its_reason(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    assert change_status(kudi, own, "account_manager", status="blacklisted", reason="Fraud.").status_code == 302
    assert (fresh(kudi, own).status, fresh(kudi, own).status_reason) == ("blacklisted", "Fraud.")
    with organization_context(kudi.organization.pk):
        event = AuditEvent.objects.get(verb="customer.status_changed")
    assert (event.before, event.after, event.reason) == ({"status": "Pending"}, {"status": "Blacklisted"}, "Fraud.")


def test_some_changes_of_status_need_a_reason(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    for status in ("inactive", "blacklisted"):
        response = change_status(kudi, own, status=status)
        assert response.status_code == 422
        assert "Say why" in words(response)
    assert change_status(kudi, own, status="active").status_code == 302
    assert change_status(kudi, fresh(kudi, own), status="blacklisted", reason="Fraud.").status_code == 302
    with organization_context(kudi.organization.pk), pytest.raises(ReasonMissing, match="no longer blacklisted"):
        change_customer_status(actor=kudi["admin"], customer=own, status="active")


def test_the_present_status_again_changes_nothing(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    assert change_status(kudi, own, status="pending", version=77).status_code == 302
    assert traces(kudi) == (0, 0)


def test_a_stale_or_unknown_status_is_refused(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    assert change_status(kudi, own, status="active", version=77).status_code == 422
    assert change_status(kudi, own, status="royal").status_code == 422
    assert change_status(kudi, own, status="active", version="x").status_code == 422
    assert fresh(kudi, own).status == "pending"


def test_services_hold_the_rule_on_their_own(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        for actor, error in (("customer_support", PermissionMissing), ("other_manager", NotVisible)):
            with pytest.raises(error):
                change_customer(actor=kudi[actor], customer=own, version=1, facts={"first_name": "X"})
            with pytest.raises(error):
                change_customer_status(actor=kudi[actor], customer=own, status="active")
            with pytest.raises(error):
                reveal_bvn(actor=kudi[actor], customer=own)
        with pytest.raises(NotVisible):
            open_profile(actor=kudi["other_manager"], pk=own.pk)
        with pytest.raises(StaleVersion):
            change_customer(actor=kudi["admin"], customer=own, version=7, facts={"first_name": "X"})
    assert traces(kudi) == (0, 0)


def test_a_creator_who_sees_no_customers_stays_with_the_form(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        role = factories.RoleFactory(
            organization=kudi.organization, reaches={Capability.CUSTOMERS_CREATE: Reach.ORGANIZATION}
        )
        kudi.members["clerk"] = factories.MemberFactory(organization=kudi.organization, role=role, office=kudi.branch)
    response = create(kudi, "clerk")
    assert response.headers["Location"] == kudi.url("customers/new/")
    assert kudi.client("clerk").get(kudi.url(f"customers/{created(kudi).pk}/")).status_code == 404


def test_dates_are_kept(world: World) -> None:
    create(world.kudi)
    customer = created(world.kudi)
    assert (customer.joined_on, customer.date_of_birth) == (date(2026, 1, 5), date(1990, 2, 3))

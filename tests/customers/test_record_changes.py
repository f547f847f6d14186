"""Changed details and another status: the services and their pages."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from audit.models import AuditEvent
from customers.errors import OfficeOutOfReach, ReasonMissing
from customers.models import Customer
from customers.services.records import (
    change_customer,
    change_customer_status,
    open_profile,
    reveal_bvn,
)
from lendconsole.encryption import decrypt
from lendconsole.errors import NotVisible, PermissionMissing, StaleVersion
from lendconsole.tenancy import organization_context
from tests.customers.pages import fresh, traces, words
from tests.world import Lender, World

BVN = "22406404018"


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

"""The pages of team administration ask as much of the database for many people, offices and roles as for few."""

from __future__ import annotations

import pytest

from tests import factories
from tests.pages import statements
from tests.teams.support import extra_member, inside
from tests.world import Lender, World

MOST = 8


def grow(lender: Lender) -> None:
    """More of everything, some of it in the office, the role and below the member that the pages are about."""
    organization = lender.organization
    for number in range(8):
        office = factories.OfficeFactory(organization=organization, name=f"Team {number}", parent=lender.branch)
        reaches = {"customers.find": "office", "customers.view": "office", "members.view": "organization"}
        role = factories.RoleFactory(organization=organization, name=f"Role {number}", reaches=reaches)
        for member in (
            extra_member(lender, "loan_officer", office=office),
            extra_member(lender, "loan_officer", role=role, office=lender.branch),
            extra_member(lender, "loan_officer", role=lender.roles["custom"], office=office),
        ):
            customer = factories.CustomerFactory(organization=organization, office=office, account_manager=member)
            factories.grant(customer, member)


@pytest.fixture
def kudi(world: World) -> Lender:
    kudi = world.kudi
    with inside(kudi):
        reaches = {"customers.find": "office", "customers.view": "office"}
        kudi.roles["custom"] = factories.RoleFactory(organization=kudi.organization, name="Custom", reaches=reaches)
        kudi.members["custom"] = extra_member(kudi, "loan_officer", role=kudi.roles["custom"], office=kudi.branch)
    return kudi


@pytest.mark.parametrize(
    "path",
    [
        "settings/members/",
        "settings/members/{member}/profile/",
        "settings/members/{member}/",
        "settings/members/invite/",
        "settings/members/change/?members={member}",
        "settings/offices/?fold=open",
        "settings/offices/{branch}/",
        "settings/offices/{branch}/move/",
        "settings/offices/{branch}/move/?parent={other}",
        "settings/offices/{branch}/deactivate/?members={other}&customers={other}&offices={other}",
        "settings/offices/{branch}/merge/",
        "settings/offices/{branch}/merge/?into={other}",
        "settings/roles/",
        "settings/roles/?show=table",
        "settings/roles/who-can/",
        "settings/roles/{role}/",
        "settings/roles/{role}/edit/",
        "settings/roles/{role}/edit/?customers_find=organization&customers_view=organization",
        "settings/roles/{role}/delete/",
        "settings/roles/{role}/delete/?replacement={replacement}",
        "settings/organization/",
        "settings/organization/exclusive-assignments/",
        "settings/security/",
    ],
)
def test_costs_the_same_for_few_and_for_many(kudi: Lender, path: str) -> None:
    about = {
        "member": kudi["custom"].pk,
        "branch": kudi.branch.pk,
        "other": kudi.other_branch.pk,
        "role": kudi.roles["custom"].pk,
        "replacement": kudi.roles["loan_officer"].pk,
    }
    client, url = kudi.client("super_admin"), kudi.url(path.format(**about))
    with inside(kudi):
        factories.CustomerFactory(organization=kudi.organization, office=kudi.branch, account_manager=kudi["custom"])
        factories.OfficeFactory(organization=kudi.organization, name="Team", parent=kudi.branch)
    client.get(url)
    few = len(statements(client, url))
    with inside(kudi):
        grow(kudi)
    assert len(statements(client, url)) == few
    assert few <= MOST

"""What must hold when people act at the same moment. Threads with connections of their own; nothing is rolled back."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from customers.services.offices import deactivate_office
from customers.services.records import change_customer
from teams import services
from teams.invitation_links import Ticket
from teams.models import Invitation, Member, Office
from teams.services.admission import Newcomer
from teams.services.closing import Targets, piles_of
from tests.factories import PASSWORD, OfficeFactory
from tests.teams.support import fresh, inside, invitation_for, together, verbs
from tests.world import Lender, build_lender

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kudi(transactional_db: None) -> Lender:
    return build_lender("kudi", "T1")


def test_twenty_acceptances_make_one_member(kudi: Lender) -> None:
    with inside(kudi):
        invitation = invitation_for(kudi)
    accept = partial(
        services.accept_invitation,
        ticket=Ticket(invitation.pk, invitation.nonce),
        user=AnonymousUser(),
        newcomer=Newcomer("Ngozi", "Eze", PASSWORD),
    )
    outcomes = together(kudi, *[accept] * 20)
    assert outcomes == {"done": 1, "used": 19}
    with inside(kudi):
        assert Member.objects.filter(user__email=invitation.email).count() == 1
        assert verbs() == ["invitation.accepted"]


def test_two_lenders_invite_the_same_new_person(kudi: Lender) -> None:
    """One acceptance makes the login; the other person at the same keyboard has to sign in."""
    rival = build_lender("rival", "T-2")
    calls = []
    for lender in (kudi, rival):
        with inside(lender):
            invitation = invitation_for(lender, email="both@example.com")
        calls.append(partial(_accept_in, lender, invitation))
    with ThreadPoolExecutor(2) as threads:
        outcomes = Counter(threads.map(lambda call: call(), calls))
    assert outcomes == {"done": 1, "sign_in": 1}
    assert User.objects.filter(email="both@example.com").count() == 1


def _accept_in(lender: Lender, invitation: Invitation) -> str:
    accept = partial(
        services.accept_invitation,
        ticket=Ticket(invitation.pk, invitation.nonce),
        user=AnonymousUser(),
        newcomer=Newcomer("Ngozi", "Eze", PASSWORD),
    )
    return next(iter(together(lender, accept)))


def test_an_acceptance_and_a_revocation_do_not_both_win(kudi: Lender) -> None:
    with inside(kudi):
        invitation = invitation_for(kudi)
    outcomes = together(
        kudi,
        partial(
            services.accept_invitation,
            ticket=Ticket(invitation.pk, invitation.nonce),
            user=AnonymousUser(),
            newcomer=Newcomer("Ngozi", "Eze", PASSWORD),
        ),
        partial(services.revoke_invitation, actor=kudi["admin"], invitation=invitation),
    )
    with inside(kudi):
        row = fresh(invitation)
        assert (row.accepted_at is None) != (row.revoked_at is None)
        assert Member.objects.filter(user__email=invitation.email).count() == (row.accepted_at is not None)
    assert outcomes["done"] == 1


def test_two_moves_make_no_circle(kudi: Lender) -> None:
    def move(office: Office, parent: Office) -> None:
        services.move_office(actor=kudi["admin"], office=office, parent=parent, version=1)

    outcomes = together(
        kudi, partial(move, kudi.branch, kudi.other_branch), partial(move, kudi.other_branch, kudi.branch)
    )
    assert outcomes == {"done": 1, "OfficeCycle": 1}


def test_thirty_rounds_of_moves_at_once_leave_a_tree(kudi: Lender) -> None:
    """Offices of three levels, each moved below another one by somebody at the same moment as the others."""
    with inside(kudi):
        below = [OfficeFactory(organization=kudi.organization, parent=kudi.branch) for _ in range(2)]
        offices = [
            kudi.branch,
            kudi.other_branch,
            *below,
            OfficeFactory(organization=kudi.organization, parent=below[0]),
        ]

    def move(office: Office, parent: Office) -> None:
        version = Office.objects.get(pk=office.pk).version
        services.move_office(actor=kudi["admin"], office=office, parent=parent, version=version)

    luck = Random(7)  # a test's choices, the same in every run
    for _ in range(30):
        pairs = [luck.sample(offices, 2) for _ in range(4)]
        together(kudi, *(partial(move, office, parent) for office, parent in pairs))
        with inside(kudi):
            rows = {office.pk: office for office in Office.objects.all()}
        for office in rows.values():
            above = rows[office.parent_id].path if office.parent_id else "/"
            assert office.path == f"{above}{office.pk}/"
            assert len(set(office.path.split("/"))) == office.depth + 2


def test_an_office_is_not_closed_around_somebody_who_comes_in(kudi: Lender) -> None:
    """A member, an invitation, a customer and an office below, each on the way in while it is emptied."""
    with inside(kudi):
        target = OfficeFactory(organization=kudi.organization, parent=kudi.head)
        officer, customer = kudi["other_manager"], kudi.customers["remote"]
    targets = Targets(target, target, target, target)
    together(
        kudi,
        partial(deactivate_office, actor=kudi["admin"], office=kudi.branch, targets=targets, version=1),
        partial(
            services.change_member,
            actor=kudi["super_admin"],
            member=officer,
            role=officer.role,
            office=kudi.branch,
            version=1,
        ),
        partial(
            change_customer, actor=kudi["super_admin"], customer=customer, version=1, facts={"office": kudi.branch}
        ),
        partial(services.create_office, actor=kudi["admin"], name="Late", office_type="team", parent=kudi.branch),
        partial(
            services.invite_member,
            actor=kudi["super_admin"],
            email="late@example.com",
            first_name="Late",
            last_name="Comer",
            role=kudi.roles["compliance"],
            office=kudi.branch,
        ),
    )
    with inside(kudi):
        office = fresh(kudi.branch)
        # Whoever was first is moved along, unless the office was closed first and nobody got in.
        assert not office.is_active
        assert not piles_of(office)

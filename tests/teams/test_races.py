"""What must hold when people act at the same moment. Threads with connections of their own; nothing is rolled back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from accounts.models import User
from lendconsole.errors import DomainError
from lendconsole.tenancy import organization_context
from teams import services
from teams.built_in_roles import BuiltInRole
from teams.invitation_links import Ticket
from teams.models import Invitation, Member, Office
from teams.services.admission import Newcomer
from tests.factories import PASSWORD
from tests.teams.support import extra_member, fresh, inside, invitation_for, verbs
from tests.world import Lender, build_lender

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kudi(transactional_db: None) -> Lender:
    return build_lender("kudi", "T1")


def together(lender: Lender, *calls: Callable[[], object]) -> Counter[str]:
    """Run the calls at once, each in a transaction of its own; how often each outcome came."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> str:
        try:
            barrier.wait(timeout=30)
            with organization_context(lender.organization.pk):
                call()
            return "done"
        except DomainError as error:
            return getattr(error, "standing", type(error).__name__)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return Counter(threads.map(run, calls))


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


@pytest.mark.parametrize("seed", range(20))
def test_two_super_admins_against_each_other_leave_one(kudi: Lender, seed: int) -> None:
    with inside(kudi):
        pair = [kudi["super_admin"], extra_member(kudi, "super_admin")]
    shuffled = random.Random(seed)

    def take_down(actor: Member, target: Member) -> None:
        if shuffled.random() < 0.5:
            services.deactivate_member(actor=actor, member=target)
        else:
            services.change_member(
                actor=actor, member=target, role=kudi.roles["compliance"], office=kudi.branch, version=1
            )

    outcomes = together(kudi, partial(take_down, *pair), partial(take_down, *reversed(pair)))
    assert outcomes["done"] == 1
    assert sum(outcomes.values()) == 2
    with inside(kudi):
        assert Member.objects.active().filter(role__built_in=BuiltInRole.SUPER_ADMIN).count() == 1


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
        services.change_office(
            actor=kudi["admin"],
            office=office,
            name=office.name,
            description="",
            office_type="branch",
            parent=parent,
            is_active=True,
            version=1,
        )

    outcomes = together(
        kudi, partial(move, kudi.branch, kudi.other_branch), partial(move, kudi.other_branch, kudi.branch)
    )
    assert outcomes == {"done": 1, "OfficeCycle": 1}

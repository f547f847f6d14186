"""What can still be done about an invitation that nobody has accepted, and how its state is read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from lendconsole.errors import NotVisible, PermissionMissing, StaleVersion
from notifications.letters import find_letter
from notifications.models import OutgoingEmail
from teams import services
from teams.errors import InvitationClosed, MemberAboveActor, OfficeNotReached, RoleNotGivable
from teams.invitation_links import Ticket, make_token
from teams.models import Invitation, Office
from teams.services.admission import Newcomer
from tests.factories import PASSWORD
from tests.pages import text
from tests.teams.support import fresh, inside, invitation_for, mails, refused, rows, verbs
from tests.world import Lender, World


def change(lender: Lender, invitation: Invitation, actor: str = "admin", **changes: object) -> Invitation:
    facts = {"role": invitation.role, "office": invitation.office, "version": invitation.version, **changes}
    return services.change_invitation(actor=lender[actor], invitation=invitation, **facts)


@pytest.fixture
def invitation(world: World) -> Invitation:
    with inside(world.kudi):
        return invitation_for(world.kudi)


def test_another_role_keeps_the_link(world: World, invitation: Invitation) -> None:
    kudi = world.kudi
    with inside(kudi):
        changed = change(kudi, invitation, "super_admin", role=kudi.roles["loan_officer"], office=kudi.other_branch)
        assert (changed.nonce, changed.expires_at, changed.version) == (invitation.nonce, invitation.expires_at, 2)
        assert changed.invited_by == kudi["super_admin"]
        assert verbs() == ["invitation.changed"]
        assert not mails("teams/invitation")
        member = services.accept_invitation(
            ticket=Ticket(invitation.pk, invitation.nonce),
            user=AnonymousUser(),
            newcomer=Newcomer("Ngozi", "Eze", PASSWORD),
        )
        assert (member.role, member.office) == (kudi.roles["loan_officer"], kudi.other_branch)


def test_the_same_again_changes_nothing(world: World, invitation: Invitation) -> None:
    with inside(world.kudi):
        assert change(world.kudi, invitation, version=99).version == 1
        assert verbs() == []


def test_a_letter_that_still_waits_says_the_new_role(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        facts = {"email": "n@example.com", "first_name": "Ngozi", "last_name": "Eze", "office": kudi.branch}
        row = services.invite_member(actor=kudi["admin"], role=kudi.roles["compliance"], **facts)
        change(kudi, row, role=kudi.roles["loan_officer"])
        [mail] = mails("teams/invitation")
        assert find_letter("teams/invitation").build(mail)["role"] == "Loan Officer"


@pytest.mark.parametrize("actor", ["compliance", "account_manager", "no_users_unit", "deactivated"])
def test_without_the_permission_it_does_not_exist(world: World, invitation: Invitation, actor: str) -> None:
    with inside(world.kudi), refused((NotVisible, PermissionMissing)):
        change(world.kudi, invitation, actor, role=world.kudi.roles["loan_officer"])


def test_nobody_gives_more_than_they_hold(world: World, invitation: Invitation) -> None:
    kudi, rival = world.kudi, world.rival
    for role in (kudi.roles["super_admin"], rival.roles["loan_officer"]):
        with inside(kudi), refused(RoleNotGivable):
            change(kudi, invitation, role=role)
    with inside(kudi):
        Office.objects.filter(pk=kudi.other_branch.pk).update(is_active=False)
    for office in (kudi.other_branch, rival.branch):
        with inside(kudi), refused(OfficeNotReached):
            change(kudi, invitation, office=office)


def test_one_above_the_actor_is_left_alone(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        above = invitation_for(kudi, role="super_admin", by="super_admin")
    with inside(kudi), refused(MemberAboveActor):
        change(kudi, above, role=kudi.roles["compliance"])


@pytest.mark.parametrize("end", ["accepted_at", "revoked_at"])
def test_what_is_over_stays_as_it_was(world: World, end: str) -> None:
    kudi = world.kudi
    with inside(kudi):
        over = invitation_for(kudi, **{end: timezone.now()})
    with inside(kudi), refused(InvitationClosed):
        change(kudi, over, role=kudi.roles["compliance"])


def test_the_second_of_two_admins_is_told(world: World, invitation: Invitation) -> None:
    kudi = world.kudi
    with inside(kudi):
        change(kudi, invitation, role=kudi.roles["compliance"])
    with inside(kudi), refused(StaleVersion, match="now Compliance"):
        change(kudi, invitation, role=kudi.roles["loan_officer"])


def test_of_another_lender_it_does_not_exist(world: World) -> None:
    with inside(world.rival):
        foreign = invitation_for(world.rival)
    with inside(world.kudi), refused(NotVisible):
        change(world.kudi, foreign, role=world.kudi.roles["compliance"])


class TestStates:
    @pytest.fixture
    def all_states(self, world: World) -> dict[str, Invitation]:
        kudi, now = world.kudi, timezone.now()
        with inside(kudi):
            made = {
                "waiting": invitation_for(kudi, first_name="Waiting"),
                "failed": invitation_for(kudi, first_name="Failed"),
                "expired": invitation_for(kudi, first_name="Expired", expires_at=now - timedelta(days=1)),
                "revoked": invitation_for(kudi, first_name="Revoked", revoked_at=now),
                "accepted": invitation_for(kudi, first_name="Accepted", accepted_at=now),
            }
            for times_sent, row in ((1, made["failed"]), (2, made["waiting"])):
                OutgoingEmail.objects.create(
                    organization=kudi.organization,
                    kind="teams/invitation",
                    dedupe_key=f"invitation:{row.pk}:{times_sent}",
                    recipient=row.email,
                    subject="Invitation",
                    state=OutgoingEmail.State.FAILED,
                )
        return made

    def test_rule_and_database_agree(self, world: World, all_states: dict[str, Invitation]) -> None:
        kudi = world.kudi
        with inside(kudi):
            for state, row in all_states.items():
                assert [found.pk for found in Invitation.objects.in_state(state)] == [row.pk], state
                assert Invitation.objects.with_delivery().get(pk=row.pk).state == state

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("", {"Waiting", "Failed", "Expired"}),
            ("waiting", {"Waiting"}),
            ("failed", {"Failed"}),
            ("expired", {"Expired"}),
            ("revoked", {"Revoked"}),
            ("accepted", {"Accepted"}),
            ("asked", set()),
            ("all", {"Waiting", "Failed", "Expired", "Revoked", "Accepted"}),
            ("nonsense", {"Waiting", "Failed", "Expired"}),
        ],
    )
    def test_the_tab_filters_by_them(
        self, world: World, all_states: dict[str, Invitation], query: str, names: set[str]
    ) -> None:
        response = world.kudi.client("admin").get(world.kudi.url(f"settings/members/?status=invited&state={query}"))
        assert {row.first_name for row in response.context["list"].rows} == names
        assert "Invited 3" in text(response)

    def test_nothing_secret_is_shown(self, world: World, all_states: dict[str, Invitation]) -> None:
        response = world.kudi.client("admin").get(world.kudi.url("settings/members/?status=invited&state=all"))
        page = response.content.decode()
        for row in all_states.values():
            assert row.nonce not in page
            assert make_token(row) not in page
        assert page.count("/resend/") == page.count("/revoke/") == 3


class TestPage:
    def test_the_journey(self, world: World, invitation: Invitation) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url(f"settings/invitations/{invitation.pk}/")
        page = text(client.get(url))
        for words in ("Change the invitation of Ngozi Eze", "Role", "Office", "stays valid until", "Update"):
            assert words in page, words
        assert "Super Admin" not in page.split("Role", 1)[1].split("Office")[0]
        data = {"role": kudi.roles["compliance"].pk, "office": kudi.other_branch.pk, "version": 1}
        response = client.post(url, data, follow=True)
        assert "Ngozi Eze is invited as Compliance in Kano T1. The link stays the same." in text(response)
        with inside(kudi):
            assert fresh(invitation).role == kudi.roles["compliance"]

    @pytest.mark.parametrize("field", ["role", "office"])
    def test_foreign_choices_are_refused(self, world: World, invitation: Invitation, field: str) -> None:
        kudi, rival = world.kudi, world.rival
        data = {"role": invitation.role_id, "office": invitation.office_id, "version": 1}
        data[field] = {"role": rival.roles["compliance"].pk, "office": rival.branch.pk}[field]
        with inside(kudi):
            before = rows()
        assert kudi.client("admin").post(kudi.url(f"settings/invitations/{invitation.pk}/"), data).status_code == 422
        with inside(kudi):
            assert rows() == before

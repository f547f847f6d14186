"""Removing a member for good, and leaving oneself: what ends, what stays, and who cannot go."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from audit.models import AuditEvent
from lendconsole.errors import NotVisible, PermissionMissing
from notifications.letters import Undeliverable, find_letter
from teams import services
from teams.errors import HoldsCustomers, MemberAboveActor, OwnMembership
from teams.invitation_links import Ticket
from teams.models import Member
from teams.services.admission import InvitationNotAcceptable, Standing, find_invitation, standing_of
from tests.pages import text
from tests.teams.support import extra_member, fresh, inside, invitation_for, mails, refused, rows, verbs
from tests.world import Lender, World


def removed(lender: Lender, key: str = "customer_support") -> Member:
    with inside(lender):
        return services.remove_member(actor=lender["admin"], member=lender[key])


class TestRemoving:
    def test_ends_access_at_once_and_is_told(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("customer_support")
        assert client.get(kudi.url()).status_code == 200
        gone = removed(kudi)
        assert (gone.status, gone.deactivated_at is not None) == ("removed", True)
        assert client.get(kudi.url()).status_code == 404
        removed(kudi)
        with inside(kudi):
            assert verbs() == ["member.removed"]
            [mail] = mails("teams/deactivated")
            assert mail.recipient == gone.user.email
            assert find_letter("teams/deactivated").build(mail) == {}
            Member.objects.filter(pk=gone.pk).update(status="active")
            with pytest.raises(Undeliverable):
                find_letter("teams/deactivated").build(mail)

    def test_leaves_no_trace_in_lists_and_one_in_history(self, world: World) -> None:
        kudi = world.kudi
        gone = removed(kudi)
        client = kudi.client("admin")
        for status in ("active", "deactivated", "removed"):
            assert gone.user.email not in text(client.get(kudi.url(f"settings/members/?status={status}")))
        assert gone.name in text(client.get(kudi.url("audit/")))
        for rest in ("", "sessions/", "deactivate/", "reactivate/"):
            assert client.get(kudi.url(f"settings/members/{gone.pk}/{rest}")).status_code == 404
        page = text(client.get(kudi.url(f"settings/members/{gone.pk}/profile/")))
        assert "Removed since" in page
        assert "Manage user" not in page
        assert kudi.client("no_users_unit").get(kudi.url(f"settings/members/{gone.pk}/profile/")).status_code == 404

    def test_nobody_acts_on_who_is_gone(self, world: World) -> None:
        kudi = world.kudi
        gone = removed(kudi)
        for service in (services.deactivate_member, services.reactivate_member, services.end_member_sessions):
            with inside(kudi), refused(NotVisible):
                service(actor=kudi["admin"], member=gone)
        with inside(kudi), refused(NotVisible):
            services.change_member(
                actor=kudi["admin"], member=gone, role=kudi.roles["compliance"], office=kudi.branch, version=2
            )
        with inside(kudi), refused(PermissionMissing):
            services.leave_organization(actor=gone)

    def test_the_invited_come_back_as_former_members(self, world: World) -> None:
        kudi = world.kudi
        gone = removed(kudi)
        with inside(kudi):
            facts = {"email": gone.user.email, "first_name": "Back", "last_name": "Again"}
            row = services.invite_member(actor=kudi["admin"], role=kudi.roles["compliance"], office=kudi.head, **facts)
            ticket = Ticket(row.pk, row.nonce)
            assert standing_of(find_invitation(ticket), ticket, gone.user) == Standing.FORMER_MEMBER
            back = services.accept_invitation(ticket=ticket, user=gone.user)
            assert (back.pk, back.status, back.deactivated_at) == (gone.pk, "active", None)
            assert (back.role, back.office) == (kudi.roles["compliance"], kudi.head)

    def test_invitations_they_sent_are_worth_nothing(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            inviter = extra_member(kudi, "admin")
            row = invitation_for(kudi, invited_by=inviter)
            services.remove_member(actor=kudi["super_admin"], member=inviter)
            with pytest.raises(InvitationNotAcceptable) as caught:
                services.accept_invitation(ticket=Ticket(row.pk, row.nonce), user=AnonymousUser())
            assert caught.value.standing == Standing.WITHDRAWN

    def test_who_was_deactivated_is_removed_without_another_mail(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            services.remove_member(actor=kudi["super_admin"], member=kudi["deactivated"])
            assert not mails("teams/deactivated")
            assert AuditEvent.objects.get().before == {"status": "Deactivated"}

    @pytest.mark.parametrize(
        ("actor", "target", "error"),
        [
            ("admin", "super_admin", MemberAboveActor),
            ("admin", "admin", OwnMembership),
            ("admin", "account_manager", HoldsCustomers),
            ("compliance", "loan_officer", PermissionMissing),
            ("account_manager", "loan_officer", NotVisible),
            ("deactivated", "loan_officer", PermissionMissing),
        ],
    )
    def test_refusals(self, world: World, actor: str, target: str, error: Any) -> None:
        kudi = world.kudi
        with inside(kudi), refused(error):
            services.remove_member(actor=kudi[actor], member=kudi[target])

    def test_members_of_another_lender_do_not_exist(self, world: World) -> None:
        with inside(world.kudi), refused(NotVisible):
            services.remove_member(actor=world.kudi["super_admin"], member=world.rival["compliance"])

    def test_the_page_asks_first_and_twice_is_once(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url(f"settings/members/{kudi['loan_officer'].pk}/remove/")
        assert "What they did stays on record" in text(client.get(url))
        key = uuid.uuid4()
        answers = [client.post(url, {"submission_key": key}) for _ in range(2)]
        assert [answer["Location"] for answer in answers] == [kudi.url("settings/members/")] * 2
        with inside(kudi):
            assert verbs() == ["member.removed"]
        holder = kudi.url(f"settings/members/{kudi['account_manager'].pk}/remove/")
        assert "account manager of 1 customer" in text(client.get(holder))
        assert client.post(holder).status_code == 422


class TestLeaving:
    def test_ends_the_own_access_and_nothing_else(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("customer_support"), kudi.url("membership/leave/")
        assert "Leave this organization" in text(client.get(kudi.url("membership/")))
        assert "Leave Kudi T1-Bank?" in text(client.get(url))
        response = client.post(url, {"name": "kudi  t1-bank"})
        assert response["Location"] == "/"
        assert client.get(kudi.url()).status_code == 404
        with inside(kudi):
            member = fresh(kudi["customer_support"])
            assert member.status == "removed"
            assert member.user.is_active
            assert verbs() == ["member.left"]
            assert not mails("teams/deactivated")

    @pytest.mark.parametrize("typed", ["", "Kudi", "yes"])
    def test_the_name_is_typed(self, world: World, typed: str) -> None:
        kudi = world.kudi
        with inside(kudi):
            before = rows()
        assert kudi.client("customer_support").post(kudi.url("membership/leave/"), {"name": typed}).status_code == 422
        with inside(kudi):
            assert rows() == before

    def test_not_while_holding_customers(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi), refused(HoldsCustomers):
            services.leave_organization(actor=kudi["account_manager"])
        assert "Ask an admin" in text(kudi.client("account_manager").get(kudi.url("membership/leave/")))

    def test_who_is_no_longer_active_has_nothing_to_leave(self, world: World) -> None:
        with inside(world.kudi), refused(PermissionMissing):
            services.leave_organization(actor=world.kudi["deactivated"])

"""Inviting several at once: reading lists and hostile files, the preview, the outcome of each row."""

from __future__ import annotations

import io
import uuid
from typing import Any
from unittest.mock import patch

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lendconsole.errors import PermissionMissing
from teams import services
from teams.errors import NobodyToInvite
from teams.invitation_lists import MOST_BYTES, MOST_ROWS, Line, ListRefused, as_csv, make_wishes, read_file, read_lines
from teams.models import Invitation
from tests.factories import RoleFactory
from tests.pages import text
from tests.teams.support import extra_member, inside, invitation_for, mails, refused, rows, verbs
from tests.world import Lender, World


class TestReading:
    @pytest.mark.parametrize(
        "written",
        [
            "Ngozi Eze <ngozi@example.com>",
            '"Ngozi Eze" <ngozi@example.com>,',
            "ngozi@example.com, Ngozi, Eze",
            "ngozi@example.com;Ngozi;Eze",
            "ngozi@example.com\tNgozi\tEze",
            "\r\n\r\nngozi@example.com, Ngozi, Eze\r\n",
            "e-mail,first name,last name\nngozi@example.com,Ngozi,Eze\n",
            "Last_Name;E-Mail;FIRST NAME;Shoe size\nEze;ngozi@example.com;Ngozi;38\n",
            'email,first name,last name\n"ngozi@example.com","Ngozi","Eze"\n\n',
        ],
    )
    def test_every_way_to_write_it(self, written: str) -> None:
        [line] = read_lines(written)
        assert (line.email, line.first_name, line.last_name) == ("ngozi@example.com", "Ngozi", "Eze")

    def test_roles_and_offices_come_with_csv(self) -> None:
        [line] = read_lines("e-mail,first name,last name,role,office\na@example.com,A,B,Admin,Ikeja")
        assert (line.role, line.office) == ("Admin", "Ikeja")
        assert read_lines(as_csv([line])) == [line]

    def test_what_was_read_comes_back_unchanged(self) -> None:
        line = Line(7, 'a"b@example.com', "A,B", "C\nD".replace("\n", " "), "=R", "O;P")
        assert read_lines(as_csv([line])) == [line]

    @pytest.mark.parametrize("written", ["", " \n\t\n", "e-mail,first name\n"])
    def test_an_empty_list_is_refused(self, written: str) -> None:
        with pytest.raises(ListRefused, match="empty"):
            read_lines(written)

    def test_long_lists_and_broken_csv_are_refused(self) -> None:
        assert len(read_lines("a@example.com\n" * MOST_ROWS)) == MOST_ROWS
        with pytest.raises(ListRefused, match="more than 200"):
            read_lines("a@example.com\n" * (MOST_ROWS + 1))
        with pytest.raises(ListRefused, match="cannot be read as CSV"):
            read_lines('e-mail,first name\n"a@example.com,b')
        with pytest.raises(ListRefused, match="columns"):
            read_lines("e-mail" + ",x" * 60 + "\na@example.com" + ",y" * 60)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("e-mail\na@example.com".encode("utf-16"), "UTF-16"),
            (b"PK\x03\x04" + b"x" * 100, "spreadsheet"),
            (b"\xd0\xcf\x11\xe0", "old spreadsheet"),
            (b"\x1f\x8b\x08", "compressed"),
            (b"%PDF-1.7", "PDF"),
            (b"e-mail\na@example.com\x00", "not a text file"),
            (b"e-mail\n\xff\xfe\xfd", "not UTF-8"),
            (b"a" * (MOST_BYTES + 1), "larger than 256 KB"),
        ],
    )
    def test_hostile_files_are_refused_in_plain_words(self, content: bytes, words: str) -> None:
        with pytest.raises(ListRefused, match=words) as caught:
            read_file(io.BytesIO(content))
        assert caught.value.field == "file"


def outcomes(lender: Lender, people: str, actor: str = "admin") -> list[str]:
    """The refusal of each row, by the preview."""
    wishes = make_wishes(lender[actor], read_lines(people), role=lender.roles["compliance"], office=lender.branch)
    return [outcome.refusal for outcome in services.check_invitations(actor=lender[actor], wishes=wishes)]


HEADER = "e-mail,first name,last name,role,office\n"


class TestPreview:
    def test_says_of_each_row_what_would_happen_and_changes_nothing(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            invitation_for(kudi, email="open@example.com")
            above = extra_member(kudi, "super_admin", status="deactivated")
            before = rows()
            found = outcomes(
                kudi,
                HEADER + "new@example.com,New,Person,,\n"
                "COMPLIANCE@kudi.example,C,Member,,\n"
                "open@example.com,Open,Person,,\n"
                "nobody,No,Body,,\n"
                "super@example.com,Su,Per,Super Admin,\n"
                "role@example.com,Ro,Le,Wizard,\n"
                f"office@example.com,Of,Fice,,{world.rival.branch.name}\n"
                "New@Example.com,New,Again,,\n"
                "noname@example.com,,,,\n"
                "link@example.com,http://evil.example,X,,\n"
                f"{above.user.email},Former,Boss,,\n"
                "kano@example.com,Ka,No,loan officer,KANO T1\n",
            )
            assert rows() == before
        for refusal, words in zip(
            found,
            [
                None,
                "already a team member",
                "already has an open invitation",
                "not a complete e-mail address",
                "allows more than yours",
                "no role called “Wizard”",
                "no office called “Ikeja T-2”",
                "line 2 already",
                "first name is missing",
                "a link",
                "Ask a Super Admin",
                None,
            ],
            strict=True,
        ):
            assert refusal == "" if words is None else words in refusal, refusal

    def test_respects_the_limit_of_the_inviter(self, world: World) -> None:
        with inside(world.kudi), patch("teams.services.invitations.PER_INVITER_AND_HOUR", 2):
            found = outcomes(world.kudi, "\n".join(f"a{n}@example.com, A, B" for n in range(3)))
        assert found[:2] == ["", ""]
        assert "last hour" in found[2]

    def test_offices_out_of_reach_are_none(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = RoleFactory(organization=kudi.organization, name="Lead", reaches={"members.invite": "office"})
            kudi.members["lead"] = extra_member(kudi, "", role=role)
            found = outcomes(kudi, HEADER + f"a@example.com,A,B,Lead,{kudi.other_branch.name}\n", "lead")
        assert "no office called" in found[0]


class TestInviting:
    def wishes(self, lender: Lender, people: str) -> list[Any]:
        return make_wishes(lender["admin"], read_lines(people), role=lender.roles["compliance"], office=lender.branch)

    def test_what_can_be_invited_is_and_the_rest_says_why(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            wishes = self.wishes(kudi, "a@example.com, A, B\nbad\nc@example.com, C, D\ncompliance@kudi.example, E, F")
            event = services.invite_members(actor=kudi["admin"], wishes=wishes)
            assert (event.after["invited"], event.after["not_invited"]) == (2, 2)
            assert {row.email for row in Invitation.objects.all()} == {"a@example.com", "c@example.com"}
            assert len(mails("teams/invitation")) == 2
            assert verbs() == ["member.invited", "member.invited", "members.invited"]

    def test_a_list_of_refusals_changes_nothing(self, world: World) -> None:
        with inside(world.kudi), refused(NobodyToInvite):
            services.invite_members(actor=world.kudi["admin"], wishes=self.wishes(world.kudi, "bad\nworse"))

    @pytest.mark.parametrize("actor", ["compliance", "account_manager", "no_users_unit", "deactivated"])
    def test_without_the_permission_nobody_invites(self, world: World, actor: str) -> None:
        kudi = world.kudi
        for service in (services.invite_members, services.check_invitations):
            with inside(kudi), refused(PermissionMissing):
                service(actor=kudi[actor], wishes=self.wishes(kudi, "a@example.com, A, B"))

    def test_roles_and_offices_of_another_lender_are_refused(self, world: World) -> None:
        kudi, rival = world.kudi, world.rival
        lines = read_lines("a@example.com, A, B")
        for role, office in ((rival.roles["compliance"], kudi.branch), (kudi.roles["compliance"], rival.branch)):
            with inside(kudi), refused(NobodyToInvite):
                wishes = make_wishes(kudi["admin"], lines, role=role, office=office)
                services.invite_members(actor=kudi["admin"], wishes=wishes)


class TestPages:
    PEOPLE = "Ngozi Eze <ngozi@example.com>\nbad"

    def data(self, lender: Lender, **changes: object) -> dict[str, object]:
        return {
            "people": self.PEOPLE,
            "role": lender.roles["compliance"].pk,
            "office": lender.branch.pk,
            **changes,
        }

    def test_the_journey(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url("settings/members/invite/several/")
        page = client.get(url)
        assert "Nobody is invited before" in text(page)
        assert "Ngozi Eze &lt;ngozi@example.com&gt;" in page.content.decode()
        page = client.post(url, self.data(kudi, preview="1"))
        for words in ("1 of 2 can be invited", "Ready", "Left out", "Invite 1 member"):
            assert words in text(page), words
        with inside(kudi):
            assert not Invitation.objects.exists()
        again = {"people": page.context["people"], "submission_key": page.context["preview_key"], "invite": "1"}
        response = client.post(url, self.data(kudi, **again), follow=True)
        for words in ("1 member is invited.", "1 invited, 1 left out", "ngozi@example.com", "not a complete e-mail"):
            assert words in text(response), words
        assert "invitation/kudi" not in response.content.decode()

    def test_pressed_twice_invites_once(self, world: World) -> None:
        kudi = world.kudi
        client, url, key = kudi.client("admin"), kudi.url("settings/members/invite/several/"), uuid.uuid4()
        answers = [client.post(url, self.data(kudi, submission_key=key, invite="1")) for _ in range(2)]
        assert answers[0].status_code == answers[1].status_code == 302
        assert answers[0]["Location"] == answers[1]["Location"]
        with inside(kudi):
            assert Invitation.objects.count() == len(mails("teams/invitation")) == 1

    def test_a_file_is_previewed_the_same_way(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url("settings/members/invite/several/")
        content = HEADER + f"ngozi@example.com,Ngozi,Eze,Loan Officer,{kudi.other_branch.name}\n"
        page = client.post(url, {"file": SimpleUploadedFile("team.csv", content.encode("utf-8-sig"))})
        [outcome] = page.context["outcomes"]
        assert outcome.refusal == ""
        assert (outcome.wish.role.name, outcome.wish.office.name) == ("Loan Officer", "Kano T1")

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04zip", b"\x00\x01", b"a" * (MOST_BYTES + 1)])
    def test_hostile_files_are_explained_beside_the_field(self, world: World, content: bytes) -> None:
        kudi = world.kudi
        url = kudi.url("settings/members/invite/several/")
        page = kudi.client("admin").post(url, {"file": SimpleUploadedFile("x.csv", content)})
        assert page.status_code == 422
        assert page.context["form"].errors["file"]

    @pytest.mark.parametrize("field", ["role", "office"])
    def test_foreign_choices_are_refused(self, world: World, field: str) -> None:
        kudi, rival = world.kudi, world.rival
        foreign = {"role": rival.roles["compliance"].pk, "office": rival.branch.pk}[field]
        data = self.data(kudi, **{field: foreign}, invite="1")
        assert kudi.client("admin").post(kudi.url("settings/members/invite/several/"), data).status_code == 422
        with inside(kudi):
            assert not Invitation.objects.exists()

    def test_the_outcome_is_for_the_inviter_and_those_above(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = RoleFactory(organization=kudi.organization, name="Lead", reaches={"members.invite": "office"})
            kudi.members["lead"] = extra_member(kudi, "", role=role)
        response = kudi.client("admin").post(kudi.url("settings/members/invite/several/"), self.data(kudi, invite="1"))
        assert kudi.client("super_admin").get(response["Location"]).status_code == 200
        assert kudi.client("lead").get(response["Location"]).status_code == 404
        assert kudi.client("compliance").get(response["Location"]).status_code == 403

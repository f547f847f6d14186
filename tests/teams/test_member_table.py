"""The table of members: last seen, order, and the file that holds exactly what the filters show."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.spreadsheets import safe_cell
from audit.models import AuditEvent
from teams.models import Member
from tests.factories import RoleFactory, UserFactory
from tests.teams.support import extra_member, inside, rows
from tests.world import Lender, World


def exported(lender: Lender, query: str = "", role: str = "admin") -> list[dict[str, str]]:
    response = lender.client(role).get(lender.url(f"settings/members/export/?{query}"))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="kudi-members-')
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


def shown(lender: Lender, query: str = "", role: str = "admin") -> list[Any]:
    return list(lender.client(role).get(lender.url(f"settings/members/?{query}")).context["list"].rows)


@pytest.fixture
def kudi(world: World) -> Lender:
    lender, now = world.kudi, timezone.now()
    with inside(lender):
        for name, seen in (("Week", now - timedelta(days=3)), ("Month", now - timedelta(days=40)), ("Never", None)):
            extra_member(lender, "compliance", user=UserFactory(first_name=name, last_name="Seen"), last_seen_at=seen)
    return lender


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("last_seen=week", {"Week Seen"}),
        ("last_seen=month", {"Month Seen", "Never Seen"}),
        ("last_seen=never", {"Never Seen"}),
        ("last_seen=sometimes", {"Week Seen", "Month Seen", "Never Seen"}),
    ],
)
def test_filters_by_last_seen(kudi: Lender, query: str, names: set[str]) -> None:
    assert {row.name for row in shown(kudi, f"q=seen&{query}")} == names


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("name", lambda row: row.name.lower()),
        ("role", lambda row: row.role.name),
        ("office", lambda row: row.office.name),
        ("nonsense", lambda row: row.name.lower()),
    ],
)
def test_sorts_both_ways(kudi: Lender, sort: str, key: Any) -> None:
    for sign in ("", "-") if sort != "nonsense" else ("",):
        keys = [key(row) for row in shown(kudi, f"sort={sign}{sort}")]
        assert keys == sorted(keys, reverse=bool(sign)), sign


@pytest.mark.parametrize("page", ["0", "-1", "x", "%D9%A3", "9" * 30, "99999"])
def test_a_page_that_cannot_be_is_the_first(kudi: Lender, page: str) -> None:
    assert shown(kudi, f"page={page}") == shown(kudi)


def test_never_seen_is_the_longest_ago(kudi: Lender) -> None:
    assert [row.name for row in shown(kudi, "q=seen&sort=seen")] == ["Never Seen", "Month Seen", "Week Seen"]
    assert [row.name for row in shown(kudi, "q=seen&sort=-seen")] == ["Week Seen", "Month Seen", "Never Seen"]


class TestExport:
    @pytest.mark.parametrize("query", ["", "q=seen", "status=deactivated", "q=seen&last_seen=month&sort=-name"])
    def test_is_exactly_what_the_filters_show(self, kudi: Lender, query: str) -> None:
        assert [row["E-mail"] for row in exported(kudi, query)] == [row.user.email for row in shown(kudi, query)]

    def test_goes_over_all_pages(self, kudi: Lender) -> None:
        with inside(kudi):
            for _ in range(55):
                extra_member(kudi, "compliance")
            count = Member.objects.filter(status="active").count()
        assert len(exported(kudi)) == count > 60

    def test_knows_the_reader_and_the_lender(self, kudi: Lender) -> None:
        with inside(kudi):
            role = RoleFactory(organization=kudi.organization, name="Lead", reaches={"members.view": "office"})
            kudi.members["lead"] = extra_member(kudi, "", role=role, office=kudi.other_branch)
        found = {row["E-mail"] for row in exported(kudi, role="lead")}
        assert found == {kudi["lead"].user.email, kudi["other_manager"].user.email}
        assert not [row for row in exported(kudi) if "T-2" in str(row)]

    def test_is_audited_with_its_filters(self, kudi: Lender) -> None:
        exported(kudi, "q=seen&last_seen=never")
        with inside(kudi):
            event = AuditEvent.objects.get(verb="members.exported")
            assert event.after == {
                "members": 1,
                "filters": {"Status": "Active", "Search": "seen", "Last seen": "Never"},
            }

    def test_is_refused_without_the_permission(self, kudi: Lender) -> None:
        with inside(kudi):
            before = list(rows()["AuditEvent"])
        assert kudi.client("account_manager").get(kudi.url("settings/members/export/")).status_code == 403
        with inside(kudi):
            after = [row for row in rows()["AuditEvent"] if row["verb"] != "access.refused"]
            assert after == before

    def test_nothing_in_it_is_a_formula(self, kudi: Lender) -> None:
        with inside(kudi):
            for number, start in enumerate(("=", "+", "-", "@", "\t=")):
                extra_member(
                    kudi, "compliance", user=UserFactory(first_name=f"{start}1+1{number}", last_name='"Formula,')
                )
        found = exported(kudi, "q=formula")
        assert len(found) == 5
        assert all(row["Name"].startswith("'") for row in found)

    @pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\x00x", " =1"])
    def test_cells(self, value: str) -> None:
        assert safe_cell(value) == f"'{value}"
        assert safe_cell("Ada = B") == "Ada = B"

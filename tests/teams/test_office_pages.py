"""The pages of offices: the tree, forms, refusals, and the same number of statements for few and for many."""

from __future__ import annotations

import pytest

from teams import office_pages
from teams.models import Office
from tests import factories
from tests.pages import statements, text
from tests.teams.support import extra_member, fresh, inside
from tests.world import World


class TestOffices:
    def test_the_tree(self, world: World) -> None:
        kudi = world.kudi
        response = kudi.client("admin").get(kudi.url("settings/offices/"))
        rows = response.context["tree"].rows
        assert [row.office.name for row in rows] == ["Head Office T1", "Ikeja T1", "Kano T1"]
        assert [(row.members.counted, row.all_members.counted) for row in rows] == [(0, 8), (7, 7), (1, 1)]
        assert [(str(row.customers), str(row.all_customers)) for row in rows] == [("0", "4"), ("2", "2"), ("2", "2")]
        page = text(response)
        assert "New office" in page
        assert "T-2" not in page
        page = text(kudi.client("compliance").get(kudi.url("settings/offices/")))
        assert "New office" not in page

    def test_costs_the_same_for_few_and_for_many(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url("settings/offices/")
        client.get(url)
        few = len(statements(client, url))
        with inside(kudi):
            for _ in range(25):
                factories.OfficeFactory(organization=kudi.organization, parent=kudi.branch)
        assert len(statements(client, url)) == few
        assert few <= 8

    def test_add_and_edit(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        data: dict[str, object] = {"name": "Recovery", "type": "team", "parent": kudi.branch.pk, "description": ""}
        response = client.post(kudi.url("settings/offices/new/"), data, follow=True)
        assert "The office Recovery is there." in text(response)
        with inside(kudi):
            office = Office.objects.get(name="Recovery")
        url = kudi.url(f"settings/offices/{office.pk}/")
        assert 'value="Recovery"' in client.get(url).content.decode()
        officer = kudi["loan_officer"]
        response = client.post(
            url,
            {**data, "name": "Recoveries", "head": officer.pk, "description": "By phone", "version": 1},
            follow=True,
        )
        page = text(response)
        assert all(
            words in page for words in ("Recoveries", "By phone", officer.name, f"works in {officer.office.name}")
        )

    def test_below_each_other_with_what_is_searched_for(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            team = factories.OfficeFactory(organization=kudi.organization, name="Recovery <b>", parent=kudi.branch)
            factories.OfficeFactory(organization=kudi.organization, name="Kaduna", parent=team, is_active=False)
        client, url = kudi.client("admin"), kudi.url("settings/offices/")

        def shown(**query: str) -> list[str]:
            return [row.office.name for row in client.get(url, query).context["tree"].rows]

        page = client.get(url, {"q": "cover"}).content.decode()
        assert "Re<mark>cover</mark>y &lt;b&gt;" in page
        assert shown(q="COVER") == ["Head Office T1", "Ikeja T1", "Recovery <b>"]
        assert shown(q="kaduna") == []
        assert "No office of this name" in text(client.get(url, {"q": "kaduna"}))
        assert shown(state="deactivated") == ["Head Office T1", "Ikeja T1", "Recovery <b>", "Kaduna"]
        assert shown(state="deactivated", q="ikeja") == []
        assert shown(fold="closed") == ["Head Office T1"]
        assert shown(fold="closed", toggled=f"{kudi.head.pk}") == ["Head Office T1", "Ikeja T1", "Kano T1"]
        assert shown(toggled=f"{kudi.branch.pk}.x.99999999999999999999") == ["Head Office T1", "Ikeja T1", "Kano T1"]
        assert len(shown(fold="maybe", toggled="x", state="x")) == 4
        assert 'aria-expanded="false"' in client.get(url, {"fold": "closed"}).content.decode()

    def test_counts_no_further_than_it_says(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        kudi = world.kudi
        with inside(kudi):
            tree = office_pages.office_tree(kudi["admin"], {})
            assert [str(row.all_customers) for row in tree.rows] == ["4", "2", "2"]
            rows = Office.objects.for_organization(kudi.organization).with_counts(0).order_by("pk")
            assert [row.customer_count for row in rows] == [0, 1, 1]
        assert str(office_pages.Amount(10_000, True) + office_pages.Amount(2)) == "10,002+"

    def test_refusals_stand_at_their_field(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        url = kudi.url(f"settings/offices/{kudi.branch.pk}/")
        data: dict[str, object] = {"name": "Ikeja T1", "type": "branch", "version": 1}
        for field, value, words in (
            ("name", "kano t1", "There is already an office called kano t1."),
            ("head", kudi["deactivated"].pk, "This choice is not available."),
            ("head", world.rival["admin"].pk, "This choice is not available."),
            ("type", "castle", "This choice is not available."),
        ):
            response = client.post(url, {**data, field: value})
            assert response.status_code == 422
            assert words in text(response)
        assert "Only a head office stands on its own." in text(
            client.post(kudi.url(f"settings/offices/{kudi.head.pk}/"), {**data, "name": "Head Office T1"})
        )
        assert client.get(kudi.url(f"settings/offices/{world.rival.branch.pk}/")).status_code == 404
        assert kudi.client("compliance").get(url).status_code == 403

    def test_who_sees_no_members_leaves_the_head_alone(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = factories.RoleFactory(
                organization=kudi.organization,
                reaches={"offices.view": "organization", "offices.manage": "organization"},
            )
            kudi.members["keeper"] = extra_member(kudi, "", role=role)
            Office.objects.filter(pk=kudi.branch.pk).update(head=kudi["loan_officer"])
        client, url = kudi.client("keeper"), kudi.url(f"settings/offices/{kudi.branch.pk}/")
        assert "Head of office" not in text(client.get(url))
        assert client.post(url, {"name": "Ikeja Road", "type": "branch", "version": 1}).status_code == 302
        with inside(kudi):
            office = fresh(kudi.branch)
        assert (office.name, office.head_id) == ("Ikeja Road", kudi["loan_officer"].pk)

    def test_reactivate(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            closed = factories.OfficeFactory(
                organization=kudi.organization, name="Kaduna", parent=kudi.head, is_active=False
            )
        client, url = kudi.client("admin"), kudi.url(f"settings/offices/{closed.pk}/reactivate/")
        assert "opens again below Head Office T1" in text(client.get(url))
        assert "Kaduna is active again." in text(client.post(url, follow=True))

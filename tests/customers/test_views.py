"""Saved views of the list, private and shared, and the columns that a member chooses."""

from __future__ import annotations

import csv
import io
import re

import pytest

from audit.models import AuditEvent
from customers.errors import NoColumns, TooManyViews, ViewNameTaken
from customers.models import Export, SavedView
from customers.services import views
from customers.services.views import change_view, choose_columns, delete_view, find_view, save_view
from customers.tasks import make_export
from lendconsole.errors import NotVisible, PermissionMissing
from lendconsole.tenancy import organization_context
from tests.customers.pages import HTMX, content_of, hide_secrets_in, words
from tests.pages import statements
from tests.world import Lender, World


def save(lender: Lender, role: str = "account_manager", **facts: object) -> SavedView:
    with organization_context(lender.organization.pk):
        return save_view(
            actor=lender[role], **{"name": "My view", "is_shared": False, "query": "status=active", **facts}
        )


def listed(lender: Lender, role: str) -> list[str]:
    context = lender.client(role).get(lender.url("customers/")).context
    return [view.name for view, _ in context["saved_views"]]


def headings(lender: Lender, role: str, query: str = "") -> list[str]:
    html = words(lender.client(role).get(lender.url(f"customers/{query}")))
    head = html.partition("<thead>")[2].partition("</thead>")[0]
    return [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<th .*?</th>", head)]


def test_a_private_view_is_its_owners_alone(world: World) -> None:
    kudi = world.kudi
    view = save(kudi)
    assert listed(kudi, "account_manager") == ["My view"]
    assert listed(kudi, "admin") == []
    with organization_context(kudi.organization.pk):
        for role in ("admin", "other_manager"):
            with pytest.raises(NotVisible):
                find_view(kudi[role], view.pk)
    assert kudi.client("admin").get(kudi.url(f"customers/views/{view.pk}/edit/")).status_code == 404


def test_a_shared_view_is_everybodys_and_its_owners_or_an_admins_to_change(world: World) -> None:
    kudi = world.kudi
    view = save(kudi, is_shared=True)
    for role in ("admin", "other_manager", "customer_support"):
        assert listed(kudi, role) == ["My view"]
    assert "shared by Account T1-Staff" in words(kudi.client("admin").get(kudi.url("customers/")))
    address = kudi.url(f"customers/views/{view.pk}/edit/")
    response = kudi.client("other_manager").get(address)
    assert response.status_code == 403
    assert "Account T1-Staff saved this view." in words(response)
    with organization_context(kudi.organization.pk):
        for act in (change_view, delete_view):
            facts = {"name": "Else", "is_shared": True} if act is change_view else {}
            with pytest.raises(PermissionMissing):
                act(actor=kudi["other_manager"], view=view, **facts)
        change_view(actor=kudi["admin"], view=view, name="Renamed", is_shared=True)
        assert SavedView.objects.get(pk=view.pk).member == kudi["account_manager"]
        delete_view(actor=kudi["admin"], view=view)
        assert not SavedView.objects.filter(pk=view.pk).exists()


def logged(lender: Lender) -> list[tuple[str, str, str]]:
    """The verb and the view of each line about views, with who did it."""
    with organization_context(lender.organization.pk):
        events = AuditEvent.objects.filter(verb__startswith="view.").order_by("pk")
        return [(event.verb, event.target_label, event.actor_label.partition(" ")[0]) for event in events]


def test_what_becomes_of_a_shared_view_is_audited(world: World) -> None:
    kudi, admin = world.kudi, world.kudi["admin"]
    view = save(kudi, is_shared=True, query="q=Grace+Etim")
    with organization_context(kudi.organization.pk):
        for name, is_shared in (("Renamed", True), ("Renamed", True), ("Renamed", False)):
            change_view(actor=kudi["account_manager"], view=view, name=name, is_shared=is_shared)
        change_view(actor=kudi["account_manager"], view=view, name="Again", is_shared=True)
        delete_view(actor=admin, view=view)
        renamed = AuditEvent.objects.get(verb="view.changed")
        assert (renamed.before, renamed.after) == ({"name": "My view"}, {"name": "Renamed"})
        assert "Grace" not in str([event.__dict__ for event in AuditEvent.objects.all()])
    assert logged(kudi) == [
        ("view.shared", "My view", "Account"),
        ("view.changed", "Renamed", "Account"),
        ("view.withdrawn", "Renamed", "Account"),
        ("view.shared", "Again", "Account"),
        ("view.deleted", "Again", "Admin"),
    ]


def test_a_private_view_and_a_refused_act_leave_no_line(world: World) -> None:
    kudi = world.kudi
    view, shared = save(kudi), save(kudi, "admin", is_shared=True)
    before = logged(kudi)
    with organization_context(kudi.organization.pk):
        change_view(actor=kudi["account_manager"], view=view, name="Renamed", is_shared=False)
        delete_view(actor=kudi["account_manager"], view=view)
        for act in (
            lambda: delete_view(actor=kudi["other_manager"], view=shared),
            lambda: change_view(actor=kudi["other_manager"], view=shared, name="Mine", is_shared=False),
        ):
            with pytest.raises(PermissionMissing):
                act()
    assert logged(kudi) == before == [("view.shared", "My view", "Admin")]


def test_views_of_another_lender_do_not_exist(world: World) -> None:
    view = save(world.rival, is_shared=True)
    kudi = world.kudi
    assert listed(kudi, "admin") == []
    for page in ("edit", "delete"):
        assert kudi.client("admin").get(kudi.url(f"customers/views/{view.pk}/{page}/")).status_code == 404


def test_a_role_that_finds_nobody_saves_nothing(world: World) -> None:
    kudi = world.kudi
    with pytest.raises(PermissionMissing):
        save(kudi, "no_users_unit")
    with organization_context(kudi.organization.pk), pytest.raises(PermissionMissing):
        choose_columns(actor=kudi["no_users_unit"], columns=["phone"])


def test_names_are_used_once_by_each(world: World) -> None:
    kudi = world.kudi
    view = save(kudi)
    save(kudi, "admin")
    with pytest.raises(ViewNameTaken):
        save(kudi, name="MY VIEW")
    other = save(kudi, name="Other")
    with organization_context(kudi.organization.pk):
        change_view(actor=kudi["account_manager"], view=view, name="my VIEW", is_shared=False)
        with pytest.raises(ViewNameTaken):
            change_view(actor=kudi["account_manager"], view=other, name="My view", is_shared=False)


def test_a_member_saves_so_many_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_VIEWS", 2)
    with organization_context(world.kudi.organization.pk):
        choose_columns(actor=world.kudi["account_manager"], columns=["phone"])
    for number in range(2):
        save(world.kudi, name=f"View {number}")
    with pytest.raises(TooManyViews):
        save(world.kudi, name="One more")


def test_a_view_keeps_filters_order_and_columns_but_no_page(world: World) -> None:
    view = save(world.kudi, query="q=oka&status=active&sort=-joined&columns=phone,email&after=abc&page=3&office=")
    assert view.query == "q=oka&status=active&sort=-joined&columns=phone%2Cemail"


def test_saving_and_opening_a_view(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("account_manager")
    client.post(kudi.url("customers/columns/"), {"column": ["email", "segment"]})
    page = words(client.get(kudi.url("customers/?account_manager=me&sort=-name")))
    address = re.search(r'href="([^"]*views/save/[^"]*)"', page)
    assert address
    form = client.get(address[1].replace("&amp;", "&"), headers=HTMX)
    assert "Save this view" in words(form)
    response = client.post(
        address[1].replace("&amp;", "&"), {"name": "Mine, backwards", "is_shared": "on"}, follow=True
    )
    assert "The view “Mine, backwards” is saved and shared with everybody here." in words(response)
    with organization_context(kudi.organization.pk):
        view = SavedView.objects.named().get()
    assert view.query == "account_manager=me&sort=-name&columns=email%2Csegment"
    assert headings(kudi, "other_manager", f"?{view.query}")[1:3] == ["E-mail", "Segment"]


def test_renaming_and_deleting_on_pages(world: World) -> None:
    kudi = world.kudi
    view, client = save(kudi), kudi.client("account_manager")
    edited = client.post(kudi.url(f"customers/views/{view.pk}/edit/"), {"name": "New name"}, follow=True)
    assert "The view “New name” is saved." in words(edited)
    deleted = client.post(kudi.url(f"customers/views/{view.pk}/delete/"), follow=True)
    assert "The view “New name” is deleted." in words(deleted)
    assert listed(kudi, "account_manager") == []


def test_columns_are_remembered_by_each_member(world: World) -> None:
    kudi = world.kudi
    everything = ["Customer", "Phone", "Office", "Account manager", "Status", "Joined", "Actions"]
    assert headings(kudi, "admin") == everything
    response = kudi.client("admin").post(
        kudi.url("customers/columns/"),
        {"column": ["status", "email", "nonsense"], "list": "status=pending&columns=phone&page=2"},
    )
    assert response["Location"] == kudi.url("customers/?status=pending")
    assert headings(kudi, "admin") == ["Customer", "E-mail", "Status", "Actions"]
    assert headings(kudi, "compliance") == everything
    assert headings(kudi, "admin", "?columns=joined,office") == ["Customer", "Office", "Joined", "Actions"]
    assert headings(kudi, "admin", "?columns=nonsense") == ["Customer", "E-mail", "Status", "Actions"]


def test_a_list_has_at_least_one_column(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk), pytest.raises(NoColumns):
        choose_columns(actor=kudi["admin"], columns=["nonsense"])
    response = kudi.client("admin").post(kudi.url("customers/columns/"), {}, follow=True)
    assert "Choose at least one column." in words(response)


def test_columns_of_cards_stay_masked(world: World) -> None:
    kudi = world.kudi
    hide_secrets_in(kudi, "distant")
    html = words(kudi.client("customer_support").get(kudi.url("customers/?q=distant&columns=phone,email,segment")))
    table = html.partition("<tbody>")[2]
    assert "0803 *** **81" in table
    assert "s***@m***.example" in table
    assert "Special risk" not in table
    assert "secret" not in table


def test_an_export_has_the_columns_of_the_list(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("admin")
    client.post(kudi.url("customers/columns/"), {"column": ["status", "segment"]})
    address = re.search(r'href="([^"]*/customers/export/[^"]*)"', words(client.get(kudi.url("customers/?q=own"))))
    assert address
    location = client.post(address[1].replace("&amp;", "&"), {"format": "csv"})["Location"]
    pk = int(location.rstrip("/").rpartition("/")[2])
    assert make_export(kudi.organization.pk, pk)
    with organization_context(kudi.organization.pk):
        content = content_of(Export.objects.select_related("file").get(pk=pk))
    header, row, _ = csv.reader(io.StringIO(content))
    assert header == ["Customer number", "First name", "Last name", "Segment", "Status"]
    assert row == [kudi.customers["own"].number, "Own", "T1-Borrower", "Standard", "Pending"]


def test_views_cost_one_statement_however_many(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("admin")
    client.get(kudi.url("customers/"))
    few = len(statements(client, kudi.url("customers/")))
    for number in range(20):
        save(kudi, name=f"View {number}", is_shared=True)
    assert len(statements(client, kudi.url("customers/"))) == few <= 8

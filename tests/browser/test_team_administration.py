"""A day of an admin: inviting many, renewing links, shaping roles, moving people, and what those people notice."""

from __future__ import annotations

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from lendconsole.tenancy import organization_context
from teams.capabilities import Capability
from teams.invitation_links import invitation_url
from teams.models import Invitation, Member, Role
from tests import factories
from tests.browser.conftest import Newcomer
from tests.browser.person import Person
from tests.stack import Mailbox, text_of
from tests.world import Lender


def row_of(person: Person, name: str) -> str:
    """What stands in the table's row of that name, on one line."""
    here = person.page.locator(".cell-main", has_text=name)
    return " ".join(person.rows.filter(has=here).inner_text().split())


def link_in(text: str) -> str:
    return "/" + next(word for word in text.split() if word.startswith("http")).split("/", 3)[3]


def test_several_people_are_invited_at_once(kudi: Lender, browser: Newcomer, mailbox: Mailbox) -> None:
    ada = browser().sign_in(kudi["admin"])
    ada.open(kudi.url("settings/members/"))
    ada.follow("Invite several")
    ada.fill("People", "Ngozi Eze <ngozi@mail.example>\nnobody at all\nbisi@mail.example, Bisi, Ogunleye")
    ada.choose("Role", "Loan Officer")
    ada.choose("Office", kudi.branch.name)
    ada.press("Preview")

    ada.heading("Preview: 2 of 3 can be invited")
    assert "Ready" in row_of(ada, "Ngozi Eze")
    assert "Left out This is not a complete e-mail address" in row_of(ada, "nobody at all")
    assert mailbox.messages == []
    ada.press("Invite 2 members")

    ada.is_told("2 members are invited. The e-mails are on their way.")
    ada.heading("Invited together")
    assert row_of(ada, "Bisi Ogunleye").endswith(f"Loan Officer {kudi.branch.name} 3 Invited")
    assert "Left out" in row_of(ada, "nobody at all")
    for address in ("ngozi@mail.example", "bisi@mail.example"):
        assert kudi.organization.name in text_of(mailbox.wait_for(address, "invites you"))


def test_an_expired_link_is_renewed_on_request(kudi: Lender, browser: Newcomer, mailbox: Mailbox) -> None:
    ada, ngozi = browser(), browser()
    with organization_context(kudi.organization.pk):
        invitation: Invitation = factories.InvitationFactory(
            organization=kudi.organization,
            first_name="Ngozi",
            last_name="Eze",
            role=kudi.roles["loan_officer"],
            office=kudi.branch,
            invited_by=kudi["admin"],
            expires_at=timezone.now() - timedelta(days=1),
        )
        old_link = "/" + invitation_url(invitation).split("/", 3)[3]
    with ngozi.refused(410):
        ngozi.open(old_link)
        ngozi.press("Ask for a new one")
        ngozi.sees("You asked for a new one")
    ngozi.shoot("asked-for-a-new-link")

    request = text_of(mailbox.wait_for(kudi["admin"].user.email, "asks for a new invitation"))
    ada.sign_in(kudi["admin"]).open(link_in(request))
    assert "Asked for a new link" in row_of(ada, "Ngozi Eze")
    ada.more("Ngozi Eze", "Resend")
    ada.press("Resend", within=ada.place)
    ada.is_told(f"A new link is on its way to {invitation.email}. The former one no longer works.")
    ada.follow("Clear all")
    assert "Waiting" in row_of(ada, "Ngozi Eze")

    new_link = link_in(text_of(mailbox.wait_for(invitation.email, "invite")))
    with ngozi.refused(410):
        ngozi.open(old_link)
    ngozi.sees("A newer link was sent")
    ngozi.open(new_link)
    ngozi.heading(f"Join {kudi.organization.name}")


def test_a_cloned_role_is_widened_with_the_keyboard(kudi: Lender, browser: Newcomer) -> None:
    ada, femi, officer = browser(), browser(), kudi["loan_officer"]
    remote = kudi.customers["remote"]
    ada.sign_in(kudi["admin"]).open(kudi.url("settings/roles/"))
    ada.more("Loan Officer", "Clone")
    ada.fill("Name", "Roaming Officer")
    ada.press("Clone", within=ada.place)
    ada.heading("Edit Roaming Officer")
    ada.sees("Nothing changes for anybody.")
    with organization_context(kudi.organization.pk):
        clone = Role.objects.get(name="Roaming Officer")
        Member.objects.filter(pk=officer.pk).update(role=clone)
    femi.sign_in(officer).open(kudi.url(f"customers/{remote.pk}/"))
    femi.sees("You see the card of this customer")

    press = ada.page.keyboard.press
    tab_to(ada, "input[name=customers_view]")
    press("ArrowRight")
    effects = ada.page.locator("#effects")
    expect(effects).to_contain_text("1 more customer can be opened in full by 1 person.")
    expect(effects).to_contain_text(
        "“Open full profiles” widens from own office to the whole organization for 1 person."
    )
    tab_to(ada, "#effects summary")
    press("Enter")
    expect(effects.get_by_text(f"{officer.name}, {officer.office.name}: 1")).to_be_visible()
    ada.shoot("role-dry-run")
    tab_to(ada, "button[type=submit]:not([name])")
    press("Enter")
    ada.is_told("The role Roaming Officer is saved.")

    femi.page.reload()
    femi.sees(remote.address)


def tab_to(person: Person, selector: str) -> None:
    """With nothing but the Tab key."""
    for _ in range(80):
        person.page.keyboard.press("Tab")
        if person.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"The Tab key does not lead to {selector}.")


def test_roles_are_compared_and_one_is_replaced(kudi: Lender, browser: Newcomer) -> None:
    ada, role = browser().sign_in(kudi["admin"]), kudi.roles["no_users_unit"]
    ada.open(kudi.url("settings/roles/"))
    ada.follow(role.name)
    ada.choose("Compare with", "Compliance")
    line = ada.page.get_by_role("row", name=re.compile(Capability.AUDIT_VIEW.label))
    expect(line).to_contain_text(re.compile(r"differs\s+No\s*Yes"))
    expect(ada.page.get_by_role("row", name=re.compile(Capability.MEMBERS_VIEW.label))).not_to_contain_text("differs")

    ada.follow("Delete")
    ada.heading(f"Delete {role.name}")
    ada.choose("Role that takes its place", "Compliance")
    expect(ada.place.locator("#effects")).to_contain_text("4 more customers become visible to 1 person.")
    ada.press("Delete role", within=ada.place)
    ada.is_told(f"The role {role.name} is deleted. Everybody who had it is now Compliance.")
    expect(ada.rows.filter(has_text=role.name)).to_have_count(0)
    ada.open(kudi.url("settings/members/"))
    assert "Compliance" in row_of(ada, kudi["no_users_unit"].name)


def test_two_members_move_to_another_office_together(kudi: Lender, browser: Newcomer) -> None:
    ada, names = browser().sign_in(kudi["admin"]), [kudi[key].name for key in ("loan_officer", "customer_support")]
    ada.open(kudi.url("settings/members/"))
    for name in names:
        ada.page.get_by_label(f"Choose {name}").check()
    ada.press("Change the chosen members")
    ada.choose("Office", kudi.other_branch.name)
    ada.press("Preview")
    ada.heading(f"2 members move to {kudi.other_branch.name}")
    for name in names:
        assert row_of(ada, name).endswith("Ready")
    ada.press("Change 2 members")
    ada.is_told(f"2 members are now in {kudi.other_branch.name}.")
    for name in names:
        assert kudi.other_branch.name in row_of(ada, name)


def test_a_removed_member_is_out_on_the_next_click(kudi: Lender, browser: Newcomer) -> None:
    ada, femi, officer = browser(), browser(), kudi["loan_officer"]
    femi.sign_in(officer)
    ada.sign_in(kudi["admin"]).open(kudi.url("settings/members/"))
    ada.more(officer.name, "Remove")
    ada.heading(f"Remove {officer.name}?")
    ada.press("Remove", within=ada.place)
    ada.is_told(f"{officer.name} is no longer a team member of {kudi.organization.name}.")
    expect(ada.rows.filter(has_text=officer.name)).to_have_count(0)

    with femi.refused(404):
        femi.follow("Customers", within=femi.menu)
    femi.heading("There is nothing here")


def test_a_member_leaves(kudi: Lender, browser: Newcomer) -> None:
    femi, name = browser().sign_in(kudi["loan_officer"]), kudi.organization.name
    femi.page.get_by_role("button", name=re.compile("your menu$")).click()
    femi.follow("Your place here")
    femi.sees("Find customers and see their card (whole organization)")
    femi.follow("Leave this organization")
    femi.heading(f"Leave {name}?")
    femi.fill("Name of the organization", "another one")
    with femi.refused(422):
        femi.press("Leave this organization", within=femi.place)
    femi.sees(f"Type {name} to confirm.")
    femi.fill("Name of the organization", name)
    femi.press("Leave this organization", within=femi.place)
    femi.heading("No organization is open to you")
    with femi.refused(404):
        femi.open(kudi.url())

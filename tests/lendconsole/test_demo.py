"""The demo: complete, sound, loaded once, and refused where its public password would matter."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings

from accounts.models import Organization, User
from audit.models import AuditEvent
from customers.consistency import find_differences
from customers.models import (
    Customer,
    CustomerImport,
    Document,
    ImpostorReport,
    Note,
    NoteFile,
    RelatedPerson,
    SavedView,
)
from lendconsole import demo
from lendconsole.demo_data.lenders import KUDI, LENDERS, SAVANNA, Lender
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.built_in_roles import BuiltInRole
from teams.capabilities import Capability
from teams.models import Invitation, Member, Office, Role


def run(command: str) -> str:
    output = io.StringIO()
    call_command(command, stdout=output)
    return output.getvalue()


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The demo, loaded once for all tests here and rolled back after them."""
    fast = override_settings(DEVELOPMENT=True, PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    with django_db_blocker.unblock(), fast, transaction.atomic():
        run("load_demo")
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _development(settings: Any) -> None:
    settings.DEVELOPMENT = True


def organization_of(lender: Lender) -> Organization:
    return Organization.objects.get(slug=lender.slug)


def test_kudi_has_what_it_promises(loaded: None) -> None:
    with organization_context(organization_of(KUDI).pk):
        assert Office.objects.count() == 8
        assert Office.objects.get(name="SME Team").parent == Office.objects.get(name="Ikeja Branch")
        active = Member.objects.active()
        assert active.count() == 25
        roles = set(active.values_list("role__name", flat=True))
        assert roles == {*(role.label for role in BuiltInRole), "Human Resources"}
        assert Member.objects.exclude(status=Member.Status.ACTIVE).count() == 2
        assert (Invitation.objects.open().count(), Invitation.objects.expired().count()) == (2, 1)
        assert Customer.objects.count() == 10_000
        assert Customer.objects.exclude(account_manager=None).count() == 6_000
        assert AuditEvent.objects.count() > 10_000
        hr = Member.objects.get(user__email="patience.edet@kudi.example")
        assert not Customer.objects.visible_to(hr).exists()
        assert hr.may(Capability.MEMBERS_INVITE)


def test_the_second_lender_is_small_and_apart(loaded: None) -> None:
    with organization_context(organization_of(SAVANNA).pk):
        assert (Office.objects.count(), Member.objects.count(), Customer.objects.count()) == (2, 5, 40)


@pytest.mark.parametrize("lender", LENDERS, ids=lambda lender: lender.slug)
def test_each_lender_is_sound_and_no_mail_waits(loaded: None, lender: Lender) -> None:
    organization = organization_of(lender)
    with organization_context(organization.pk):
        assert find_differences(organization) == []
        assert not OutgoingEmail.objects.exists()
        assert not Member.objects.filter(phone="").exists()
    assert not organization.requires_second_factor


@pytest.mark.parametrize("lender", LENDERS, ids=lambda lender: lender.slug)
def test_each_lender_has_papers_and_something_to_do(loaded: None, lender: Lender) -> None:
    organization = organization_of(lender)
    with organization_context(organization.pk):
        states = Counter(Document.objects.values_list("state", flat=True))
        assert states == {"waiting": 3, "approved": 1, "declined": 1}
        manager = Document.objects.filter(state="approved").get().uploaded_by
        admin = Member.objects.get(user__email=lender.people[1].address(lender.slug))
        for member, to_review in ((manager, 1), (admin, 2)):
            assert Document.objects.reviewable_by(member).exclude(uploaded_by=member).count() == to_review
        assert Note.objects.to_be_done_by(manager).count() == 2
        assert Note.objects.filter(is_pinned=True, mentions__member=admin).count() == 1
        assert NoteFile.objects.get().note.kind == "enquiry"
        assert Counter(RelatedPerson.objects.values_list("kind", flat=True)) == {"next_of_kin": 3, "guarantor": 3}
        assert ImpostorReport.objects.filter(closed_at=None).count() == 1
        assert SavedView.objects.get().is_shared
        done = CustomerImport.objects.get()
        assert (done.state, done.report["updated"], done.report["refused"]) == ("done", 3, 1)


def test_everybody_signs_in_with_the_one_password(loaded: None) -> None:
    for lender in LENDERS:
        for person in lender.people:
            user = User.objects.get(email=person.address(lender.slug))
            assert user.check_password(demo.PASSWORD)
            validate_password(demo.PASSWORD, user)
    assert authenticate(email="grace.nnamdi@kudi.example", password=demo.PASSWORD) is not None


def test_one_login_belongs_to_both(loaded: None) -> None:
    roles = {}
    for lender in LENDERS:
        with organization_context(organization_of(lender).pk):
            roles[lender.slug] = Member.objects.get(user__email="ifeanyi.okoro@lenders.example").role.name
    assert roles == {"kudi": "Compliance", "savanna": "Admin"}


def test_loading_again_brings_the_built_in_roles_to_this_version_and_changes_nothing_else(loaded: None) -> None:
    with organization_context(organization_of(KUDI).pk):
        admin = Role.objects.get(built_in=BuiltInRole.ADMIN)
        of_an_earlier_version = admin.permissions.filter(capability=Capability.ORGANIZATION_SETTINGS)
        assert of_an_earlier_version.delete()[0] == 1
    assert run("load_demo").startswith("The demo is loaded already.\n")
    with organization_context(organization_of(KUDI).pk):
        assert of_an_earlier_version.exists()
        assert Customer.objects.count() == 10_000


def test_the_logins_are_shown_one_for_each_role(loaded: None) -> None:
    text = run("show_demo_logins")
    for role in (*(role.label for role in BuiltInRole), "Human Resources"):
        assert role in text
    assert "ifeanyi.okoro@lenders.example" in text
    assert "Ifeanyi Okoro (both lenders)" in text
    assert demo.PASSWORD in text
    assert "/dev/mailbox/" in text
    assert max(map(len, text.splitlines())) <= 110


def test_outside_development_it_is_refused(loaded: None, settings: Any) -> None:
    settings.DEVELOPMENT = False
    for command in ("load_demo", "show_demo_logins"):
        with pytest.raises(CommandError):
            run(command)

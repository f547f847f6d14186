"""Is this really my account manager? The codes that answer it, to whom, and the reports of those who were not."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from customers.errors import ReportClosed
from customers.models import Assignment, ImpostorReport, ManagerCode
from customers.services.account_managers import assign_account_manager, remove_account_manager
from customers.services.impostors import close_report, report_impostor
from customers.services.verification import ANSWERED_AFTER_END, check_code, new_code
from customers.views.borrower_check import CHECKS_PER_HOUR, REPORTS_PER_HOUR
from lendconsole.errors import NotVisible, PermissionMissing
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from teams.models import Member
from tests import factories
from tests.customers.pages import traces
from tests.customers.test_borrower import page, signed_in
from tests.pages import statements
from tests.world import Lender, World

UNKNOWN = "We do not know this code."
WORDS = "A man on the phone wanted my PIN"


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.delete_pattern("organization:*:borrower_*")


@pytest.fixture
def kudi(world: World) -> Lender:
    return world.kudi


@pytest.fixture
def inside(kudi: Lender) -> Iterator[Lender]:
    with organization_context(kudi.organization.pk):
        yield kudi


def code_for(lender: Lender, key: str = "own") -> str:
    with organization_context(lender.organization.pk):
        return new_code(Assignment.objects.get(customer=lender.customers[key], ended_at=None))


def check(lender: Lender, code: str, client: Client | None = None) -> Any:
    return (client or Client()).post(page("borrower_check", lender), {"code": code})


def text(response: Any) -> str:
    """As everybody gets it: without tokens."""
    assert response.status_code == 200
    return re.sub(r'(csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]+"', "", response.content.decode())


# The code in the e-mail


def test_the_mail_to_the_customer_carries_a_code_that_says_yes(kudi: Lender) -> None:
    free, manager = kudi.customers["free"], kudi["other_manager"]
    with organization_context(kudi.organization.pk):
        assign_account_manager(actor=kudi["admin"], customer=free, manager=manager)
        mail = OutgoingEmail.objects.get(kind="customers/manager_changed_customer")
        body = render_body(mail, kudi.organization)
        assert "ManagerCode" not in str(mail.payload)
    [code] = re.findall(r"with the code (\S+) whether", body.text)
    [url] = re.findall(r"http\S+/check/\S+", body.text)
    assert url in body.html
    assert code in body.html
    client = Client()
    arrived = client.get("/" + url.split("/", 3)[3])
    assert arrived["Location"] == page("borrower_check", kudi), "the code leaves the address"
    assert code.replace("-", "") in client.get(arrived["Location"]).content.decode()
    answer = text(check(kudi, code, client))
    assert f"{manager.name} of {manager.office.name} is your account manager at present." in answer
    for secret in (free.name, free.first_name, free.number, free.email):
        assert secret not in answer, "whoever has the code does not learn who borrows"
    with organization_context(kudi.organization.pk):
        assert code.replace("-", "") not in str(list(ManagerCode.objects.values()))


def test_the_mail_about_nobody_carries_none(inside: Lender) -> None:
    remove_account_manager(actor=inside["admin"], customer=inside.customers["own"])
    mail = OutgoingEmail.objects.get(kind="customers/manager_changed_customer")
    assert "/check/" not in render_body(mail, inside.organization).text
    assert not ManagerCode.objects.exists()


def test_opening_the_link_asks_and_changes_nothing(kudi: Lender) -> None:
    code = code_for(kudi)
    with organization_context(kudi.organization.pk):
        before = traces(kudi)
    for _ in range(3):
        response = Client().get(page("borrower_check_link", kudi, code), follow=True)
        assert kudi["account_manager"].name not in text(response)
    with organization_context(kudi.organization.pk):
        assert traces(kudi) == before


# The answer


@pytest.mark.parametrize("written", ["{}", " {} ", "lower"])
def test_however_it_is_typed(kudi: Lender, written: str) -> None:
    code = code_for(kudi)
    assert "Yes." in text(check(kudi, code.lower() if written == "lower" else written.format(code)))


def test_the_code_dies_with_the_assignment(kudi: Lender) -> None:
    code, own = code_for(kudi), kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        assign_account_manager(actor=kudi["admin"], customer=own, manager=kudi["other_manager"])
    answer = text(check(kudi, code))
    assert "No." in answer
    assert f"{kudi['account_manager'].name} is not your account manager at present: that ended on" in answer
    assert kudi["other_manager"].name not in answer, "an old code does not tell who it is now"


@pytest.mark.parametrize("change", ["deactivated", "locked"])
def test_somebody_who_can_no_longer_act_is_not_confirmed(kudi: Lender, change: str) -> None:
    code, manager = code_for(kudi), kudi["account_manager"]
    with organization_context(kudi.organization.pk):
        if change == "deactivated":
            Member.objects.filter(pk=manager.pk).update(status=Member.Status.DEACTIVATED)
        else:
            type(manager.user).objects.filter(pk=manager.user_id).update(is_active=False)
    assert f"{manager.name} is not your account manager at present." in text(check(kudi, code))


def test_unknown_foreign_and_long_ended_codes_get_the_same_answer(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    ended, foreign = code_for(kudi), code_for(world.rival)
    with organization_context(kudi.organization.pk):
        remove_account_manager(actor=kudi["admin"], customer=own)
    with time_machine.travel(timezone.now() + ANSWERED_AFTER_END + timedelta(seconds=1), tick=True):
        answers = {text(check(kudi, code)) for code in (ended, foreign, "AAAAA-AAAAA", "x" * 40, "💰", "'; --")}
    assert len(answers) == 1
    assert UNKNOWN in answers.pop()


def test_no_answer_takes_longer_than_another(world: World) -> None:
    """The same statement whatever the code; the time of one is not told from that of the other."""
    foreign, organization = code_for(world.rival), world.kudi.organization

    def took(code: str) -> float:
        began = time.perf_counter()
        with organization_context(organization.pk):
            assert check_code(organization=organization, code=code) is None
        return time.perf_counter() - began

    pairs = [(took(foreign), took("AAAAA-AAAAA")) for _ in range(60)]
    first, second = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert abs(first - second) < 0.005


def test_one_address_of_the_network_cannot_guess_without_end(kudi: Lender) -> None:
    code = code_for(kudi)
    for _ in range(CHECKS_PER_HOUR):
        assert UNKNOWN in text(check(kudi, "AAAAA-AAAAA"))
    assert check(kudi, code).status_code == 429


def test_nothing_typed_is_said_beside_the_field(kudi: Lender) -> None:
    response = check(kudi, "")
    assert response.status_code == 422
    assert "Type the code that stands in the e-mail." in response.content.decode()


# Reporting


def report(lender: Lender, client: Client | None = None, **data: str) -> Any:
    return (client or Client()).post(page("borrower_report", lender), {"what_happened": WORDS, **data})


def reports(lender: Lender) -> list[ImpostorReport]:
    with organization_context(lender.organization.pk):
        return list(ImpostorReport.objects.select_related("manager__user", "customer").order_by("pk"))


def test_a_report_reaches_those_who_look_into_it(kudi: Lender) -> None:
    answers = {
        text(Client().get(report(kudi, code=code, contact="0803 412 9981")["Location"]))
        for code in (code_for(kudi), "AAAAA-AAAAA", "")
    }
    assert len(answers) == 1, "the thanks do not tell whether the code is good"
    known, unknown, without = reports(kudi)
    assert (known.manager, known.customer) == (kudi["account_manager"], kudi.customers["own"])
    assert (known.what_happened, known.contact) == (WORDS, "0803 412 9981")
    assert (unknown.manager, unknown.customer, without.manager) == (None, None, None)
    with organization_context(kudi.organization.pk):
        told = OutgoingEmail.objects.filter(kind="customers/impostor_reported")
        addresses = {kudi[role].user.email for role in ("super_admin", "admin", "compliance")}
        assert set(told.values_list("recipient", flat=True)) == addresses
        assert told.count() == 3, "one e-mail an hour each"
        body = render_body(told[0], kudi.organization)
        assert "/impostor-reports/" in body.text
        assert WORDS not in body.text
        lines = AuditEvent.objects.filter(verb="impostor.reported")
        assert {line.actor_label for line in lines} == {"Somebody from outside"}
        assert WORDS not in str(list(lines.values()))


def test_the_mail_stays_unsent_when_the_permission_is_gone(inside: Lender) -> None:
    report_impostor(organization=inside.organization, what_happened=WORDS)
    mail = OutgoingEmail.objects.get(recipient=inside["compliance"].user.email)
    Member.objects.filter(pk=inside["compliance"].pk).update(role=inside.roles["loan_officer"])
    with pytest.raises(Exception, match="no longer reads reports"):
        render_body(mail, inside.organization)


def test_a_signed_in_borrower_need_not_say_who_they_are(kudi: Lender) -> None:
    report(kudi, signed_in(kudi))
    assert [each.customer for each in reports(kudi)] == [kudi.customers["own"]]


def test_a_report_needs_words_and_few_come_from_one_address(kudi: Lender) -> None:
    assert report(kudi, what_happened=" ").status_code == 422
    for _ in range(REPORTS_PER_HOUR - 1):
        assert report(kudi).status_code == 302
    assert report(kudi).status_code == 429
    assert len(reports(kudi)) == REPORTS_PER_HOUR - 1


# Looking into it


def test_closing_says_what_was_found_once(inside: Lender) -> None:
    row = factories.impostor_report(inside.organization)
    close_report(actor=inside["compliance"], report=row, outcome="Told the police")
    row.refresh_from_db()
    assert (row.closed_by, row.outcome, row.closed_at is None) == (inside["compliance"], "Told the police", False)
    before = traces(inside)
    with pytest.raises(ReportClosed, match=f"{inside['compliance'].name} has closed"):
        close_report(actor=inside["admin"], report=row, outcome="Again")
    with pytest.raises(PermissionMissing):
        close_report(actor=inside["loan_officer"], report=row, outcome="Mine")
    assert traces(inside) == before


def test_reports_of_another_lender_do_not_exist(world: World) -> None:
    with organization_context(world.rival.organization.pk):
        row = factories.impostor_report(world.rival.organization)
    with organization_context(world.kudi.organization.pk), pytest.raises(NotVisible):
        close_report(actor=world.kudi["admin"], report=row, outcome="Mine")


def test_the_page_names_the_customer_only_to_who_finds_them(kudi: Lender) -> None:
    with organization_context(kudi.organization.pk):
        factories.impostor_report(kudi.organization, customer=kudi.customers["own"], manager=kudi["account_manager"])
        role = factories.RoleFactory(
            organization=kudi.organization, reaches={"customers.impostors": "organization", "customers.find": "office"}
        )
        Member.objects.filter(pk=kudi["other_manager"].pk).update(role=role)
    own = kudi.customers["own"]
    assert own.number in kudi.client("compliance").get(kudi.url("impostor-reports/")).content.decode()
    seen = kudi.client("other_manager").get(kudi.url("impostor-reports/")).content.decode()
    assert own.number not in seen
    assert kudi["account_manager"].name in seen


def test_the_page_asks_as_much_for_one_report_as_for_many(kudi: Lender) -> None:
    def add(count: int) -> None:
        with organization_context(kudi.organization.pk):
            for _ in range(count):
                factories.impostor_report(
                    kudi.organization, customer=kudi.customers["own"], manager=kudi["account_manager"]
                )

    client, url = kudi.client("admin"), kudi.url("impostor-reports/?show=all")
    add(1)
    client.get(url)
    one = len(statements(client, url))
    add(24)
    asked = statements(client, url)
    assert len(asked) == one <= 8, asked

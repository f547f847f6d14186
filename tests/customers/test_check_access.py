"""check_access finds every way in which column, period and grant can disagree."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from customers.models import Assignment, Customer, CustomerUserObjectPermission
from customers.tasks import check_access
from lendconsole.tenancy import organization_context
from tests import factories
from tests.world import Lender, World


def run(*arguments: str) -> tuple[int, str]:
    output = io.StringIO()
    try:
        call_command("check_access", *arguments, stdout=output, stderr=output)
    except SystemExit as end:
        return int(end.code or 0), output.getvalue()
    return 0, output.getvalue()


def test_a_sound_world_agrees(world: World) -> None:
    code, text = run()
    assert code == 0
    assert text == "Account managers, periods and access agree for every customer.\n"
    assert check_access() == 0


def column_emptied(lender: Lender) -> None:
    Customer.objects.filter(pk=lender.customers["own"].pk).update(account_manager=None)


def column_changed(lender: Lender) -> None:
    Customer.objects.filter(pk=lender.customers["own"].pk).update(account_manager=lender["other_manager"])


def period_ended(lender: Lender) -> None:
    period = Assignment.objects.get(customer=lender.customers["own"])
    Assignment.objects.filter(pk=period.pk).update(ended_at=period.started_at)


def period_begun(lender: Lender) -> None:
    Assignment.objects.create(customer=lender.customers["free"], manager=lender["account_manager"])


def grant_taken(lender: Lender) -> None:
    CustomerUserObjectPermission.objects.filter(content_object=lender.customers["own"]).delete()


def grant_added(lender: Lender) -> None:
    factories.grant(lender.customers["own"], lender["other_manager"])


def grant_left_behind(lender: Lender) -> None:
    factories.grant(lender.customers["free"], lender["account_manager"])


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (column_emptied, "the account manager is nobody, the open period names {me}, access is granted to {me}."),
        (column_changed, "the account manager is {other}, the open period names {me}, access is granted to {me}."),
        (period_ended, "the account manager is {me}, the open period names nobody, access is granted to {me}."),
        (period_begun, "the account manager is nobody, the open period names {me}, access is granted to nobody."),
        (grant_taken, "the account manager is {me}, the open period names {me}, access is granted to nobody."),
        (
            grant_added,
            "the account manager is {me}, the open period names {me}, access is granted to {me} and {other}.",
        ),
        (grant_left_behind, "the account manager is nobody, the open period names nobody, access is granted to {me}."),
    ],
)
def test_a_difference_is_told_in_words(
    world: World, caplog: pytest.LogCaptureFixture, spoil: Callable[[Lender], None], sentence: str
) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        spoil(kudi)
    code, text = run()
    customer = kudi.customers["free" if spoil in (period_begun, grant_left_behind) else "own"]
    words = sentence.format(me=kudi["account_manager"].name, other=kudi["other_manager"].name)
    assert code == 1
    assert f"{kudi.organization}: {customer}: {words}" in text
    assert text.endswith("Customers whose records differ: 1.\n")
    with caplog.at_level(logging.ERROR, "customers.tasks"):
        assert check_access() == 1
    assert str(customer.pk) in caplog.text
    assert customer.last_name not in caplog.text
    assert run("--organization", "rival")[0] == 0


def test_an_unknown_organization_is_one_sentence(world: World) -> None:
    with pytest.raises(CommandError, match=r"There is no organization “nowhere”\."):
        run("--organization", "nowhere")

"""Importing in the browser, below the pages: bringing a file, checking, loading and updating."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import AuditEvent
from audit.verbs import Verb
from customers.errors import ColumnsWrong, ImportMovedOn, TooManyImports
from customers.importing import running
from customers.importing.limits import FileRefused
from customers.models import (
    Customer,
    CustomerImport,
    MadeCustomers,
    StoredChunk,
    StoredFile,
)
from customers.services import imports
from lendconsole.encryption import decrypt
from lendconsole.errors import NotVisible, PermissionMissing
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.models import RolePermission
from tests.customers.import_steps import HEADER, Steps, change_rights, person, refusals, refused
from tests.customers.import_support import DIRTY, REFUSED_LINES, build_kudi, everything, member_who_may
from tests.world import BVNS, World


@pytest.fixture
def steps(world: World) -> Steps:
    return Steps.of(world.kudi)


# Bringing a file


def test_columns_are_guessed_from_other_words(world: World) -> None:
    steps = Steps.of(world.kudi)
    steps.header = ("Client ID", "FIRSTNAME", "Surname", "E-mail address", "GSM", "Branch", "Shoe size", "Salary (NGN)")
    row = steps.brought(steps.file(["N-1", "Grace", "Etim", "", "", "Ikeja", "42", "1"]))
    guessed = ["Customer number", "First name", "Last name", "Email", "Phone", "Office", "", "Monthly income"]
    assert row.columns == guessed
    assert row.samples == [["N-1", "Grace", "Etim", "", "", "Ikeja", "42", "1"]]


def test_what_was_chosen_is_remembered_for_a_file_with_the_same_first_line(world: World) -> None:
    steps = Steps.of(world.kudi)
    steps.header = ("A", "B", "C", "D")
    content = steps.file(["N-1", "Grace", "Etim", world.kudi.branch.name])
    row = steps.brought(content)
    assert row.columns == [""] * 4
    chosen = ["Customer number", "First name", "Last name", "Office"]
    with steps.context():
        imports.choose_columns(actor=steps.member(), pk=row.pk, columns=chosen, updates=False)
        colleague = Steps.of(world.kudi, "super_admin")
    assert colleague.brought(content.replace(b"A,B", b" a , b")).columns == chosen
    rival = Steps.of(world.rival)
    assert rival.brought(content).columns == [""] * 4


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"Customer number,First name\n", "no customers below"),
        (b"<html><body>", "web page, a picture or other markup"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "web page, a picture or other markup"),
        ("Customer number\nKM-1".encode("utf-16"), "UTF-16"),
        (b"Customer number\nKM\x00-1\n", "NUL"),
        (b",".join([b"x"] * 1_000_000), "too long"),
        (b",".join([b"x"] * 300) + b"\n1\n", "more than 200 columns"),
        (b"PK\x03\x04 not really", "no spreadsheet"),
    ],
)
def test_hostile_files_are_refused_at_the_door(steps: Steps, content: bytes, sentence: str) -> None:
    with pytest.raises(FileRefused, match=sentence):
        steps.brought(content)
    with steps.context():
        assert not CustomerImport.objects.exists()
        assert not StoredFile.objects.exists()


def test_a_file_that_is_broken_further_down_says_so_after_the_check(steps: Steps) -> None:
    row = steps.checked(steps.file(*(person(steps, f"N-{n}") for n in range(9))) + b"\xff\xff\n")
    assert (row.state, row.state_reason) == (
        "failed",
        "Line 11 is not UTF-8 text. Save it as “CSV UTF-8 (comma delimited)” and try again.",
    )


def test_three_are_open_at_most(steps: Steps, world: World) -> None:
    content = steps.file(person(steps))
    rows = [steps.brought(content) for _ in range(imports.MOST_OPEN)]
    with pytest.raises(TooManyImports, match="Finish or discard"):
        steps.brought(content)
    assert Steps.of(world.kudi, "super_admin").brought(content)
    with steps.context():
        imports.discard_import(actor=steps.member(), pk=rows[0].pk)
        assert StoredFile.objects.count() == imports.MOST_OPEN
    assert steps.brought(content)


def test_an_organization_has_a_limit_of_its_own(steps: Steps, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_OPEN_TOGETHER", 1)
    content = steps.file(person(steps))
    steps.brought(content)
    with pytest.raises(TooManyImports, match="in your organization"):
        Steps.of(world.kudi, "super_admin").brought(content)
    assert Steps.of(world.rival).brought(content)


@pytest.mark.parametrize(
    ("columns", "updates", "sentence"),
    [
        (["Customer number", "First name", "", ""], False, "Choose a column for: Last name, Office"),
        (["Phone", "", "", ""], True, "Choose a column for: Customer number"),
        (["Phone", "Phone", "", ""], True, "Chosen for more than one column: Phone"),
    ],
)
def test_columns_that_make_no_customer(steps: Steps, columns: list[str], updates: bool, sentence: str) -> None:
    steps.header = ("a", "b", "c", "d")
    row = steps.brought(steps.file(["1", "2", "3", "4"]))
    with steps.context(), pytest.raises(ColumnsWrong, match=sentence):
        imports.choose_columns(actor=steps.member(), pk=row.pk, columns=columns, updates=updates)
    assert steps.again(row).state == "draft"


# Checking


def test_the_check_counts_and_names_and_changes_nothing(steps: Steps) -> None:
    with steps.context():
        before = everything()
    content = steps.file(person(steps), person(steps, "N-2", office="Atlantis"), person(steps, "N-3", bvn="=1+1"))
    row = steps.checked(content)
    assert (row.state, row.rows, row.attempts) == ("checked", 3, 1)
    counts = {key: row.report[key] for key in ("rows", "new", "updated", "left", "refused")}
    assert counts == {"rows": 3, "new": 1, "updated": 0, "left": 0, "refused": 2}
    assert refused(row) == {3: ["There is no active office “Atlantis” here."], 4: ["A BVN has 11 digits."]}
    assert row.report["unknown_offices"] == [["Atlantis", 1]]
    with steps.context():
        assert everything() == before


def test_refused_rows_come_back_as_a_file_that_calculates_nothing(steps: Steps) -> None:
    steps.header = ("Customer number", "First name", "Last name", "Office", "=cmd")
    row = steps.brought(steps.file(["N-1", "=1+1", "@x", "\t=2", "+3"]))
    with steps.context():
        imports.choose_columns(actor=steps.member(), pk=row.pk, columns=row.columns, updates=False)
    row = steps.worked(row)
    header, only = refusals(steps, row)
    assert header == ["Line", "Why it was refused", "Customer number", "First name", "Last name", "Office", "'=cmd"]
    assert (only[0], only[2:]) == ("2", ["N-1", "'=1+1", "'@x", "'\t=2", "'+3"])
    assert row.refusals.name == "people-refused.csv"


def test_unknown_offices_and_managers_are_chosen_once(steps: Steps, world: World) -> None:
    kudi = world.kudi
    content = steps.file(
        person(steps, "N-1", office="Atlantis", account_manager="mr.x@old.example"),
        person(steps, "N-2", office="ATLANTIS", account_manager="nobody@old.example"),
    )
    row = steps.checked(content)
    assert row.report["unknown_managers"] == [["mr.x@old.example", 1], ["nobody@old.example", 1]]
    assert row.report["unknown_offices"] == [["Atlantis", 2]]
    manager = kudi["account_manager"]
    chosen: dict[str, Any] = {
        "offices": {"Atlantis": kudi.other_branch.pk},
        "managers": {"mr.x@old.example": manager.pk, "nobody@old.example": None},
    }
    with steps.context():
        imports.choose_places(actor=steps.member(), pk=row.pk, **chosen, updates=False)
    row = steps.worked(row)
    assert row.report["new"] == 2
    with steps.context():
        imports.start_import(actor=steps.member(), pk=row.pk, is_confirmed=False)
    steps.worked(row)
    with steps.context():
        made = Customer.objects.filter(number__startswith="N-").order_by("number")
        assert list(made.values_list("office", "account_manager")) == [
            (kudi.other_branch.pk, manager.pk),
            (kudi.other_branch.pk, None),
        ]
    again = steps.checked(steps.file(person(steps, "N-3", office="Atlantis")))
    assert again.managers == chosen["managers"], "remembered, and not shown where the file does not say it"
    assert (again.report["unknown_offices"], again.report["unknown_managers"]) == ([["Atlantis", 0]], [])
    assert again.report["new"] == 1
    with steps.context():
        imports.choose_places(actor=steps.member(), pk=again.pk, offices={}, managers={}, updates=False)
    again = steps.worked(again)
    assert (again.offices, again.managers, again.report["refused"]) == ({}, chosen["managers"], 1)


def test_choices_out_of_reach_are_no_choices(world: World) -> None:
    kudi = world.kudi
    steps = Steps.of(kudi, "loan_officer")
    row = steps.checked(steps.file(person(steps, office="Atlantis")))
    with steps.context():
        for office in (kudi.other_branch, world.rival.branch):
            imports.choose_places(
                actor=steps.member(), pk=row.pk, offices={"Atlantis": office.pk}, managers={}, updates=False
            )
            assert steps.worked(row).report["refused"] == 1


# Whom a report may name


def test_a_report_names_nobody_whom_the_importer_may_not_see(world: World) -> None:
    """The loan officer sees the other branch's customer as a card and its details not at all."""
    kudi, officer = world.kudi, Steps.of(world.kudi, "loan_officer")
    hidden, seen = kudi.customers["distant"], kudi.customers["free"]
    rows = [
        person(officer, "N-1", email=hidden.email),
        person(officer, "N-2", phone=hidden.phone),
        person(officer, "N-3", bvn=BVNS["distant"]),
        person(officer, "N-4", email=seen.email),
        person(officer, hidden.number, phone="08031230000"),
    ]
    row = officer.checked(officer.file(*rows))
    assert refused(row) == {
        2: ["Another customer has the same e-mail address already."],
        3: ["Another customer has the same phone number already."],
        5: [f"{seen.number} has the same e-mail address already."],
    }
    assert [each["sentences"] for each in row.report["remarks"]] == [["Another customer has the same BVN already."]]
    assert (row.report["left"], row.report["fields"]) == (1, [])
    words = str(row.report) + str(refusals(officer, row))
    own_words = [hidden.email, hidden.phone, hidden.number]
    for secret in (hidden.first_name, hidden.last_name, hidden.address):
        assert secret not in words
    assert [word for word in own_words if words.count(word) > 1] == []


def test_whom_one_may_not_change_is_refused_without_a_word_about_them(world: World) -> None:
    officer = Steps.of(world.kudi, "loan_officer")
    distant, own = world.kudi.customers["distant"], world.kudi.customers["own"]
    row = officer.checked(officer.file(person(officer, distant.number), person(officer, own.number)), updates=True)
    sentence = ["You cannot change the customer with this number."]
    assert refused(row) == {2: sentence, 3: sentence}
    assert row.report["fields"] == []


# Loading


def test_the_dirty_file_loads_what_is_good_and_says_why_not_the_rest(kudi_steps: Steps) -> None:
    row = kudi_steps.loaded(DIRTY)
    assert row.state == "done", row.state_reason
    assert refused(row) == REFUSED_LINES
    assert (row.report["rows"], row.report["new"], row.report["refused"]) == (500, 480, 20)
    table = refusals(kudi_steps, row)
    assert [(int(line), reason) for line, reason, *_rest in table[1:]] == [
        (line, " ".join(reasons)) for line, reasons in REFUSED_LINES.items()
    ]
    with kudi_steps.context():
        assert Customer.objects.count() == 480
        assert len(MadeCustomers.objects.get().customer_ids) == 480
        mails = OutgoingEmail.objects.filter(kind="customers/import_done")
        assert [mail.subject for mail in mails] == ["480 customers imported, 20 rows refused"]
        assert OutgoingEmail.objects.filter(kind="customers/manager_batch").count() == 6
        whole = AuditEvent.objects.get(verb=Verb.CUSTOMERS_IMPORTED)
        assert whole.actor_id == kudi_steps.actor.pk
        assert whole.after == {"loaded": 480, "already_there": 0, "refused": 20}
        # The file itself is not kept once its rows are there.
        assert (row.file, row.samples) == (None, [])
        assert set(StoredChunk.objects.values_list("file", flat=True)) == {row.refusals.pk}


@pytest.fixture
def kudi_steps(db: None) -> Steps:
    """At the lender that the demo files are for."""
    kudi = build_kudi()
    with organization_context(kudi.pk):
        return Steps(member_who_may(kudi, **EVERYWHERE))


EVERYWHERE = {f"customers_{each}": "organization" for each in ("find", "view", "create", "edit", "assign")}


def test_more_than_a_thousand_rows_ask_who_sits_there(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "COUNT_CAP", 1)
    row = steps.checked(steps.file(person(steps, "N-1"), person(steps, "N-2")))
    with steps.context():
        imports.start_import(actor=steps.member(), pk=row.pk, is_confirmed=False)
    row = steps.worked(row)
    assert (row.state, "fresh sign-in" in row.state_reason) == ("failed", True)
    with steps.context():
        assert not Customer.objects.filter(number__startswith="N-").exists()


@pytest.mark.parametrize("how", ["deactivated", "customers.create", "customers.edit"])
@pytest.mark.parametrize("step", ["checking", "loading", "undoing"])
def test_rights_are_asked_again_by_the_worker(steps: Steps, how: str, step: str) -> None:
    content = steps.file(person(steps))
    if step == "checking":
        row = steps.brought(content)
        with steps.context():
            imports.choose_columns(actor=steps.member(), pk=row.pk, columns=row.columns, updates=True)
    elif step == "loading":
        row = steps.started(content, updates=True)
    else:
        row = steps.loaded(content, updates=True)
        with steps.context():
            imports.undo_import(actor=steps.member(), pk=row.pk)
    change_rights(steps, how)
    with steps.context():
        before = everything()
    row = steps.worked(row)
    assert row.state == ("done" if step == "undoing" else "failed")
    assert row.state_reason
    with steps.context():
        assert everything() == before


def test_a_step_is_taken_in_its_turn_and_by_its_owner(steps: Steps, world: World) -> None:
    row = steps.brought(steps.file(person(steps)))
    with steps.context():
        for step in (imports.undo_import, imports.start_import):
            options = {"is_confirmed": True} if step is imports.start_import else {}
            with pytest.raises(ImportMovedOn):
                step(actor=steps.member(), pk=row.pk, **options)
            with pytest.raises(NotVisible):
                step(actor=world.kudi["super_admin"], pk=row.pk, **options)
            with pytest.raises(PermissionMissing):
                step(actor=world.kudi["compliance"], pk=row.pk, **options)
    row = steps.loaded(steps.file(person(steps)))
    with steps.context():
        with pytest.raises(ImportMovedOn):
            imports.start_import(actor=steps.member(), pk=row.pk, is_confirmed=True)
        with pytest.raises(ImportMovedOn):
            imports.discard_import(actor=steps.member(), pk=row.pk)


# Updating


def test_updates_change_what_the_file_says_and_nothing_else(steps: Steps, world: World) -> None:
    kudi, customer = world.kudi, world.kudi.customers["own"]
    steps.header = (*HEADER, "Status", "Employer")
    changes = {"Customer number": customer.number.lower(), "First name": "Renamed", "Phone": "0803 999 0000"}
    changes |= {"BVN": "22999999999", "Status": "Blacklisted", "Employer": "Zenith"}
    changes |= {"Account manager": kudi["other_manager"].user.email}
    same = {"Customer number": kudi.customers["free"].number, "Email": kudi.customers["free"].email}
    row = steps.loaded(steps.file(changes, same, person(steps)), updates=True)
    counts = {key: row.report[key] for key in ("new", "updated", "left", "refused")}
    assert counts == {"new": 1, "updated": 1, "left": 1, "refused": 0}, refused(row)
    assert sorted(row.report["fields"]) == [["BVN", 1], ["employer", 1], ["first name", 1], ["phone", 1]]
    assert [each["sentences"] for each in row.report["remarks"]] == [
        ["The status is left as it is.", "The account manager is left as it is."]
    ]
    with steps.context():
        now = Customer.objects.get(pk=customer.pk)
        assert (now.first_name, now.last_name, now.employer) == ("Renamed", customer.last_name, "Zenith")
        assert (now.phone, now.email, now.address) == ("+2348039990000", customer.email, customer.address)
        assert (decrypt(now.bvn_encrypted), now.bvn_last_digits) == ("22999999999", "9999")
        assert (now.status, now.account_manager, now.version) == ("pending", kudi["account_manager"], 2)
        line = AuditEvent.objects.get(verb=Verb.CUSTOMER_CHANGED)
        assert (line.actor_id, line.target_id, line.reason) == (steps.actor.pk, now.pk, "Imported from people.csv")
        assert line.before == {"first_name": "withheld", "phone": "withheld", "employer": "", "bvn": "withheld"}
        assert line.after == {
            "first_name": "withheld",
            "phone": "withheld",
            "employer": "withheld",
            "bvn": "withheld",
        }


def test_a_file_for_changes_alone_needs_no_names(steps: Steps, world: World) -> None:
    steps.header = ("Customer number", "Phone")
    customer = world.kudi.customers["free"]
    row = steps.checked(steps.file([customer.number, "08031231234"], ["N-9", "08031231235"]), updates=True)
    assert (row.report["updated"], row.report["new"]) == (1, 0)
    assert refused(row) == {3: ["First name is missing.", "Last name is missing.", "Office is missing."]}


def test_an_update_takes_nothing_that_another_customer_has(steps: Steps, world: World) -> None:
    free, own = world.kudi.customers["free"], world.kudi.customers["own"]
    row = steps.checked(steps.file({"Customer number": free.number, "Email": own.email}), updates=True)
    assert refused(row) == {2: [f"{own.number} has the same e-mail address already."]}


def test_one_cannot_move_a_customer_to_an_office_out_of_reach(world: World) -> None:
    kudi, steps = world.kudi, Steps.of(world.kudi, "loan_officer")
    with steps.context():
        RolePermission.objects.filter(role=steps.actor.role, capability="customers.create").update(reach="organization")
    rows = [person(steps, "N-1", office=kudi.other_branch.name)]
    rows.append({"Customer number": kudi.customers["free"].number, "Office": kudi.other_branch.name})
    row = steps.checked(steps.file(*rows), updates=True)
    assert refused(row) == {3: [f"You cannot put this customer into {kudi.other_branch.name}."]}

"""One customer about whom every marked field of the inventory holds a word that stands nowhere else."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterator
from datetime import date
from html import escape
from typing import Any, Final
from urllib.parse import quote

import pytest
from django.db import models
from django.utils import timezone

from audit.models import AuditEvent
from customers.models import BorrowerLink, BulkChange, Customer, ManagerCode, StoredFile
from customers.personal_data import TABLES, Kind, about_customers
from customers.services.access import decline_access, grant_access, request_access, use_emergency_access
from customers.services.account_managers import assign_account_manager
from customers.services.borrowers import request_link
from customers.services.bulk import start_bulk_change
from customers.services.documents import review_document, upload_document
from customers.services.impostors import close_report, report_impostor
from customers.services.notes import add_note
from customers.services.personal_data import change_hold
from customers.services.records import change_customer, change_customer_status
from customers.services.related_people import add_related_person
from lendconsole.tenancy import organization_context
from notifications.letters import Undeliverable
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from teams.capabilities import Reach
from tests import factories
from tests.customers.import_steps import Steps
from tests.world import Lender

DAY = date(1987, 3, 29)
BVN = "22177798643"
NAMES: Final = ("T1-Borrower", "Qzrenamed")
"""Before and after the import. Everybody who finds the customer reads them; the log never learns them."""
VALUES: Final[dict[str, Any]] = {
    "customer.email": "qzmail.person@qzhost.example",
    "customer.phone": "+2348034129981",
    "customer.bvn_encrypted": BVN,
    "customer.date_of_birth": DAY,
    "customer.gender": "female",
    "customer.segment": "special_risk",
    "customer.employment_status": "self_employed",
    "customer.monthly_income": 4_433_221_00,
    "customer.address": "17 Qzaddress Close",
    "customer.state": "Qzstate",
    "customer.employer": "Qzemployer & Sons",
    "customer.status_reason": "Qzstatusreason",
    "customer.hold_reason": "Qzholdreason",
    "assignment.reason": "Qzassigned",
    "assignment.end_reason": "Qzended",
    "temporaryaccess.reason": "Qzemergency at the counter",
    "accessrequest.reason": "Qzasked",
    "accessrequest.answer": "Qzanswer",
    "impostorreport.what_happened": "Qzhappened",
    "impostorreport.contact": "Qzcontact",
    "impostorreport.outcome": "Qzoutcome",
    "document.reason": "Qzdeclined",
    "note.text": "Qznote",
    "relatedperson.name": "Qzkin Person",
    "relatedperson.relationship": "Qzsister",
    "relatedperson.phone": "+2348034127762",
    "relatedperson.address": "Qzkinstreet",
    "changedcustomer.before": "Qzformeremployer",
    "formerstatus.reason": "Qzblacklisted",
    "storedfile.name": "Qzpaper.pdf",
}
"""By table and field; as services take them."""
SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "customer.email": ("qzmail", "qzhost"),
    "customer.phone": ("8034129981", "803 412 9981", "412 9981", "4129981"),
    "customer.bvn_encrypted": ("22177798643", "7798643", "*8643", "•8643", "ends with </span>8643"),
    "customer.date_of_birth": ("1987-03-29", "29 mar 1987", "29/03/1987"),
    "customer.gender": (">female<", ",female,"),
    "customer.segment": ("special risk", "special_risk"),
    "customer.employment_status": ("self-employed", "self_employed"),
    "customer.monthly_income": ("4433221", "4,433,221"),
    "relatedperson.phone": ("8034127762", "803 412 7762", "4127762"),
}
"""Where a field is written otherwise than it was typed; what is told of it by a part is enough."""
ON_THE_CARD: Final = {"customer.number", "customer.first_name", "customer.last_name", "customer.status"}
SHOWN_WITH_IT: Final = {"customer.joined_on"}
"""Stands on lists of cards too."""
_SURFACES: Final = (OutgoingEmail, AuditEvent)
"""Rows that tell of the others; looked at as such."""
_OPENS_NOTHING: Final = (BorrowerLink, ManagerCode)


def marked_fields() -> set[str]:
    """Personal and sensitive ones about customers that can hold words: no moments, no members, no states of papers."""
    tables = [*about_customers(), *(table for table in TABLES if table.model is StoredFile)]
    return {
        f"{table.model._meta.model_name}.{name}"
        for table in tables
        if table.model not in (*_SURFACES, *_OPENS_NOTHING)
        for name, kind in table.classes.items()
        if kind in (Kind.PERSONAL, Kind.SENSITIVE) and _holds_words(table.model, name)
    }


def _holds_words(model: type[models.Model], name: str) -> bool:
    field: Any = model._meta.get_field(name)
    is_choice = bool(getattr(field, "choices", None)) and model is not Customer
    return not (field.is_relation or is_choice or isinstance(field, models.DateTimeField) or name == "due_on")


def told(text: str) -> set[str]:
    """Which canaries the text gives away, in whatever spelling."""
    low = text.lower()
    return {key for key in VALUES if any(spelling in low for spelling in _spellings(key))}


def _spellings(key: str) -> Iterator[str]:
    for word in SPELLINGS.get(key, (str(VALUES[key]).lower(),)):
        yield from {word, escape(word), quote(word).lower()}
    if key not in SPELLINGS or key == "customer.bvn_encrypted":
        yield base64.b64encode(str(VALUES[key]).encode()).decode().rstrip("=").lower()


def given_away(response: Any) -> set[str]:
    """By the headers and the page, without what a form offers everybody."""
    page = re.sub(r"<option.*?</option>", "", response.getvalue().decode(errors="replace"), flags=re.DOTALL)
    return told(f"{response.headers} {page}")


def told_by_emails(lender: Lender) -> dict[str, set[str]]:
    """By those that wait and can be written, by their kind."""
    said: dict[str, set[str]] = {}
    with organization_context(lender.organization.pk):
        for email in OutgoingEmail.objects.filter(state=OutgoingEmail.State.PENDING):
            try:
                body = render_body(email, lender.organization)
            except Undeliverable:
                continue
            said[email.kind] = told(f"{email.subject} {body.text} {body.html}") | said.get(email.kind, set())
    return said


def told_of_everything(lender: Lender, caplog: pytest.LogCaptureFixture) -> Iterator[Lender]:
    """A fixture: whatever a test does, the logs learn nothing."""
    caplog.set_level(logging.DEBUG)
    tell_everything(lender)
    yield lender
    assert told(caplog.text) == set()


def tell_everything(lender: Lender) -> Customer:
    """Through the services, so that their e-mails and lines of the log are there too."""
    with organization_context(lender.organization.pk):
        _hire(lender)
        customer = lender.customers["own"]
        _describe(lender, customer)
        _add_papers(lender, customer)
        _open_to_others(lender, customer)
        _report(lender, customer)
    _import_over(lender, customer)
    return customer


def _hire(lender: Lender) -> None:
    """Beside the built-in roles: who asks, who is let in, who lets themselves in, who finds and exports, who audits, who imports."""
    everywhere = Reach.ORGANIZATION
    reaches = {
        "asker": {"customers.find": everywhere, "customers.view": everywhere},
        "granted": {"customers.find": everywhere, "customers.view": everywhere},
        "taker": {"customers.find": everywhere, "customers.view": everywhere, "customers.emergency": everywhere},
        "finder": {"customers.find": everywhere, "customers.export": everywhere},
        "auditor": {"customers.find": everywhere, "audit.view": everywhere, "emails.view": everywhere},
        "importer": {"customers.create": everywhere, "customers.edit": everywhere, "customers.find": everywhere},
    }
    for name, held in reaches.items():
        role = factories.RoleFactory(organization=lender.organization, name=name.title(), reaches=held)
        lender.members[name] = factories.MemberFactory(
            organization=lender.organization, role=role, office=lender.branch, last_seen_at=timezone.now()
        )


def _describe(lender: Lender, customer: Customer) -> None:
    admin = lender["admin"]
    columns = ("email", "phone", "date_of_birth", "gender", "segment", "employment_status")
    columns += ("monthly_income", "address", "state")
    facts: Any = {name: VALUES[f"customer.{name}"] for name in columns}
    facts |= {"bvn": BVN, "employer": VALUES["changedcustomer.before"]}
    change_customer(actor=admin, customer=customer, version=customer.version, facts=facts)
    change_customer_status(actor=admin, customer=customer, status="blacklisted", reason=VALUES["formerstatus.reason"])
    start_bulk_change(
        actor=admin,
        kind=BulkChange.Kind.STATUS,
        parameters={"chosen": str(customer.pk)},
        expected=1,
        seen_at=timezone.now(),
        status="inactive",
        reason=VALUES["customer.status_reason"],
    )
    change_hold(actor=admin, customer=customer, until=date(2099, 1, 1), reason=VALUES["customer.hold_reason"])
    for manager, reason in (("other_manager", ""), ("account_manager", VALUES["assignment.reason"])):
        OutgoingEmail.objects.update(state=OutgoingEmail.State.SENT)
        assign_account_manager(actor=admin, customer=customer, manager=lender[manager], reason=reason)
    customer.assignments.exclude(ended_at=None).update(end_reason=VALUES["assignment.end_reason"])


def _add_papers(lender: Lender, customer: Customer) -> None:
    manager, name = lender["account_manager"], VALUES["storedfile.name"]
    facts: Any = {key: VALUES[f"relatedperson.{key}"] for key in ("name", "relationship", "phone", "address")}
    add_related_person(actor=manager, customer=customer, kind="guarantor", facts=facts)
    file = io.BytesIO(factories.PDF)
    paper = upload_document(actor=manager, customer=customer, type_="identity", file=file, name=name)
    review_document(actor=lender["admin"], document=paper, is_approved=False, reason=VALUES["document.reason"])
    add_note(
        actor=manager,
        customer=customer,
        facts={"kind": "note", "text": VALUES["note.text"], "due_on": None},
        people=[lender["admin"]],
        files=[(io.BytesIO(factories.PDF), name)],
    )


def _open_to_others(lender: Lender, customer: Customer) -> None:
    """One request waits, one is granted, one declined; an emergency, and a cover for the account manager."""
    reason = VALUES["accessrequest.reason"]
    granted, declined = (
        request_access(actor=lender[name], customer=customer, reason=reason, hours=24) for name in ("granted", "asker")
    )
    grant_access(actor=lender["admin"], request=granted, hours=24)
    decline_access(actor=lender["admin"], request=declined, answer=VALUES["accessrequest.answer"])
    request_access(actor=lender["asker"], customer=customer, reason=reason, hours=24)
    use_emergency_access(actor=lender["taker"], customer=customer, reason=VALUES["temporaryaccess.reason"])
    factories.cover(lender["account_manager"], lender["loan_officer"], starts_at=timezone.now())


def _report(lender: Lender, customer: Customer) -> None:
    said = {name: VALUES[f"impostorreport.{name}"] for name in ("what_happened", "contact")}
    report = report_impostor(organization=lender.organization, customer=customer, **said)
    close_report(actor=lender["admin"], report=report, outcome=VALUES["impostorreport.outcome"])
    request_link(organization=lender.organization, email=VALUES["customer.email"], browser="mark")


def _import_over(lender: Lender, customer: Customer) -> None:
    """A file with another name and employer: the former ones stay in what can be taken back."""
    steps = Steps(lender["admin"], ("Customer number", "Last name", "Employer"))
    done = steps.loaded(steps.file([customer.number, NAMES[1], VALUES["customer.employer"]]), updates=True)
    assert done.report["updated"] == 1, done.report

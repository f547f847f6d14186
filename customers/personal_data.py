"""The inventory: what every field of every table says about a person. The export, the erasure and the tests read it.

Each field is named once, in one class:

- `none`: nothing about a person (ids, states, settings, keyed hashes that cannot be turned around)
- `personal`: about somebody (names, contact, what they did and when)
- `sensitive`: personal, and harmful in the wrong hands (numbers, money, birth, address, reasons in free words)
- `others`: personal, but about the member who acted on the row, and so not in a customer's export
- `derived`: worked out from other fields of the row; erased with them and of no use to the person

A new model gets an entry here, or tests/customers/test_personal_data.py names its fields. Is it about a customer, `rows`
finds that customer's and `erase` says what erasure does; where rows stay as they are, `kept` says why. Third-party
tables (logins' second factors, sessions) are about members and not listed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from django.db.models import Case, F, Model, Q, QuerySet, Value, When
from django.db.models.functions import Greatest, Now

from accounts.models import Organization, OrganizationLogo, Submission, User
from audit.models import AuditEvent
from customers.models import (
    AccessRequest,
    Assignment,
    BorrowerLink,
    BulkChange,
    ChangedCustomer,
    Cover,
    Customer,
    CustomerImport,
    CustomerUserObjectPermission,
    Document,
    Export,
    FormerStatus,
    ImportMemory,
    ImpostorReport,
    MadeCustomers,
    ManagerCode,
    Note,
    NoteFile,
    NoteMention,
    RelatedPerson,
    SavedView,
    StoredChunk,
    StoredFile,
    TemporaryAccess,
)
from notifications.models import OutgoingEmail
from teams.models import Invitation, Member, Office, Role, RolePermission

Rows = Callable[[Customer], QuerySet[Any]]
Erase = Callable[[QuerySet[Any]], None]

ERASED_FIRST_NAME, ERASED_LAST_NAME = "Erased", "customer"


class Kind(StrEnum):
    NONE = "none"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"
    OTHERS = "others"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class Table:
    """One model. The classes are names of fields, separated by blanks. `blocks_deletion`: who has such a row was no mistake."""

    model: type[Model]
    none: str = ""
    personal: str = ""
    sensitive: str = ""
    others: str = ""
    derived: str = ""
    rows: Rows | None = None
    erase: Erase | None = None
    kept: str = ""
    blocks_deletion: bool = True

    @property
    def name(self) -> str:
        return str(self.model._meta.verbose_name_plural)

    def of(self, customer: Customer) -> QuerySet[Any]:
        return self.rows(customer) if self.rows else self.model._default_manager.none()

    @property
    def classes(self) -> dict[str, Kind]:
        return {name: kind for kind in Kind for name in getattr(self, kind).split()}

    @property
    def exported(self) -> list[str]:
        """The fields that a person's export holds."""
        return [name for name, kind in self.classes.items() if kind in (Kind.PERSONAL, Kind.SENSITIVE)]


def of_customer(model: type[Any], path: str = "customer") -> Rows:
    """`path` leads from the row to its customer."""
    return lambda customer: model.objects.filter(organization=customer.organization_id, **{path: customer.pk})


def delete(rows: QuerySet[Any]) -> None:
    rows.delete()


def blank(**values: Any) -> Erase:
    """Keep the row and write these values."""

    def erase(rows: QuerySet[Any]) -> None:
        rows.update(**values)

    return erase


def _emails(customer: Customer) -> QuerySet[OutgoingEmail]:
    """To the customer, and to members about the customer. Without an index: at most a month's e-mails of one lender are read."""
    requests = AccessRequest.objects.filter(customer=customer).values_list("pk", flat=True)
    opened = TemporaryAccess.objects.filter(customer=customer).values_list("pk", flat=True)
    topics = [f"access_request:{pk}" for pk in requests] + [f"emergency:{pk}" for pk in opened]
    about = Q(topic__startswith=f"customer:{customer.pk}:") | Q(topic__in=topics) | Q(payload__customer_id=customer.pk)
    if customer.email:
        about |= Q(recipient=customer.email)
    return OutgoingEmail.objects.filter(about, organization=customer.organization_id)


def _events(customer: Customer) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(
        organization=customer.organization_id, target_type=Customer._meta.label_lower, target_id=customer.pk
    )


def _instead_of(state: str, other: str) -> Case:
    return Case(When(state=state, then=Value(other)), default=F("state"))


_END_NOW: Final = Greatest(Now(), F("starts_at") + Value(timedelta(seconds=1)))

TABLES: Final[tuple[Table, ...]] = (
    Table(
        Customer,
        none="id organization office account_manager version updated_at held_until erased_at",
        personal="number first_name last_name email phone status segment joined_on state gender created_at",
        sensitive=(
            "status_reason bvn_encrypted date_of_birth address employer employment_status monthly_income hold_reason"
        ),
        derived="bvn_fingerprint bvn_last_digits name_key search",
        rows=of_customer(Customer, "pk"),
        erase=blank(
            first_name=ERASED_FIRST_NAME,
            last_name=ERASED_LAST_NAME,
            status=Customer.Status.INACTIVE,
            segment=Customer.Segment.STANDARD,
            date_of_birth=None,
            monthly_income=None,
            version=F("version") + 1,
            erased_at=Now(),
            updated_at=Now(),
            **dict.fromkeys(
                (
                    *(
                        "email",
                        "phone",
                        "status_reason",
                        "bvn_encrypted",
                        "bvn_fingerprint",
                        "bvn_last_digits",
                        "gender",
                    ),
                    *("address", "state", "employer", "employment_status", "hold_reason"),
                ),
                "",
            ),
        ),
        blocks_deletion=False,
    ),
    Table(
        Assignment,
        none="id organization customer batch end_batch",
        personal="manager started_at ended_at assigned_by ended_by",
        sensitive="reason end_reason",
        rows=of_customer(Assignment),
        erase=blank(reason="", end_reason=""),
    ),
    Table(
        CustomerUserObjectPermission,
        none="id organization content_object permission",
        personal="user",
        rows=of_customer(CustomerUserObjectPermission, "content_object"),
        erase=delete,
    ),
    Table(
        TemporaryAccess,
        none="id organization customer",
        personal="member kind starts_at ends_at granted_by reviewed_at reviewed_by",
        sensitive="reason",
        rows=of_customer(TemporaryAccess),
        erase=blank(reason="", ends_at=Case(When(ends_at__gt=Now(), then=_END_NOW), default=F("ends_at"))),
    ),
    Table(
        AccessRequest,
        none="id organization customer access",
        personal="member hours state created_at expires_at decided_at decided_by",
        sensitive="reason answer",
        rows=of_customer(AccessRequest),
        erase=blank(
            reason="",
            answer="",
            state=_instead_of(AccessRequest.State.OPEN, AccessRequest.State.EXPIRED),
        ),
    ),
    Table(
        BorrowerLink,
        none="id organization customer nonce browser code attempts",
        personal="created_at expires_at used_at",
        rows=of_customer(BorrowerLink),
        erase=delete,
        blocks_deletion=False,
    ),
    Table(
        ManagerCode,
        none="id organization assignment digest",
        personal="created_at",
        rows=of_customer(ManagerCode, "assignment__customer"),
        erase=delete,
    ),
    Table(
        ImpostorReport,
        none="id organization customer",
        personal="manager created_at closed_at closed_by",
        sensitive="what_happened contact outcome",
        rows=of_customer(ImpostorReport),
        erase=blank(what_happened="Erased.", contact="", outcome=""),
    ),
    Table(
        Document,
        none="id organization customer file",
        personal="type state uploaded_by uploaded_at reviewed_by reviewed_at",
        sensitive="reason",
        rows=of_customer(Document),
        erase=delete,
    ),
    Table(
        Note,
        none="id organization customer is_pinned version",
        personal="author kind due_on done_at done_by created_at edited_at",
        sensitive="text",
        rows=of_customer(Note),
        erase=delete,
    ),
    Table(
        NoteMention,
        none="id organization note",
        personal="member",
        rows=of_customer(NoteMention, "note__customer"),
        erase=delete,
    ),
    Table(
        NoteFile,
        none="id organization note file",
        rows=of_customer(NoteFile, "note__customer"),
        erase=delete,
    ),
    Table(
        RelatedPerson,
        none="id organization customer version",
        personal="kind name relationship phone created_at",
        sensitive="address",
        rows=of_customer(RelatedPerson),
        erase=delete,
    ),
    Table(
        ChangedCustomer,
        none="id organization customer customer_import version",
        sensitive="before",
        rows=of_customer(ChangedCustomer),
        erase=delete,
        blocks_deletion=False,
    ),
    Table(
        FormerStatus,
        none="id organization change customer",
        personal="status",
        sensitive="reason",
        rows=of_customer(FormerStatus),
        erase=delete,
        blocks_deletion=False,
    ),
    Table(
        OutgoingEmail,
        none="id organization dedupe_key topic attempts available_at",
        personal="kind recipient recipient_label subject state state_reason created_at sent_at",
        sensitive="payload sealed_body sent_body",
        rows=_emails,
        erase=blank(
            recipient="",
            recipient_label="",
            subject="Erased",
            payload={},
            sealed_body="",
            sent_body=None,
            state=_instead_of(OutgoingEmail.State.PENDING, OutgoingEmail.State.CANCELED),
            state_reason="The customer was erased.",
        ),
        blocks_deletion=False,
    ),
    Table(
        AuditEvent,
        none="id organization target_type target_id request_id",
        personal="at verb actor_label target_label",
        sensitive="before after reason",
        others="actor_id ip_address",
        rows=_events,
        kept=(
            "Nobody can change the log. It calls customers by their number and withholds what is personal; "
            "reasons that members typed stay."
        ),
        blocks_deletion=False,
    ),
    # About the lender's own people, or about many customers at once.
    Table(
        Export,
        none="id organization format is_confirmed state state_reason rights rows progress file attempts leased_until",
        personal="member created_at finished_at expires_at",
        sensitive="filters words",
        kept="Gone after 24 hours.",
    ),
    Table(
        CustomerImport,
        none=(
            "id organization file header columns offices managers updates is_confirmed state state_reason refusals rows"
            " progress attempts claim leased_until batch"
        ),
        personal="member file_name created_at finished_at expires_at",
        sensitive="samples report",
        kept="Samples and files go when it is over; the rest when it expires.",
    ),
    Table(
        BulkChange,
        none=(
            "id organization kind status undoes batch customer_ids size progress changed state state_reason attempts"
            " leased_until"
        ),
        personal="member manager created_at finished_at",
        sensitive="reason words",
        kept="About many customers, whom it names by id alone; a search that was typed may stand in its words.",
    ),
    Table(SavedView, none="id organization columns is_shared", personal="member name created_at", sensitive="query"),
    Table(MadeCustomers, none="id organization customer_import customer_ids"),
    Table(ImportMemory, none="id organization signature columns offices managers used_at"),
    Table(
        StoredFile, none="id organization size digest created_at", personal="name", kept="Whoever points at it answers."
    ),
    Table(StoredChunk, none="id organization file number", sensitive="content", kept="Whoever points at it answers."),
    Table(Cover, none="id organization", personal="covered substitute starts_at ends_at", sensitive="reason"),
    Table(
        Member,
        none="id organization role office status muted_emails version",
        personal="user phone joined_at deactivated_at last_seen_at",
    ),
    Table(
        Invitation,
        none="id organization role office nonce times_sent version",
        personal=(
            "email first_name last_name invited_by created_at sent_at expires_at asked_at accepted_at accepted_by"
            " revoked_at revoked_by"
        ),
    ),
    Table(Office, none="id organization name description type parent path is_active version", personal="head"),
    Table(Role, none="id organization name description built_in version deleted_at"),
    Table(RolePermission, none="id organization role capability reach"),
    Table(
        User,
        none="id is_superuser is_active groups user_permissions wanted_email_nonce",
        personal="email first_name last_name wanted_email date_joined last_login",
        sensitive="password",
    ),
    Table(Submission, none="id organization key path outcome_url", personal="user created_at"),
    Table(
        Organization,
        none=(
            "id name slug time_zone phone_region currency contact_email contact_phone website sender_name reply_to"
            " invitation_days muted_emails logo_digest version exclusive_assignments requires_second_factor"
            " second_factor_due_at session_idle_minutes session_hours customer_number_prefix last_customer_number"
            " suspended_at created_at"
        ),
    ),
    Table(OrganizationLogo, none="id organization content"),
)


def about_customers() -> list[Table]:
    return [table for table in TABLES if table.rows is not None]

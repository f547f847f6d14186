"""One run over a file: compare the staged rows, and load them. Everything that decides is decided in the loading transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from customers.importing import comparing, loading, reports, stage, updating
from customers.importing.comparing import Scope
from customers.importing.directory import NO_CHOICES, Choices, Directory
from customers.importing.reports import MAXIMUM_REPORTED, ImportReport
from customers.models import CustomerImport
from lendconsole.errors import DomainError
from lendconsole.many import work_in_memory
from notifications.services import OneOfMany, queue_list
from teams.models import Member

MANAGER_BATCH: Final = "customers/manager_batch"


class ImportOvertaken(DomainError):
    """What the file was checked against was changed by somebody else before it could be loaded. Nothing was loaded."""


@dataclass(frozen=True, slots=True)
class ImportRun:
    """`actor` None is an operator of the whole program. `customer_import`: the one that can be undone, if any."""

    actor: Member | None
    organization: Organization
    file_name: str
    batch: uuid.UUID
    choices: Choices = NO_CHOICES
    customer_import: CustomerImport | None = None

    @property
    def updates(self) -> bool:
        return self.customer_import is not None and self.customer_import.updates

    @property
    def reason(self) -> str:
        return f"Imported from {self.file_name}"[:300]

    def directory(self) -> Directory:
        return Directory.of(self.organization, self.actor, self.choices)

    def compare(self, checked_with: Directory, most: int = MAXIMUM_REPORTED) -> ImportReport:
        """Judge the rows of the stage. Until the transaction ends nobody else adds customers. Raises ImportOvertaken."""
        # Without the key: rows that merely point at the organization need not wait.
        Organization.objects.select_for_update(no_key=True).get(pk=self.organization.pk)
        if self.directory() != checked_with:
            raise ImportOvertaken("Offices or team members were changed while the file was read. Run the import again.")
        work_in_memory()
        stage.renew_statistics()
        scope = Scope.of(self.actor)
        comparing.refuse_repeated()
        if self.updates:
            comparing.lock_existing(self.organization)
        comparing.find_alike(self.organization)
        comparing.recognize_existing(scope)
        if self.updates:
            comparing.prepare_updates(self.organization, scope)
        comparing.refuse_offices(checked_with)
        comparing.refuse_taken(scope, updates=self.updates)
        comparing.remark_shared_bvn(scope, updates=self.updates)
        return reports.read_report(self.batch, most)

    def load(self, report: ImportReport, *, notify: bool = True) -> None:
        """What was compared, in the same transaction."""
        organization = self.organization
        loading.insert_customers(organization)
        loading.insert_assignments(organization, actor=self.actor, batch=self.batch, reason=self.reason)
        loading.move_number_up(organization)
        loading.insert_audit(organization, actor=self.actor, reason=self.reason)
        if self.customer_import is not None:
            loading.remember_new(self.customer_import)
        if self.updates and self.customer_import is not None and self.actor is not None:
            updating.update_from_file(self.customer_import, actor=self.actor, reason=self.reason)
        loading.renew_statistics(report.loaded)
        record(
            actor=self.actor,
            verb=Verb.CUSTOMERS_IMPORTED,
            target=organization,
            after=self._facts(report),
            reason=self.reason,
        )
        if notify:
            self._tell_managers(loading.count_by_manager())

    def _facts(self, report: ImportReport) -> dict[str, int]:
        changed = {"updated": report.differing} if self.updates else {}
        there = report.already_there - changed.get("updated", 0)
        return {"loaded": report.loaded, **changed, "already_there": there, "refused": report.refused}

    def _tell_managers(self, customers: dict[int, int]) -> None:
        """One mail each about all their new customers."""
        members = Member.objects.filter(pk__in=customers).select_related("user").order_by("pk")
        actor_name = self.actor.name if self.actor else ""
        emails = [
            OneOfMany(
                dedupe_key=f"batch:{self.batch}:{member.pk}",
                recipient=member.user.email,
                recipient_label=member.name,
                payload={"manager_id": member.pk, "customers": customers[member.pk], "actor_name": actor_name},
            )
            for member in members
        ]
        queue_list(kind=MANAGER_BATCH, topic=f"import:{self.batch}", emails=emails)

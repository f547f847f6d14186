"""The rules about customers that can be broken."""

from __future__ import annotations

from lendconsole.errors import DomainError, PermissionMissing


class ManagerNotEligible(DomainError):
    """The member cannot be an account manager now: inactive, of another organization, or of a role that opens no customers."""

    field = "manager"


class NoAccountManager(DomainError):
    """There is nothing to remove."""


class DuplicateCustomer(DomainError):
    """Number, phone, e-mail and BVN are given once in an organization."""


class OfficeOutOfReach(DomainError):
    """The actor may not put customers into this office, or it is closed."""

    field = "office"


class ReasonMissing(DomainError):
    """This change of status needs a reason."""

    field = "reason"


class NothingToReveal(DomainError):
    """There is no number on record."""


class CurrencyInUse(DomainError):
    """Amounts are on record, and another currency would make other amounts of them."""

    field = "currency"


class TooManyExports(DomainError):
    """The member's earlier exports are still being made."""


class ExportStopped(DomainError):
    """The file cannot be made as it was asked for; the sentence says why and what to do."""


class AccessNotNeeded(DomainError):
    """The customer is open to the actor in full already."""


class AlreadyRequested(DomainError):
    """One request of a member about a customer waits at a time."""


class RequestClosed(DomainError):
    """The request was decided, or nobody decided it in time."""


class CustomerErased(PermissionMissing):
    """Nothing can be changed about somebody who was erased."""


class CustomerKept(DomainError):
    """The law, the loan book or the customer's history says that the customer stays. The sentence says which."""


class WrongConfirmation(DomainError):
    """What was typed is not the customer's number."""

    field = "confirmation"


class ReportClosed(DomainError):
    """Somebody closed this report of an impostor before."""


class AlreadyReviewed(DomainError):
    """Somebody reviewed this before."""


class SubstituteNotEligible(DomainError):
    """The member cannot stand in, or there is nothing to stand in for."""

    field = "substitute"


class CoverOverlaps(DomainError):
    """One substitute at a time, who is there themselves."""


class DatesWrong(DomainError):
    """The days are in the past, in the wrong order or too far apart."""


class DocumentThere(DomainError):
    """The customer has this very file, of this type, and it was not declined."""

    field = "file"


class DueDateWrong(DomainError):
    """A follow-up has a day that is still to come."""

    field = "due_on"


class NotifiedSeesNothing(DomainError):
    """Only those who see the customer in full are told of a note, and not everybody at once."""

    field = "people"


class TooManyPeople(DomainError):
    """A customer has a few next of kin and guarantors, not a list."""


class TooManyImports(DomainError):
    """Earlier imports of the member, or of the organization, are still open."""

    field = "file"


class ColumnsWrong(DomainError):
    """A customer cannot be made of these columns."""


class ImportMovedOn(DomainError):
    """The import is not, or no longer, at the step that was asked for."""


class ImportStopped(DomainError):
    """The worker cannot go on; the sentence says why and what to do."""


class NothingChosen(DomainError):
    """No customer is ticked, or none matches anymore."""


class NotForAllCustomers(DomainError):
    """Some of the chosen customers are not the actor's to change; then none is changed."""


class MoreThanShown(DomainError):
    """More customers match by now than the page said."""


class ChangedMeanwhile(DomainError):
    """Somebody changed one of the chosen customers after the page was opened."""


class TooManyChanges(DomainError):
    """The member's earlier changes of many customers are still under way."""


class NothingToUndo(DomainError):
    """The change is too long ago, was taken back before, or is none that can be."""


class ViewNameTaken(DomainError):
    """A member's saved views have names of their own."""

    field = "name"


class TooManyViews(DomainError):
    """The member saved as many views as one may."""


class NoColumns(DomainError):
    """A list without columns would say nothing."""


class LookupsUsedUp(DomainError):
    """The member looked up too much masked contact data in a short time."""

"""Customers and what hangs on them, a module for each subject.

What many rows hold, the key of a customer and the customer's own keys, has no constraint of the plain kind
(`db_constraint=False`): the composite one of SameOrganization, with the organization in it, checks the same row.
"""

from customers.models.grants import MANAGE, Cover, CustomerUserObjectPermission, TemporaryAccess  # isort: skip  # before Customer, whose queryset needs them
from customers.models.assignment import Assignment
from customers.models.borrower import BorrowerLink, ImpostorReport, ManagerCode
from customers.models.bulk import BulkChange, FormerStatus
from customers.models.customer import Customer
from customers.models.documents import Document
from customers.models.export import Export
from customers.models.files import StoredChunk, StoredFile
from customers.models.imports import ChangedCustomer, CustomerImport, ImportMemory, MadeCustomers
from customers.models.notes import Note, NoteFile, NoteMention
from customers.models.related_people import RelatedPerson
from customers.models.requests import AccessRequest
from customers.models.view import SavedView

__all__ = [
    "MANAGE",
    "AccessRequest",
    "Assignment",
    "BorrowerLink",
    "BulkChange",
    "ChangedCustomer",
    "Cover",
    "Customer",
    "CustomerImport",
    "CustomerUserObjectPermission",
    "Document",
    "Export",
    "FormerStatus",
    "ImportMemory",
    "ImpostorReport",
    "MadeCustomers",
    "ManagerCode",
    "Note",
    "NoteFile",
    "NoteMention",
    "RelatedPerson",
    "SavedView",
    "StoredChunk",
    "StoredFile",
    "TemporaryAccess",
]

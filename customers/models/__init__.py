from customers.models.grants import MANAGE, Cover, CustomerUserObjectPermission, TemporaryAccess  # isort: skip  # before Customer, whose queryset needs them
from customers.models.assignment import Assignment
from customers.models.borrower import BorrowerLink, ImpostorReport, ManagerCode
from customers.models.customer import Customer
from customers.models.documents import Document
from customers.models.export import Export, ExportChunk
from customers.models.files import StoredChunk, StoredFile
from customers.models.notes import Note, NoteFile, NoteMention
from customers.models.related_people import RelatedPerson
from customers.models.requests import AccessRequest

__all__ = [
    "MANAGE",
    "AccessRequest",
    "Assignment",
    "BorrowerLink",
    "Cover",
    "Customer",
    "CustomerUserObjectPermission",
    "Document",
    "Export",
    "ExportChunk",
    "ImpostorReport",
    "ManagerCode",
    "Note",
    "NoteFile",
    "NoteMention",
    "RelatedPerson",
    "StoredChunk",
    "StoredFile",
    "TemporaryAccess",
]

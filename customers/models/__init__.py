from customers.models.grants import MANAGE, Cover, CustomerUserObjectPermission, TemporaryAccess  # isort: skip  # before Customer, whose queryset needs them
from customers.models.assignment import Assignment
from customers.models.borrower import BorrowerLink
from customers.models.customer import Customer
from customers.models.export import Export, ExportChunk
from customers.models.files import StoredChunk, StoredFile
from customers.models.imports import CustomerImport, ImportedRow, ImportMemory
from customers.models.requests import AccessRequest

__all__ = [
    "MANAGE",
    "AccessRequest",
    "Assignment",
    "BorrowerLink",
    "Cover",
    "Customer",
    "CustomerImport",
    "CustomerUserObjectPermission",
    "Export",
    "ExportChunk",
    "ImportMemory",
    "ImportedRow",
    "StoredChunk",
    "StoredFile",
    "TemporaryAccess",
]

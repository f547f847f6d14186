from customers.models.grants import MANAGE, Cover, CustomerUserObjectPermission, TemporaryAccess  # isort: skip  # before Customer, whose queryset needs them
from customers.models.assignment import Assignment
from customers.models.borrower import BorrowerLink
from customers.models.customer import Customer
from customers.models.export import Export, ExportChunk
from customers.models.files import StoredChunk, StoredFile
from customers.models.imports import ChangedCustomer, CustomerImport, ImportMemory, MadeCustomers
from customers.models.requests import AccessRequest

__all__ = [
    "MANAGE",
    "AccessRequest",
    "Assignment",
    "BorrowerLink",
    "ChangedCustomer",
    "Cover",
    "Customer",
    "CustomerImport",
    "CustomerUserObjectPermission",
    "Export",
    "ExportChunk",
    "ImportMemory",
    "MadeCustomers",
    "StoredChunk",
    "StoredFile",
    "TemporaryAccess",
]

from customers.models.grants import MANAGE, Cover, CustomerUserObjectPermission, TemporaryAccess  # isort: skip  # before Customer, whose queryset needs them
from customers.models.assignment import Assignment
from customers.models.borrower import BorrowerLink
from customers.models.bulk import BulkChange
from customers.models.customer import Customer
from customers.models.export import Export, ExportChunk
from customers.models.files import StoredChunk, StoredFile
from customers.models.requests import AccessRequest
from customers.models.view import SavedView

__all__ = [
    "MANAGE",
    "AccessRequest",
    "Assignment",
    "BorrowerLink",
    "BulkChange",
    "Cover",
    "Customer",
    "CustomerUserObjectPermission",
    "Export",
    "ExportChunk",
    "SavedView",
    "StoredChunk",
    "StoredFile",
    "TemporaryAccess",
]

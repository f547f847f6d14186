from customers.models.grants import MANAGE, Cover, CustomerUserObjectPermission, TemporaryAccess  # isort: skip  # before Customer, whose queryset needs them
from customers.models.assignment import Assignment
from customers.models.borrower import BorrowerLink
from customers.models.customer import Customer
from customers.models.export import Export, ExportChunk

__all__ = [
    "MANAGE",
    "Assignment",
    "BorrowerLink",
    "Cover",
    "Customer",
    "CustomerUserObjectPermission",
    "Export",
    "ExportChunk",
    "TemporaryAccess",
]

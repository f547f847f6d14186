"""The end of everything that is kept about a customer beside the record."""

from __future__ import annotations

from django.db import transaction

from customers.emails.notes import withdraw_mentions
from customers.models import Customer, StoredFile
from customers.papers import documents, files, notes, related_people


@transaction.atomic
def erase_papers(*, customer: Customer) -> int:
    """Documents, notes, related people and all files, for good; how many rows these were. Who calls it has asked and writes it down."""
    brought = list(files(customer).values_list("pk", flat=True))
    for note in notes(customer):
        withdraw_mentions(note=note)
    gone = sum(rows.order_by().delete()[0] for rows in (documents(customer), notes(customer), related_people(customer)))
    StoredFile.objects.filter(organization=customer.organization_id, pk__in=brought).delete()
    return gone

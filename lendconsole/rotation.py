"""Everything that is encrypted at rest, written anew with the newest key: the BVN with its fingerprint, mails that wait, second factors.

Rows are taken a portion at a time, each in a transaction of its own. A row that has the newest key is left alone, so
whoever is interrupted begins again and loses nothing. A new encrypted column gets an entry in COLUMNS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Model, QuerySet

from accounts.models import Organization
from customers.bvn import bvn_fingerprint
from customers.models import Customer
from lendconsole.encryption import InvalidToken, decrypt, encrypt, has_newest_key
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail

PORTION: Final = 500
COLUMNS: Final = {Customer: ("bvn_encrypted",), OutgoingEmail: ("sealed_body",)}
SECRETS_OF_AUTHENTICATORS: Final = ("secret", "seed", "migrated_codes")

Renew = Callable[[Any], bool]
Inside = Callable[[], AbstractContextManager[Any]]


@dataclass(slots=True)
class Progress:
    """Of one kind of rows so far. `unreadable` are the ids of those that no key opens."""

    what: str
    seen: int = 0
    rewritten: int = 0
    unreadable: list[int] = field(default_factory=list)


def rotate_all() -> Iterator[Progress]:
    """Yields after each portion."""
    for organization in Organization.objects.order_by("pk"):
        inside = partial(organization_context, organization.pk)
        customers = Customer.objects.filter(organization=organization).exclude(bvn_encrypted="")
        columns = ("bvn_encrypted", "bvn_fingerprint")
        yield from _rotate(f"BVNs of {organization}", customers, columns, _renew_bvn, inside)
    mails = OutgoingEmail.objects.filter(organization=None).exclude(sealed_body="")
    yield from _rotate("waiting account e-mails", mails, ("sealed_body",), _renew_mail, transaction.atomic)
    yield from _rotate("second factors", Authenticator.objects.all(), ("data",), _renew_factor, transaction.atomic)


def _rotate(
    what: str, rows: QuerySet[Any], columns: tuple[str, ...], renew: Renew, inside: Inside
) -> Iterator[Progress]:
    progress, last = Progress(what), 0
    while True:
        with inside():
            locked = rows.filter(pk__gt=last).order_by("pk").select_for_update(no_key=True)
            portion = list(locked.only("pk", *columns)[:PORTION])
            changed = [row for row in portion if _renewed(row, renew, progress)]
            rows.model._default_manager.bulk_update(changed, columns)
        if not portion:
            return
        last = portion[-1].pk
        progress.seen += len(portion)
        progress.rewritten += len(changed)
        yield progress


def _renewed(row: Model, renew: Renew, progress: Progress) -> bool:
    try:
        return renew(row)
    except InvalidToken:
        progress.unreadable.append(row.pk)
        return False


def _renew_bvn(customer: Customer) -> bool:
    """Its fingerprint as well, in case that key is new. A number that another customer has too stands without one."""
    bvn, former = decrypt(customer.bvn_encrypted), (customer.bvn_encrypted, customer.bvn_fingerprint)
    customer.bvn_encrypted = _renew(customer.bvn_encrypted)
    if customer.bvn_fingerprint:
        customer.bvn_fingerprint = bvn_fingerprint(bvn)
    return former != (customer.bvn_encrypted, customer.bvn_fingerprint)


def _renew_mail(email: OutgoingEmail) -> bool:
    former, email.sealed_body = email.sealed_body, _renew(email.sealed_body)
    return former != email.sealed_body


def _renew_factor(authenticator: Authenticator) -> bool:
    data = dict(authenticator.data)
    for name in SECRETS_OF_AUTHENTICATORS:
        if isinstance(data.get(name), list):
            data[name] = [_renew(token) for token in data[name]]
        elif data.get(name):
            data[name] = _renew(data[name])
    former, authenticator.data = authenticator.data, data
    return bool(former != data)


def _renew(token: str) -> str:
    return token if has_newest_key(token) else encrypt(decrypt(token))

"""The borrower's page: links that sign a borrower in, and what the page shows.

A borrower has no login. A link is signed over a row of BorrowerLink, so nothing that is stored can be used, and works
once, for a while, and only as long as the customer still has the address it was sent to.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from customers.models import Assignment, BorrowerLink, Customer
from lendconsole.encryption import fingerprint
from lendconsole.errors import DomainError
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from notifications.services import queue_email
from teams.models import Member

SALT: Final = "customers.borrower_link"
LINK_MAIL: Final = "customers/borrower_link"
MAILS_AT_ONCE: Final = 3
MAIL_PAUSE: Final = timedelta(minutes=15)
KEPT_AFTER_EXPIRY: Final = timedelta(days=30)


class LinkUnusable(DomainError):
    """The link opens nothing. The sentence says why as far as its holder may know."""


@dataclass(slots=True)
class _Borrower:
    """The actor of what a borrower does: no member of the organization."""

    pk: Any = None
    label: str = "The borrower"


@dataclass(frozen=True, slots=True)
class PresentManager:
    manager: Member
    since: datetime | None


def request_link(*, organization: Organization, email: str) -> None:
    """Mail a link to the customer with this address. Whether there is one stays unsaid: nothing is returned or raised.

    At most MAILS_AT_ONCE mails to one customer within MAIL_PAUSE; further requests are dropped as silently.
    """
    customer: Customer | None = (
        Customer.objects.for_organization(organization).exclude(email="").filter(email=email.strip().lower()).first()
    )
    if customer is None:
        return
    topic = f"customer:{customer.pk}:borrower_link"
    lately = OutgoingEmail.objects.filter(
        organization=organization, kind=LINK_MAIL, recipient=customer.email, created_at__gt=timezone.now() - MAIL_PAUSE
    )
    if lately.count() >= MAILS_AT_ONCE:
        return
    queue_email(
        kind=LINK_MAIL,
        dedupe_key=f"borrower_link:{uuid.uuid4()}",
        recipient=customer.email,
        recipient_label=customer.name,
        payload={"customer_id": customer.pk, "customer_name": customer.name, "lender": organization.name},
        topic=topic,
    )


def borrower_page_url(customer: Customer) -> str:
    """A fresh link for one sign-in, for a mail that is being written. Makes its row; forgets the customer's old ones."""
    now = timezone.now()
    links = BorrowerLink.objects.filter(organization=customer.organization, customer=customer)
    links.filter(expires_at__lt=now - KEPT_AFTER_EXPIRY).delete()
    link = BorrowerLink.objects.create(
        organization=customer.organization,
        customer=customer,
        expires_at=now + timedelta(hours=settings.BORROWER_LINK_HOURS),
    )
    token = signing.dumps({"l": link.pk, "n": link.nonce, "e": _address_mark(customer)}, salt=SALT)
    return absolute_url(reverse("customers_public:borrower_link", args=[customer.organization.slug, token]))


def check_link(*, organization: Organization, token: str) -> BorrowerLink:
    """The link, untouched: mail scanners open links too. Raises LinkUnusable."""
    try:
        content = signing.loads(token, salt=SALT)
        link_id, nonce, mark = content["l"], content["n"], content["e"]
    except (signing.BadSignature, KeyError, TypeError):
        link = None
    else:
        links = BorrowerLink.objects.filter(organization=organization).select_related("customer")
        link = links.filter(pk=link_id, nonce=nonce).first()
    if link is None or _address_mark(link.customer) != mark:
        raise LinkUnusable("This link is not complete or no longer valid.")
    if link.used_at is not None:
        raise LinkUnusable("This link was used already. For your safety each link opens the page once.")
    if link.expires_at <= timezone.now():
        raise LinkUnusable("This link has expired.")
    return link


@transaction.atomic
def use_link(*, organization: Organization, token: str) -> Customer:
    """Sign the borrower in, once: of two presses at the same moment one wins. Raises LinkUnusable."""
    link = check_link(organization=organization, token=token)
    if not BorrowerLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now()):
        raise LinkUnusable("This link was used already. For your safety each link opens the page once.")
    record(actor=_Borrower(), verb=Verb.BORROWER_SIGNED_IN, target=link.customer)
    return link.customer


def present_manager(customer: Customer) -> PresentManager | None:
    """Who the borrower can turn to now. Somebody who can no longer act for them is not shown."""
    if customer.account_manager_id is None:
        return None
    members = Member.objects.active().for_organization(customer.organization)
    manager = members.filter(pk=customer.account_manager_id).select_related("user", "office").first()
    if manager is None:
        return None
    period = Assignment.objects.filter(customer=customer, manager=manager, ended_at=None).first()
    return PresentManager(manager, period.started_at if period else None)


def _address_mark(customer: Customer) -> str:
    """Ties a link to the address it was sent to, without telling the address to whoever decodes the link."""
    return fingerprint(f"{customer.pk}:{customer.email}", purpose=SALT)[:16]

"""The borrower's page: what signs a borrower in, and what the page shows.

A borrower has no login. An e-mail brings a link, signed over a row of BorrowerLink, and a code, of which the row holds a
keyed hash: nothing that is stored can be used. One of the two works once, for a while, and only as long as the customer
still has the address it was sent to; the code in the browser alone that asked for it.
"""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from customers.codes import new_sign_in_code, sign_in_digest, spaced
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
CODE_LASTS: Final = timedelta(minutes=30)
CODE_ATTEMPTS: Final = 5
CHANGES_SHOWN: Final = 20


class LinkUnusable(DomainError):
    """The link opens nothing. The sentence says why as far as its holder may know."""


@dataclass(slots=True)
class Outsider:
    """The actor of what no member of the organization does."""

    pk: Any = None
    label: str = "The borrower"


@dataclass(frozen=True, slots=True)
class PresentManager:
    manager: Member
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    sentence: str


def request_link(*, organization: Organization, email: str, browser: str = "") -> None:
    """Mail a link to the customer with this address, and a code when the browser that asked is named (codes.browser_mark).

    Whether there is such a customer stays unsaid: nothing is returned or raised. At most MAILS_AT_ONCE mails go to one customer within
    MAIL_PAUSE; further requests are dropped as silently.
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
        payload={
            "customer_id": customer.pk,
            "customer_name": customer.name,
            "lender": organization.name,
            "browser": browser,
        },
        topic=topic,
    )


def borrower_page_url(customer: Customer) -> str:
    """A fresh link for one sign-in, for a mail that is being written."""
    return _url(_new_link(customer))


def ways_in(customer: Customer, *, browser: str) -> tuple[str, str]:
    """A fresh link and, for the browser that asked, a code as people read it; using one uses up the other."""
    code = new_sign_in_code() if browser else ""
    digest = sign_in_digest(code, customer_id=customer.pk, email=customer.email) if code else ""
    return _url(_new_link(customer, browser=browser, code=digest)), spaced(code, " ")


def _new_link(customer: Customer, **facts: str) -> BorrowerLink:
    """Makes the row and forgets the customer's old ones."""
    now = timezone.now()
    links = BorrowerLink.objects.filter(organization=customer.organization, customer=customer)
    links.filter(expires_at__lt=now - KEPT_AFTER_EXPIRY).delete()
    return BorrowerLink.objects.create(
        organization=customer.organization,
        customer=customer,
        expires_at=now + timedelta(hours=settings.BORROWER_LINK_HOURS),
        **facts,
    )


def _url(link: BorrowerLink) -> str:
    customer = link.customer
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
    if not _use_up(link):
        raise LinkUnusable("This link was used already. For your safety each link opens the page once.")
    return link.customer


def use_code(*, organization: Organization, browser: str, code: str) -> Customer | None:
    """Sign the borrower in, once. None for every code that does not, whatever the reason: nothing here tells who borrows.

    Each try counts against the codes that this browser waits for; after CODE_ATTEMPTS even the right one is refused. With
    MAILS_AT_ONCE mails in MAIL_PAUSE, nobody has more than 15 tries at one customer in a quarter of an hour.
    """
    waiting = BorrowerLink.objects.filter(
        organization=organization, browser=browser, used_at=None, created_at__gt=timezone.now() - CODE_LASTS
    ).exclude(browser="")
    waiting.update(attempts=F("attempts") + 1)
    for link in waiting.filter(attempts__lte=CODE_ATTEMPTS).select_related("customer"):
        digest = sign_in_digest(code, customer_id=link.customer_id, email=link.customer.email)
        if hmac.compare_digest(digest, link.code) and _use_up(link):
            return link.customer
    return None


def _use_up(link: BorrowerLink) -> bool:
    """Of two at the same moment one wins."""
    if not BorrowerLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now()):
        return False
    record(actor=Outsider(), verb=Verb.BORROWER_SIGNED_IN, target=link.customer)
    return True


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


def history(customer: Customer) -> list[Change]:
    """Who looked after the customer, newest first, without the reasons, which are the lender's own."""
    rows = Assignment.objects.filter(organization=customer.organization, customer=customer)
    periods = list(rows.select_related("manager__user").order_by("-started_at")[:CHANGES_SHOWN])[::-1]
    changes: list[Change] = []
    former: Assignment | None = None
    for period in periods:
        name = period.manager.name
        if former is not None and former.ended_at == period.started_at:
            changes.append(Change(period.started_at, f"{name} took over from {former.manager.name}."))
        else:
            changes += _farewell(former)
            changes.append(Change(period.started_at, f"{name} became your account manager."))
        former = period
    return [*changes, *_farewell(former)][::-1]


def _farewell(period: Assignment | None) -> list[Change]:
    if period is None or period.ended_at is None:
        return []
    return [Change(period.ended_at, f"{period.manager.name} stopped being your account manager.")]


def _address_mark(customer: Customer) -> str:
    """Ties a link to the address it was sent to, without telling the address to whoever decodes the link."""
    return fingerprint(f"{customer.pk}:{customer.email}", purpose=SALT)[:16]

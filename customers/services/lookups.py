"""Looking somebody up by contact data that their card masks: as a whole only (customers.querysets), so often, and written down.

The audit log is the counter. A search that is asked again while somebody types or turns a page is one look-up, once it
is in the log.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from audit.models import AuditEvent
from audit.services import record
from audit.verbs import Verb
from customers.errors import LookupsUsedUp
from customers.filters import sees_cards
from customers.models import Customer
from customers.querysets import FULL
from customers.text import SearchTerm
from teams.models import Member

MOST: Final = 30
WITHIN: Final = timedelta(minutes=10)
_WHOLE: Final = {
    "phone number": re.compile(r"\+\d{7,15}"),
    "e-mail address": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}"),
}


def note_lookup(*, actor: Member, text: str) -> None:
    """Called before a search. Does nothing unless it asks for a whole phone number or e-mail address that is masked to the actor.

    The log says by what was asked, and of whom if there is somebody, never the value. Raises LookupsUsedUp; then the
    search must not be made.
    """
    term = SearchTerm.parse(text, actor.organization.phone_region) if sees_cards(actor) else None
    by = _asked_by(term) if term else ""
    if term is not None and by:
        _note(actor, term, by)


@transaction.atomic
def _note(actor: Member, term: SearchTerm, by: str) -> None:
    asked = Customer.objects.visible_to(actor).filter(Q(phone__in=term.exact) | Q(email__in=term.exact))
    customer: Customer | None = asked.with_access(actor).order_by("pk").first()
    if customer is not None and customer.access == FULL:
        return
    key = f"lookup:{actor.pk}:{salted_hmac('customers.lookup', term.exact[0]).hexdigest()}"
    if cache.get(key):
        return
    _refuse_too_many(actor)
    target = customer or actor.organization
    found = "one customer" if customer else "nobody"
    record(actor=actor, verb=Verb.CUSTOMER_LOOKED_UP, target=target, after={"by": by, "found": found})
    transaction.on_commit(lambda: cache.set(key, True, WITHIN.total_seconds()), robust=True)


def _asked_by(term: SearchTerm) -> str:
    kinds = (kind for kind, shape in _WHOLE.items() if any(shape.fullmatch(value) for value in term.exact))
    return next(kinds, "")


def _refuse_too_many(actor: Member) -> None:
    events = AuditEvent.objects.filter(organization=actor.organization, actor_id=actor.pk)
    lately = events.filter(verb=Verb.CUSTOMER_LOOKED_UP, at__gt=timezone.now() - WITHIN)
    moments = list(lately.order_by("-at").values_list("at", flat=True)[:MOST])
    if len(moments) < MOST:
        return
    until = timezone.localtime(moments[-1] + WITHIN + timedelta(minutes=1))
    raise LookupsUsedUp(
        f"You looked up the contact data of {MOST} customers within {WITHIN.seconds // 60} minutes."
        f" Wait until {until:%H:%M}, or search by name or customer number."
    )

"""Reads of customers. `permitted` is the only way from a member to rows; see customers.access for the rule itself."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import ClassVar, Self

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, TextField, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.fields import BooleanField
from django.db.models.functions import Concat, Lower
from django.db.models.lookups import Contains, In
from django.utils import timezone

from accounts.pagination import OneOf
from customers.access import Rule, branches, holds_over_all_found, rules
from customers.models.grants import Cover
from customers.text import SearchTerm
from teams.capabilities import Capability
from teams.models import Member
from teams.querysets import OrganizationRows

FULL, CARD = "full", "card"
_NEVER = Q(pk__in=[])
_ALWAYS = ~_NEVER
_PRESENT = Q(erased_at=None)


class CustomerQuerySet(OrganizationRows):
    def permitted(self, member: Member, capability: Capability) -> Self:
        """The customers over which the member holds the capability (docs/architecture.md, "Who may see a customer").

        One's own are few, and named by a union; those of a place are many, and described.
        """
        rows = self.for_organization(member.organization)
        held = rules(member, capability)
        if Q() in held.values():
            return rows
        if not held:
            return self.none()
        place = held.pop(Rule.AREA, None)
        everyone: CustomerQuerySet = CustomerQuerySet(self.model).for_organization(member.organization)
        first, *rest = (everyone.filter(condition).values("pk") for condition in held.values())
        own = first.union(*rest, all=True)
        return rows.filter(OneOf(F("pk"), own) if place is None else place | Q(pk__in=own))

    def visible_to(self, member: Member) -> Self:
        """What exists for the member at all: lists, searches, counts, choices."""
        return self.permitted(member, Capability.CUSTOMERS_FIND)

    def visible_parts(self, member: Member) -> list[Self]:
        """`visible_to` in parts that may overlap, each of which is bounded by an index: by place, if at all, then one's own."""
        return [*self.visible_by_place(member), *self._visible_as_own(member)] or [self.none()]

    def visible_by_place(self, member: Member) -> list[Self]:
        """The one part that may be large, if there is one: everybody, or the customers of the member's offices."""
        held = rules(member, Capability.CUSTOMERS_FIND)
        return [self.for_organization(member.organization).filter(held[Rule.AREA])] if Rule.AREA in held else []

    def _visible_as_own(self, member: Member) -> list[Self]:
        held = rules(member, Capability.CUSTOMERS_FIND)
        if Q() in held.values():
            return []  # everybody, and so these too
        rows = self.for_organization(member.organization)
        return [rows.filter(own) for rule, own in held.items() if rule != Rule.AREA]

    def still_visible_to(self, member: Member) -> Self:
        return self.still_permitted(member, Capability.CUSTOMERS_FIND)

    def still_permitted(self, member: Member, capability: Capability) -> Self:
        """`permitted` for rows that are named one by one: the rule as a condition on each of them."""
        rows, condition = self.for_organization(member.organization), _holds(member, capability)
        return rows if condition == _ALWAYS else rows.filter(condition)

    def with_access(self, member: Member) -> Self:
        """For rows that are visible to the member: `access` ("full" or "card") and what their buttons need (`can_...`)."""
        in_full = _describes(member, Capability.CUSTOMERS_VIEW)
        return self.annotate(
            access=Case(When(in_full, then=Value(FULL)), default=Value(CARD), output_field=CharField()),
            can_edit=_flag(member, Capability.CUSTOMERS_EDIT, _PRESENT),
            can_change_status=_flag(member, Capability.CUSTOMERS_CHANGE_STATUS, _PRESENT),
            can_assign=_flag(member, Capability.CUSTOMERS_ASSIGN, _PRESENT),
            can_reveal=_flag(member, Capability.CUSTOMERS_REVEAL),
            can_note=_flag(member, Capability.NOTES_WRITE, _PRESENT),
        )

    def with_absence(self) -> Self:
        """`manager_is_absent`: somebody stands in for the account manager now."""
        covers = Cover.objects.running().filter(covered=OuterRef("account_manager"))
        return self.annotate(manager_is_absent=Exists(covers))

    def kept_by(self, member: Member) -> Self:
        """Whom the member may open to others for a time: those whose account manager they may choose, and those that
        they hold or stand in for."""
        own = rules(member, Capability.CUSTOMERS_VIEW)
        held = [own[rule] for rule in (Rule.MANAGER, Rule.COVER) if rule in own]
        everyone: CustomerQuerySet = CustomerQuerySet(self.model)
        chosen = everyone.permitted(member, Capability.CUSTOMERS_ASSIGN).values("pk")
        rows = self.for_organization(member.organization)
        return rows.filter(reduce(or_, held, Q(pk__in=chosen)))

    def with_oversight(self, member: Member) -> Self:
        """`can_oversee`: whether the member may also see who else sees the customer; `can_see_data`: all that is held on them."""
        return self.annotate(
            can_oversee=_flag(member, Capability.CUSTOMERS_OVERSEE),
            can_see_data=_flag(member, Capability.CUSTOMERS_DATA),
        )

    def with_papers(self, member: Member) -> Self:
        """What the tabs about documents need (`can_...`)."""
        return self.annotate(
            can_upload=_flag(member, Capability.DOCUMENTS_UPLOAD, _PRESENT),
            can_review=_flag(member, Capability.DOCUMENTS_REVIEW, _PRESENT),
        )

    def matching(self, member: Member, term: SearchTerm) -> Self:
        """Search by part of the name, e-mail, phone in any spelling, or customer number.

        The search function may use the trigram index, which row-level security would forbid (see its migration).
        """
        ids = RawSQL("SELECT customers_search(%s, NULL, NULL)", [term.patterns])
        return self.filter(may_be_found_by(member, term), OneOf(F("pk"), ids))

    def holding(self, member: Member, term: SearchTerm) -> Self:
        """The same for a few rows, which are read one by one."""
        return self.filter(contains(term) & may_be_found_by(member, term))


class JobQuerySet(OrganizationRows):
    """What the worker does for one member, with its state and its lease in the row."""

    unfinished_states: ClassVar[tuple[str, ...]] = ("waiting", "running")

    def visible_to(self, member: Member) -> Self:
        """Each member's own."""
        return self.for_organization(member.organization).filter(member=member)

    def unfinished(self) -> Self:
        return self.filter(state__in=self.unfinished_states)

    def without_worker(self) -> Self:
        """Those to be done that no living worker is at."""
        return self.unfinished().exclude(leased_until__gt=timezone.now())


class ExpiringJobQuerySet(JobQuerySet):
    def present(self) -> Self:
        return self.filter(expires_at__gt=timezone.now())

    def visible_to(self, member: Member) -> Self:
        """Each member's own, until they expire."""
        return super().visible_to(member).present()


class ImportQuerySet(ExpiringJobQuerySet):
    unfinished_states = ("checking", "loading", "undoing")

    def open(self) -> Self:
        """Neither imported nor given up."""
        return self.filter(state__in=("draft", "checked", *self.unfinished_states)).present()


class SavedViewQuerySet(OrganizationRows):
    def of(self, member: Member) -> Self:
        return self.for_organization(member.organization).filter(member=member)

    def named(self) -> Self:
        return self.exclude(name="")

    def visible_to(self, member: Member) -> Self:
        """One's own and those that are shared."""
        return self.for_organization(member.organization).filter(Q(member=member) | Q(is_shared=True))


def contains(term: SearchTerm) -> Q:
    """What the search function asks, for rows that are read anyway."""
    return Q(*(Q(search__contains=part) for part in term.parts))


def may_be_found_by(member: Member, term: SearchTerm) -> Q:
    """Of rows that contain the term, those where this tells the member nothing that is hidden from them.

    Where the member may only find, hidden contact data matches as a whole or not at all: a search must not
    tell, guess by guess, what the card masks.
    """
    if holds_over_all_found(member, Capability.CUSTOMERS_VIEW):
        return _ALWAYS
    number = Lower("number")
    shown = Concat(Value(" "), "name_key", Value(" "), number, output_field=TextField())
    whole = Q(phone__in=term.exact) | Q(email__in=term.exact) | Q(In(number, term.exact))
    openly = Q(*(Contains(shown, part) for part in term.parts))
    return _holds(member, Capability.CUSTOMERS_VIEW) | whole | openly


def _holds(member: Member, capability: Capability) -> Q:
    """The rule as one condition over rows that are already selected."""
    alternatives = branches(member, capability)
    return _ALWAYS if Q() in alternatives else reduce(or_, alternatives, _NEVER)


def _describes(member: Member, capability: Capability) -> Q:
    """The same for rows that the member finds. Who may do it with all of these is not asked again which they are."""
    return _ALWAYS if holds_over_all_found(member, capability) else _holds(member, capability)


def _flag(member: Member, capability: Capability, besides: Q = _ALWAYS) -> Case | Value:
    condition = _describes(member, capability)
    if besides != _ALWAYS and condition != _NEVER:
        condition = besides if condition == _ALWAYS else condition & besides
    if condition in (_ALWAYS, _NEVER):
        return Value(condition == _ALWAYS)
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())

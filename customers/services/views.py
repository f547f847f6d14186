"""Saved views of the list of customers, and the columns that a member wants to see.

What becomes of a view that is shared with everybody is audited: its name, never its filters, which may hold whom somebody
looked for.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.http import QueryDict

from audit.services import record
from audit.verbs import Verb
from customers.columns import known
from customers.errors import NoColumns, TooManyViews, ViewNameTaken
from customers.list_frame import SavedLink
from customers.models import SavedView
from lendconsole.errors import NotVisible, PermissionMissing
from teams.capabilities import Capability
from teams.models import Member

MOST_VIEWS: Final = 30
_NOT_KEPT: Final = frozenset({"after", "before", "page", "panel"})


@transaction.atomic
def save_view(*, actor: Member, name: str, is_shared: bool, query: str) -> SavedView:
    """Keep filters, order and columns of a list. Raises PermissionMissing, ViewNameTaken or TooManyViews."""
    actor.require(Capability.CUSTOMERS_FIND)
    _claim_name(actor, name)
    if SavedView.objects.of(actor).named().count() >= MOST_VIEWS:
        raise TooManyViews(f"You have {MOST_VIEWS} saved views. Delete one first.")
    view = SavedView.objects.create(
        organization=actor.organization, member=actor, name=name, is_shared=is_shared, query=kept(query)
    )
    if is_shared:
        record(actor=actor, verb=Verb.VIEW_SHARED, target=view)
    return view


@transaction.atomic
def change_view(*, actor: Member, view: SavedView, name: str, is_shared: bool) -> SavedView:
    """Another name; for everybody or for oneself. Raises NotVisible, PermissionMissing or ViewNameTaken."""
    row = find_view(actor, view.pk, locked=True)
    if row.name.lower() != name.lower():
        _claim_name(row.member, name)
    before = row.name, row.is_shared
    row.name, row.is_shared = name, is_shared
    if (row.name, row.is_shared) != before:
        row.save(update_fields=["name", "is_shared"])
        _record_change(actor, row, *before)
    return row


@transaction.atomic
def delete_view(*, actor: Member, view: SavedView) -> None:
    """Raises NotVisible or PermissionMissing."""
    row = find_view(actor, view.pk, locked=True)
    if row.is_shared:
        record(actor=actor, verb=Verb.VIEW_DELETED, target=row)
    row.delete()


@transaction.atomic
def choose_columns(*, actor: Member, columns: list[str]) -> None:
    """What the list shows the member from now on. Raises PermissionMissing or NoColumns."""
    actor.require(Capability.CUSTOMERS_FIND)
    if not known(columns):
        raise NoColumns("Choose at least one column.")
    SavedView.objects.update_or_create(
        organization=actor.organization, member=actor, name="", defaults={"columns": list(known(columns))}
    )


def find_view(member: Member, pk: int, *, locked: bool = False) -> SavedView:
    """One that the member may change: their own, or a shared one for those who keep the organization's settings.

    Raises NotVisible or PermissionMissing.
    """
    member.require(Capability.CUSTOMERS_FIND)
    rows = SavedView.objects.visible_to(member).named().select_related("member__user")
    if locked:
        rows = rows.select_for_update(of=("self",))
    view: SavedView | None = rows.filter(pk=pk).first()
    if view is None:
        raise NotVisible
    if not may_change(member, view):
        raise PermissionMissing(f"{view.member.name} saved this view. Ask {view.member.name} to change it.")
    return view


def may_change(member: Member, view: SavedView | SavedLink) -> bool:
    return view.member_id == member.pk or member.may(Capability.ORGANIZATION_SETTINGS)


def kept(query: str, *, but: str = "") -> str:
    """Of a list's address, what makes the list and not a page of it; without one more where it is named."""
    parameters = QueryDict(query, mutable=True)
    for name, value in list(parameters.items()):
        if name in {*_NOT_KEPT, but} or not str(value).strip():
            del parameters[name]
    return parameters.urlencode()[:2_000]


def _record_change(actor: Member, view: SavedView, former_name: str, was_shared: bool) -> None:
    if view.is_shared and was_shared:
        before, after = {"name": former_name}, {"name": view.name}
        record(actor=actor, verb=Verb.VIEW_CHANGED, target=view, before=before, after=after)
    elif view.is_shared or was_shared:
        record(actor=actor, verb=Verb.VIEW_SHARED if view.is_shared else Verb.VIEW_WITHDRAWN, target=view)


def _claim_name(owner: Member, name: str) -> None:
    """Until the transaction ends no other view of the owner gets the name, and none is added. Raises ViewNameTaken."""
    Member.objects.select_for_update(no_key=True).get(pk=owner.pk)
    if SavedView.objects.of(owner).filter(name__iexact=name).exists():
        raise ViewNameTaken("There is a view of this name. Choose another one.")

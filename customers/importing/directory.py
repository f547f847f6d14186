"""What a customer file may refer to, and what it says that nobody here knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import Organization
from customers.policy import assignable_managers, eligible_managers
from teams.capabilities import Capability
from teams.models import Member, Office

_Id = TypeVar("_Id")
MOST_UNKNOWN: Final = 50
"""Names of one kind that are offered to be chosen for; further ones are only refused."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Whom a person chose for names that the file has and nobody else: ids by name, None for no account manager."""

    offices: Mapping[str, int] = field(default_factory=dict)
    managers: Mapping[str, int | None] = field(default_factory=dict)


NO_CHOICES: Final = Choices()


@dataclass(frozen=True, slots=True)
class Directory:
    """What a file may refer to: the offices and account managers that the actor may choose, and today's date."""

    offices: dict[str, int]
    """Id by name in small letters."""
    for_new: frozenset[int]
    """The offices that take new customers."""
    for_changed: frozenset[int]
    """The offices that customers may be moved to."""
    managers: dict[str, int | None]
    """Id by e-mail address, or by what the file says instead; None is nobody."""
    chosen: frozenset[str]
    """Which of the names in both are there by choice alone."""
    may_assign: bool
    currency: str
    phone_region: str
    today: date

    @classmethod
    def of(cls, organization: Organization, actor: Member | None, choices: Choices = NO_CHOICES) -> Directory:
        """`actor` None is an operator of the whole program. Choices that the actor may not make are left out."""
        for_new = _offices(organization, actor, Capability.CUSTOMERS_CREATE)
        for_changed = _offices(organization, actor, Capability.CUSTOMERS_EDIT)
        managers = eligible_managers(organization) if actor is None else assignable_managers(actor)
        offices = {name.casefold(): pk for pk, name in {**for_changed, **for_new}.items()}
        addresses = {email: pk for pk, email in managers.order_by().values_list("pk", "user__email")}
        may_choose = {None, *addresses.values()}
        chosen_offices = _chosen(choices.offices, set(offices.values()))
        chosen_managers = _chosen(choices.managers, may_choose)
        return cls(
            offices={**chosen_offices, **offices},
            for_new=frozenset(for_new),
            for_changed=frozenset(for_changed),
            managers={**chosen_managers, **addresses},
            chosen=frozenset((chosen_offices.keys() - offices.keys()) | (chosen_managers.keys() - addresses.keys())),
            may_assign=actor is None or actor.may(Capability.CUSTOMERS_ASSIGN),
            currency=organization.currency,
            phone_region=organization.phone_region,
            today=timezone.localdate(timezone=ZoneInfo(organization.time_zone)),
        )


def _offices(organization: Organization, actor: Member | None, capability: Capability) -> dict[int, str]:
    everywhere = Office.objects.for_organization(organization)
    offices = everywhere if actor is None else Office.objects.reached_by(actor, capability)
    return dict(offices.active().values_list("pk", "name"))


def _chosen(choices: Mapping[str, _Id], allowed: Collection[_Id]) -> dict[str, _Id]:
    return {name.casefold(): pk for name, pk in choices.items() if pk in allowed}


class Unknown:
    """Names that stand in the file and nowhere else, and how many rows were refused for each of them."""

    def __init__(self) -> None:
        self._rows: Counter[str] = Counter()
        self._names: dict[str, str] = {}

    def note(self, name: str, *, is_refused: bool) -> None:
        key = name.casefold()
        if key in self._names or len(self._names) < MOST_UNKNOWN:
            self._names.setdefault(key, name)
            self._rows[key] += is_refused

    def listed(self) -> list[tuple[str, int]]:
        """Those of most rows first."""
        return [(self._names[key], rows) for key, rows in self._rows.most_common()]

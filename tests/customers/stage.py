"""What the tests of the rule over drawn lenders share: browsers for the members, and what stands on a page."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.test import Client

from customers.models import AccessRequest, Customer
from teams.models import Member
from tests.customers.oracle import FIND, FULL, Oracle
from tests.customers.scenes import Scene
from tests.world import signed_in

Seen = list[tuple[str, bool]]
"""Customers in the order in which they stand there: the number, and whether phone or e-mail can be read."""
Row = TypeVar("Row")


@dataclass(frozen=True)
class Narrowing:
    """What the address of the list asks for, and whom that means. `is_hidden`: the card does not show it."""

    query: dict[str, str]
    means: Callable[[Customer], bool]
    is_hidden: bool = False


@dataclass
class Stage:
    """A drawn lender with its oracle."""

    scene: Scene
    oracle: Oracle
    dice: random.Random

    def some(self, rows: Sequence[Row], most: int) -> list[Row]:
        """A few of them: every page of everybody would take minutes."""
        return self.dice.sample(rows, min(most, len(rows)))

    @functools.cached_property
    def finders(self) -> list[Member]:
        return [each for each in self.scene.active if each.may(FIND)]

    @functools.cached_property
    def waiting(self) -> list[AccessRequest]:
        return [each for each in self.scene.requests if each.is_open]

    @functools.cache  # noqa: B019  # lives as long as its test
    def client(self, member: Member) -> Client:
        return signed_in(member.user)

    def get(self, member: Member, path: str = "", *, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.client(member).get(self.scene.url(path), query, headers=headers)

    def found(self, member: Member, narrowing: Narrowing) -> list[Customer]:
        """By the oracle, in the order of the list."""
        rows = [each for each in self.oracle.visible(member) if narrowing.means(each)]
        return [each for each in rows if not narrowing.is_hidden or self.oracle.level(member, each) == FULL]

    def expected(self, member: Member, customers: Iterable[Customer]) -> Seen:
        return [(each.number, bool(each.email) and self.oracle.level(member, each) == FULL) for each in customers]

    def seen(self, texts: Iterable[str]) -> Seen:
        return [self._seen(re.sub("</?mark>", "", text)) for text in texts]

    def seen_lines(self, response: Any) -> Seen:
        """On one page of the list."""
        return self.seen(f"{line.head} {line.cells}" for line in response.context["lines"])

    def _seen(self, text: str) -> tuple[str, bool]:
        (number,) = set(re.findall(r"\b[KR]-\d{4}\b", text))
        customer = next(each for each in self.scene.customers if each.number == number)
        return number, bool(customer.email) and (customer.email in text or national(customer) in text)

    def __hash__(self) -> int:
        return id(self)


def national(customer: Customer) -> str:
    digits = customer.phone.removeprefix("+234")
    return f"0{digits[:3]} {digits[3:6]} {digits[6:]}"


def filters(stage: Stage, member: Member) -> Iterator[Narrowing]:
    office, is_working = stage.scene.offices[0], stage.oracle.is_working
    yield Narrowing({"status": "active"}, lambda each: each.status == "active")
    yield Narrowing({"segment": "sme"}, lambda each: each.segment == "sme", is_hidden=True)
    yield Narrowing({"account_manager": "nobody"}, lambda each: each.account_manager is None)
    yield Narrowing({"account_manager": "me"}, lambda each: each.account_manager_id == member.pk)
    yield Narrowing({"account_manager": "not_working"}, lambda each: _is_left_alone(each, is_working))
    yield Narrowing({"attention": "mismatch"}, _has_office_mismatch)
    yield Narrowing(
        {"attention": "needed"}, lambda each: _has_office_mismatch(each) or _is_left_alone(each, is_working)
    )
    if office.pk in {each.office_id for each in stage.oracle.visible(member)}:
        yield Narrowing({"office": str(office.pk)}, lambda each: stage.oracle.lies_below(each, office))


def _is_left_alone(customer: Customer, is_working: Callable[[Member], bool]) -> bool:
    return customer.account_manager is not None and not is_working(customer.account_manager)


def _has_office_mismatch(customer: Customer) -> bool:
    manager = customer.account_manager
    return manager is not None and manager.office_id != customer.office_id


def searches(scene: Scene) -> Iterator[Narrowing]:
    """By what every card shows, by part of what it masks, by all of it."""
    some = scene.customers[5]
    yield Narrowing({"q": "okafor"}, lambda each: each.last_name == "Okafor")
    yield Narrowing({"q": "bello zai"}, lambda each: (each.first_name, each.last_name) == ("Zainab", "Bello"))
    yield Narrowing({"q": "k-000"}, lambda each: each.number.startswith("K-000"))
    yield Narrowing({"q": "@alpha.ex"}, lambda each: "@alpha." in each.email, is_hidden=True)
    yield Narrowing({"q": "8034"}, lambda each: bool(each.phone), is_hidden=True)
    yield Narrowing({"q": some.phone[-6:]}, lambda each: each == some, is_hidden=True)
    yield Narrowing({"q": "musa @omega"}, lambda each: "Musa" in each.name and "@omega" in each.email, is_hidden=True)
    yield Narrowing({"q": national(some)}, lambda each: each == some)
    yield Narrowing({"q": some.email.upper()}, lambda each: each == some)

"""From the words of a row to the values of a customer, or to every reason why it cannot become one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, cast

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import CharField, TextChoices

from accounts.validators import validate_person_name
from customers.bvn import parse_bvn
from customers.importing.columns import Column
from customers.importing.directory import Directory, Unknown
from customers.models import Customer
from customers.text import to_e164
from lendconsole.money import DIGITS

EARLIEST: Final = date(1900, 1, 1)
HIGHEST_INCOME: Final = Decimal(10) ** 13
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9/-]*")


class _Refused(Exception):
    """Carries the sentence that becomes a reason of the row."""


class _Missing(_Refused):
    """Nothing stands there, and a new customer needs something."""


@dataclass(slots=True)
class CheckedRow:
    """`values` by field of Customer. A field whose words could not be read is absent, and `reasons` says why."""

    line: int
    values: dict[str, Any]
    reasons: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    """Reasons that count for a new customer alone."""
    given: int = 0
    """Which fields the row says something about, as the bits of GIVEN."""


class RowChecker:
    """Reads the words of one row after another. All rules of a row are tried, so that a file is corrected in one go.

    A column that is None is left out. With `updates` a row may be about somebody who is there already, and say less.
    """

    def __init__(self, columns: Sequence[Column | None], directory: Directory, *, updates: bool = False) -> None:
        self.columns = columns
        self.directory = directory
        self.updates = updates
        self.unknown_offices, self.unknown_managers = Unknown(), Unknown()

    def check(self, line: int, cells: list[str]) -> CheckedRow:
        row = CheckedRow(line, {})
        if len(cells) != len(self.columns):
            row.reasons.append(f"It has {len(cells)} values where the first line names {len(self.columns)} columns.")
            return row
        words = {
            column: " ".join(cell.split())
            for column, cell in zip(self.columns, cells, strict=True)
            if column is not None
        }
        for column, (name, read) in _FIELDS.items():
            text = words.get(column, "")
            if text:
                row.given |= GIVEN[name]
            try:
                row.values[name] = read(self, column, _clean(column, text))
            except _Refused as refused:
                self._reasons(row, column, refused).append(str(refused))
        self._compare_dates(row)
        return row

    def _reasons(self, row: CheckedRow, column: Column, refused: _Refused) -> list[str]:
        is_for_new = self.updates and isinstance(refused, _Missing) and column != Column.NUMBER
        return row.lacking if is_for_new else row.reasons

    @staticmethod
    def _compare_dates(row: CheckedRow) -> None:
        born, joined = row.values.get("date_of_birth"), row.values.get("joined_on")
        if born and joined and joined < born:
            row.reasons.append("The date joined lies before the date of birth.")

    def number(self, column: Column, text: str) -> str:
        text = _required(column, text, maximum=20)
        if not _NUMBER.fullmatch(text):
            raise _Refused(f"Customer number “{text}” may have letters, digits, - and / only.")
        return text

    def name(self, column: Column, text: str) -> str:
        text = _required(column, text, maximum=80)
        try:
            validate_person_name(text)
        except ValidationError as problem:
            raise _Refused(f"{column} {_quoted(text)} cannot be used. {problem.messages[0]}") from None
        return text

    def email(self, column: Column, text: str) -> str:
        text = _bounded(column, text.lower(), maximum=254)
        if text:
            try:
                validate_email(text)
            except ValidationError:
                raise _Refused(f"{_quoted(text)} is not an e-mail address.") from None
        return text

    def phone(self, column: Column, text: str) -> str:
        try:
            return to_e164(_bounded(column, text, maximum=40), self.directory.phone_region) if text else ""
        except ValidationError as problem:
            raise _Refused(problem.messages[0]) from None

    def bvn(self, column: Column, text: str) -> str:
        try:
            return parse_bvn(text) if text else ""
        except ValidationError as problem:
            raise _Refused(problem.messages[0]) from None

    def day(self, column: Column, text: str) -> date | None:
        if not text:
            return None
        try:
            value = date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
        except ValueError:
            value = None
        if value is None:
            raise _Refused(f"{column} {_quoted(text)} is not a calendar day written like 1990-02-28.")
        if value > self.directory.today:
            raise _Refused(f"{column} {text} lies in the future.")
        if value < EARLIEST:
            raise _Refused(f"{column} {text} lies before the year {EARLIEST.year}.")
        return value

    def joined(self, column: Column, text: str) -> date:
        return self.day(column, text) or self.directory.today

    def text(self, column: Column, text: str) -> str:
        return _bounded(column, text, maximum=_maximum(_FIELDS[column][0]))

    def income(self, column: Column, text: str) -> int | None:
        if not text:
            return None
        if not _DIGITS.fullmatch(text):
            raise _Refused(f"{column} {_quoted(text)} is not a whole number.")
        if len(text) > 20 or Decimal(text) > HIGHEST_INCOME:
            raise _Refused(f"{column} {_quoted(text)} is too high.")
        return int(Decimal(text).scaleb(DIGITS.get(self.directory.currency, 2)))

    def office(self, column: Column, text: str) -> int:
        text = _required(column, text, maximum=120)
        if not self._is_known(text, self.directory.offices, self.unknown_offices):
            raise _Refused(f"There is no active office “{text}” here.")
        return self.directory.offices[text.casefold()]

    def manager(self, column: Column, text: str) -> int | None:
        if not text:
            return None
        if not self.directory.may_assign:
            raise _Refused("Your role may not choose account managers.")
        if not self._is_known(text, self.directory.managers, self.unknown_managers):
            raise _Refused(f"{_quoted(text)} is no team member who can be an account manager here.")
        return self.directory.managers[text.casefold()]

    def _is_known(self, name: str, known: Mapping[str, Any], unknown: Unknown) -> bool:
        """Whether somebody is meant by the name. Where that is by choice alone it can be chosen anew."""
        key = name.casefold()
        if key not in known or key in self.directory.chosen:
            unknown.note(name, is_refused=key not in known)
        return key in known


def _choice(choices: type[TextChoices], default: str) -> Callable[[RowChecker, Column, str], str]:
    values = {label.casefold(): value for value, label in choices.choices}
    labels = [str(label) for label in choices.labels]
    offered = f"{', '.join(labels[:-1])} or {labels[-1]}"

    def read(checker: RowChecker, column: Column, text: str) -> str:
        if not text:
            return default
        if text.casefold() not in values:
            raise _Refused(f"{column} {_quoted(text)} is not known. Write {offered}.")
        return values[text.casefold()]

    return read


def _clean(column: Column, text: str) -> str:
    if _CONTROL.search(text):
        raise _Refused(f"{column} contains a control character.")
    return text


def _required(column: Column, text: str, *, maximum: int) -> str:
    if not text:
        raise _Missing(f"{column} is missing.")
    return _bounded(column, text, maximum=maximum)


def _bounded(column: Column, text: str, *, maximum: int) -> str:
    if len(text) > maximum:
        raise _Refused(f"{column} is longer than {maximum} characters.")
    return text


def _maximum(name: str) -> int:
    return cast("CharField[str, str]", Customer._meta.get_field(name)).max_length or 0


def _quoted(text: str) -> str:
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


_FIELDS: Final[dict[Column, tuple[str, Callable[[RowChecker, Column, str], Any]]]] = {
    Column.NUMBER: ("number", RowChecker.number),
    Column.FIRST_NAME: ("first_name", RowChecker.name),
    Column.LAST_NAME: ("last_name", RowChecker.name),
    Column.EMAIL: ("email", RowChecker.email),
    Column.PHONE: ("phone", RowChecker.phone),
    Column.BVN: ("bvn", RowChecker.bvn),
    Column.DATE_OF_BIRTH: ("date_of_birth", RowChecker.day),
    Column.GENDER: ("gender", _choice(Customer.Gender, "")),
    Column.ADDRESS: ("address", RowChecker.text),
    Column.STATE: ("state", RowChecker.text),
    Column.EMPLOYER: ("employer", RowChecker.text),
    Column.EMPLOYMENT_STATUS: ("employment_status", _choice(Customer.EmploymentStatus, "")),
    Column.MONTHLY_INCOME: ("monthly_income", RowChecker.income),
    Column.SEGMENT: ("segment", _choice(Customer.Segment, Customer.Segment.STANDARD)),
    Column.STATUS: ("status", _choice(Customer.Status, Customer.Status.PENDING)),
    Column.OFFICE: ("office_id", RowChecker.office),
    Column.ACCOUNT_MANAGER: ("account_manager_id", RowChecker.manager),
    Column.JOINED_ON: ("joined_on", RowChecker.joined),
}
GIVEN: Final = {name: 1 << position for position, (name, _read) in enumerate(_FIELDS.values())}
"""A bit for each field of a row."""

"""Which column of a file is which, guessed from what its first line says; people correct the guess once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from customers.errors import ColumnsWrong
from customers.importing.columns import REQUIRED, Column

_ALSO_CALLED: Final[dict[Column, str]] = {
    Column.NUMBER: "number, no, id, customer id, customer no, client id, client number, account number, borrower id, code",
    Column.FIRST_NAME: "first, given name, forename, firstname, other names",
    Column.LAST_NAME: "last, surname, family name, lastname",
    Column.EMAIL: "e-mail, email address, e-mail address, mail",
    Column.PHONE: "phone number, mobile, mobile number, telephone, tel, gsm, cell, msisdn",
    Column.BVN: "bank verification number, bvn number",
    Column.DATE_OF_BIRTH: "dob, birth date, birthdate, birthday, born, born on",
    Column.GENDER: "sex",
    Column.ADDRESS: "home address, residential address, street, street address",
    Column.STATE: "state of residence, region, province",
    Column.EMPLOYER: "employer name, company, place of work",
    Column.EMPLOYMENT_STATUS: "employment, occupation status, job status",
    Column.MONTHLY_INCOME: "income, salary, monthly salary, net income, net salary",
    Column.SEGMENT: "customer segment, category, tier",
    Column.STATUS: "customer status, state of account",
    Column.OFFICE: "branch, branch name, office name, location",
    Column.ACCOUNT_MANAGER: "manager, account officer, relationship manager, manager email, account manager email, rm",
    Column.JOINED_ON: "joined, joined on, date opened, customer since, registration date, date created, created",
}


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


_KNOWN: Final = {
    _key(name): column for column, names in _ALSO_CALLED.items() for name in (*names.split(", "), column.value)
}


def guess_columns(header: Sequence[str], currency: str) -> list[str]:
    """For each column of the file the one it most likely is, "" for none; nothing is guessed twice."""
    found: list[str] = []
    for name in header:
        key = _key(re.sub(rf"\({re.escape(currency)}\)\s*$", "", name, flags=re.I))
        column = _KNOWN.get(key)
        found.append(column.value if column is not None and column.value not in found else "")
    return found


def signature(header: Sequence[str]) -> str:
    """Equal for files whose first lines differ in nothing but case, blanks and punctuation."""
    return hashlib.sha256("\n".join(map(_key, header)).encode()).hexdigest()


def check_columns(columns: Sequence[str], *, updates: bool) -> list[Column | None]:
    """The same as columns. Raises ColumnsWrong. For changes alone the number is enough."""
    found = [Column(value) if value else None for value in columns]
    repeated = sorted({column.value for column in found if column is not None and found.count(column) > 1})
    if repeated:
        raise ColumnsWrong(f"Chosen for more than one column: {', '.join(repeated)}.")
    missing = [column.value for column in (REQUIRED[:1] if updates else REQUIRED) if column not in found]
    if missing:
        raise ColumnsWrong(f"Choose a column for: {', '.join(missing)}.")
    return found

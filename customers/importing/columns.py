"""The columns of a customer file: what the header calls them and which of them a file must have."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from customers.importing.limits import FileRefused


class Column(StrEnum):
    NUMBER = "Customer number"
    FIRST_NAME = "First name"
    LAST_NAME = "Last name"
    EMAIL = "Email"
    PHONE = "Phone"
    BVN = "BVN"
    DATE_OF_BIRTH = "Date of birth"
    GENDER = "Gender"
    ADDRESS = "Address"
    STATE = "State"
    EMPLOYER = "Employer"
    EMPLOYMENT_STATUS = "Employment status"
    MONTHLY_INCOME = "Monthly income"
    SEGMENT = "Segment"
    STATUS = "Status"
    OFFICE = "Office"
    ACCOUNT_MANAGER = "Account manager"
    JOINED_ON = "Date joined"


REQUIRED: Final = (Column.NUMBER, Column.FIRST_NAME, Column.LAST_NAME, Column.OFFICE)


def read_header(cells: list[str], currency: str) -> list[Column]:
    """Which column stands where, in any order and any case; the income may carry the organization's currency.

    Raises FileRefused for a missing, an unknown or a repeated column: better than losing somebody's data unsaid.
    """
    known = {column.casefold(): column for column in Column}
    known[f"{Column.MONTHLY_INCOME} ({currency})".casefold()] = Column.MONTHLY_INCOME
    names = [" ".join(cell.split()) for cell in cells]
    columns = [known.get(name.casefold()) for name in names]
    missing = [column.value for column in REQUIRED if column not in columns]
    if missing:
        hint = " Its columns are separated by semicolons; they must be commas." if ";" in names[0] else ""
        raise FileRefused(f"The first line must name the columns; missing: {', '.join(missing)}.{hint}")
    unknown = [f"“{name[:40]}”" for name, column in zip(names, columns, strict=True) if column is None]
    if unknown:
        raise FileRefused(f"These columns are not known: {', '.join(unknown[:10])}. Remove them and try again.")
    found = [column for column in columns if column is not None]
    repeated = sorted({column.value for column in found if found.count(column) > 1})
    if repeated:
        raise FileRefused(f"These columns stand in the file more than once: {', '.join(repeated)}.")
    return found

"""The columns of the list of customers that a member may choose among; the customer's name and number always stand first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """`sort` is the key it sorts by, if it does; `css` goes to its cells."""

    key: str
    label: str
    sort: str = ""
    css: str = ""


COLUMNS: Final = {
    column.key: column
    for column in (
        Column("phone", "Phone", css="cell-minor text-nowrap"),
        Column("email", "E-mail", css="cell-minor cell-email"),
        Column("segment", "Segment", css="cell-minor text-nowrap"),
        Column("office", "Office", css="cell-minor"),
        Column("account_manager", "Account manager"),
        Column("status", "Status", sort="status"),
        Column("joined", "Joined", sort="joined", css="cell-minor"),
    )
}
DEFAULT: Final = ("phone", "office", "account_manager", "status", "joined")


def known(keys: Iterable[str]) -> tuple[str, ...]:
    """Those that are columns, in the order of the list."""
    wanted = set(keys)
    return tuple(key for key in COLUMNS if key in wanted)

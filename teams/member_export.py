"""The list of members as a CSV file that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

from accounts.models import Organization
from accounts.spreadsheets import safe_cell

HEADER: Final = (
    "Name", "E-mail", "Role", "Office", "Status", "Customers", "Second factor", "Last seen", "Joined",
)  # fmt: skip


def members_csv(members: Iterable[Any], organization: Organization) -> str:
    """`members` were read for the list. Times are the organization's."""
    zone = ZoneInfo(organization.time_zone)
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(HEADER)
    for row in members:
        seen = row.last_seen_at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if row.last_seen_at else ""
        facts = (
            row.name,
            row.user.email,
            row.role.name,
            row.office.name,
            row.get_status_display(),
            row.customer_count,
            "On" if row.has_second_factor else "Off",
            seen,
            row.joined_at.astimezone(zone).strftime("%Y-%m-%d"),
        )
        rows.writerow([safe_cell(fact) for fact in facts])
    return text.getvalue()

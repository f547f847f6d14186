"""What the frame of every page needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from customers.readers import count_waiting
from lendconsole import navigation


def console(request: HttpRequest) -> dict[str, Any]:
    """The member and the menus cut down to the role. Outside an organization all of them are empty."""
    member = getattr(request, "member", None)
    if member is None:
        return {"member": None, "organization": None, "navigation": (), "settings_navigation": ()}
    count_waiting(member)
    match = request.resolver_match
    view_name = match.view_name if match else ""
    return {
        "member": member,
        "organization": member.organization,
        "navigation": navigation.menu(member, view_name),
        "settings_navigation": navigation.settings_menu(member, view_name),
    }

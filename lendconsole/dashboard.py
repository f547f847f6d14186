"""The first page of an organization: figures that lead to the list behind them, what is to be done, and who carries how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import OuterRef, Q, QuerySet

from accounts.pages import ConsolePage
from accounts.pagination import CappedCount, Parts, written_number
from customers.attention import without_working_manager
from customers.models import Assignment, Customer
from customers.paper_rows import FollowUpLine, follow_up_lines
from customers.papers import first_follow_ups
from customers.policy import eligible_managers
from customers.readers import counted_together
from teams.capabilities import Capability, Reach
from teams.models import Invitation, Member

CAP: Final = 20_000
"""Counting further would make the page slow; beyond it a figure reads "20,000+"."""
MANAGERS_SHOWN: Final = 12
RECENT_SHOWN: Final = 6
FOLLOW_UPS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    count: int
    url: str
    icon: str = ""
    css: str = ""
    share: int = 0
    """Length of its bar, 0 to 100."""

    @property
    def text(self) -> str:
        return written_number(self.count, CAP)


@dataclass(frozen=True, slots=True)
class Load:
    manager: Member
    count: int
    share: int
    url: str


@dataclass(frozen=True, slots=True)
class FollowUps:
    """The first few, and how many there are in all."""

    lines: list[FollowUpLine]
    total: int


class DashboardView(ConsolePage):
    """At most five statements beside those of every page: all figures, what the member has to do, the workload, what one
    was given lately."""

    template_name = "lendconsole/dashboard.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counts = _counts(self.member)
        return super().get_context_data(
            figures=_figures(self.member, counts),
            statuses=_statuses(self.member, counts),
            follow_ups=_follow_ups(self.member),
            loads=_loads(self.member),
            recent=_recent(self.member),
            **kwargs,
        )


def sees_workload(member: Member) -> bool:
    """Those who look after colleagues or oversee customers, as far as they find customers at all."""
    looks_after = member.may(Capability.MEMBERS_VIEW) or member.may(Capability.CUSTOMERS_OVERSEE)
    return looks_after and member.may(Capability.CUSTOMERS_FIND)


def _counts(member: Member) -> dict[str, int]:
    counted: dict[str, QuerySet[Any] | Parts] = {}
    if member.may(Capability.CUSTOMERS_FIND):
        visible = Customer.objects.visible_parts(member)
        narrowed = {
            "customers": Q(),
            "unassigned": Q(account_manager=None),
            "not_working": without_working_manager(member.organization),
            "mine": Q(account_manager=member),
            **{status.value: Q(status=status) for status in Customer.Status},
        }
        counted = {name: [part.filter(condition) for part in visible] for name, condition in narrowed.items()}
    if member.may(Capability.MEMBERS_INVITE):
        counted["invitations"] = Invitation.objects.visible_to(member).pending()
    return counted_together(member.organization, cap=CAP, **counted) if counted else {}


def _figures(member: Member, counts: dict[str, int]) -> list[Figure]:
    figures = []
    if "customers" in counts:
        url = member.url("customers:customer_list")
        all_are_own = member.reach(Capability.CUSTOMERS_FIND) == Reach.OWN
        figures.append(Figure("Your customers" if all_are_own else "Customers", counts["customers"], url, "users"))
        if not all_are_own:
            figures.append(Figure("Unassigned", counts["unassigned"], f"{url}?account_manager=nobody", "user-off"))
        if counts["not_working"]:
            query = "?account_manager=not_working"
            figures.append(Figure("Manager not working", counts["not_working"], f"{url}{query}", "alert-triangle"))
        if not all_are_own or counts["mine"] != counts["customers"]:
            figures.append(Figure("Mine", counts["mine"], f"{url}?account_manager=me", "user-check"))
    if "invitations" in counts:
        members = member.url("teams:member_list")
        figures.append(
            Figure("Pending invitations", counts["invitations"], f"{members}?status=invited", "mail-forward")
        )
    return figures


def _statuses(member: Member, counts: dict[str, int]) -> list[Figure]:
    if "customers" not in counts:
        return []
    tones = {"active": "green", "pending": "yellow", "inactive": "grey", "blacklisted": "red"}
    largest = max(1, *(counts[status] for status in Customer.Status))
    url = member.url("customers:customer_list")
    return [
        Figure(
            label=status.label,
            count=counts[status],
            url=f"{url}?status={status.value}",
            css=f"state-{tones[status]}",
            share=round(100 * counts[status] / largest),
        )
        for status in Customer.Status
    ]


def _follow_ups(member: Member) -> FollowUps | None:
    """What is due first, as far as there is room for it; nothing for a member who has nothing to do."""
    if not member.may(Capability.NOTES_WRITE):
        return None
    notes, total = first_follow_ups(member, FOLLOW_UPS_SHOWN)
    return FollowUps(follow_up_lines(member, notes), total) if notes else None


def _recent(member: Member) -> list[Assignment]:
    """For those who work their own customers: the latest that were given to them."""
    if member.reach(Capability.CUSTOMERS_FIND) != Reach.OWN:
        return []
    present = Assignment.objects.filter(organization=member.organization, manager=member, ended_at=None)
    visible = Customer.objects.visible_to(member).order_by().values("pk")
    return list(
        present.filter(customer__in=visible)
        .select_related("customer__office")
        .order_by("-started_at", "-pk")[:RECENT_SHOWN]
    )


def _loads(member: Member) -> list[Load]:
    """The managers who carry most, heaviest first, counted as far as the member sees customers."""
    if not sees_workload(member):
        return []
    held = Customer.objects.visible_to(member).filter(account_manager=OuterRef("pk"))
    busiest = eligible_managers(member.organization).annotate(load=CappedCount(held, cap=None))
    # Without those of no load here: where the database leaves them out, it counts everybody's customers twice.
    managers = [manager for manager in busiest.order_by("-load", "pk")[:MANAGERS_SHOWN] if manager.load]
    url = member.url("customers:customer_list")
    return [
        Load(
            manager=manager,
            count=manager.load,
            share=round(100 * manager.load / managers[0].load),
            url=f"{url}?account_manager={manager.pk}",
        )
        for manager in managers
    ]

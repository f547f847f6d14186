"""Ending a member's access. It lives with customers, because what the member holds is shown first."""

from __future__ import annotations

from typing import Any, Final

from customers.models import Customer
from teams import services
from teams.capabilities import Capability
from teams.forms import ConfirmForm
from teams.models import Invitation
from teams.readers import ACTIVE
from teams.views.members import MemberPage

SHOWN: Final = 10


class OffboardingPage(MemberPage):
    """While customers are dedicated to the member the page lists them instead of asking; the service refuses too."""

    capability = Capability.MEMBERS_DEACTIVATE
    form_class = ConfirmForm
    tab = ACTIVE
    weakens_super_admins = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        held = Customer.objects.visible_to(self.member).filter(account_manager=self.target).order_by("name_key", "id")
        sent = Invitation.objects.open().for_organization(self.member.organization).filter(invited_by=self.target)
        return super().get_context_data(customers=held[:SHOWN], open_invitations=sent.count(), **kwargs)


class MemberDeactivateView(OffboardingPage):
    template_name = "customers/member_deactivate.html"

    def carry_out(self, form: Any) -> str:
        member = services.deactivate_member(actor=self.member, member=self.target)
        return f"{member.name} is deactivated and has no access to {member.organization.name} anymore."


class MemberRemoveView(OffboardingPage):
    template_name = "customers/member_remove.html"
    shows_removed = True  # the second press of the button finds what the first one did

    def next_url(self) -> str:
        return str(self.member.url("teams:member_list"))

    def carry_out(self, form: Any) -> str:
        member = services.remove_member(actor=self.member, member=self.target)
        return f"{member.name} is no longer a team member of {member.organization.name}."

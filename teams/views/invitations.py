"""Settings: sending an invitation again, and revoking it."""

from __future__ import annotations

from typing import Any

from teams import services
from teams.capabilities import Capability
from teams.forms import ChangeInvitationForm, ConfirmForm
from teams.models import Invitation
from teams.readers import INVITED
from teams.services.invitations import invitation_of
from teams.views.members import BackToList


class InvitationPage(BackToList):
    """A question about the invitation of the address. The service refuses what is not the actor's to do."""

    capability = Capability.MEMBERS_INVITE
    form_class: Any = ConfirmForm
    tab = INVITED
    invitation: Invitation

    def find(self) -> None:
        self.invitation = invitation_of(self.member, self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(invitation=self.invitation, **kwargs)


class InvitationChangeView(InvitationPage):
    template_name = "teams/invitation_change.html"
    form_class = ChangeInvitationForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "invitation": self.invitation}

    def get_initial(self) -> dict[str, Any]:
        row = self.invitation
        return {"role": row.role_id, "office": row.office_id, "version": row.version}

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in ("role", "office", "version")}
        row = services.change_invitation(actor=self.member, invitation=self.invitation, **facts)
        return f"{row.name} is invited as {row.role.name} in {row.office.name}. The link stays the same."


class InvitationResendView(InvitationPage):
    template_name = "teams/invitation_resend.html"

    def carry_out(self, form: Any) -> str:
        invitation = services.resend_invitation(actor=self.member, invitation=self.invitation)
        return f"A new link is on its way to {invitation.email}. The former one no longer works."


class InvitationRevokeView(InvitationPage):
    template_name = "teams/invitation_revoke.html"

    def carry_out(self, form: Any) -> str:
        services.revoke_invitation(actor=self.member, invitation=self.invitation)
        return f"The invitation of {self.invitation.name} is revoked. Its link no longer works."

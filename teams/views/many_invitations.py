"""Settings: inviting several people at once, from a list to a preview to what became of each row."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from accounts.pages import ConsolePage, FormPage
from audit.models import AuditEvent
from audit.verbs import Verb
from lendconsole.errors import NotVisible
from teams import services
from teams.capabilities import Capability, Reach
from teams.forms import InviteSeveralForm
from teams.invitation_lists import MOST_ROWS, as_csv
from teams.services.invitations import PER_INVITER_AND_HOUR


class MembersInviteView(FormPage):
    """The first button shows what would happen to each row; the second one, on that preview, invites."""

    capability = Capability.MEMBERS_INVITE
    template_name = "teams/members_invite.html"
    form_class = InviteSeveralForm
    event: AuditEvent

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "invite" in request.POST:
            return super().post(request, *args, **kwargs)
        form = self.get_form()
        if not form.is_valid():
            return self.form_invalid(form)
        return self.render_to_response(self.get_context_data(form=form))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(most=MOST_ROWS, hourly=PER_INVITER_AND_HOUR, **kwargs)
        return {**context, **self._preview(context["form"])}

    def _preview(self, form: forms.Form) -> dict[str, Any]:
        wishes = getattr(form, "cleaned_data", {}).get("wishes") if form.is_bound else None
        if not wishes:
            return {}
        outcomes = services.check_invitations(actor=self.member, wishes=wishes)
        return {
            "outcomes": outcomes,
            "ready": sum(1 for outcome in outcomes if not outcome.refusal),
            "people": as_csv([wish.line for wish in wishes]),
            "preview_key": uuid.uuid4(),
        }

    def carry_out(self, form: Any) -> str:
        self.event = services.invite_members(actor=self.member, wishes=form.cleaned_data["wishes"])
        invited = self.event.after["invited"]
        return f"{invited} {'member is' if invited == 1 else 'members are'} invited. The e-mails are on their way."

    def next_url(self) -> str:
        return str(self.member.url("teams:members_invited", self.event.pk))


class MembersInvitedView(ConsolePage):
    """What became of each row, for whoever invited and for those who may invite everywhere."""

    capability = Capability.MEMBERS_INVITE
    template_name = "teams/members_invited.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        events = AuditEvent.objects.visible_to(self.member).filter(verb=Verb.MEMBERS_INVITED, pk=kwargs.pop("pk"))
        if self.member.reach(Capability.MEMBERS_INVITE) < Reach.ORGANIZATION:
            events = events.filter(actor_id=self.member.pk)
        event = events.first()
        if event is None:
            raise NotVisible
        return super().get_context_data(event=event, rows=event.after["rows"], **kwargs)

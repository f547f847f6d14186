"""Settings: the team, inviting, managing and bringing back a member."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from accounts.pages import ConsoleMixin, ConsolePage, FormPage
from lendconsole.errors import NotVisible
from notifications.letters import switches
from teams import services
from teams.capabilities import Capability, Reach
from teams.forms import ConfirmForm, InviteForm, LeaveForm, ManageMemberForm, OwnEmailsForm
from teams.member_export import members_csv
from teams.member_pages import member_page
from teams.models import Member
from teams.policy import require_touch
from teams.readers import (
    DEACTIVATED,
    INVITED,
    LAST_SEEN,
    SECOND_FACTOR,
    STATES,
    TABS,
    exported_members,
    member_list,
)
from teams.role_words import allowed, role_change

CONSEQUENCES: Final = "#consequences"


class BackToList(FormPage):
    """Afterwards: the list as it was behind the dialog, or the tab on which the change shows."""

    tab = ""

    def next_url(self) -> str:
        listed = self.member.url("teams:member_list")
        behind = getattr(self.request.htmx, "current_url_abs_path", None)  # type: ignore[attr-defined]  # HtmxMiddleware
        target = getattr(self, "target", None)
        profile = self.member.url("teams:member_profile", target.pk) if target else listed
        if behind and behind.partition("?")[0] in {listed, profile}:
            return str(behind)
        return f"{listed}?{urlencode({'status': self.tab})}" if self.tab else listed


class MemberListView(ConsolePage):
    capability = Capability.MEMBERS_VIEW
    template_name = "teams/member_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = member_list(self.member, self.request.GET)
        return super().get_context_data(
            list=found,
            filters=found.filters,
            tabs=[(status, TABS[status], found.counts[status]) for status in found.counts],
            second_factors=SECOND_FACTOR.items(),
            states=STATES.items(),
            last_seen=LAST_SEEN.items(),
            range_text=f"{found.first:,}–{found.last:,} of {found.total:,}" if found.rows else "",
            newer_url=self._page_url(found.filters.page - 1) if found.filters.page > 1 else "",
            older_url=self._page_url(found.filters.page + 1) if found.has_next else "",
            **kwargs,
        )

    def _page_url(self, page: int) -> str:
        parameters = self.request.GET.copy()
        parameters["page"] = str(page)
        return f"{self.request.path}?{parameters.urlencode()}"


class MemberExportView(ConsoleMixin):
    """What the list shows under the same filters, as a file. Taking it is written to the audit log."""

    http_method_names: ClassVar[list[str]] = ["get", "options"]  # type: ignore[misc]  # View declares it mutable
    capability = Capability.MEMBERS_VIEW
    fresh_sign_in = True

    def get(self, request: HttpRequest, organization: str) -> HttpResponse:
        if self.must_confirm():
            messages.info(request, "Confirm that it is you, then export once more.")
            return self.confirm_first(f"{self.member.url('teams:member_list')}?{request.GET.urlencode()}")
        filters, rows = exported_members(self.member, request.GET)
        named = {"Status": TABS[filters.status], **{label: value for label, value, _ in filters.chips}}
        services.export_members(actor=self.member, count=len(rows), filters=named)
        content = "\ufeff" + members_csv(rows, self.member.organization)
        name = f"{self.member.organization.slug}-members-{timezone.localdate():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


class MemberInviteView(FormPage):
    capability = Capability.MEMBERS_INVITE
    template_name = "teams/member_invite.html"
    form_class = InviteForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, "roles": context["form"].fields["role"].rows}

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in ("email", "first_name", "last_name", "role", "office")}
        invitation = services.invite_member(actor=self.member, **facts)
        return (
            f"{invitation.name} is invited as {invitation.role.name}. The e-mail to {invitation.email} is on its way."
        )

    def next_url(self) -> str:
        return f"{self.member.url('teams:member_list')}?{urlencode({'status': INVITED})}"


class MemberPage(BackToList):
    """A form about the member of the address, whom the actor may touch in the way of `capability`."""

    target: Member
    shows_removed = False
    weakens_super_admins: ClassVar[bool] = False

    def needs_fresh_sign_in(self) -> bool:
        return self.weakens_super_admins and self.target.role.is_super_admin

    def find(self) -> None:
        self.target = find_member(self.member, self.kwargs["pk"])
        if self.target.status == Member.Status.REMOVED and not self.shows_removed:
            raise NotVisible
        require_touch(self.member, self.target, Capability(self.capability or ""))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(target=self.target, **kwargs)


def find_member(member: Member, pk: int) -> Member:
    """Raises NotVisible."""
    target: Member | None = (
        Member.objects.for_organization(member.organization)
        .filter(pk=pk)
        .with_customer_count()
        .with_held()
        .with_offices_below()
        .select_related("user")
        .first()
    )
    if target is None:
        raise NotVisible
    target.organization = member.organization
    target.read_held()
    return target


class MemberManageView(MemberPage):
    """Role and office, with what the choice would change shown before anybody presses the button."""

    capability = Capability.MEMBERS_MANAGE
    template_name = "teams/member_manage.html"
    weakens_super_admins = True
    form_class = ManageMemberForm
    preview_button = "refresh"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "target": self.target}

    def get_form(self, form_class: Any = None) -> forms.Form:
        """Another choice brings the words about what it changes; nothing else of the form goes into the address."""
        form = super().get_form(form_class)
        for name in ("role", "office"):
            form.fields[name].widget.attrs.update(
                {
                    "data-hx-get": self.request.path,
                    "data-hx-include": "#id_role, #id_office",
                    "data-hx-target": CONSEQUENCES,
                    "data-hx-select": CONSEQUENCES,
                    "data-hx-swap": "outerHTML",
                    "data-hx-disabled-elt": "unset",
                }
            )
        return form

    def get_initial(self) -> dict[str, Any]:
        present = {"role": self.target.role_id, "office": self.target.office_id, "version": self.target.version}
        chosen = {name: self.request.GET[name] for name in ("role", "office") if self.request.GET.get(name)}
        return {**present, **chosen}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, **self._consequences(context["form"])}

    def _consequences(self, form: forms.Form) -> dict[str, Any]:
        role = _chosen(form, "role") or self.target.role
        office = _chosen(form, "office") or self.target.office
        closes = role.reach(Capability.CUSTOMERS_VIEW) == Reach.NONE
        return {
            "chosen_role": role,
            "chosen_office": office,
            "allowed": allowed(role),
            "role_change": role_change(self.target.role, role) if role != self.target.role else None,
            "office_changes": office != self.target.office,
            "blocked_by_customers": closes and self.target.customer_count > 0,  # type: ignore[attr-defined]  # annotated by find_member
        }

    def carry_out(self, form: Any) -> str:
        before = (self.target.role, self.target.office)
        facts = {name: form.cleaned_data[name] for name in ("role", "office", "version")}
        changed = services.change_member(actor=self.member, member=self.target, **facts)
        if (changed.role, changed.office) == before:
            return f"Nothing changed for {changed.name}."
        return f"{changed.name} is now {changed.role.name} in {changed.office.name}."


def _chosen(form: forms.Form, name: str) -> Any:
    """What the select box shows now, if it is one of its choices."""
    field: Any = form.fields[name]
    return field.find(form[name].value())


class MemberProfileView(ConsolePage):
    """Everything about one member on one page; what can be done opens from here."""

    capability = Capability.MEMBERS_VIEW
    template_name = "teams/member_profile.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = member_page(self.member, kwargs.pop("pk"))
        return super().get_context_data(facts=facts, target=facts.target, **kwargs)


class MemberSessionsView(MemberPage):
    capability = Capability.MEMBERS_DEACTIVATE
    template_name = "teams/member_sessions.html"
    form_class = ConfirmForm

    def carry_out(self, form: Any) -> str:
        member = services.end_member_sessions(actor=self.member, member=self.target)
        return f"{member.name} is signed out everywhere."

    def next_url(self) -> str:
        return str(self.member.url("teams:member_profile", self.target.pk))


class MembershipView(ConsolePage):
    """One's own place, open to every member, with the way out."""

    template_name = "teams/membership.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        target = find_member(self.member, self.member.pk)
        return super().get_context_data(target=target, allowed=allowed(target.role), **kwargs)


class MembershipEmailsView(FormPage):
    template_name = "teams/membership_emails.html"
    form_class = OwnEmailsForm

    def get_initial(self) -> dict[str, Any]:
        muted = self.member.muted_emails
        return {"sent_emails": [kind for kind, _ in switches(personal_only=True) if kind not in muted]}

    def carry_out(self, form: Any) -> str:
        services.choose_own_emails(actor=self.member, muted=form.muted)
        return "Your choice of e-mails is saved."

    def next_url(self) -> str:
        return str(self.member.url("teams:membership"))


class MembershipLeaveView(FormPage):
    template_name = "teams/membership_leave.html"
    form_class = LeaveForm

    def needs_fresh_sign_in(self) -> bool:
        return bool(self.member.role.is_super_admin)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(target=find_member(self.member, self.member.pk), **kwargs)

    def carry_out(self, form: Any) -> str:
        services.leave_organization(actor=self.member)
        return f"You have left {self.member.organization.name}."

    def next_url(self) -> str:
        return reverse("home")


class MemberReactivateView(MemberPage):
    capability = Capability.MEMBERS_DEACTIVATE
    template_name = "teams/member_reactivate.html"
    form_class = ConfirmForm
    tab = DEACTIVATED

    def carry_out(self, form: Any) -> str:
        member = services.reactivate_member(actor=self.member, member=self.target)
        return f"{member.name} is active again as {member.role.name} in {member.office.name}."

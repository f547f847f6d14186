"""Who stands in for an absent member. Opened from the page of the member, and from one's own place."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.pages import FormPage
from customers.forms.cover import CoverForm
from customers.models import Cover
from customers.policy import find_cover, require_cover
from customers.services.cover import end_cover, name_substitute
from teams.capabilities import Capability
from teams.forms import ConfirmForm
from teams.models import Member
from teams.views.members import find_member


class CoverPage(FormPage):
    """About the absence of `covered`: by themselves, or by somebody who manages them."""

    covered: Member

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(covered=self.covered, back=self.next_url(), **kwargs)

    def next_url(self) -> str:
        if self.covered.pk == self.member.pk or not self.member.may(Capability.MEMBERS_VIEW):
            return str(self.member.url("teams:membership"))
        return str(self.member.url("teams:member_profile", self.covered.pk))


class MemberCoverView(CoverPage):
    template_name = "customers/member_cover.html"
    form_class = CoverForm

    def find(self) -> None:
        self.covered = find_member(self.member, self.kwargs["pk"])
        require_cover(self.member, self.covered)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "covered": self.covered}

    def get_initial(self) -> dict[str, Any]:
        return {"first_day": timezone.localdate()}

    def carry_out(self, form: CoverForm) -> str:
        facts = {name: form.cleaned_data[name] for name in ("substitute", "first_day", "last_day", "reason")}
        cover = name_substitute(actor=self.member, covered=self.covered, **facts)
        return f"{cover.substitute.name} stands in for {cover.covered.name}. Both get an e-mail."


class CoverEndView(CoverPage):
    template_name = "customers/cover_end.html"
    form_class = ConfirmForm
    cover: Cover

    def find(self) -> None:
        self.cover = find_cover(self.member, self.kwargs["pk"])
        self.covered = self.cover.covered

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(cover=self.cover, **kwargs)

    def carry_out(self, form: Any) -> str:
        end_cover(actor=self.member, cover=self.cover)
        return f"{self.cover.substitute.name} no longer stands in for {self.covered.name}."

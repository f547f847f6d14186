"""Settings: the tree of offices. What moves customers' sight lives in customers.views.offices."""

from __future__ import annotations

from typing import Any, Final

from accounts.pages import ConsolePage, FormPage
from teams import services
from teams.capabilities import Capability
from teams.forms import ConfirmForm
from teams.models import Office
from teams.office_forms import OfficeEditForm, OfficeForm
from teams.office_pages import STATES, find_office, office_tree

FACTS: Final = ("name", "description", "head")


class OfficeListView(ConsolePage):
    capability = Capability.OFFICES_VIEW
    template_name = "teams/office_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tree = office_tree(self.member, self.request.GET)
        tabs = [(state, label, tree.counts[state]) for state, label in STATES.items()]
        return super().get_context_data(tree=tree, tabs=tabs, **kwargs)


class OfficeCreateView(FormPage):
    capability = Capability.OFFICES_MANAGE
    template_name = "teams/office_form.html"
    form_class = OfficeForm

    def get_initial(self) -> dict[str, Any]:
        return {"parent": self.request.GET.get("parent") or self.member.office_id}

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data.get(name) for name in (*FACTS, "parent")}
        office = services.create_office(actor=self.member, office_type=form.cleaned_data["type"], **facts)
        return f"The office {office.name} is there."

    def next_url(self) -> str:
        return str(self.member.url("teams:office_list"))


class OfficePage(FormPage):
    """A form about the office of the address."""

    capability = Capability.OFFICES_MANAGE
    office: Office

    def find(self) -> None:
        self.office = find_office(self.member, self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(office=self.office, **kwargs)

    def next_url(self) -> str:
        return str(self.member.url("teams:office_list"))


class OfficeEditView(OfficePage):
    template_name = "teams/office_form.html"
    form_class = OfficeEditForm

    def get_initial(self) -> dict[str, Any]:
        fields = ("name", "type", "description", "version")
        return {**{name: getattr(self.office, name) for name in fields}, "head": self.office.head_id}

    def carry_out(self, form: Any) -> str:
        # Who does not see members leaves the head as it is.
        facts = {"head": self.office.head, **{name: form.cleaned_data[name] for name in FACTS if name in form.fields}}
        office = services.change_office(
            actor=self.member,
            office=self.office,
            office_type=form.cleaned_data["type"],
            version=form.cleaned_data["version"],
            **facts,
        )
        return f"The office {office.name} is saved."


class OfficeReactivateView(OfficePage):
    template_name = "teams/office_reactivate.html"
    form_class = ConfirmForm

    def carry_out(self, form: Any) -> str:
        office = services.reactivate_office(actor=self.member, office=self.office)
        return f"{office.name} is active again."

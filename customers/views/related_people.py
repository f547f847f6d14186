"""Next of kin and guarantors: added, changed and removed from the profile."""

from __future__ import annotations

from typing import Any

from accounts.pages import FormPage
from customers.forms.related_people import RelatedPersonCreateForm, RelatedPersonEditForm, RelatedPersonRemoveForm
from customers.models import RelatedPerson
from customers.papers import find_related_person
from customers.policy import require
from customers.services.related_people import add_related_person, change_related_person, remove_related_person
from customers.views.pages import FullCustomerPage
from teams.capabilities import Capability


class RelatedPersonCreateView(FullCustomerPage):
    needed = Capability.CUSTOMERS_EDIT
    template_name = "customers/related_person_create.html"
    form_class = RelatedPersonCreateForm

    def get_initial(self) -> dict[str, Any]:
        return {"kind": self.request.GET.get("kind", "")}

    def carry_out(self, form: RelatedPersonCreateForm) -> str:
        person = add_related_person(
            actor=self.member, customer=self.customer, kind=form.cleaned_data["kind"], facts=form.facts
        )
        return f"{person.name} is now on record as {person.get_kind_display().lower()} of {self.customer.name}."


class RelatedPersonPage(FormPage):
    """A form about the person of the address."""

    person: RelatedPerson

    def find(self) -> None:
        self.person = find_related_person(self.member, self.kwargs["pk"])
        require(self.member, Capability.CUSTOMERS_EDIT, self.person.customer)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(person=self.person, customer=self.person.customer, **kwargs)

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_profile", self.person.customer_id))


class RelatedPersonEditView(RelatedPersonPage):
    template_name = "customers/related_person_edit.html"
    form_class = RelatedPersonEditForm

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.person, name) for name in ("name", "relationship", "phone", "address", "version")}

    def carry_out(self, form: RelatedPersonEditForm) -> str:
        person = change_related_person(
            actor=self.member, person=self.person, version=form.cleaned_data["version"], facts=form.facts
        )
        return f"The details of {person.name} are saved."


class RelatedPersonRemoveView(RelatedPersonPage):
    template_name = "customers/related_person_remove.html"
    form_class = RelatedPersonRemoveForm

    def carry_out(self, form: RelatedPersonRemoveForm) -> str:
        remove_related_person(actor=self.member, person=self.person)
        return f"{self.person.name} is removed from {self.person.customer.name}."

"""New customers, changed details, another status."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from customers.forms.records import CustomerCreateForm, CustomerEditForm, CustomerStatusForm
from customers.models import Customer
from customers.policy import may
from customers.services.records import change_customer, change_customer_status, create_customer, open_profile
from customers.views.pages import CustomerPage, RefreshablePage
from teams.capabilities import Capability


class CustomerCreateView(RefreshablePage):
    capability = Capability.CUSTOMERS_CREATE
    template_name = "customers/customer_create.html"
    form_class = CustomerCreateForm
    managers_field = "account_manager"
    managers_optional = True
    customer: Customer

    def carry_out(self, form: CustomerCreateForm) -> str:
        self.customer = create_customer(
            actor=self.member,
            office=form.cleaned_data["office"],
            number=form.cleaned_data["number"],
            facts=form.facts,
            account_manager=form.cleaned_data.get("account_manager"),
        )
        return f"{self.customer.name} is now a customer with the number {self.customer.number}."

    def next_url(self) -> str:
        if may(self.member, Capability.CUSTOMERS_FIND, self.customer):
            return self.member.url("customers:customer_profile", self.customer.pk)
        return self.member.url("customers:customer_create")


class CustomerEditView(CustomerPage):
    needed = Capability.CUSTOMERS_EDIT
    template_name = "customers/customer_edit.html"
    form_class = CustomerEditForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        open_profile(actor=self.member, pk=self.customer.pk)  # the form shows as much as the profile does
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "instance": self.customer}

    def carry_out(self, form: CustomerEditForm) -> str:
        change_customer(
            actor=self.member, customer=self.customer, version=form.cleaned_data["version"], facts=form.facts
        )
        return f"The details of {self.customer.name} are saved."


class CustomerStatusView(CustomerPage):
    needed = Capability.CUSTOMERS_CHANGE_STATUS
    template_name = "customers/customer_status.html"
    form_class = CustomerStatusForm

    def get_initial(self) -> dict[str, Any]:
        return {"status": self.customer.status, "version": self.customer.version}

    def carry_out(self, form: CustomerStatusForm) -> str:
        change_customer_status(
            actor=self.member,
            customer=self.customer,
            status=form.cleaned_data["status"],
            reason=form.cleaned_data["reason"],
            version=form.cleaned_data["version"],
        )
        return f"{self.customer.name} is now {Customer.Status(form.cleaned_data['status']).label.lower()}."

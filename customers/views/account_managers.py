"""The account manager of a customer: chosen, changed, taken away. Dialogs, and pages without JavaScript."""

from __future__ import annotations

from typing import Any

from customers.forms.account_managers import AccountManagerForm, AccountManagerRemoveForm
from customers.services.account_managers import assign_account_manager, remove_account_manager
from customers.views.pages import CustomerPage, RefreshablePage
from teams.capabilities import Capability


class AccountManagerAssignView(CustomerPage, RefreshablePage):
    """Adds one, or puts another in the place of the present one."""

    needed = Capability.CUSTOMERS_ASSIGN
    template_name = "customers/account_manager_assign.html"
    form_class = AccountManagerForm
    managers_field = "manager"

    def get_initial(self) -> dict[str, Any]:
        return {"office": self.customer.office_id, "version": self.customer.version, **super().get_initial()}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "customer": self.customer}

    def carry_out(self, form: AccountManagerForm) -> str:
        manager = form.cleaned_data["manager"]
        assign_account_manager(
            actor=self.member,
            customer=self.customer,
            manager=manager,
            reason=form.cleaned_data["reason"],
            version=form.cleaned_data["version"],
        )
        return f"{manager.name} is now the account manager of {self.customer.name}."


class AccountManagerRemoveView(CustomerPage):
    needed = Capability.CUSTOMERS_ASSIGN
    template_name = "customers/account_manager_remove.html"
    form_class = AccountManagerRemoveForm

    def get_initial(self) -> dict[str, Any]:
        return {"version": self.customer.version}

    def carry_out(self, form: AccountManagerRemoveForm) -> str:
        remove_account_manager(
            actor=self.member,
            customer=self.customer,
            reason=form.cleaned_data["reason"],
            version=form.cleaned_data["version"],
        )
        return f"{self.customer.name} no longer has an account manager."

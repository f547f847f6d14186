"""What is held on a customer: exported, kept by a legal hold, erased or deleted."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import FileResponse, HttpRequest, HttpResponseBase

from accounts.pages import ConsoleMixin, ConsolePage
from customers.forms.personal_data import GoodbyeForm, HoldForm
from customers.policy import find_customer, may
from customers.services.personal_data import (
    change_hold,
    delete_customer,
    erase_customer,
    export_personal_data,
    is_held,
    why_not_deleted,
    why_not_erased,
)
from customers.services.records import open_profile
from customers.views.pages import CustomerPage
from teams.capabilities import Capability


class CustomerDataView(ConsolePage):
    template_name = "customers/customer_data.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        customer = open_profile(actor=self.member, pk=kwargs["pk"], needed=Capability.CUSTOMERS_DATA)
        return super().get_context_data(
            customer=customer,
            tab="data",
            is_held=is_held(customer),
            can_erase=customer.erased_at is None and may(self.member, Capability.CUSTOMERS_ERASE, customer),
            why_not_erased=why_not_erased(customer),
            why_not_deleted=why_not_deleted(customer),
            **kwargs,
        )


class CustomerDataFileView(ConsoleMixin):
    """Made anew each time, while it is asked for: one person's data are small."""

    http_method_names: ClassVar[list[str]] = ["get", "options"]  # type: ignore[misc]  # View declares it mutable
    fresh_sign_in = True

    def get(self, request: HttpRequest, organization: str, pk: int) -> HttpResponseBase:
        customer = find_customer(self.member, pk)
        if self.must_confirm():
            return self.confirm_first(self.member.url("customers:customer_data", pk))
        file = export_personal_data(actor=self.member, customer=customer)
        response = FileResponse(file, as_attachment=True, filename=f"personal-data-{customer.number}.zip")
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response


class DataPage(CustomerPage):
    """A form of the tab, to which it returns."""

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_data", self.customer.pk))


class CustomerHoldView(DataPage):
    needed = Capability.CUSTOMERS_DATA
    template_name = "customers/customer_hold.html"
    form_class = HoldForm

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), "until": self.customer.held_until, "reason": self.customer.hold_reason}

    def carry_out(self, form: HoldForm) -> str:
        until, reason = form.cleaned_data["until"], form.cleaned_data["reason"]
        change_hold(actor=self.member, customer=self.customer, until=until, reason=reason)
        kept = f"is kept until {until.day} {until:%b %Y}" if until else "is no longer kept by a legal hold"
        return f"{self.customer.name} {kept}."


class GoodbyePage(DataPage):
    """What cannot be undone, once the number is typed."""

    needed = Capability.CUSTOMERS_ERASE
    fresh_sign_in = True
    form_class = GoodbyeForm
    verb: ClassVar[str]
    done: ClassVar[str]

    def why_not(self) -> str:
        raise NotImplementedError

    def act(self, *, confirmation: str, reason: str) -> None:
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(verb=self.verb, why_not=self.why_not(), **kwargs)

    def carry_out(self, form: GoodbyeForm) -> str:
        self.act(confirmation=form.cleaned_data["confirmation"], reason=form.cleaned_data["reason"])
        return f"{self.customer.number} is {self.done}."


class CustomerEraseView(GoodbyePage):
    template_name = "customers/customer_erase.html"
    verb, done = "Erase", "erased"

    def why_not(self) -> str:
        return why_not_erased(self.customer)

    def act(self, *, confirmation: str, reason: str) -> None:
        erase_customer(actor=self.member, customer=self.customer, confirmation=confirmation, reason=reason)


class CustomerDeleteView(GoodbyePage):
    template_name = "customers/customer_delete.html"
    verb, done = "Delete", "deleted"

    def why_not(self) -> str:
        return why_not_deleted(self.customer)

    def act(self, *, confirmation: str, reason: str) -> None:
        delete_customer(actor=self.member, customer=self.customer, confirmation=confirmation, reason=reason)

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_list"))

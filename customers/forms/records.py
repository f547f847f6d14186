"""What is typed about a customer: a new one, changed details, another status."""

from __future__ import annotations

import copy
from datetime import date
from decimal import Decimal
from typing import Any, Final, cast

from django import forms
from django.utils import timezone

from customers.bvn import parse_bvn
from customers.forms.fields import (
    ManagerField,
    MoneyField,
    PhoneField,
    ask_for_managers,
    by_trade,
    chosen_office,
    lightest,
)
from customers.models import Customer
from customers.policy import assignable_managers
from customers.readers import taken
from customers.services.records import CustomerFacts
from lendconsole.forms import ConsoleForm, ConsoleModelForm, DateInput, SubmitOnce, VersionGuard
from lendconsole.money import DIGITS
from teams.capabilities import Capability, Reach
from teams.models import Member, Office
from teams.office_tree import OfficeField

EARLIEST: Final = date(1900, 1, 1)
STATUS_REASON: Final[dict[str, Any]] = {
    "required": False,
    "max_length": 300,
    "widget": forms.Textarea({"rows": 2}),
    "help_text": "Needed for Inactive and Blacklisted, and when a customer is no longer blacklisted.",
}


class DetailsForm(SubmitOnce, ConsoleModelForm):
    """The facts about a customer that a person types. Which office it is, each form says for itself."""

    phone = PhoneField(required=False)
    bvn = forms.CharField(
        label="BVN",
        required=False,
        max_length=20,
        widget=forms.TextInput({"inputmode": "numeric"}),
        help_text="Bank verification number, 11 digits.",
    )
    monthly_income = MoneyField(required=False)
    office = OfficeField(label="Office", empty_label="Choose an office")

    class Meta:
        model = Customer
        fields = (
            "first_name",
            "last_name",
            "email",
            "segment",
            "joined_on",
            "date_of_birth",
            "gender",
            "address",
            "state",
            "employer",
            "employment_status",
        )
        widgets = {
            "joined_on": DateInput,
            "date_of_birth": DateInput,
            "address": forms.Textarea({"rows": 2}),
        }

    def __init__(self, *args: Any, member: Member, instance: Customer | None = None, **kwargs: Any) -> None:
        # A copy: cleaning a model form writes what was typed into its instance, and the page still shows the customer.
        super().__init__(*args, member=member, instance=copy.copy(instance), **kwargs)
        for name in ("email", "first_name", "last_name", "address", "bvn"):
            self.fields[name].widget.attrs["autocomplete"] = "off"  # it is somebody else's
        for name, values in (("gender", Customer.Gender), ("employment_status", Customer.EmploymentStatus)):
            cast(forms.ChoiceField, self.fields[name]).choices = [("", "Not known"), *values.choices]
        organization = member.organization
        cast(PhoneField, self.fields["phone"]).region = organization.phone_region
        income = cast(MoneyField, self.fields["monthly_income"])
        income.digits = DIGITS.get(organization.currency, 2)
        income.label = f"Monthly income ({organization.currency})"
        self.fields["email"].help_text = ""
        cast(OfficeField, self.fields["office"]).offer(self.offices())

    def offices(self) -> Any:
        raise NotImplementedError

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean_bvn(self) -> str:
        text = self.cleaned_data["bvn"]
        return parse_bvn(text) if text else ""

    def clean_date_of_birth(self) -> date | None:
        return self._past("date_of_birth", "Nobody is born in the future.")

    def clean_joined_on(self) -> date | None:
        return self._past("joined_on", "This date lies in the future.")

    def _past(self, name: str, future: str) -> date | None:
        value: date | None = self.cleaned_data[name]
        if value and value > timezone.localdate():
            raise forms.ValidationError(future)
        if value and value < EARLIEST:
            raise forms.ValidationError("Look at the year again.")
        return value

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        born, joined = data.get("date_of_birth"), data.get("joined_on")
        if born and joined and joined < born:
            self.add_error("joined_on", "This is before the date of birth.")
        unique = {name: str(data.get(name) or "") for name in ("number", "phone", "email", "bvn")}
        for name, message in taken(self.member, unique, but=self.instance.pk).items():
            self.add_error(name, message)
        return data

    @property
    def facts(self) -> CustomerFacts:
        known = CustomerFacts.__annotations__
        return cast(CustomerFacts, {name: value for name, value in self.cleaned_data.items() if name in known})


class CustomerCreateForm(DetailsForm):
    """Office first, because the account managers offered are those of the office. `managers` are the ones shown."""

    account_manager = ManagerField(queryset=None, required=False, label="Account manager")

    class Meta(DetailsForm.Meta):
        fields = (*DetailsForm.Meta.fields, "number")  # type: ignore[assignment]  # one more

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = self.fields["number"]
        number.required, number.help_text = False, "Left empty, the next free number is given."
        self.chosen_office = chosen_office(self)
        self.managers = by_trade(self._managers(self.chosen_office))
        self.lightest_id = lightest(self.managers)
        cast(ManagerField, self.fields["account_manager"]).queryset = self._managers(self.chosen_office)
        if self.may_assign:
            ask_for_managers(self.fields["office"], self.member.url("customers:customer_create"))
        else:
            del self.fields["account_manager"]

    @property
    def may_assign(self) -> bool:
        return bool(self.member.reach(Capability.CUSTOMERS_ASSIGN) > Reach.OWN)  # a new customer is nobody's own

    def offices(self) -> Any:
        return Office.objects.reached_by(self.member, Capability.CUSTOMERS_CREATE).active()

    def _managers(self, office: Office | None) -> Any:
        return assignable_managers(self.member, office) if office else Member.objects.none()


class CustomerEditForm(VersionGuard, DetailsForm):
    """The customer number stays: people and papers refer to it. An empty BVN keeps the one on record."""

    def __init__(self, *args: Any, member: Member, instance: Customer, **kwargs: Any) -> None:
        self.customer = instance
        initial = {
            "version": instance.version,
            "phone": instance.phone,
            "office": instance.office_id,
            "monthly_income": _major(instance.monthly_income, member.organization.currency),
            **kwargs.pop("initial", {}),
        }
        super().__init__(*args, member=member, instance=instance, initial=initial, **kwargs)
        if instance.bvn_last_digits:
            self.fields["bvn"].help_text = f"Ends with {instance.bvn_last_digits}. Left empty, it stays as it is."

    def offices(self) -> Any:
        """Where the actor may move the customer to, and where it is now."""
        reached = Office.objects.reached_by(self.member, Capability.CUSTOMERS_EDIT).active()
        return reached | Office.objects.for_organization(self.member.organization).filter(pk=self.customer.office_id)


class CustomerStatusForm(SubmitOnce, VersionGuard, ConsoleForm):
    status = forms.ChoiceField(choices=Customer.Status)
    reason = forms.CharField(**STATUS_REASON)


def _major(minor: int | None, currency: str) -> Decimal | None:
    if minor is None:
        return None
    amount = Decimal(minor).scaleb(-DIGITS.get(currency, 2))
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount

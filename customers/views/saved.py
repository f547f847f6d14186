"""Saved views of the list, and its columns."""

from __future__ import annotations

from typing import Any

from accounts.pages import ActionPage, FormPage
from customers.choosing import LIST
from customers.forms.views import SavedViewForm
from customers.models import SavedView
from customers.services.views import change_view, choose_columns, delete_view, find_view, kept, save_view
from customers.views.pages import LONGEST_URL
from teams.capabilities import Capability
from teams.forms import ConfirmForm


class ViewPage(FormPage):
    capability = Capability.CUSTOMERS_FIND
    query = ""

    def next_url(self) -> str:
        url = str(self.member.url("customers:customer_list"))
        return f"{url}?{self.query}" if self.query and len(url) + len(self.query) < LONGEST_URL else url

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(back=self.next_url(), **kwargs)


class SavedViewCreateView(ViewPage):
    template_name = "customers/view_save.html"
    form_class = SavedViewForm

    def find(self) -> None:
        self.query = kept(self.request.GET.get(LIST, ""))

    def carry_out(self, form: SavedViewForm) -> str:
        facts = form.cleaned_data
        view = save_view(actor=self.member, name=facts["name"], is_shared=facts["is_shared"], query=self.query)
        return f"The view “{view.name}” is saved{' and shared with everybody here' if view.is_shared else ''}."


class ExistingViewPage(ViewPage):
    view: SavedView

    def find(self) -> None:
        self.view = find_view(self.member, self.kwargs["pk"])
        self.query = self.view.query

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(saved=self.view, **kwargs)


class SavedViewEditView(ExistingViewPage):
    template_name = "customers/view_edit.html"
    form_class = SavedViewForm

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.view.name, "is_shared": self.view.is_shared}

    def carry_out(self, form: SavedViewForm) -> str:
        facts = form.cleaned_data
        view = change_view(actor=self.member, view=self.view, name=facts["name"], is_shared=facts["is_shared"])
        return f"The view “{view.name}” is saved."


class SavedViewDeleteView(ExistingViewPage):
    template_name = "customers/view_delete.html"
    form_class = ConfirmForm

    def carry_out(self, form: Any) -> str:
        delete_view(actor=self.member, view=self.view)
        return f"The view “{self.view.name}” is deleted."

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_list"))


class ColumnsView(ActionPage):
    capability = Capability.CUSTOMERS_FIND

    def carry_out(self) -> str:
        choose_columns(actor=self.member, columns=self.request.POST.getlist("column"))
        return "The list shows these columns from now on."

    def next_url(self) -> str:
        query = kept(self.request.POST.get(LIST, ""), but="columns")
        url = str(self.member.url("customers:customer_list"))
        return f"{url}?{query}" if query else url

"""Imports of customers: the file, its columns, the check, loading, and taking it back. Each step has its own address."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from accounts.pages import ActionPage, ConsoleMixin, ConsolePage, FormPage
from accounts.pagination import COUNT_CAP
from customers.files import attachment
from customers.forms.imports import ColumnsForm, OnceMoreForm, PlacesForm, UploadForm
from customers.models import CustomerImport
from customers.services.imports import (
    begin_import,
    choose_columns,
    choose_places,
    discard_import,
    find_import,
    start_import,
    take_refusals,
    undo_import,
)
from teams.capabilities import Capability

SHOWN: Final = 25
State = CustomerImport.State


class CustomerImportView(FormPage):
    """Brings a file. Below it one's own imports of the last weeks."""

    capability = Capability.CUSTOMERS_CREATE
    template_name = "customers/customer_import.html"
    form_class = UploadForm
    begun: CustomerImport

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        imports = CustomerImport.objects.visible_to(self.member).order_by("-created_at", "-pk")[:SHOWN]
        return super().get_context_data(imports=imports, **kwargs)

    def carry_out(self, form: Any) -> str:
        upload = form.cleaned_data["file"]
        self.begun = begin_import(actor=self.member, file=upload.file, name=upload.name)
        return ""

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_import_columns", self.begun.pk))


class _ImportMixin(ConsoleMixin):
    capability = Capability.CUSTOMERS_CREATE

    @cached_property
    def customer_import(self) -> CustomerImport:
        return find_import(self.member, self.kwargs["pk"])

    @property
    def progress_url(self) -> str:
        return str(self.member.url("customers:customer_import_progress", self.kwargs["pk"]))


class _ImportStep(_ImportMixin, FormPage):
    """One step of an import; opened out of its turn it leads to where the import is."""

    states: ClassVar[frozenset[State]]

    def find(self) -> None:
        self.customer_import  # noqa: B018  # raises NotVisible

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.customer_import.state not in self.states:
            return self.redirect_to(self.progress_url)
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.customer_import.state not in self.states:
            return self.redirect_to(self.progress_url)
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(customer_import=self.customer_import, back=self.progress_url, **kwargs)

    def next_url(self) -> str:
        return self.progress_url


class _ManyRows(_ImportStep):
    """Steps that ask first who sits there, when there are many rows."""

    form_class = OnceMoreForm

    def needs_fresh_sign_in(self) -> bool:
        return bool((self.customer_import.rows or 0) > COUNT_CAP)


class CustomerImportColumnsView(_ImportStep):
    template_name = "customers/customer_import_columns.html"
    form_class = ColumnsForm
    states = frozenset({State.DRAFT, State.CHECKED})

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "customer_import": self.customer_import}

    def carry_out(self, form: Any) -> str:
        chosen = {name: form.cleaned_data[name] for name in ("columns", "updates")}
        choose_columns(actor=self.member, pk=self.customer_import.pk, **chosen)
        return ""


class CustomerImportPlacesView(_ImportStep):
    """Offices and account managers that only the file knows."""

    template_name = "customers/customer_import_places.html"
    form_class = PlacesForm
    states = frozenset({State.CHECKED})

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "customer_import": self.customer_import}

    def carry_out(self, form: Any) -> str:
        chosen = {name: form.cleaned_data[name] for name in ("offices", "managers", "updates")}
        choose_places(actor=self.member, pk=self.customer_import.pk, **chosen)
        return ""


class CustomerImportProgressView(_ImportMixin, ConsolePage):
    """Where the import is, and what can be done with it. While the worker is at it htmx fetches the page again."""

    template_name = "customers/customer_import_progress.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        is_checked = self.customer_import.state == State.CHECKED
        places = PlacesForm(member=self.member, customer_import=self.customer_import) if is_checked else None
        return super().get_context_data(customer_import=self.customer_import, form=places, **kwargs)


class CustomerImportStartView(_ManyRows):
    template_name = "customers/customer_import_start.html"
    states = frozenset({State.CHECKED})

    def carry_out(self, form: Any) -> str:
        start_import(actor=self.member, pk=self.customer_import.pk, is_confirmed=self.needs_fresh_sign_in())
        return ""


class CustomerImportUndoView(_ManyRows):
    template_name = "customers/customer_import_undo.html"
    states = frozenset({State.DONE})

    def carry_out(self, form: Any) -> str:
        undo_import(actor=self.member, pk=self.customer_import.pk)
        return ""


class CustomerImportDiscardView(ActionPage):
    capability = Capability.CUSTOMERS_CREATE

    def carry_out(self) -> str:
        discard_import(actor=self.member, pk=self.kwargs["pk"])
        return "The file was discarded. Nothing of it was imported."

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_import"))


class CustomerImportRefusalsView(ConsoleMixin):
    """The rows that were refused, as a file."""

    http_method_names: ClassVar[list[str]] = ["get", "options"]  # type: ignore[misc]  # View declares it mutable
    capability = Capability.CUSTOMERS_CREATE

    def get(self, request: HttpRequest, organization: str, pk: int) -> StreamingHttpResponse:
        return attachment(take_refusals(actor=self.member, pk=pk))

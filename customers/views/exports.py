"""Exports of customers: asking, watching the progress, and the file."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import urlencode

from accounts.pages import ConsoleMixin, ConsolePage, FormPage
from accounts.pagination import COUNT_CAP
from customers.choosing import chosen_or_listed
from customers.errors import LookupsUsedUp
from customers.files import attachment
from customers.filters import Filters, sees_cards
from customers.forms.exports import ExportForm
from customers.list_frame import filter_choices
from customers.models import Export
from customers.readers import CustomerPage, customer_count
from customers.services.exports import find_export, is_outdated, request_export, take_export
from customers.services.lookups import note_lookup
from customers.views.list import written_count
from lendconsole.errors import PermissionMissing
from teams.capabilities import Capability

# What an address of the list says besides its filters.
_NO_FILTERS: Final = frozenset({"after", "before", "page", "panel"})
_MOST_PARAMETERS: Final = 30
_LONGEST_PARAMETER: Final = 2_000
SHOWN: Final = 25


class CustomerExportView(FormPage):
    """Asks for the customers of the list that the address names, as the list itself would. Many ask for a fresh sign-in."""

    capability = Capability.CUSTOMERS_EXPORT
    template_name = "customers/customer_export.html"
    form_class = ExportForm
    export: Export

    @cached_property
    def parameters(self) -> dict[str, str]:
        listed = chosen_or_listed(self.request.GET)
        given = [(name, value.strip()[:_LONGEST_PARAMETER]) for name, value in listed.items()]
        known = [(name[:40], value) for name, value in given if name not in _NO_FILTERS and value]
        return dict(known[:_MOST_PARAMETERS])

    @cached_property
    def filters(self) -> Filters:
        return Filters.parse(self.parameters, self.member, filter_choices(self.member))

    @cached_property
    def found(self) -> CustomerPage:
        return customer_count(self.member, self.filters)

    def find(self) -> None:
        self.member.require(Capability.CUSTOMERS_FIND)
        try:
            note_lookup(actor=self.member, text=self.filters.q)
        except LookupsUsedUp as error:
            raise PermissionMissing(str(error)) from error

    def needs_fresh_sign_in(self) -> bool:
        """Where counting stopped early there may be as many as that."""
        return self.found.total > COUNT_CAP or not self.found.is_exact

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            filters=self.filters,
            count_text=written_count(self.found),
            is_single=self.found.total == 1,
            sees_cards=sees_cards(self.member),
            back=f"{self.member.url('customers:customer_list')}?{urlencode(self.parameters)}",
            **kwargs,
        )

    def carry_out(self, form: Any) -> str:
        self.export = request_export(
            actor=self.member,
            format_=form.cleaned_data["format"],
            parameters=self.parameters,
            words=self.filters.in_words,
            count=written_count(self.found),
            is_confirmed=self.needs_fresh_sign_in(),
        )
        return ""

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_export_progress", self.export.pk))


class CustomerExportListView(ConsolePage):
    """One's own of the last day."""

    capability = Capability.CUSTOMERS_EXPORT
    template_name = "customers/customer_exports.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        exports: QuerySet[Export] = Export.objects.visible_to(self.member).order_by("-created_at", "-pk")[:SHOWN]
        rows = [(export, is_outdated(self.member, export)) for export in exports]
        return super().get_context_data(rows=rows, **kwargs)


class CustomerExportProgressView(ConsolePage):
    """How far it is. htmx fetches the page again until it is over; without JavaScript a link does."""

    capability = Capability.CUSTOMERS_EXPORT
    template_name = "customers/customer_export_progress.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        export = find_export(self.member, self.kwargs["pk"])
        return super().get_context_data(
            export=export, is_outdated=is_outdated(self.member, export), **{**kwargs, "pk": export.pk}
        )


class CustomerExportFileView(ConsoleMixin):
    http_method_names: ClassVar[list[str]] = ["get", "options"]  # type: ignore[misc]  # View declares it mutable
    capability = Capability.CUSTOMERS_EXPORT

    def get(self, request: HttpRequest, organization: str, pk: int) -> StreamingHttpResponse:
        return attachment(take_export(actor=self.member, pk=pk))

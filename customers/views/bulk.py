"""Changing many customers at once: from the list to a page that says what will happen, to the change and how far it is."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Final

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.pages import ConsolePage, FormPage
from customers import choosing
from customers.bulk.carrying import CAPABILITIES, needed
from customers.errors import NothingChosen
from customers.exporting.rows import found_customers
from customers.filters import Filters
from customers.forms.bulk import BulkAssignForm, BulkForm, BulkRemoveForm, BulkStatusForm, BulkUndoForm
from customers.list_frame import filter_choices
from customers.models import BulkChange, Customer
from customers.readers import holders_of
from customers.services.bulk import chosen_ids, find_bulk_change, refuse_for_some, start_bulk_change, undo_bulk_change
from customers.views.pages import RefreshablePage
from lendconsole.errors import DomainError, NotVisible, PermissionMissing
from teams.capabilities import Capability

SHOWN_HOLDERS: Final = 5


class BulkPage(FormPage):
    """The address names the customers, as the list sent them; who they are is asked anew when the button is pressed."""

    kind: ClassVar[BulkChange.Kind]
    change: BulkChange
    ids: list[int]
    refusal: str = ""

    def find(self) -> None:
        self.member.require(Capability.CUSTOMERS_FIND)
        self.ids = []
        if self.parameters is None:
            return
        try:
            self.ids = chosen_ids(self.member, self.filters)
            refuse_for_some(self.member, self.kind, self.ids)
        except (NotVisible, PermissionMissing):
            raise
        except DomainError as error:
            self.refusal = str(error)

    @cached_property
    def parameters(self) -> choosing.Parameters | None:
        return choosing.chosen(self.request.GET)

    @cached_property
    def filters(self) -> Filters:
        return Filters.parse(self.parameters or {}, self.member, filter_choices(self.member))

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), **self._shown()}

    def _shown(self) -> dict[str, Any]:
        return {"expected": len(self.ids), "seen_at": timezone.now().timestamp()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        list_url, query = self.member.url("customers:customer_list"), self.request.GET.get(choosing.LIST, "")
        return super().get_context_data(
            is_chosen=self.parameters is not None,
            count=len(self.ids),
            words=self._words(),
            now=_written(self.holders()) if self.ids else "",
            refusal=self.refusal,
            back=f"{list_url}?{query}" if query else list_url,
            **kwargs,
        )

    def _words(self) -> str:
        if self.filters.chosen:
            return ", ticked in the list"
        return f": {self.filters.in_words}" if self.filters.in_words else ""

    def holders(self) -> list[tuple[str, int]]:
        """How the customers are now, the most first."""
        return holders_of(found_customers(self.member, self.filters))

    def form_invalid(self, form: Any) -> HttpResponse:
        """What the page says now is what counts for the next press."""
        form.data = form.data.copy()
        form.data.update({name: str(value) for name, value in self._shown().items()})
        return super().form_invalid(form)

    def carry_out(self, form: BulkForm) -> str:
        if self.parameters is None:
            raise NothingChosen("Nobody is chosen. Tick customers in the list first.")
        facts = {name: form.cleaned_data[name] for name in ("manager", "status", "reason") if name in form.fields}
        self.change = start_bulk_change(
            actor=self.member,
            kind=self.kind,
            parameters=self.parameters,
            expected=form.cleaned_data["expected"],
            seen_at=form.cleaned_data["seen_at"],
            **facts,
        )
        return ""

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_bulk_progress", self.change.pk))


def _written(counts: list[tuple[str, int]]) -> str:
    """ "Nobody (112), Tunde Adeyemi (30) and others"."""
    words = ", ".join(f"{name} ({count:,})" for name, count in counts[:SHOWN_HOLDERS])
    return f"{words}{' and others' if len(counts) > SHOWN_HOLDERS else ''}."


class BulkAssignView(RefreshablePage, BulkPage):
    kind = BulkChange.Kind.ASSIGN
    capability = CAPABILITIES[BulkChange.Kind.ASSIGN]
    template_name = "customers/bulk_assign.html"
    form_class = BulkAssignForm
    managers_field = "manager"

    def get_initial(self) -> dict[str, Any]:
        office = self.filters.office
        return {"office": office.pk if office else self.member.office_id, **super().get_initial()}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "url": self.request.get_full_path()}


class BulkRemoveView(BulkPage):
    kind = BulkChange.Kind.REMOVE
    capability = CAPABILITIES[BulkChange.Kind.REMOVE]
    template_name = "customers/bulk_remove.html"
    form_class = BulkRemoveForm


class BulkStatusView(BulkPage):
    kind = BulkChange.Kind.STATUS
    capability = CAPABILITIES[BulkChange.Kind.STATUS]
    template_name = "customers/bulk_status.html"
    form_class = BulkStatusForm

    def holders(self) -> list[tuple[str, int]]:
        rows = found_customers(self.member, self.filters).order_by().values_list("status")
        counts = rows.annotate(count=Count("pk")).order_by("-count")
        return [(Customer.Status(status).label, count) for status, count in counts]


class BulkProgressView(ConsolePage):
    """What became of it. htmx fetches the page again until it is over; without JavaScript a link does."""

    capability = Capability.CUSTOMERS_FIND
    template_name = "customers/bulk_progress.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        change = find_bulk_change(self.member, self.kwargs["pk"])
        return super().get_context_data(change=change, **{**kwargs, "pk": change.pk})


class BulkUndoView(FormPage):
    """A change of status is asked for the reason first; one of account managers is taken back by its button alone."""

    capability = Capability.CUSTOMERS_FIND
    template_name = "customers/bulk_undo.html"
    form_class = BulkUndoForm
    change: BulkChange

    def find(self) -> None:
        self.change = find_bulk_change(self.member, self.kwargs["pk"])
        self.member.require(needed(self.change))

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        return response if self.change.can_be_undone else self.redirect_to(self.next_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(change=self.change, back=self.next_url(), **kwargs)

    def carry_out(self, form: BulkUndoForm) -> str:
        self.change = undo_bulk_change(actor=self.member, pk=self.change.pk, reason=form.cleaned_data["reason"])
        return "The change is being taken back." if self.change.is_open else "The change was taken back."

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_bulk_progress", self.change.pk))

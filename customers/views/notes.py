"""Notes: the tab of a customer with writing, changing, pinning, completing and the files; and what a member has still to do."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.http import HttpRequest, StreamingHttpResponse

from accounts import parameters
from accounts.pages import ActionPage, ConsoleMixin, ConsolePage, FormPage
from accounts.pagination import paginate
from customers.files import attachment
from customers.forms.notes import SHOWN, NoteCreateForm, NoteDeleteForm, NoteEditForm, narrowed
from customers.models import Note
from customers.paper_rows import follow_up_lines, note_lines
from customers.papers import find_note, follow_ups, notes, require_deletion, require_edit
from customers.services.notes import add_note, change_note, complete_note, delete_note, pin_note, take_note_file
from customers.services.records import open_profile
from customers.views.pages import FullCustomerPage, neighbors
from teams.capabilities import Capability
from teams.models import Member

NOTES_A_PAGE: Final = 25


class CustomerNotesView(ConsolePage):
    """Pinned ones first, then the newest."""

    template_name = "customers/customer_notes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        customer = open_profile(actor=self.member, pk=kwargs["pk"], needed=Capability.CUSTOMERS_VIEW)
        wanted = parameters.option(self.request.GET, "show", dict(SHOWN))
        page = paginate(
            narrowed(notes(customer), wanted),
            order=("-is_pinned", "-created_at", "-id"),
            size=NOTES_A_PAGE,
            **self.cursors,
        )
        return super().get_context_data(
            customer=customer,
            tab="notes",
            lines=note_lines(self.member, customer, page.rows),
            wanted=wanted,
            choices=SHOWN,
            **neighbors(self.request, page),
            **kwargs,
        )


class FollowUpListView(ConsolePage):
    """What is due first stands first."""

    capability = Capability.NOTES_WRITE
    template_name = "customers/follow_up_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = follow_ups(self.member, **self.cursors)
        lines = follow_up_lines(self.member, page.rows)
        return super().get_context_data(lines=lines, **neighbors(self.request, page), **kwargs)


class NoteCreateView(FullCustomerPage):
    needed = Capability.NOTES_WRITE
    template_name = "customers/note_create.html"
    form_class = NoteCreateForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "customer": self.customer}

    def carry_out(self, form: NoteCreateForm) -> str:
        note = add_note(
            actor=self.member,
            customer=self.customer,
            facts=form.facts,
            people=form.cleaned_data["people"],
            files=form.attachments,
        )
        return f"The {note.get_kind_display().lower()} about {self.customer.name} is saved."

    def next_url(self) -> str:
        """Back to the list of customers, if it was behind the dialog; from a profile to the notes."""
        behind, profile = super().next_url(), self.member.url("customers:customer_profile", self.customer.pk)
        return notes_url(self.member, self.customer.pk) if behind.startswith(profile) else behind


class NotePage(FormPage):
    """A form about the note of the address."""

    note: Note

    def find(self) -> None:
        self.note = find_note(self.member, self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(note=self.note, customer=self.note.customer, **kwargs)

    def next_url(self) -> str:
        return notes_url(self.member, self.note.customer_id)


class NoteEditView(NotePage):
    template_name = "customers/note_edit.html"
    form_class = NoteEditForm

    def find(self) -> None:
        super().find()
        require_edit(self.member, self.note)

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.note, name) for name in ("kind", "text", "due_on", "version")}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "customer": self.note.customer}

    def carry_out(self, form: NoteEditForm) -> str:
        change_note(
            actor=self.member,
            note=self.note,
            version=form.cleaned_data["version"],
            facts=form.facts,
            people=form.cleaned_data["people"],
        )
        return f"The note about {self.note.customer.name} is saved."


class NoteDeleteView(NotePage):
    template_name = "customers/note_delete.html"
    form_class = NoteDeleteForm

    def find(self) -> None:
        super().find()
        require_deletion(self.member, self.note)

    def carry_out(self, form: NoteDeleteForm) -> str:
        delete_note(actor=self.member, note=self.note)
        return f"The note about {self.note.customer.name} is deleted."


class NoteButton(ActionPage):
    """Two buttons in turn: one posts `on`, the other nothing."""

    note: Note

    @property
    def is_on(self) -> bool:
        return bool(self.request.POST.get("on"))

    def next_url(self) -> str:
        """Back to the list of follow-ups, if the button stands there."""
        if self.request.POST.get("list"):
            return str(self.member.url("customers:follow_up_list"))
        return notes_url(self.member, self.note.customer_id)


class NotePinView(NoteButton):
    def carry_out(self) -> str:
        found = find_note(self.member, self.kwargs["pk"])
        self.note = pin_note(actor=self.member, note=found, is_pinned=self.is_on)
        return "The note is pinned to the top." if self.is_on else "The note is no longer pinned."


class NoteDoneView(NoteButton):
    def carry_out(self) -> str:
        found = find_note(self.member, self.kwargs["pk"])
        self.note = complete_note(actor=self.member, note=found, is_done=self.is_on)
        return f"The {self.note.get_kind_display().lower()} is {'done' if self.is_on else 'open again'}."


class NoteFileView(ConsoleMixin):
    http_method_names: ClassVar[list[str]] = ["get", "options"]  # type: ignore[misc]  # View declares it mutable

    def get(self, request: HttpRequest, organization: str, pk: int) -> StreamingHttpResponse:
        return attachment(take_note_file(actor=self.member, pk=pk))


def notes_url(member: Member, customer_pk: int) -> str:
    return member.url("customers:customer_notes", customer_pk)

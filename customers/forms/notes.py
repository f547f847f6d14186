"""What is typed about a note, who is told of it, and the files that come with it."""

from __future__ import annotations

from typing import Any, Final, cast

from django import forms
from django.db.models import QuerySet

from customers.forms.documents import FILE_MESSAGES, LONGEST_NAME
from customers.lens import holders
from customers.models import Customer, Note
from customers.models.notes import LONGEST_NOTE
from customers.services.notes import NoteFacts
from customers.uploads import ACCEPTED, KINDS, MOST, MOST_BYTES
from lendconsole.forms import ConsoleForm, DateInput, SubmitOnce, VersionGuard
from teams.capabilities import Capability
from teams.models import Member

MOST_FILES: Final = 5
OPEN: Final = "open"
SHOWN: Final = (
    ("", "All notes"),
    (OPEN, "Still to be done"),
    (Note.Kind.NOTE.value, "Notes"),
    (Note.Kind.FOLLOW_UP.value, "Follow-ups"),
    (Note.Kind.ENQUIRY.value, "Enquiries"),
)


class PeopleField(forms.ModelMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        member: Member = obj
        return f"{member.name}, {member.role.name}"


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Some files or none. What they hold is the service's to judge."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = [super(FilesField, self).clean(each, initial) for each in data or []]
        if len(files) > MOST_FILES:
            raise forms.ValidationError(f"Attach at most {MOST_FILES} files.")
        if sum(file.size for file in files) > MOST_BYTES:
            raise forms.ValidationError(f"The files are larger than {MOST} together. Choose smaller ones.")
        return files


class NoteForm(SubmitOnce, ConsoleForm):
    """`people` are those who see the customer in full, but oneself."""

    kind = forms.ChoiceField(choices=Note.Kind)
    text = forms.CharField(
        max_length=LONGEST_NOTE,
        widget=forms.Textarea({"rows": 5}),
        help_text="Who is named as @First Last is told, when they see this customer in full.",
    )
    due_on = forms.DateField(label="Due", required=False, widget=DateInput, help_text="Needed for a follow-up.")
    people = PeopleField(queryset=None, label="Notify", required=False)

    def __init__(self, *args: Any, member: Member, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        readers = holders(customer, Capability.CUSTOMERS_VIEW).exclude(pk=member.pk)
        cast(PeopleField, self.fields["people"]).queryset = _by_name(readers)

    @property
    def facts(self) -> NoteFacts:
        data = self.cleaned_data
        return {"kind": data["kind"], "text": data["text"].replace("\r\n", "\n"), "due_on": data["due_on"]}


class NoteCreateForm(NoteForm):
    file = FilesField(
        label="Files",
        required=False,
        max_length=LONGEST_NAME,
        widget=FilesInput(attrs={"accept": ACCEPTED}),
        help_text=f"{KINDS}, at most {MOST_FILES} files and {MOST} together.",
        error_messages=FILE_MESSAGES,
    )

    @property
    def attachments(self) -> list[tuple[Any, str]]:
        return [(file, file.name) for file in self.cleaned_data["file"]]


class NoteEditForm(VersionGuard, NoteForm):
    """The files stay as they are."""


class NoteDeleteForm(SubmitOnce, ConsoleForm):
    """A button."""


def _by_name(members: QuerySet[Member]) -> QuerySet[Member]:
    return members.order_by("user__first_name", "user__last_name", "pk")


def narrowed(rows: Any, wanted: str) -> Any:
    """`wanted`: one of SHOWN."""
    if wanted == OPEN:
        return rows.open()
    return rows.filter(kind=wanted) if wanted else rows

"""How every form of the product looks and behaves: one renderer, one bound field, and the parts that forms share."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django import forms
from django.db.models import Model
from django.forms.boundfield import BoundField
from django.forms.models import ModelChoiceIterator
from django.forms.renderers import TemplatesSetting

from lendconsole.errors import DomainError

FILL_IN: Final = "Fill this in."
CHOOSE: Final = "Choose one."
UNAVAILABLE: Final = "This choice is not available. Choose another one."
RELOAD: Final = "This form cannot be read. Reload the page and fill it in once more."
# In place of Django's own sentences. The words of a class go before those of the classes above it.
SENTENCES: Final[Mapping[type[forms.Field], Mapping[str, str]]] = {
    forms.Field: {"required": FILL_IN},
    forms.ChoiceField: {"required": CHOOSE, "invalid_choice": UNAVAILABLE},
    forms.ModelChoiceField: {"required": CHOOSE, "invalid_choice": UNAVAILABLE},
    forms.CharField: {
        "max_length": "Use at most %(limit_value)d characters; these are %(show_value)d.",
        "min_length": "Use at least %(limit_value)d characters; these are %(show_value)d.",
        "null_characters_not_allowed": "There is a character in it that cannot be stored. Type it anew.",
    },
    forms.EmailField: {"invalid": "This is not a complete e-mail address, such as ada@example.com."},
    forms.UUIDField: {"invalid": RELOAD},
    forms.DateField: {"invalid": "This is not a date, such as 2025-03-12."},
    forms.IntegerField: {
        "invalid": "Use a whole number.",
        "min_value": "Use %(limit_value)s or more.",
        "max_value": "Use %(limit_value)s or less.",
    },
    forms.DecimalField: {
        "invalid": "This is not a number.",
        "max_digits": "Use at most %(max)s digits.",
        "max_decimal_places": "Use at most %(max)s digits after the point.",
        "max_whole_digits": "Use at most %(max)s digits before the point.",
    },
}


class UIBoundField(BoundField):
    """Gives every widget of every form its classes; Django itself ties it to its hint and its message for screen readers."""

    CLASSES: Mapping[type[forms.Widget], str] = {
        forms.CheckboxInput: "form-check-input",
        forms.RadioSelect: "form-check-input",
        forms.CheckboxSelectMultiple: "form-check-input",
        forms.Select: "form-select",
    }

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        attrs = super().build_widget_attrs(attrs, widget)
        widget = widget or self.field.widget
        if not widget.is_hidden:
            css = next((self.CLASSES[kind] for kind in type(widget).__mro__ if kind in self.CLASSES), "form-control")
            classes = [widget.attrs.get("class"), attrs.get("class"), css, "is-invalid" if self.errors else None]
            attrs["class"] = " ".join(str(name) for name in classes if name)
        return attrs

    @property
    def is_check(self) -> bool:
        """One box with its label behind it."""
        return isinstance(self.field.widget, forms.CheckboxInput)

    @property
    def is_marked_optional(self) -> bool:
        """Most fields are required, so the few that are not say so."""
        is_boxes = self.is_check or isinstance(self.field.widget, forms.CheckboxSelectMultiple)
        return not self.field.required and not is_boxes and getattr(self.form, "mark_optional", False)


class UIRenderer(TemplatesSetting):
    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
    bound_field_class = UIBoundField


class DateInput(forms.DateInput):
    """The browser's own calendar, which speaks ISO dates whatever the language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class _RowIterator(ModelChoiceIterator):
    field: RowChoiceField

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        for row in self.field.rows:
            yield self.choice(row)


class RowChoiceField(forms.ModelChoiceField):
    """A choice among rows that are read once for each form: to show them, and to find what was sent among them."""

    iterator = _RowIterator

    def offer(self, rows: Iterable[Any]) -> None:
        """A list, or a queryset that is read when the choices are first needed."""
        self._queryset = rows
        self.widget.choices = self.choices

    @property
    def rows(self) -> list[Any]:
        """In the order of the select box."""
        return list(self._queryset)

    def find(self, key: Any) -> Any:
        """The row with that primary key, as a form or an address writes it; None if it is not among the choices."""
        return next((row for row in self.rows if str(row.pk) == str(key)), None)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        row = self.find(value.pk if isinstance(value, Model) else value)
        if row is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return row


class PlainSentences:
    """Mixed into a form before Django's or a library's class, so that its fields complain in our words."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            _use_plain_words(field)


class _MemberForm(PlainSentences):
    """The part that plain and model forms share. `member` is the actor: every choice field is scoped by it."""

    mark_optional = True

    def __init__(self, *args: Any, member: Any, **kwargs: Any) -> None:
        self.member = member
        super().__init__(*args, **kwargs)

    def add_domain_error(self, error: DomainError) -> None:
        """Show a rule that a service refused with: beside its field when the form has it, else above the form."""
        field = error.field if error.field in self.fields else None
        self.add_error(field, str(error))  # type: ignore[attr-defined]  # the form class beside this one has it


class ConsoleForm(_MemberForm, forms.Form):
    """A form of a member."""


class ConsoleModelForm(_MemberForm, forms.ModelForm):
    """A form of a member over one record. Views hand `cleaned_data` to a service; nobody calls `save`."""


class SubmitOnce(forms.Form):
    """Carries the key by which a button that was pressed twice is recognized. A form that comes back with errors keeps its key."""

    submission_key = forms.UUIDField(widget=forms.HiddenInput, required=False, initial=uuid.uuid4)

    def clean_submission_key(self) -> uuid.UUID:
        key: uuid.UUID | None = self.cleaned_data["submission_key"]
        return key or uuid.uuid4()


class VersionGuard(forms.Form):
    """Carries the version of the record that the person was looking at, so that a service can refuse to overwrite a newer one."""

    version = forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=1,
        error_messages=dict.fromkeys(("required", "invalid", "min_value"), RELOAD),
    )


def _use_plain_words(field: forms.Field) -> None:
    """Replace Django's own sentences, never those that a form wrote itself."""
    words: dict[str, str] = {}
    for kind in reversed(type(field).__mro__):
        words |= SENTENCES.get(kind, {})
    for code, sentence in words.items():
        if field.error_messages.get(code) == _default_message(type(field), code):
            field.error_messages[code] = sentence


def _default_message(kind: type[forms.Field], code: str) -> Any:
    for cls in kind.__mro__:
        message = getattr(cls, "default_error_messages", {}).get(code)
        if message is not None:
            return message
    return None

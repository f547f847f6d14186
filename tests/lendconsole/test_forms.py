"""Fields speak to screen readers, messages are in the product's words, and the hidden parts do what they promise."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django import forms

from accounts.forms import ResetPasswordForm
from accounts.models import Organization
from customers.views.borrower import BorrowerSignInForm
from lendconsole.errors import DomainError
from lendconsole.forms import ConsoleForm, ConsoleModelForm, DateInput, SubmitOnce, VersionGuard


class SampleForm(SubmitOnce, VersionGuard, ConsoleForm):
    email = forms.EmailField(label="E-mail", help_text="The invitation goes here.")
    role = forms.ChoiceField(choices=[("a", "Admin")], label="Select role")
    reach = forms.ChoiceField(choices=[("own", "Own")], widget=forms.RadioSelect, help_text="How far.", required=False)
    note = forms.CharField(required=False)
    copy = forms.BooleanField(required=False, label="Send me a copy")
    since = forms.DateField(required=False, widget=DateInput)
    own_words = forms.CharField(error_messages={"required": "Say why."})


class SampleModelForm(SubmitOnce, VersionGuard, ConsoleModelForm):
    class Meta:
        model = Organization
        fields = ("name",)


MEMBER = object()


def bound(**data: Any) -> SampleForm:
    return SampleForm(data, member=MEMBER)


def test_field_is_tied_to_its_label_hint_and_message() -> None:
    html = "".join(line.strip() for line in bound()["email"].as_field_group().splitlines())
    assert '<label class="form-label" for="id_email">E-mail</label>' in html
    assert 'aria-describedby="id_email_helptext id_email_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'class="form-control is-invalid"' in html
    assert 'id="id_email_helptext">The invitation goes here.' in html
    assert 'id="id_email_error"><div>Fill this in.</div>' in html


def test_field_without_a_fault_says_nothing_of_one() -> None:
    html = SampleForm(member=MEMBER)["email"].as_field_group()
    assert "is-invalid" not in html
    assert "aria-invalid" not in html
    assert "id_email_error" not in html


@pytest.mark.parametrize(
    ("name", "css"),
    [("email", "form-control"), ("role", "form-select"), ("copy", "form-check-input"), ("since", "form-control")],
)
def test_each_widget_gets_its_class(name: str, css: str) -> None:
    assert f'class="{css}"' in str(SampleForm(member=MEMBER)[name])


def test_choices_stand_in_a_fieldset_with_a_legend() -> None:
    html = SampleForm(member=MEMBER)["reach"].as_field_group()
    assert '<fieldset class="mb-3 form-fieldset-plain" aria-describedby="id_reach_helptext">' in html
    assert '<legend class="form-label">Reach <span class="form-optional">(optional)</span></legend>' in html
    assert '<label class="form-check" for="id_reach_0"><input type="radio"' in html


def test_only_optional_fields_are_marked_and_never_a_box() -> None:
    form = SampleForm(member=MEMBER)
    assert "(optional)" in form["note"].as_field_group()
    assert "(optional)" not in form["email"].as_field_group()
    assert "(optional)" not in form["copy"].as_field_group()


def test_messages_are_in_plain_words() -> None:
    form = bound(role="nobody", version="1")
    assert form.errors["email"] == ["Fill this in."]
    assert form.errors["role"] == ["This choice is not available. Choose another one."]
    assert form.errors["own_words"] == ["Say why."]
    assert bound().errors["role"] == ["Choose one."]


FIELDS = {
    **{kind.__name__: kind for kind in (forms.IntegerField, forms.FloatField, forms.DateField, forms.UUIDField)},
    "EmailField": forms.EmailField,
    "DecimalField": lambda: forms.DecimalField(max_digits=3, decimal_places=1),
    "CharField": lambda: forms.CharField(min_length=2, max_length=3),
    "RangeField": lambda: forms.IntegerField(min_value=2, max_value=3),
    "ChoiceField": lambda: forms.ChoiceField(choices=[("a", "A")]),
    "ModelChoiceField": lambda: forms.ModelChoiceField(Organization.objects.none()),
}
DJANGOS_OWN = re.compile(r"Enter a|Ensure|[Vv]alid|required|not allowed|UUID")


@pytest.mark.parametrize("kind", FIELDS)
def test_no_sentence_of_django_reaches_the_screen(kind: str) -> None:
    form_class = type("OneField", (ConsoleForm,), {"it": FIELDS[kind]()})
    for text in ("", "x", "xxxx", "1", "9", "1234", "0.123", "1e400", "2025-13-01"):
        form = form_class({"it": text}, member=MEMBER)
        for sentence in form.errors.get("it", []):
            assert not DJANGOS_OWN.search(sentence), sentence
            assert sentence.endswith(".")


def test_an_address_is_judged_in_the_same_words_everywhere() -> None:
    sentence = "This is not a complete e-mail address, such as ada@example.com."
    assert bound(email="grace").errors["email"] == [sentence]
    for form in (BorrowerSignInForm({"email": "grace"}), ResetPasswordForm({"email": "grace"})):
        assert form.errors["email"] == [sentence]


def test_what_people_typed_is_escaped() -> None:
    assert "<script>" not in bound(email="<script>alert(1)</script>")["email"].as_field_group()


def test_date_is_written_as_the_browser_reads_it() -> None:
    html = str(bound(since="2026-11-22")["since"])
    assert 'type="date"' in html
    assert 'value="2026-11-22"' in html


def test_every_rendering_has_its_own_submission_key_and_a_returned_form_keeps_it() -> None:
    first, second = (SampleForm(member=MEMBER)["submission_key"].value() for _ in range(2))
    assert first != second
    returned = bound(submission_key=str(first))
    assert not returned.is_valid()
    assert f'value="{first}"' in str(returned["submission_key"])


def test_submission_without_a_key_gets_one_and_a_broken_one_is_refused() -> None:
    good = {"email": "a@b.co", "role": "a", "own_words": "x", "version": "2"}
    form = bound(**good)
    assert form.is_valid()
    assert isinstance(form.cleaned_data["submission_key"], uuid.UUID)
    assert form.cleaned_data["version"] == 2
    assert not bound(**good, submission_key="x").is_valid()


def test_missing_version_is_refused() -> None:
    assert "version" in bound(email="a@b.co", role="a", own_words="x").errors


def test_refusal_of_a_service_stands_beside_its_field_or_above_the_form() -> None:
    form = bound(email="a@b.co", role="a", own_words="x", version="1")
    form.add_domain_error(DomainError("Already invited.", field="email"))
    form.add_domain_error(DomainError("The office is closed.", field="office"))
    assert form.errors["email"] == ["Already invited."]
    assert form.non_field_errors() == ["The office is closed."]


def test_form_needs_the_member_by_name() -> None:
    with pytest.raises(TypeError, match="member"):
        SampleForm({})  # type: ignore[call-arg]


def test_model_form_carries_the_shared_parts_too() -> None:
    form = SampleModelForm({}, member=MEMBER)
    assert form.errors["name"] == ["Fill this in."]
    assert {"submission_key", "version"} <= set(form.fields)

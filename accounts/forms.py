"""The forms of sign-in and of one's own account: allauth's, in our words, and the name."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from allauth.account import forms as account_forms
from allauth.mfa.base import forms as second_factor_forms
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as passkey_forms
from cryptography.exceptions import InvalidSignature
from django import forms
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.second_factor import use_code, wrong_code
from lendconsole.forms import PlainSentences

HINT: Final = "At least 12 characters. A few words in a row are easy to remember and hard to guess."
PASSKEY_NOT_ACCEPTED: Final = "This passkey was not accepted. Try once more, or use another way."
MADE_UP: Final = (
    ArithmeticError,
    AttributeError,
    InvalidSignature,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


class PlainWords(PlainSentences, forms.Form):
    """Labels instead of placeholders, and sentences that say what to do. `labels` maps fields to their labels."""

    labels: dict[str, str] = {}
    hints: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, "")


class SignInForm(PlainWords, account_forms.LoginForm):
    labels = {"login": "E-mail", "password": "Password"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs |= {"autocomplete": "email", "autofocus": True}


class ResetPasswordForm(PlainWords, account_forms.ResetPasswordForm):
    labels = {"email": "E-mail"}


class NewPasswordForm(PlainWords, account_forms.ResetPasswordKeyForm):
    labels = {"password1": "New password", "password2": "New password, once more"}
    hints = {"password1": HINT}


class ChangePasswordForm(PlainWords, account_forms.ChangePasswordForm):
    labels = {"oldpassword": "Present password", **NewPasswordForm.labels}
    hints = {"password1": HINT}


class ConfirmPasswordForm(PlainWords, account_forms.ReauthenticateForm):
    labels = {"password": "Password"}


class _Code(PlainWords):
    """One field for a code of the app or a recovery code; see second_factor.use_code."""

    labels = {"code": "Code"}
    user: User

    def clean_code(self) -> str:
        forget_tries = check_rate_limit(self.user)
        code: str = self.cleaned_data["code"]
        self.authenticator = use_code(self.user, code)
        if self.authenticator is None:
            raise wrong_code()
        forget_tries()
        return code


class SecondFactorForm(_Code, second_factor_forms.AuthenticateForm):
    hints = {"code": "The six digits that your authenticator app shows now, or one of your recovery codes."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True


class ConfirmSecondFactorForm(_Code, second_factor_forms.ReauthenticateForm):
    hints = SecondFactorForm.hints


class ActivateAppForm(PlainWords, totp_forms.ActivateTOTPForm):
    labels = {"code": "Code"}
    hints = {"code": "The six digits that the app shows now."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"inputmode": "numeric"}


class CredentialField(forms.JSONField):
    """What a passkey answered. Text that only an attacker would send is refused before anything parses it."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and (len(value) > 20_000 or "\\u0000" in value):
            raise not_accepted()
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise not_accepted() from error


class _Passkey(PlainWords):
    """The libraries take a made-up answer for a mistake of ours; to people it is a passkey that did not work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = CredentialField(
            error_messages={"required": PASSKEY_NOT_ACCEPTED, "invalid": PASSKEY_NOT_ACCEPTED}
        )

    def clean_credential(self) -> Any:
        parse = getattr(super(), "clean_credential", lambda: self.cleaned_data["credential"])
        with refusing_made_up_answers():
            return parse()

    def clean(self) -> dict[str, Any] | None:
        with refusing_made_up_answers():
            return super().clean()


@contextmanager
def refusing_made_up_answers() -> Iterator[None]:
    try:
        yield
    except MADE_UP as error:
        raise not_accepted() from error
    except ValidationError as error:
        raise (not_accepted() if error.code == "incorrect_code" else error) from error


def not_accepted() -> ValidationError:
    return ValidationError(PASSKEY_NOT_ACCEPTED, code="passkey")


class SignInPasskeyForm(_Passkey, passkey_forms.LoginWebAuthnForm):
    pass


class SecondFactorPasskeyForm(_Passkey, passkey_forms.AuthenticateWebAuthnForm):
    pass


class ConfirmPasskeyForm(_Passkey, passkey_forms.ReauthenticateWebAuthnForm):
    pass


class AddPasskeyForm(_Passkey, passkey_forms.AddWebAuthnForm):
    labels = {"name": "Name", "passwordless": "Sign in with this passkey alone"}
    hints = {
        "name": "So that you can tell your passkeys apart, such as “Phone” or “Office laptop”.",
        "passwordless": "No password is asked then. The device asks for your fingerprint, face or PIN.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["maxlength"] = 80

    def clean_name(self) -> str:
        name: str = super().clean_name()
        return name[:80]


class RenamePasskeyForm(PlainWords, passkey_forms.EditWebAuthnForm):
    labels = {"name": "Name"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["maxlength"] = 80

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        return name[:80]


class NameForm(PlainSentences, forms.ModelForm):
    class Meta:
        model = User
        fields = ("first_name", "last_name")


class AddressForm(PlainWords):
    labels = {"email": "New e-mail address"}
    hints = {"email": "A link goes there. You sign in with your present address until you have opened it."}
    email = forms.EmailField(
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": "This is not a complete e-mail address, such as ada@example.com."},
    )

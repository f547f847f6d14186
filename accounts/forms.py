"""The forms of sign-in and of one's own account: allauth's, in our words, and the name."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account_forms
from allauth.mfa.base import forms as second_factor_forms
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as passkey_forms
from django import forms

from accounts.models import User
from accounts.second_factor import use_code, wrong_code
from lendconsole.forms import FILL_IN

HINT = "At least 12 characters. A few words in a row are easy to remember and hard to guess."


class PlainWords(forms.Form):
    """Labels instead of placeholders, and sentences that say what to do. `labels` maps fields to their labels."""

    labels: dict[str, str] = {}
    hints: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, "")
            field.error_messages["required"] = FILL_IN


class SignInForm(PlainWords, account_forms.LoginForm):
    labels = {"login": "E-mail", "password": "Password"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs |= {"autocomplete": "username", "autofocus": True}


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


class AddPasskeyForm(PlainWords, passkey_forms.AddWebAuthnForm):
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


class NameForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("first_name", "last_name")
        error_messages = {name: {"required": FILL_IN} for name in fields}

"""Sign-in and one's own account. The flows are allauth's; what differs from them is here, and says why."""

from __future__ import annotations

from copy import copy
from typing import Any, Final

from allauth.account import views as account_views
from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from allauth.mfa.base import views as second_factor_views
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as passkey_views
from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.views.generic import FormView, RedirectView, TemplateView, View

from accounts import addresses, services
from accounts.forms import AddressForm, NameForm
from accounts.pages import signed_in_user
from accounts.second_factor import use_code
from lendconsole.errors import DomainError

# Where somebody was going when an organization asked for a second factor first (lendconsole.middleware writes it).
CONTINUE_AT: Final = "continue_at"


class InOneTransaction:
    """What a form changes and the mail that tells of it are written together."""

    @transaction.atomic
    def form_valid(self, form: BaseForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]  # the view beside it has it
        return response


class EndsOtherSessions(InOneTransaction):
    """Whoever sat in another session with the former second factor has to sign in with the new one."""

    request: HttpRequest

    def form_valid(self, form: BaseForm) -> HttpResponse:
        response = super().form_valid(form)
        end_other_sessions(self.request, self.request.user)
        return response


# --- Sign-in --------------------------------------------------------------------------------------------------------


@method_decorator(login_not_required, name="dispatch")
class SignUpView(TemplateView):
    """There is no open sign-up: this page says where logins come from."""

    template_name = "account/signup_closed.html"


class PasswordResetFromLinkView(InOneTransaction, account_views.PasswordResetFromKeyView):
    success_url = reverse_lazy("account_login")


class PasswordChangeView(InOneTransaction, account_views.PasswordChangeView):
    pass


class PasswordSetView(RedirectView):
    """A login without a password (no service makes one) gets its first by the link that resets one."""

    pattern_name = "account_reset_password"


@method_decorator(login_not_required, name="dispatch")
class OrganizationLogoView(View):
    """For everybody, as invitations and the borrower's page show it too. The address names the content, so it keeps."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, organization: str, digest: str) -> HttpResponse:
        content = services.find_logo(slug=organization, digest=digest)
        if content is None:
            raise Http404
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Content-Disposition": "inline",
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(content, content_type="image/png", headers=headers)


# --- One's own account ----------------------------------------------------------------------------------------------


class ProfileView(FormView):
    template_name = "accounts/profile.html"
    form_class = NameForm
    success_url = reverse_lazy("accounts:profile")

    def get_form_kwargs(self) -> dict[str, Any]:
        # A form writes what was typed into its instance, also when it refuses it.
        return {**super().get_form_kwargs(), "instance": copy(self.request.user)}

    def form_invalid(self, form: NameForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def form_valid(self, form: NameForm) -> HttpResponse:
        user = services.rename_login(user=signed_in_user(self.request), **form.cleaned_data)
        messages.success(self.request, f"Your name is now {user.name}.")
        return super().form_valid(form)


@method_decorator(reauthentication_required, name="dispatch")
class AddressChangeView(FormView):
    template_name = "accounts/address_change.html"
    form_class = AddressForm
    success_url = reverse_lazy("accounts:profile")

    def form_invalid(self, form: AddressForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def form_valid(self, form: AddressForm) -> HttpResponse:
        user, email = signed_in_user(self.request), form.cleaned_data["email"]
        if not ratelimit.consume(self.request, action="change_email", user=user):
            form.add_error(None, "You have asked for too many links. Go on in an hour.")
            return self.form_invalid(form)
        try:
            addresses.ask_for_address(user=user, email=email)
        except DomainError as error:
            form.add_error("email", str(error))
            return self.form_invalid(form)
        messages.success(self.request, f"A link is on its way to {email}. Open it within {addresses.LINK_HOURS} hours.")
        return super().form_valid(form)


class AddressConfirmView(TemplateView):
    """Where the link leads: the button does it, opening does nothing."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "accounts/address_confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            wanted = addresses.wanted_address(user=signed_in_user(self.request), token=kwargs["token"])
        except DomainError as error:
            return super().get_context_data(problem=str(error), **kwargs)
        return super().get_context_data(wanted=wanted, **kwargs)

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        return super().render_to_response(context, **{"status": 410 if context.get("problem") else 200, **options})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            email = addresses.change_address(request, user=signed_in_user(request), token=token)
        except DomainError as error:
            return self.render_to_response({**super().get_context_data(), "problem": str(error)})
        end_other_sessions(request, request.user)
        messages.success(request, f"You sign in with {email} from now on. Your other sessions are signed out.")
        return redirect("accounts:profile")


class ConfirmedView(TemplateView):
    """Where somebody ends who confirmed who they are in a tab of its own, beside the form that asked for it."""

    template_name = "accounts/confirmed.html"


class SessionListView(ListUserSessionsView):
    """The own sessions, newest first; the button ends all but this one."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["sessions"].sort(key=lambda session: (session.is_current(), session.last_seen_at), reverse=True)
        return context


class SessionEndView(View):
    """Ends one of the own sessions, this one too."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = get_object_or_404(UserSession, pk=pk, user=signed_in_user(request))
        is_current = session.is_current()
        end_sessions(request, [session])
        if is_current:
            return redirect("account_login")
        messages.success(request, "That session is signed out.")
        return redirect("usersessions_list")


# --- Second factor --------------------------------------------------------------------------------------------------


class OffersToGoOn:
    """After the first second factor: the way back to where it was asked for."""

    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]  # the view beside it has it
        return {**context, "continue_url": self.request.session.get(CONTINUE_AT, "")}


class SecondFactorView(OffersToGoOn, second_factor_views.IndexView):
    pass


class AppActivateView(OffersToGoOn, EndsOtherSessions, totp_views.ActivateTOTPView):
    def form_valid(self, form: BaseForm) -> HttpResponse:
        response = super().form_valid(form)
        use_code(
            signed_in_user(self.request), form.cleaned_data["code"]
        )  # or the same code would open the next sign-in
        return response


class AppDeactivateView(EndsOtherSessions, totp_views.DeactivateTOTPView):
    pass


class RecoveryCodesView(OffersToGoOn, recovery_views.ViewRecoveryCodesView):
    pass


class RecoveryCodesGenerateView(InOneTransaction, recovery_views.GenerateRecoveryCodesView):
    pass


class PasskeyAddView(EndsOtherSessions, passkey_views.AddWebAuthnView):
    pass


class PasskeyListView(RedirectView):
    """Passkeys are listed with the other second factors."""

    pattern_name = "mfa_index"


class PasskeyRenameView(passkey_views.EditWebAuthnView):
    success_url = reverse_lazy("mfa_index")


class PasskeyRemoveView(EndsOtherSessions, passkey_views.RemoveWebAuthnView):
    success_url = reverse_lazy("mfa_index")


class PasskeyConfirmView(passkey_views.ReauthenticateWebAuthnView):
    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Back to this page: allauth goes to the sign-in page, which sends somebody who is signed in away."""
        super().form_invalid(form)
        return HttpResponseRedirect(self.passthrough_next_url(reverse("mfa_reauthenticate_webauthn")))

"""The pages of allauth that we show, by hand: what is not listed here does not exist. allauth reverses these names."""

from __future__ import annotations

from allauth.account import views as account_views
from allauth.mfa.base import views as second_factor_views
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.webauthn import views as passkey_views
from django.urls import URLPattern, URLResolver, path, re_path

from accounts import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", account_views.login, name="account_login"),
    path("logout/", account_views.logout, name="account_logout"),
    path("inactive/", account_views.account_inactive, name="account_inactive"),
    path("signup/", views.SignUpView.as_view(), name="account_signup"),
    path("reauthenticate/", account_views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.PasswordChangeView.as_view(), name="account_change_password"),
    path("password/set/", views.PasswordSetView.as_view(), name="account_set_password"),
    path("password/reset/", account_views.password_reset, name="account_reset_password"),
    path("password/reset/done/", account_views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/\Z",
        views.PasswordResetFromLinkView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("sessions/", views.SessionListView.as_view(), name="usersessions_list"),
    path("2fa/", views.SecondFactorView.as_view(), name="mfa_index"),
    path("2fa/authenticate/", second_factor_views.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", second_factor_views.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/app/activate/", views.AppActivateView.as_view(), name="mfa_activate_totp"),
    path("2fa/app/deactivate/", views.AppDeactivateView.as_view(), name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", views.RecoveryCodesView.as_view(), name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", views.RecoveryCodesGenerateView.as_view(), name="mfa_generate_recovery_codes"),
    path("2fa/recovery-codes/download/", recovery_views.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("2fa/passkeys/", views.PasskeyListView.as_view(), name="mfa_list_webauthn"),
    path("2fa/passkeys/add/", views.PasskeyAddView.as_view(), name="mfa_add_webauthn"),
    path("2fa/passkeys/login/", passkey_views.login_webauthn, name="mfa_login_webauthn"),
    path("2fa/passkeys/reauthenticate/", views.PasskeyConfirmView.as_view(), name="mfa_reauthenticate_webauthn"),
    path("2fa/passkeys/<int:pk>/edit/", views.PasskeyRenameView.as_view(), name="mfa_edit_webauthn"),
    path("2fa/passkeys/<int:pk>/remove/", views.PasskeyRemoveView.as_view(), name="mfa_remove_webauthn"),
]

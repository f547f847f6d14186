"""Addresses of teams. The console's lie below /o/<organization>/; views take its slug as `organization` and read request.member."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from teams.views import admission, invitations, members, roles, settings

console_urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/members/", members.MemberListView.as_view(), name="member_list"),
    path("settings/members/invite/", members.MemberInviteView.as_view(), name="member_invite"),
    path("settings/members/<int:pk>/", members.MemberManageView.as_view(), name="member_manage"),
    path("settings/members/<int:pk>/reactivate/", members.MemberReactivateView.as_view(), name="member_reactivate"),
    path("settings/invitations/<int:pk>/resend/", invitations.InvitationResendView.as_view(), name="invitation_resend"),
    path("settings/invitations/<int:pk>/revoke/", invitations.InvitationRevokeView.as_view(), name="invitation_revoke"),
    path("settings/offices/", settings.OfficeListView.as_view(), name="office_list"),
    path("settings/offices/new/", settings.OfficeCreateView.as_view(), name="office_create"),
    path("settings/offices/<int:pk>/", settings.OfficeEditView.as_view(), name="office_edit"),
    path("settings/roles/", roles.RoleListView.as_view(), name="role_list"),
    path("settings/roles/new/", roles.RoleCreateView.as_view(), name="role_create"),
    path("settings/roles/who-can/", roles.RoleHoldersView.as_view(), name="role_holders"),
    path("settings/roles/<int:pk>/", roles.RoleDetailView.as_view(), name="role_detail"),
    path("settings/roles/<int:pk>/clone/", roles.RoleCloneView.as_view(), name="role_clone"),
    path("settings/security/", settings.SecurityView.as_view(), name="security"),
]
public_urlpatterns: list[URLPattern | URLResolver] = [
    path("invitation/<slug:organization>/", admission.InvitationView.as_view(), name="invitation"),
    path(
        "invitation/<slug:organization>/sign-out/",
        admission.InvitationSignOutView.as_view(),
        name="invitation_sign_out",
    ),
    path("invitation/<slug:organization>/<str:token>/", admission.InvitationLinkView.as_view(), name="invitation_link"),
]

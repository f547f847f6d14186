"""Addresses of teams. The console's lie below /o/<organization>/; views take its slug as `organization` and read request.member."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from teams.views import admission, invitations, many_invitations, many_members, members, offices, roles, settings

console_urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/members/", members.MemberListView.as_view(), name="member_list"),
    path("settings/members/change/", many_members.MembersChangeView.as_view(), name="members_change"),
    path("settings/members/export/", members.MemberExportView.as_view(), name="member_export"),
    path("settings/members/invite/", members.MemberInviteView.as_view(), name="member_invite"),
    path("settings/members/invite/several/", many_invitations.MembersInviteView.as_view(), name="members_invite"),
    path(
        "settings/members/invite/several/<int:pk>/",
        many_invitations.MembersInvitedView.as_view(),
        name="members_invited",
    ),
    path("settings/members/<int:pk>/", members.MemberManageView.as_view(), name="member_manage"),
    path("settings/members/<int:pk>/profile/", members.MemberProfileView.as_view(), name="member_profile"),
    path("settings/members/<int:pk>/sessions/", members.MemberSessionsView.as_view(), name="member_sessions"),
    path("membership/", members.MembershipView.as_view(), name="membership"),
    path("membership/e-mails/", members.MembershipEmailsView.as_view(), name="membership_emails"),
    path("membership/leave/", members.MembershipLeaveView.as_view(), name="membership_leave"),
    path("settings/members/<int:pk>/reactivate/", members.MemberReactivateView.as_view(), name="member_reactivate"),
    path("settings/invitations/<int:pk>/", invitations.InvitationChangeView.as_view(), name="invitation_change"),
    path("settings/invitations/<int:pk>/resend/", invitations.InvitationResendView.as_view(), name="invitation_resend"),
    path("settings/invitations/<int:pk>/revoke/", invitations.InvitationRevokeView.as_view(), name="invitation_revoke"),
    path("settings/offices/", offices.OfficeListView.as_view(), name="office_list"),
    path("settings/offices/new/", offices.OfficeCreateView.as_view(), name="office_create"),
    path("settings/offices/<int:pk>/", offices.OfficeEditView.as_view(), name="office_edit"),
    path("settings/offices/<int:pk>/reactivate/", offices.OfficeReactivateView.as_view(), name="office_reactivate"),
    path("settings/roles/", roles.RoleListView.as_view(), name="role_list"),
    path("settings/roles/new/", roles.RoleCreateView.as_view(), name="role_create"),
    path("settings/roles/who-can/", roles.RoleHoldersView.as_view(), name="role_holders"),
    path("settings/roles/<int:pk>/", roles.RoleDetailView.as_view(), name="role_detail"),
    path("settings/roles/<int:pk>/clone/", roles.RoleCloneView.as_view(), name="role_clone"),
    path("settings/organization/logo/", settings.LogoUploadView.as_view(), name="organization_logo"),
    path("settings/organization/logo/remove/", settings.LogoRemoveView.as_view(), name="organization_logo_remove"),
    path("settings/security/", settings.SecurityView.as_view(), name="security"),
]
public_urlpatterns: list[URLPattern | URLResolver] = [
    path("invitation/<slug:organization>/", admission.InvitationView.as_view(), name="invitation"),
    path("invitation/<slug:organization>/ask/", admission.InvitationAskView.as_view(), name="invitation_ask"),
    path(
        "invitation/<slug:organization>/sign-out/",
        admission.InvitationSignOutView.as_view(),
        name="invitation_sign_out",
    ),
    path("invitation/<slug:organization>/<str:token>/", admission.InvitationLinkView.as_view(), name="invitation_link"),
]

"""Addresses of customers. The console's lie below /o/<organization>/; views take its slug as `organization` and read request.member."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from customers.views import (
    access,
    account_managers,
    borrower,
    bulk,
    cover,
    emergencies,
    exports,
    offboarding,
    offices,
    profile,
    records,
    requests,
    roles,
    saved,
    settings,
)
from customers.views.list import CustomerListView

console_urlpatterns: list[URLPattern | URLResolver] = [
    path("customers/", CustomerListView.as_view(), name="customer_list"),
    path("customers/new/", records.CustomerCreateView.as_view(), name="customer_create"),
    path("customers/export/", exports.CustomerExportView.as_view(), name="customer_export"),
    path("customers/exports/", exports.CustomerExportListView.as_view(), name="customer_exports"),
    path("customers/exports/<int:pk>/", exports.CustomerExportProgressView.as_view(), name="customer_export_progress"),
    path("customers/exports/<int:pk>/file/", exports.CustomerExportFileView.as_view(), name="customer_export_file"),
    path("customers/change/account-manager/", bulk.BulkAssignView.as_view(), name="customer_bulk_assign"),
    path("customers/change/no-account-manager/", bulk.BulkRemoveView.as_view(), name="customer_bulk_remove"),
    path("customers/change/status/", bulk.BulkStatusView.as_view(), name="customer_bulk_status"),
    path("customers/changes/<int:pk>/", bulk.BulkProgressView.as_view(), name="customer_bulk_progress"),
    path("customers/changes/<int:pk>/undo/", bulk.BulkUndoView.as_view(), name="customer_bulk_undo"),
    path("customers/columns/", saved.ColumnsView.as_view(), name="customer_columns"),
    path("customers/views/save/", saved.SavedViewCreateView.as_view(), name="customer_view_save"),
    path("customers/views/<int:pk>/edit/", saved.SavedViewEditView.as_view(), name="customer_view_edit"),
    path("customers/views/<int:pk>/delete/", saved.SavedViewDeleteView.as_view(), name="customer_view_delete"),
    path("customers/<int:pk>/", profile.CustomerProfileView.as_view(), name="customer_profile"),
    path("customers/<int:pk>/activity/", profile.CustomerActivityView.as_view(), name="customer_activity"),
    path("customers/<int:pk>/access/", access.CustomerAccessView.as_view(), name="customer_access"),
    path("customers/<int:pk>/request-access/", requests.AccessRequestView.as_view(), name="access_request"),
    path("customers/<int:pk>/emergency-access/", emergencies.EmergencyAccessView.as_view(), name="emergency_access"),
    path("access-requests/", requests.AccessRequestListView.as_view(), name="access_request_list"),
    path("access-requests/<int:pk>/grant/", requests.AccessRequestGrantView.as_view(), name="access_request_grant"),
    path(
        "access-requests/<int:pk>/decline/", requests.AccessRequestDeclineView.as_view(), name="access_request_decline"
    ),
    path("emergency-access/", emergencies.EmergencyListView.as_view(), name="emergency_list"),
    path("emergency-access/<int:pk>/review/", emergencies.EmergencyReviewView.as_view(), name="emergency_review"),
    path("customers/<int:pk>/edit/", records.CustomerEditView.as_view(), name="customer_edit"),
    path("customers/<int:pk>/status/", records.CustomerStatusView.as_view(), name="customer_status"),
    path("customers/<int:pk>/bvn/", profile.CustomerBvnRevealView.as_view(), name="customer_bvn"),
    path(
        "customers/<int:pk>/account-manager/",
        account_managers.AccountManagerAssignView.as_view(),
        name="account_manager_assign",
    ),
    path(
        "customers/<int:pk>/account-manager/remove/",
        account_managers.AccountManagerRemoveView.as_view(),
        name="account_manager_remove",
    ),
    path(
        "settings/members/<int:pk>/deactivate/",
        offboarding.MemberDeactivateView.as_view(),
        name="member_deactivate",
    ),
    path("settings/members/<int:pk>/cover/", cover.MemberCoverView.as_view(), name="member_cover"),
    path("settings/covers/<int:pk>/end/", cover.CoverEndView.as_view(), name="cover_end"),
    path("settings/members/<int:pk>/remove/", offboarding.MemberRemoveView.as_view(), name="member_remove"),
    path("settings/offices/<int:pk>/move/", offices.OfficeMoveView.as_view(), name="office_move"),
    path("settings/offices/<int:pk>/deactivate/", offices.OfficeDeactivateView.as_view(), name="office_deactivate"),
    path("settings/offices/<int:pk>/merge/", offices.OfficeMergeView.as_view(), name="office_merge"),
    path("settings/organization/", settings.OrganizationSettingsView.as_view(), name="organization_settings"),
    path(
        "settings/organization/exclusive-assignments/",
        settings.ExclusivenessView.as_view(),
        name="organization_exclusiveness",
    ),
    path("settings/roles/<int:pk>/edit/", roles.RoleEditView.as_view(), name="role_edit"),
    path("settings/roles/<int:pk>/delete/", roles.RoleDeleteView.as_view(), name="role_delete"),
]
public_urlpatterns: list[URLPattern | URLResolver] = [
    path("borrower/<slug:organization>/", borrower.BorrowerSignInView.as_view(), name="borrower_sign_in"),
    path("borrower/<slug:organization>/sign-out/", borrower.BorrowerSignOutView.as_view(), name="borrower_sign_out"),
    path("borrower/<slug:organization>/link/<str:token>/", borrower.BorrowerLinkView.as_view(), name="borrower_link"),
    path("borrower/<slug:organization>/account-manager/", borrower.BorrowerPageView.as_view(), name="borrower_page"),
]

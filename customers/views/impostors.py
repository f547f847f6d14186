"""Reports of impostors, for those who look into them."""

from __future__ import annotations

from typing import Any, Final

from accounts.pages import ConsolePage, FormPage
from accounts.pagination import paginate
from customers.forms.borrower import ReportCloseForm
from customers.models import ImpostorReport
from customers.policy import find_report
from customers.readers import impostor_reports
from customers.services.impostors import close_report
from customers.views.pages import neighbors
from teams.capabilities import Capability

REPORTS_A_PAGE: Final = 25


class ImpostorReportListView(ConsolePage):
    """The open ones, or all with what came of them; the newest first."""

    capability = Capability.CUSTOMERS_IMPOSTORS
    template_name = "customers/impostor_report_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shows_all = self.request.GET.get("show") == "all"
        rows = impostor_reports(self.member)
        if not shows_all:
            rows = rows.filter(closed_at=None)
        page = paginate(rows, order=("-created_at", "-id"), size=REPORTS_A_PAGE, **self.cursors)
        return super().get_context_data(
            reports=page.rows, shows_all=shows_all, **neighbors(self.request, page), **kwargs
        )


class ImpostorReportCloseView(FormPage):
    capability = Capability.CUSTOMERS_IMPOSTORS
    template_name = "customers/impostor_report_close.html"
    form_class = ReportCloseForm
    report: ImpostorReport

    def find(self) -> None:
        self.report = find_report(self.member, self.kwargs["pk"])

    def carry_out(self, form: ReportCloseForm) -> str:
        close_report(actor=self.member, report=self.report, outcome=form.cleaned_data["outcome"])
        return "The report is closed."

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(report=self.report, **kwargs)

    def next_url(self) -> str:
        return str(self.member.url("customers:impostor_report_list"))

"""Is this really my account manager? Open to everybody: a code from one of our e-mails answers it, and an impostor can be reported.

The code leaves the address at once, as the token of an invitation does; opening a link asks nothing and changes nothing.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect

from customers.codes import tidy
from customers.forms.borrower import ImpostorReportForm, ManagerCodeForm
from customers.services.impostors import report_impostor
from customers.services.verification import check_code
from customers.views.borrower import BorrowerMixin, PublicForm

CODE_KEY: Final = "borrower_manager_code"
CHECKS_PER_HOUR: Final = 60
REPORTS_PER_HOUR: Final = 10


class BorrowerCheckLinkView(BorrowerMixin):
    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, code: str, **kwargs: Any) -> HttpResponse:
        request.session[CODE_KEY] = tidy(code)
        return HttpResponseRedirect(self.url("borrower_check"))


class BorrowerCheckView(PublicForm):
    """Names the manager to whoever has the code, and the customer to nobody."""

    form_class = ManagerCodeForm
    template_name = "customers/borrower_check.html"
    what, most = "borrower_check", CHECKS_PER_HOUR

    def get_initial(self) -> dict[str, Any]:
        return {"code": self.request.session.get(CODE_KEY, "")}

    def form_valid(self, form: ManagerCodeForm) -> HttpResponse:
        code = form.cleaned_data["code"]
        self.request.session[CODE_KEY] = tidy(code)
        answer = check_code(organization=self.organization, code=code)
        return self.render_to_response(self.get_context_data(form=form, is_checked=True, answer=answer))


class BorrowerReportView(PublicForm):
    """The thanks are the same whoever reports and whatever code is given."""

    form_class = ImpostorReportForm
    template_name = "customers/borrower_report.html"
    what, most = "borrower_report", REPORTS_PER_HOUR

    def get_initial(self) -> dict[str, Any]:
        return {"code": self.request.session.get(CODE_KEY, "")}

    def form_valid(self, form: ImpostorReportForm) -> HttpResponse:
        report_impostor(organization=self.organization, customer=self.signed_in_customer(), **form.cleaned_data)
        self.request.session.pop(CODE_KEY, None)
        return HttpResponseRedirect(f"{self.url('borrower_report')}?sent")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(is_sent="sent" in self.request.GET, **kwargs)

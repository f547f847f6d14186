"""What every page of an organization is made of: the member, the permission it needs, and broken rules in plain words.

This app lies below teams, so the actor is typed by shape (`Actor`); capabilities are given by value and checked
against teams.capabilities by a test.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Protocol, TypedDict

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.http.response import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.generic import FormView, TemplateView, View
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Organization, Submission, User
from lendconsole.errors import DomainError, NotVisible, PermissionMissing

DIALOG: Final = "dialog-content"


def confirmation_needed() -> SafeString:
    """Said above a form whose sign-in grew old while it was filled in: what was typed stays, the answer is given beside it."""
    query = urlencode({"next": reverse("accounts:confirmed")})
    return format_html(
        "Your sign-in is a while ago. "
        '<a class="alert-link" href="{}?{}" target="_blank" rel="noopener">Confirm that it is you</a> '
        "(opens beside this page), then press the button once more.",
        reverse("account_reauthenticate"),
        query,
    )


def signed_in_user(request: HttpRequest) -> User:
    """The login behind the request, on pages that only open to somebody who is signed in."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


class Actor(Protocol):
    pk: Any
    organization: Organization
    user: User

    def require(self, capability: str) -> None: ...

    def url(self, name: str, *args: Any) -> str: ...


class ConsoleMixin(View):
    """Runs for `request.member`. `capability` is what the page itself needs; None is a page for every member."""

    capability: ClassVar[str | None] = None
    fresh_sign_in: ClassVar[bool] = False
    """Only for somebody who has signed in, or confirmed who they are, in the last few minutes."""

    @property
    def member(self) -> Any:
        return self.request.member  # type: ignore[attr-defined]  # set by MemberMiddleware

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if self.capability is not None:
                self.member.require(self.capability)
            return super().dispatch(request, *args, **kwargs)
        except NotVisible as error:
            raise Http404 from error
        except PermissionMissing as error:
            raise PermissionDenied(str(error)) from error

    def needs_fresh_sign_in(self) -> bool:
        """Subclasses with an object may ask it; it is at hand by the time this is called."""
        return self.fresh_sign_in

    def must_confirm(self) -> bool:
        return self.needs_fresh_sign_in() and is_reauthentication_required(self.request, app="console")

    def confirm_first(self, next_url: str = "") -> HttpResponse:
        """To the page that asks who sits here, and from there on: to this page, unless another one is given."""
        query = urlencode({"next": next_url or self.request.get_full_path()})
        return self.redirect_to(f"{reverse('account_reauthenticate')}?{query}")

    def redirect_to(self, url: str) -> HttpResponse:
        """Go on to a page: inside a dialog the whole page moves, not the dialog's content."""
        if getattr(self.request, "htmx", False):
            return HttpResponseClientRedirect(url)
        return HttpResponseRedirect(url)


class Cursors(TypedDict):
    """Where in a list the address goes on, for `paginate`."""

    after: str
    before: str


class ConsolePage(ConsoleMixin, TemplateView):
    """A page that only shows."""

    @property
    def cursors(self) -> Cursors:
        query = self.request.GET
        return {"after": query.get("after", ""), "before": query.get("before", "")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.pop("organization", None)  # the slug of the address must not hide the organization from templates
        return super().get_context_data(**kwargs)


class FormPage(ConsoleMixin, FormView):
    """A page with one form that carries out one service.

    Subclasses say `carry_out` (call the service, return what to tell the member) and `next_url`. A rule that the
    service refuses stands beside its field with the input kept; nothing of a refused attempt stays in the database.
    A form that carries a `submission_key` is carried out once, however often its button is pressed.
    """

    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "options"]  # type: ignore[misc]  # FormView takes PUT as POST

    preview_button: ClassVar[str] = ""
    """The button that shows the page for what was typed, unjudged and unsaved; it posts, so that nothing typed is in an address."""

    def find(self) -> None:
        """Fetch what the address names, before anything else. Raises NotVisible or PermissionMissing."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A fresh sign-in is asked for before anything is typed. What a page fetches of itself meanwhile is left alone."""
        self.find()
        htmx = getattr(request, "htmx", None)
        if (not htmx or htmx.target == DIALOG) and self.must_confirm():
            return self.confirm_first()
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.find()
        if self.preview_button and self.preview_button in request.POST:
            return self.render_to_response(self.get_context_data(form=self.typed_so_far()))
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "member": self.member}

    def typed_so_far(self) -> forms.Form:
        """The form with what was posted and no judgment of it."""
        arguments = self.get_form_kwargs()
        typed = arguments.pop("data").dict()
        arguments.pop("files", None)
        return self.get_form_class()(**{**arguments, "initial": {**arguments["initial"], **typed}})

    def carry_out(self, form: Any) -> str | SafeString:
        raise NotImplementedError

    def next_url(self) -> str:
        raise NotImplementedError

    def form_valid(self, form: Any) -> HttpResponse:
        if self.must_confirm():
            form.add_error(None, confirmation_needed())
            return self.form_invalid(form)
        try:
            with transaction.atomic():
                submission = self._submission(form)
                message = self.carry_out(form)
                url = self.next_url()
                if submission is not None:
                    Submission.objects.filter(pk=submission.pk).update(outcome_url=url)
        except PressedTwice as error:
            return self.redirect_to(error.outcome_url or self.request.path)
        except (NotVisible, PermissionMissing):
            raise
        except DomainError as error:
            form.add_domain_error(error)
            return self.form_invalid(form)
        if message:
            messages.success(self.request, message)
        return self.redirect_to(url)

    def form_invalid(self, form: Any) -> HttpResponse:
        # What the first press made can be what the second one's form is refused for ("this number is taken").
        key = getattr(form, "cleaned_data", {}).get("submission_key")
        done = Submission.objects.filter(**self._claim(key)).first() if key else None
        if done is not None and done.outcome_url:
            return self.redirect_to(done.outcome_url)
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def _submission(self, form: Any) -> Submission | None:
        """Claim the form's key. A second press waits here for the first one and learns where it ended."""
        key = form.cleaned_data.get("submission_key")
        if key is None:
            return None
        claim = self._claim(key)
        try:
            with transaction.atomic():
                return Submission.objects.create(**claim, path=self.request.path[:300])
        except IntegrityError:
            raise PressedTwice(Submission.objects.get(**claim).outcome_url) from None

    def _claim(self, key: Any) -> dict[str, Any]:
        return {"organization": self.member.organization, "user": self.member.user, "key": key}


class PressedTwice(Exception):
    """The same rendered form was already carried out; `outcome_url` is where that one went."""

    def __init__(self, outcome_url: str) -> None:
        super().__init__(outcome_url)
        self.outcome_url = outcome_url


class ActionPage(ConsoleMixin):
    """A button without a form: POST only. Subclasses say `carry_out` and `next_url` as in FormPage."""

    http_method_names: ClassVar[list[str]] = ["post", "options"]  # type: ignore[misc]  # View declares it mutable

    def carry_out(self) -> str | SafeString:
        raise NotImplementedError

    def next_url(self) -> str:
        raise NotImplementedError

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                messages.success(request, self.carry_out())
        except (NotVisible, PermissionMissing):
            raise
        except DomainError as error:
            messages.error(request, str(error))
        return self.redirect_to(self.next_url())

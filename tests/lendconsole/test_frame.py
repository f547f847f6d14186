"""The layouts: complete pages, dialogs in both shapes, error pages that need nothing, and files the strict CSP can live with."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import html5lib
import pytest
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.template import engines
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory

from lendconsole.forms import ConsoleForm
from lendconsole.templatetags.console import ICONS
from teams.capabilities import Capability

BASE = Path(settings.BASE_DIR)
# Mail programs know style attributes only.
TEMPLATES = sorted(path for path in (BASE / "templates").rglob("*.html") if "emails" not in path.parts)


class PageForm(ConsoleForm):
    name = forms.CharField()


class FakeMember:
    """Enough of a member to draw the frame without a database."""

    name, initials = "Amaka Obi", "AO"
    role = SimpleNamespace(name="Admin")
    office = SimpleNamespace(name="Head Office")
    organization = SimpleNamespace(name="Kudi <b>MFB</b>", slug="kudi")

    def __init__(self, *, capabilities: tuple[Capability, ...] = tuple(Capability), others: bool = False) -> None:
        self.capabilities = capabilities
        self.has_other_memberships = others

    def may(self, capability: Capability) -> bool:
        return capability in self.capabilities

    def url(self, name: str, *args: object) -> str:
        return f"/o/kudi/{name.rpartition(':')[2]}/"


def request_of(member: FakeMember | None = None, *, htmx: bool = False) -> HttpRequest:
    request: Any = RequestFactory().get("/o/kudi/customers/?q=a")
    request.member, request.htmx = member, htmx
    request._messages = []
    return request


def page(name: str = "console.html", member: FakeMember | None = None, *, htmx: bool = False, **context: Any) -> str:
    return render_to_string(name, context, request_of(member or FakeMember(), htmx=htmx))


def write(child: str, **context: Any) -> str:
    template = engines["django"].from_string(child)
    return template.render(context, request_of(FakeMember(), htmx=context.pop("htmx", False)))


def assert_valid(html: str) -> None:
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(html)
    # html5lib predates <dialog> and friends but knows nesting; anything it complains about is a real mistake.
    assert parser.errors == []


def without_breaks(html: str) -> str:
    """As if the formatter had not put elements on lines of their own."""
    return "".join(line.strip() for line in html.splitlines())


def test_console_page_is_complete_and_valid() -> None:
    html = write(
        '{% extends "console.html" %}{% block title %}Customers{% endblock %}{% block heading %}All customers{% endblock %}'
    )
    assert "<title>Customers · Kudi &lt;b&gt;MFB&lt;/b&gt;</title>" in without_breaks(html)
    assert html.count("<h1") == 1
    for landmark in ("<main", "<header", '<nav aria-label="Main"', "<aside"):
        assert html.count(landmark) == 1
    assert html.index('class="skip-link"') < html.index("<aside")
    assert_valid(html)


def test_organization_is_a_switcher_only_for_those_with_another_one() -> None:
    alone, member_of_two = page(member=FakeMember()), page(member=FakeMember(others=True))
    assert "Switch organization" not in alone
    assert "Kudi &lt;b&gt;MFB&lt;/b&gt;" in alone
    assert "Switch organization" in member_of_two


def test_search_and_gear_are_shown_to_those_who_may_use_them() -> None:
    everything, nothing = page(), page(member=FakeMember(capabilities=()))
    assert 'id="quick-search"' in everything
    assert 'aria-label="Settings"' in everything
    assert 'id="quick-search"' not in nothing
    assert 'aria-label="Settings"' not in nothing


def test_gear_leads_to_the_first_setting_of_the_role() -> None:
    html = page(member=FakeMember(capabilities=(Capability.OFFICES_VIEW, Capability.ROLES_VIEW)))
    assert re.search(r'href="/o/kudi/office_list/" aria-label="Settings"', html)


def test_signing_out_is_a_post_with_a_token() -> None:
    form = page().split('class="menu-foot"')[1].split("</form>")[0]
    assert 'method="post"' in form
    assert "csrfmiddlewaretoken" in form


def test_settings_page_shows_its_menu_beside_the_content() -> None:
    html = write('{% extends "settings.html" %}{% block content %}Offices here{% endblock %}')
    assert 'aria-label="Settings">' in html
    assert "Roles and permissions" in html
    assert "Offices here" in html
    assert_valid(html)


DIALOG = (
    '{% extends "dialog.html" %}{% block heading %}Add office{% endblock %}'
    '{% block buttons %}{% include "components/confirm.html" with label="Add" cancel_url="/back/" only %}{% endblock %}'
)


def test_dialog_is_a_page_of_its_own_without_htmx() -> None:
    html = write(DIALOG, form=PageForm({}, member=None))
    assert "<title>" in html
    assert '<h1 class="page-title">Add office</h1>' in html
    assert 'action="/o/kudi/customers/?q=a"' in html
    assert "hx-post" not in html
    assert_valid(html)


def test_dialog_is_only_its_own_part_with_htmx() -> None:
    html = write(DIALOG, form=PageForm({}, member=None), htmx=True)
    assert "<html" not in html
    assert 'data-hx-post="/o/kudi/customers/?q=a"' in html
    assert 'id="dialog-title"' in html
    assert "csrfmiddlewaretoken" in html


@pytest.mark.parametrize("htmx", [False, True])
def test_dialog_shows_what_is_wrong_and_its_fields(htmx: bool) -> None:
    html = write(DIALOG, form=PageForm({}, member=None), htmx=htmx)
    assert 'role="alert"' in html
    assert 'href="#id_name">Name</a>' in without_breaks(html)
    assert 'id="id_name_error"' in html


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "429", "500"])
def test_error_pages_need_nothing(code: str) -> None:
    html = get_template(f"{code}.html").render()
    assert "data-explanation" in html
    assert html.count("<h1") == 1
    assert_valid(html)


@pytest.mark.parametrize("code", ["403", "404"])
def test_a_member_keeps_the_frame_on_an_error_page(code: str) -> None:
    html = page(f"{code}.html", exception="Your role lacks <this>. Ask Amaka Obi.")
    assert 'id="quick-search"' in html
    assert ("Your role lacks &lt;this&gt;. Ask Amaka Obi." in html) == (code == "403")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(BASE)))
def test_no_template_needs_a_hole_in_the_policy(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(BASE)))
def test_icons_that_templates_name_exist(path: Path) -> None:
    for name in re.findall(r'{% icon "([^"]+)"', path.read_text(encoding="utf-8")):
        assert (ICONS / f"{name}.svg").is_file(), name


def test_vendored_files_have_their_licenses_and_point_at_nothing_missing() -> None:
    for folder in (BASE / "static/vendor/tabler", ICONS):
        assert "Permission is hereby granted" in (folder / "LICENSE").read_text(encoding="utf-8")
    for path in (BASE / "static").rglob("*"):
        if path.suffix in {".css", ".js"}:
            assert "sourceMappingURL" not in path.read_text(encoding="utf-8")

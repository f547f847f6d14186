"""The laws of docs/architecture.md that no linter knows. Import floors are held by import-linter (`make check`)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.pages import ConsoleMixin
from teams.capabilities import UNITS, Capability
from tools.remove_guards import GUARDS, Guard

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "audit", "notifications", "teams", "customers")
SOURCES = sorted(
    path
    for package in (*APPS, "lendconsole")
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
HOSTS = ("py" + "pi.", "python" + "hosted.", "registry." + "npm")  # in parts, so that this line is not one of them
FILE_LINES, FUNCTION_LINES, TEMPLATE_LINES = 500, 60, 90


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def patterns(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry)
        else:
            yield entry


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_and_functions_keep_to_their_budget(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES, node.name


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_templates_are_short_and_carry_no_inline_code(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= TEMPLATE_LINES
    if "emails" not in path.parts:
        for forbidden in (" style=", "<style", " onclick=", " onchange=", " onsubmit=", "javascript:", "hx-on"):
            assert forbidden not in text
        assert "<script>" not in text
    assert "|safe" not in text.replace("field.help_text|safe", "")  # Django's own password hints are lists


@pytest.mark.parametrize("path", [p for p in SOURCES if "views" in name(p) or "forms" in name(p)], ids=name)
def test_views_and_forms_fetch_rows_through_the_rule(path: Path) -> None:
    """`Model.objects.<rule>(member)` is the way in; a bare filter, get or all goes around it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in {"filter", "get", "all", "exclude", "order_by", "values"}:
            manager = node.value
            is_bare = isinstance(manager, ast.Attribute) and manager.attr in {"objects", "_default_manager"}
            owner = manager.value.id if is_bare and isinstance(manager.value, ast.Name) else ""
            assert not is_bare or owner in {"Organization", "Submission"}, f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_signals_of_our_own(path: Path) -> None:
    if path.name == "apps.py":  # hooks of libraries
        return
    text = path.read_text()
    assert "django.dispatch" not in text
    assert "db.models.signals" not in text


def test_every_console_page_names_a_capability_that_exists() -> None:
    checked = 0
    for pattern in patterns():
        view = getattr(pattern.callback, "view_class", None)
        if view is not None and issubclass(view, ConsoleMixin):
            checked += 1
            assert view.capability is None or view.capability in Capability.values, view
    assert checked


def test_every_capability_stands_in_one_unit() -> None:
    listed = [capability for unit in UNITS for capability in unit.capabilities]
    assert sorted(listed) == sorted(Capability)


def test_every_capability_is_asked_for_somewhere() -> None:
    sources = "".join(path.read_text() for path in SOURCES if path.name not in {"capabilities.py", "built_in_roles.py"})
    for capability in Capability:
        assert f"Capability.{capability.name}" in sources or f'"{capability.value}"' in sources, capability


def test_the_repository_speaks_of_the_product_alone() -> None:
    """No path of a machine and no host of a package registry, lock files included."""
    forbidden = (str(ROOT), f"{Path.home()}/", *HOSTS)
    for path in (
        *SOURCES,
        *TEMPLATES,
        *(ROOT / "requirements").glob("*.txt"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ):
        text = path.read_text()
        assert not [word for word in forbidden if word in text], name(path)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_tool_that_removes_guards_finds_them(guard: Guard) -> None:
    assert guard.code in (ROOT / guard.file).read_text()

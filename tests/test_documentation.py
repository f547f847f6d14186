"""What the documents promise is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lendconsole.management.commands.write_permissions import PAGE, page

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


def test_the_permissions_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "run manage.py write_permissions"


@pytest.mark.parametrize("document", PAGES, ids=lambda path: path.name)
def test_links_and_named_files_exist(document: Path) -> None:
    text = document.read_text()
    linked = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    named = re.findall(r"`((?:docs|tests|customers|accounts|lendconsole|deploy|static|templates)/[\w./-]+)`", text)
    for target in linked:
        assert (document.parent / target).exists(), target
    for target in named:
        assert (ROOT / target).exists(), target


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_command_of_the_operations_page_exists() -> None:
    commands = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    table = (ROOT / "docs" / "operations.md").read_text()
    for name in re.findall(r"^\| `([a-z_]+)[` ]", table, re.MULTILINE):
        assert name in commands, name

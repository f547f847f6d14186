"""Which part of a text a search met, for people to see why a line is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from html import escape

from django.utils.safestring import SafeString

from customers.text import SearchTerm, fold, national_phone

Span = tuple[int, int]
_letters = lru_cache(maxsize=4096)(fold)


class Marker:
    """Puts `<mark>` around what the term met, as tolerant of spelling as the search. Without a term it only escapes."""

    def __init__(self, term: SearchTerm | None) -> None:
        self.parts = term.parts if term else []

    def text(self, text: str) -> SafeString:
        """A name, an e-mail address, a customer number."""
        return _marked(text, self._spans(text)) if self.parts else SafeString(escape(text))

    def phone(self, phone: str) -> SafeString:
        """A phone number in E.164, written as people of its country write it."""
        written = national_phone(phone)
        met = [part for part in self.parts if part.isdigit() and part in phone]
        if not met:
            return SafeString(escape(written))
        places = [place for place, character in enumerate(written) if character.isdigit()]
        digits = "".join(written[place] for place in places)
        spans = [(places[start], places[end - 1] + 1) for part in met for start, end in _found(part, digits)]
        return _marked(written, spans)

    def meets(self, text: str) -> bool:
        return bool(self.parts) and any(True for _ in self._spans(text))

    def _spans(self, text: str) -> Iterator[Span]:
        """Found among the folded letters, told by where these stand in the text."""
        folded, places = _folded(text)
        for part in self.parts:
            for start, end in _found(part, folded):
                first = start + 1 if part.startswith(" ") else start
                yield places[first], _end_of_letter(text, places[end - 1])


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The folded letters, and from which place of the text each comes; a blank leads them, as in the search column."""
    if text.isascii():
        return f" {text.lower()}", range(-1, len(text))
    letters = [(letter, place) for place, character in enumerate(text) for letter in _letters(character)]
    return " " + "".join(letter for letter, _ in letters), [-1, *(place for _, place in letters)]


def _found(part: str, text: str) -> Iterator[Span]:
    return (match.span() for match in _literal(part).finditer(text))


@lru_cache(maxsize=256)
def _literal(part: str) -> re.Pattern[str]:
    return re.compile(re.escape(part))


def _end_of_letter(text: str, place: int) -> int:
    """Behind the letter and the diacritics that are written on it."""
    end = place + 1
    while end < len(text) and not _letters(text[end]):
        end += 1
    return end


def _marked(text: str, spans: Iterable[Span]) -> SafeString:
    pieces, place = [], 0
    for start, end in _merged(spans):
        pieces += [escape(text[place:start]), "<mark>", escape(text[start:end]), "</mark>"]
        place = end
    return SafeString("".join([*pieces, escape(text[place:])]))


def _merged(spans: Iterable[Span]) -> list[Span]:
    """In order, those that touch as one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged

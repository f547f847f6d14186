"""How customers' names, phones and search terms are written down: one spelling in the database, whatever people type."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from django.core.exceptions import ValidationError

_COMBINING: Final = re.compile("[\u0300-\u036f]")
_HOOKED: Final = str.maketrans("ɓɗƙƴ", "bdky")  # Hausa letters that Unicode does not take apart
_WILD, _ESCAPED = re.compile(r"([\\%_])"), r"\\\1"
_PHONE_CHARACTERS: Final = re.compile(r"[\d\s()+./-]+")
MINIMUM_PHONE_DIGITS: Final = 4
MAXIMUM_WORDS: Final = 6


def fold(text: str) -> str:
    """Small letters without diacritics; must equal what the generated column `name_key` holds."""
    return _COMBINING.sub("", unicodedata.normalize("NFD", text)).lower().translate(_HOOKED)


def to_e164(value: str, region: str) -> str:
    """`0803 412 9981` and `234-803-412-9981` become `+2348034129981`. Raises ValidationError when it cannot be a number."""
    try:
        number = phonenumbers.parse(value, region)
        if not phonenumbers.is_valid_number(number) and not value.strip().startswith("+"):
            number = phonenumbers.parse(f"+{value}", region)  # the country code without its plus
    except phonenumbers.NumberParseException:
        raise _not_a_phone(value) from None
    if not phonenumbers.is_valid_number(number):
        raise _not_a_phone(value)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _not_a_phone(value: str) -> ValidationError:
    return ValidationError("“%(value)s” is not a phone number.", params={"value": value[:40]}, code="phone")


@lru_cache(maxsize=4_096)
def national_phone(phone: str) -> str:
    """`+2348034129981` as people of its country write it, `0803 412 9981`. What is no E.164 number stays as it is."""
    if not phone.startswith("+"):
        return phone
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


@lru_cache(maxsize=4_096)
def mask_phone(phone: str) -> str:
    """`+2348034129981` as `0803 *** **81`-like digits: the network prefix and the last two, nothing between."""
    if not phone:
        return ""
    number = phonenumbers.parse(phone, None)
    national = phonenumbers.national_significant_number(number)
    return f"0{national[:3]} *** **{national[-2:]}"


def mask_email(email: str) -> str:
    """`grace.etim@example.com` as `g***@e***.com`."""
    if "@" not in email:
        return ""
    local, domain = email.rsplit("@", 1)
    return f"{local[:1]}***@{domain[:1]}***.{domain.rsplit('.', 1)[-1]}"


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """What somebody typed: parts that the `search` column must all contain, and the exact values that it may stand for.

    Short words have no trigram: they match the start of a word (the column begins with a blank).
    """

    parts: list[str]
    exact: list[str]

    @classmethod
    def parse(cls, text: str, region: str) -> SearchTerm | None:
        """None when there is nothing to look for."""
        text = " ".join(text.replace("\x00", "").split())[:100]
        if not text:
            return None
        if _PHONE_CHARACTERS.fullmatch(text) and len(re.sub(r"\D", "", text)) >= MINIMUM_PHONE_DIGITS:
            return cls._phone(text, region)
        words = fold(text).split()[:MAXIMUM_WORDS]
        return cls(parts=[word if len(word) > 2 else f" {word}" for word in words], exact=[text.lower()])

    @classmethod
    def _phone(cls, text: str, region: str) -> SearchTerm:
        digits = re.sub(r"\D", "", text)
        country = str(phonenumbers.country_code_for_region(region))
        if digits.startswith(f"00{country}"):
            digits = digits[2:]
            text = f"+{digits}"
        if digits.startswith("0") and not _can_only_end(digits, region):
            national = digits[1:]
        else:  # the last digits of a number may look like the country's code
            national = digits.removeprefix(country) if text.startswith("+") or len(digits) > 10 else digits
        try:
            exact = [to_e164(text, region)]
        except ValidationError:
            exact = []
        return cls(parts=[national or digits], exact=[*exact, digits])

    @property
    def patterns(self) -> list[str]:
        """The parts as LIKE spells them."""
        return [f"%{_WILD.sub(_ESCAPED, part)}%" for part in self.parts]


def _can_only_end(digits: str, region: str) -> bool:
    """Four such as 0307, with which no mobile number of the country begins: they are somebody's last ones."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None or len(digits) > MINIMUM_PHONE_DIGITS:
        return False
    begun = digits[1:] + str(example.national_number)[len(digits) - 1 :]
    number = phonenumbers.PhoneNumber(country_code=example.country_code, national_number=int(begun))
    return not phonenumbers.is_valid_number(number)

"""Names of people: any script, but nothing that acts, or cannot be seen, where the name is shown."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.validators import validate_person_name


@pytest.mark.parametrize("name", ["Adébáyọ̀", "O'Brien", "D’Souza & Sons", "Anne-Marie", "محمد", "李小龙", "Jr. 2"])
def test_names_of_people_are_taken(name: str) -> None:
    validate_person_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "<b>Ada",
        "=cmd()",
        "@Ada",
        "see www.evil.example",
        "http://evil.example",
        "Ada\nBcc: x",
        "Ada\u202egnp",
        "A\u200bda",
        "123",
    ],
)
def test_what_acts_or_hides_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        validate_person_name(name)

"""What a search met is marked, however it was spelled, and nothing else is."""

from __future__ import annotations

import pytest

from customers.marks import Marker
from customers.text import SearchTerm
from tests.customers.pages import HTMX, hide_secrets_in
from tests.world import World


def marker(text: str) -> Marker:
    return Marker(SearchTerm.parse(text, "NG"))


@pytest.mark.parametrize(
    ("typed", "text", "marked"),
    [
        ("okafor", "Adaeze Okafor", "Adaeze <mark>Okafor</mark>"),
        ("okafor ada", "Adaeze Okafor", "<mark>Ada</mark>eze <mark>Okafor</mark>"),
        ("adebayo", "Adébáyọ̀ Cole", "<mark>Adébáyọ̀</mark> Cole"),
        ("bayo\u0300", "Adébáyo\u0323\u0300 Cole", "Adé<mark>báyo\u0323\u0300</mark> Cole"),
        ("danjuma", "Musa Ɗanjuma", "Musa <mark>Ɗanjuma</mark>"),
        ("ad", "Bada Ade", "Bada <mark>Ad</mark>e"),
        ("AN", "Ann An", "<mark>An</mark>n <mark>An</mark>"),
        ("ana nan", "Banana", "B<mark>anan</mark>a"),
        ("zzz", "Adaeze", "Adaeze"),
        ("", "<b>Ada</b>", "&lt;b&gt;Ada&lt;/b&gt;"),
        ("<b>", "A<b>&c", "A<mark>&lt;b&gt;</mark>&amp;c"),
        ("amp", "A&B amp", "A&amp;B <mark>amp</mark>"),
        ("%_(", "a%_(b", "a<mark>%_(</mark>b"),
        ("km-0004", "KM-000412", "<mark>KM-0004</mark>12"),
    ],
)
def test_texts(typed: str, text: str, marked: str) -> None:
    assert marker(typed).text(text) == marked


@pytest.mark.parametrize(
    "typed", ["0803 412 9981", "+234 803 412 9981", "234-803-4129981", "8034129981", "00234 8034129981"]
)
def test_a_phone_number_is_marked_in_every_spelling(typed: str) -> None:
    assert marker(typed).phone("+2348034129981") == "0<mark>803 412 9981</mark>"


def test_a_part_of_a_phone_number() -> None:
    assert marker("9981").phone("+2348034129981") == "0803 412 <mark>9981</mark>"
    assert marker("41299").phone("+2348034129981") == "0803 <mark>412 99</mark>81"
    assert marker("4803").phone("+2348034129981") == "0803 412 9981"  # with the country's code, which is not shown
    assert marker("okafor").phone("") == ""


def test_four_digits_with_which_no_number_begins_are_its_last() -> None:
    assert marker("0307").phone("+2347012850307") == "0701 285 <mark>0307</mark>"
    assert marker("0307").phone("+2347033072345") == "0703 307 2345"
    assert marker("0703").phone("+2347033072345") == "0<mark>703</mark> 307 2345"


@pytest.mark.parametrize("query", ["", "&panel=quick"])
def test_lists_mark_what_they_found_and_nothing_that_is_masked(world: World, query: str) -> None:
    kudi = world.kudi
    customer = hide_secrets_in(kudi, "distant")

    def found(role: str, text: str) -> str:
        address = kudi.url(f"customers/?q={text}{query}")
        return kudi.client(role).get(address, headers={**HTMX, "HX-Target": "results"}).content.decode()

    assert "<mark>Dist</mark>ant" in found("admin", "dist")
    assert "<mark>secret.can</mark>ary<wbr>@mail.example" in found("admin", "secret.can")
    assert "0<mark>803 412 9981</mark>" in found("admin", customer.phone.removeprefix("+"))
    masked = found("customer_support", customer.phone.removeprefix("+"))
    assert "0803 *** **81" in masked
    assert "<mark>" not in masked
    assert "secret" not in found("customer_support", customer.email).partition("<tbody>")[2]

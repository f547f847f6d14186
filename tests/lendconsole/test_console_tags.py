"""How values, addresses and pieces of pages are written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from lendconsole.money import written_amount
from lendconsole.templatetags import console
from teams.capabilities import Capability

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


def render(source: str, query: str = "", **context: Any) -> str:
    request = RequestFactory().get(f"/{query}")
    return Template("{% load console %}" + source).render(Context({"request": request, **context}))


@pytest.fixture
def _in_lagos() -> Any:
    with timezone.override(ZoneInfo("Africa/Lagos")), time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.usefixtures("_in_lagos")
@pytest.mark.parametrize(
    ("expression", "value", "seen", "exact"),
    [
        ("day", datetime(2025, 3, 12, 13, 5, tzinfo=UTC), "12 Mar 2025", "12 Mar 2025, 14:05 WAT"),
        ("moment", datetime(2025, 3, 12, 23, 30, tzinfo=UTC), "13 Mar 2025, 00:30", "13 Mar 2025, 00:30 WAT"),
        ("ago", datetime(2026, 11, 22, 13, 4, 40, tzinfo=UTC), "just now", "22 Nov 2026, 14:04 WAT"),
        ("ago", datetime(2026, 11, 22, 13, 0, tzinfo=UTC), "5 min ago", "22 Nov 2026, 14:00 WAT"),
        ("ago", datetime(2026, 11, 22, 11, 0, tzinfo=UTC), "2 h ago", "22 Nov 2026, 12:00 WAT"),
        ("ago", datetime(2026, 11, 21, 9, 0, tzinfo=UTC), "yesterday", "21 Nov 2026, 10:00 WAT"),
        ("ago", datetime(2026, 11, 18, 9, 0, tzinfo=UTC), "4 days ago", "18 Nov 2026, 10:00 WAT"),
        ("ago", datetime(2026, 1, 2, 9, 0, tzinfo=UTC), "2 Jan 2026", "2 Jan 2026, 10:00 WAT"),
    ],
)
def test_times_carry_the_exact_time_and_zone(expression: str, value: datetime, seen: str, exact: str) -> None:
    html = render("{{ value|" + expression + " }}", value=value)
    assert f">{seen}<" in html
    assert f'title="{exact}"' in html
    assert "WAT" in html.split("visually-hidden")[1]


def test_day_without_a_time_has_nothing_to_add() -> None:
    assert render("{{ value|day }}", value=date(2025, 3, 12)) == '<time datetime="2025-03-12">12 Mar 2025</time>'


@pytest.mark.parametrize("expression", ["day", "moment", "ago", "national_phone", 'money:"NGN"', "thousands"])
def test_nothing_is_written_for_nothing(expression: str) -> None:
    assert render("{{ value|" + expression + " }}", value=None) == ""


@pytest.mark.parametrize(
    ("minor_units", "currency", "written"),
    [
        (125_000, "NGN", "₦1,250.00"),
        (-5, "NGN", "−₦0.05"),
        (0, "USD", "$0.00"),
        (1_500, "XOF", "XOF\N{NO-BREAK SPACE}1,500"),
        (1_500, "KWD", "KWD\N{NO-BREAK SPACE}1.500"),
        (90_071_992_547_409_931, "EUR", "€900,719,925,474,099.31"),
    ],
)
def test_amounts_are_written_with_their_currency(minor_units: int, currency: str, written: str) -> None:
    assert written_amount(minor_units, currency) == written


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("+2348034129981", "0803 412 9981"),
        ("+254712345678", "0712 345678"),
        ("0803 *** **34", "0803 *** **34"),
        ("+", "+"),
    ],
)
def test_phones_are_written_nationally_and_masks_are_kept(stored: Any, written: str) -> None:
    assert render("{{ value|national_phone }}", value=stored) == written


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("ada.obi@kudi.example", "ada.<wbr>obi@<wbr>kudi.example"),
        ("<b>@x.ng", "&lt;b&gt;@<wbr>x.ng"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_breaks_between_its_words(stored: str | None, written: str) -> None:
    assert render("{{ value|address }}", value=stored) == written


def test_thousands_are_separated() -> None:
    assert render("{{ value|thousands }}", value=1_234_567) == "1,234,567"


class OneCapability:
    def may(self, capability: Capability) -> bool:
        return capability is Capability.MEMBERS_INVITE

    def url(self, name: str, *args: object) -> str:
        return f"/{name}/{'/'.join(map(str, args))}"


def test_may_asks_the_member_and_nobody_may_nothing() -> None:
    source = '{% if member|may:"members.invite" %}invite{% endif %}{% if member|may:"audit.view" %}audit{% endif %}'
    assert render(source, member=OneCapability()) == "invite"
    assert render(source, member=None) == ""


@pytest.mark.parametrize("member", [OneCapability(), None])
def test_unknown_capability_is_loud(member: Any) -> None:
    with pytest.raises(ValueError, match="invite_all"):
        console.may(member, "members.invite_all")


def test_org_url_belongs_to_the_member() -> None:
    assert (
        render("{% org_url 'customers:customer_profile' 7 %}", member=OneCapability())
        == "/customers:customer_profile/7"
    )


def test_query_keeps_the_filters_and_goes_back_to_the_first_page() -> None:
    source = '{% query_with status="active" office=None %}'
    assert render(source, "?q=a+b&office=3&after=x&before=y&panel=quick") == "?q=a+b&amp;status=active"


def test_chip_takes_its_own_filter_off() -> None:
    html = render('{% chip "Office" name "office" %}', "?office=3&status=active&after=x", name="<b>Ikeja</b>")
    assert 'href="?status=active"' in html
    assert "&lt;b&gt;Ikeja" in html
    assert 'aria-label="Remove the filter Office: &lt;b&gt;Ikeja&lt;/b&gt;"' in html


@pytest.mark.parametrize(
    ("query", "direction", "following"),
    [("", "ascending", "-name"), ("?sort=name", "ascending", "-name"), ("?sort=-name", "descending", "name")],
)
def test_sort_header_says_the_order_and_turns_it(query: str, direction: str, following: str) -> None:
    html = render('{% sort_header "name" "Customer" default="name" %}', query)
    assert f'aria-sort="{direction}"' in html
    assert f'href="?sort={following}"' in html


def test_other_columns_claim_no_order() -> None:
    assert "aria-sort" not in render('{% sort_header "joined" "Joined" default="name" %}')


def test_icons_are_decoration() -> None:
    html = render('{% icon "settings" "icon-large" %}')
    assert html.startswith('<svg class="icon icon-large"')
    assert 'aria-hidden="true"' in html
    assert 'stroke="none"' not in html


def test_row_menu_names_the_row_and_is_absent_without_items() -> None:
    source = "{% row_menu name %}{% if may %}<li>Open</li>{% endif %}{% endrow_menu %}"
    html = render(source, name='Grace "G" Etim', may=True)
    assert 'aria-label="More for Grace &quot;G&quot; Etim"' in html
    assert "<li>Open</li>" in html
    assert render(source, name="Grace", may=False) == ""


def test_items_of_a_menu_are_escaped() -> None:
    action = SimpleNamespace(label="Edit <b>", icon="edit", url='/o/kudi/"x"/', is_dialog=True)
    html = render("{% menu_items actions %}", actions=[action])
    assert 'href="/o/kudi/&quot;x&quot;/" data-dialog>' in html
    assert "Edit &lt;b&gt;</a></li>" in html
    assert "data-dialog" not in render(
        "{% menu_items actions %}", actions=[SimpleNamespace(**vars(action) | {"is_dialog": False})]
    )


def test_options_mark_the_chosen_one_and_are_escaped() -> None:
    offices = [
        SimpleNamespace(pk=1, name="Head", indented="Head"),
        SimpleNamespace(pk=2, name="<Ikeja>", indented="- <Ikeja>"),
    ]
    source = "{% options offices chosen %}"
    assert render(source, offices=offices, chosen=offices[1]) == (
        '<option value="1">Head</option><option value="2" selected>&lt;Ikeja&gt;</option>'
    )
    assert "selected" not in render(source, offices=offices, chosen="nobody")


def test_two_row_menus_never_share_an_id() -> None:
    first, second = (render("{% row_menu 'Grace' %}<li></li>{% endrow_menu %}") for _ in range(2))
    assert first != second

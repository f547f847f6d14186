"""Moving, closing and merging offices. They live with customers, because who sees them afterwards is shown first."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms

from accounts.pages import FormPage
from customers.office_effects import OfficeEffects, office_effects
from customers.services import offices
from teams.capabilities import Capability
from teams.errors import LastOffice
from teams.models import Office
from teams.office_forms import OfficeDeactivateForm, OfficeMergeForm, OfficeMoveForm
from teams.office_pages import find_among_offices
from teams.policy import reaches_office
from teams.rearrangement import Rearrangement
from teams.services.closing import Piles, Targets, keep_an_office, piles_of, rearrangement


class OfficePage(FormPage):
    """A form about the office of the address, with what the choice would do (`effects`): live, or on a button without JavaScript."""

    capability = Capability.OFFICES_MANAGE
    preview_button = "preview"
    office: Office
    offices: list[Office]
    shown: tuple[str, ...]
    """The fields whose choices decide the effects."""

    def find(self) -> None:
        self.office, self.offices = find_among_offices(self.member, self.kwargs["pk"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "office": self.office, "others": self._others()}

    def _others(self) -> list[Office]:
        """Where things may go."""
        return [
            other
            for other in self.offices
            if other.is_active and other != self.office and reaches_office(self.member, other, Capability.OFFICES_VIEW)
        ]

    def get_initial(self) -> dict[str, Any]:
        chosen = {name: self.request.GET[name] for name in self.shown if name in self.request.GET}
        return {"version": self.office.version, **chosen}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(office=self.office, **kwargs)
        effects = self._effects(context["form"]) if self.office.is_active else None
        return {**context, "effects": effects, "shown": ", ".join(f"#id_{name}" for name in self.shown)}

    def _effects(self, form: Any) -> OfficeEffects | None:
        chosen: dict[str, Office | None] = {}
        for name in self.shown:
            if name in form.fields:
                try:
                    chosen[name] = form.fields[name].clean(form[name].value())
                except forms.ValidationError:
                    return None
        change = self.change(chosen)
        return office_effects(self.member.organization, change) if change else None

    def change(self, chosen: dict[str, Office | None]) -> Rearrangement | None:
        """What the form would do with these choices; None for nothing."""
        raise NotImplementedError

    def next_url(self) -> str:
        return str(self.member.url("teams:office_list"))


class OfficeMoveView(OfficePage):
    template_name = "customers/office_move.html"
    form_class = OfficeMoveForm
    shown = ("parent",)

    def get_initial(self) -> dict[str, Any]:
        return {"parent": self.office.parent_id, **super().get_initial()}

    def change(self, chosen: dict[str, Office | None]) -> Rearrangement | None:
        parent = chosen["parent"].pk if chosen["parent"] else None
        if parent == self.office.parent_id:
            return None
        return Rearrangement(self.offices, parents={self.office.pk: parent})

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in ("parent", "version")}
        office = offices.move_office(actor=self.member, office=self.office, **facts)
        return f"{office.name} now {f'belongs to {office.parent.name}' if office.parent else 'stands on its own'}."


class PilePage(OfficePage):
    @cached_property
    def piles(self) -> Piles:
        return piles_of(self.office)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "piles": self.piles}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(piles=self.piles, why_not=self._why_not(), **kwargs)

    def _why_not(self) -> str:
        """Why there is no place for what the office holds."""
        try:
            keep_an_office(self.office, self.offices)
        except LastOffice as error:
            return str(error)
        return ""

    def told(self, piles: Piles) -> str:
        return f" {piles.words[:1].upper()}{piles.words[1:]} moved." if piles else ""


class OfficeDeactivateView(PilePage):
    template_name = "customers/office_deactivate.html"
    form_class = OfficeDeactivateForm
    shown = ("members", "customers", "invitations", "offices")

    def get_initial(self) -> dict[str, Any]:
        return {"offices": self.office.parent_id, **super().get_initial()}

    def change(self, chosen: dict[str, Office | None]) -> Rearrangement | None:
        return rearrangement(self.office, self.offices, Targets(**chosen)) if chosen else None

    def carry_out(self, form: Any) -> str:
        moved = offices.deactivate_office(
            actor=self.member, office=self.office, targets=form.targets, version=form.cleaned_data["version"]
        )
        return f"{self.office.name} is deactivated.{self.told(moved)}"


class OfficeMergeView(PilePage):
    template_name = "customers/office_merge.html"
    form_class = OfficeMergeForm
    shown = ("into",)

    def change(self, chosen: dict[str, Office | None]) -> Rearrangement | None:
        into = chosen["into"]
        return rearrangement(self.office, self.offices, Targets.all_into(into)) if into else None

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in ("into", "version")}
        moved = offices.merge_office(actor=self.member, office=self.office, **facts)
        return f"{self.office.name} is merged into {facts['into'].name}.{self.told(moved)}"

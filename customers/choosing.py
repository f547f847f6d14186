"""What somebody chose in a list, ticked one by one or as all that match: as the parameters of a list that holds just these."""

from __future__ import annotations

from django.http import QueryDict

ALL, LIST, CUSTOMER = "all", "list", "customer"
Parameters = dict[str, str]


def chosen(query: QueryDict) -> Parameters | None:
    """What the bar above the list sends: `list` is the query of the list itself. None when nobody is chosen."""
    if query.get(ALL):
        return _listed(query)
    keys = [key for key in query.getlist(CUSTOMER) if key]
    return {"chosen": ",".join(keys)} if keys else None


def chosen_or_listed(query: QueryDict) -> Parameters:
    """Those that are chosen, else all of the list; a link gives the parameters of the list as they are."""
    return chosen(query) or (_listed(query) if LIST in query else _single(query))


def _listed(query: QueryDict) -> Parameters:
    return _single(QueryDict(query.get(LIST, "")))


def _single(query: QueryDict) -> Parameters:
    return {_without_nul(name): _without_nul(str(value)) for name, value in query.items()}


def _without_nul(text: str) -> str:
    """As the filters read it: no column of the database takes it."""
    return text.replace("\x00", " ")

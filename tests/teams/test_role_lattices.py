"""Whatever people with random roles try, in whatever order: nobody ends with more than the one who gave it to them had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lendconsole.errors import DomainError
from teams import services
from teams.built_in_roles import BuiltInRole
from teams.capabilities import Capability, Reach
from teams.invitation_links import Ticket
from teams.models import Member, Role
from teams.services.admission import Newcomer
from tests.factories import PASSWORD, RoleFactory
from tests.teams.support import extra_member, fresh, inside
from tests.world import World

Held = dict[Capability, Reach]
ADMINISTRATION: Final = (
    Capability.ROLES_VIEW,
    Capability.ROLES_MANAGE,
    Capability.MEMBERS_VIEW,
    Capability.MEMBERS_INVITE,
    Capability.MEMBERS_MANAGE,
)
OTHERS: Final = (Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW, Capability.AUDIT_VIEW, Capability.EMAILS_VIEW)

reaches = st.fixed_dictionaries(
    {each: st.sampled_from(each.reaches) for each in OTHERS}
    | {each: st.sampled_from([Reach.NONE, Reach.ORGANIZATION, Reach.ORGANIZATION]) for each in ADMINISTRATION}
)
picks = st.integers(0, 1000)
steps = st.lists(
    st.tuples(
        st.sampled_from(["create", "clone", "change", "delete", "give", "invite"]),
        picks,
        picks,
        picks,
        reaches,
        st.booleans(),
    ),
    min_size=5,
    max_size=25,
)


def clipped(held: Held, within: Held) -> Held:
    """What both allow: without it most attempts would only show that too much is refused."""
    return {each: min(reach, within.get(each, Reach.NONE), key=list(Reach).index) for each, reach in held.items()}


def chain(start: list[Held]) -> list[Held]:
    """Each role within the one before it, and a stranger at the end."""
    ordered = [{**start[0], **dict.fromkeys(ADMINISTRATION, Reach.ORGANIZATION)}]
    for held in start[1:-1]:
        ordered.append(clipped(held, ordered[-1]))
    return [*ordered, start[-1]]


def covers(more: Held, less: Held) -> bool:
    """Spelled out over ranks, not with the comparison under test."""
    order = list(Reach)
    return all(order.index(reach) <= order.index(more.get(each, Reach.NONE)) for each, reach in less.items())


class Team:
    """Some members of a lender and its roles, and the attempts that they make."""

    def __init__(self, world: World, start: list[Held]) -> None:
        self.lender = world.kudi
        organization = self.lender.organization
        roles = [
            RoleFactory(
                organization=organization, reaches={key: reach for key, reach in held.items() if reach != Reach.NONE}
            )
            for held in start
        ]
        for role in roles:
            extra_member(self.lender, "", role=role)
        self.names = 0

    def members(self) -> list[Member]:
        return list(Member.objects.active().for_organization(self.lender.organization).order_by("pk"))

    def roles(self) -> list[Role]:
        return list(Role.objects.for_organization(self.lender.organization).order_by("pk"))

    def held(self) -> dict[int, Held]:
        rows = Member.objects.filter(organization=self.lender.organization).prefetch_related("role__permissions")
        return {member.pk: member.role.reaches for member in rows.select_related("role")}

    def attempt(self, verb: str, actor: Member, role: Role, target: Member, reach: Held) -> None:
        self.names += 1
        name = f"Made {'abcdefghijklmnopqrstuvwxyz'[self.names % 26]}{self.names}"
        attempts: dict[str, Callable[[], Any]] = {
            "create": lambda: services.create_role(actor=actor, name=name, description="", reaches=reach),
            "clone": lambda: services.clone_role(actor=actor, role=role, name=name),
            "change": lambda: services.change_role_permissions(
                actor=actor, role=role, name=role.name, description="", reaches=reach, version=role.version
            ),
            "delete": lambda: services.delete_role(actor=actor, role=role, replacement=target.role),
            "give": lambda: services.change_member(
                actor=actor, member=target, role=role, office=target.office, version=target.version
            ),
            "invite": lambda: self.invite(actor, role),
        }
        try:
            with transaction.atomic():
                attempts[verb]()
        except DomainError:
            return

    def invite(self, actor: Member, role: Role) -> None:
        invitation = services.invite_member(
            actor=actor,
            email=f"new{self.names}@example.com",
            first_name="Ngozi",
            last_name="Eze",
            role=role,
            office=self.lender.branch,
        )
        services.accept_invitation(
            ticket=Ticket(invitation.pk, invitation.nonce),
            user=AnonymousUser(),
            newcomer=Newcomer("Ngozi", "Eze", PASSWORD),
        )


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # to shrink a failure takes minutes here, and the messages name the step
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(start=st.lists(reaches, min_size=3, max_size=5), steps=steps)
def test_nobody_ends_with_more_than_the_giver_had(world: World, start: list[Held], steps: list[Any]) -> None:
    with inside(world.kudi), transaction.atomic():
        team = Team(world, chain(start))
        for verb, by, which, whom, wish, is_modest in steps:
            members, roles = team.members(), team.roles()
            # Built-in people hold everything; those with random roles are the interesting ones.
            actor, target = members[-1 - by % min(len(members), 6)], members[-1 - whom % len(members)]
            before = team.held()
            reach = clipped(wish, before[actor.pk]) if is_modest else wish
            team.attempt(verb, actor, fresh(roles[-1 - which % len(roles)]), fresh(target), reach)
            after = team.held()
            for pk, held in after.items():
                if pk not in before or not covers(before[pk], held):
                    assert covers(before[actor.pk], held), f"{verb}: {pk} got more than {actor.pk} had"
                    assert pk != actor.pk, f"{verb}: {pk} gave themselves more"
                if pk in before and held != before[pk]:
                    assert covers(before[actor.pk], before[pk]), f"{verb}: {pk} stands above {actor.pk}"
            assert Member.objects.active().filter(role__built_in=BuiltInRole.SUPER_ADMIN).exists()
        transaction.set_rollback(True)


def test_the_attempts_get_somewhere(world: World) -> None:
    """Each verb succeeds for somebody who may; a test in which everything is refused would prove nothing."""
    with inside(world.kudi):
        team = Team(world, [{Capability.CUSTOMERS_FIND: Reach.OWN}])
        admin, target = world.kudi["admin"], team.members()[-1]
        role = target.role
        wider = {Capability.CUSTOMERS_FIND: Reach.OFFICE}
        for verb in ("create", "clone", "change", "invite", "give"):
            counts = (len(team.members()), len(team.roles()), team.held())
            given_role = world.kudi.roles["compliance"] if verb == "give" else fresh(role)
            team.attempt(verb, admin, given_role, fresh(target), wider)
            assert (len(team.members()), len(team.roles()), team.held()) != counts, verb
        team.attempt("delete", admin, fresh(role), fresh(target), {})
        assert role not in team.roles()

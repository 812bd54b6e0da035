"""Teams of volunteers: a leader, members, a size."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.events import Refused
from services.volunteers.domain import team as t

NOW = datetime(2025, 5, 13, tzinfo=UTC)
FORM = t.Form("unit_c1", "party", "红马甲服务队", "volunteer_0")
PEOPLE = st.sampled_from([f"volunteer_{n}" for n in range(5)])


def after(*commands: Any, state: t.Team | None = None) -> t.Team:
    for command in commands:
        for one in t.decide(state, command, NOW):
            state = t.evolve(state, one.event, NOW)
    assert state is not None
    return state


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ((t.Form("unit_c1", "party", "队", "volunteer_0", left=True),), "volunteer-closed"),
        ((FORM, t.Join("volunteer_0")), "member-already"),
        ((FORM, t.Join("volunteer_1", left=True)), "volunteer-closed"),
        ((FORM, t.Leave("volunteer_1")), "member-unknown"),
        ((FORM, t.Lead("volunteer_1")), "member-unknown"),
        ((FORM, t.Leave("volunteer_0")), "leader-stays"),
        ((FORM, t.Close("finished"), t.Join("volunteer_1")), "team-closed"),
        ((FORM, *(t.Join(f"volunteer_{n}") for n in range(1, t.MOST_MEMBERS + 1))), "team-full"),
    ],
)
def test_what_a_team_refuses(commands: tuple[Any, ...], code: str) -> None:
    with pytest.raises(Refused, match=code):
        after(*commands)


def test_there_is_no_team_to_join_before_it_is_formed() -> None:
    with pytest.raises(Refused, match="not-found"):
        t.decide(None, t.Join("volunteer_1"), NOW)


@pytest.mark.mechanism("VOL-01")
def test_a_team_has_kind_community_and_a_leader_who_is_a_member() -> None:
    team = after(FORM)
    assert (team.kind, team.unit, team.leader, team.members) == ("party", "unit_c1", "volunteer_0", ("volunteer_0",))


def test_the_leader_hands_over_and_goes() -> None:
    team = after(FORM, t.Join("volunteer_1"), t.Lead("volunteer_1"), t.Leave("volunteer_0"))
    assert (team.leader, team.members) == ("volunteer_1", ("volunteer_1",))
    assert t.decide(team, t.Lead("volunteer_1"), NOW) == []


def test_a_leader_who_leaves_the_register_leaves_the_team_without_one_until_another_is_named() -> None:
    team = after(FORM, t.Join("volunteer_1"), t.Leave("volunteer_0", left=True))
    assert (team.leader, team.members) == (None, ("volunteer_1",))
    assert after(t.Lead("volunteer_1"), state=team).leader == "volunteer_1"


STEPS = st.one_of(st.builds(t.Join, PEOPLE), st.builds(t.Leave, PEOPLE, left=st.booleans()), st.builds(t.Lead, PEOPLE))


@pytest.mark.mechanism("VOL-01")
@given(st.lists(STEPS, max_size=30))
def test_whatever_happens_nobody_is_in_twice_and_the_leader_is_a_member(steps: list[Any]) -> None:
    team = after(FORM)
    for step in steps:
        try:
            team = after(step, state=team)
        except Refused:
            continue
        finally:
            assert len(set(team.members)) == len(team.members)
            assert team.leader is None or team.leader in team.members

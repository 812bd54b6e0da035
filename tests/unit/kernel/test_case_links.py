import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.case.links import Link, ended, linked, refuse_open, waived
from services.kernel.events import Refused

ORDER = Link(ref="order_1", kind="help")


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code
    return seen.value


def test_a_case_does_not_close_over_an_open_link_that_must_end():
    links = linked(linked((), ORDER), Link(ref="note", kind="see_also", must=False))
    assert refusal("link-open", lambda: refuse_open(links)).params == {"refs": ["order_1"]}


@pytest.mark.parametrize("end", ["done", "failed"])
def test_a_link_that_ended_for_good_or_bad_blocks_nothing(end):
    links = ended(linked((), ORDER), "order_1", end)
    refuse_open(links)
    refusal("link-ended", lambda: ended(links, "order_1", "done"))
    refusal("link-ended", lambda: waived(links, "order_1", "reason", "staff_1"))


def test_a_waiver_has_a_reason_and_somebody_who_gave_it():
    links = linked((), ORDER)
    refusal("reason-missing", lambda: waived(links, "order_1", "", "staff_1"))
    refusal("link-unknown", lambda: waived(links, "order_2", "moved_away", "staff_1"))
    links = waived(links, "order_1", "moved_away", "staff_1")
    refuse_open(links)
    assert (links[0].stage, links[0].reason, links[0].by) == ("waived", "moved_away", "staff_1")
    assert ended(links, "order_1", "done")[0].stage == "done"


def test_one_record_is_linked_once():
    refusal("link-known", lambda: linked(linked((), ORDER), ORDER))


@given(st.lists(st.tuples(st.sampled_from("lewf"), st.sampled_from("abc"), st.booleans()), max_size=15))
def test_a_case_may_close_exactly_when_no_must_link_is_open(steps):
    links, still_open = (), set()
    for step, ref, must in steps:
        try:
            if step == "l":
                links = linked(links, Link(ref=ref, kind="help", must=must))
                still_open |= {ref} if must else set()
                continue
            links = waived(links, ref, "why", "s") if step == "w" else ended(links, ref, "done" if must else "failed")
            still_open.discard(ref)
        except Refused:
            continue
    try:
        refuse_open(links)
    except Refused as refused:
        assert set(refused.params["refs"]) == still_open != set()
    else:
        assert not still_open

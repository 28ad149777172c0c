"""A service is alive as long as it takes over what is posted."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from femtotango.component.pulse import CONTROLLER, Pulses, seen, silent, silent_services
from femtotango.dranspose_client.services import Config, Service

WORKER = Service("worker", "w1", "uuid w1", "", "m")
INGESTER = Service("ingester", "balor", "uuid i1", "", "m")
REDUCER = Service("reducer", "reducer", "uuid r", "", "m")
BOUND = 1.6


def listed(worker="", ingester="", reducer="", newest=""):
    """Return what the controller lists when the parts show these hashes."""
    return Config(
        (replace(INGESTER, parameters_hash=ingester),),
        (replace(WORKER, parameters_hash=worker),),
        replace(REDUCER, parameters_hash=reducer),
        newest,
        {},
    )


def test_without_an_answer_to_a_post_the_controller_is_silent():
    assert silent(Pulses(), (), 0.0, BOUND) == (CONTROLLER,)
    pulses = seen(Pulses(), listed("a", "a", "a"), (("a", 0.0),), 0.1)
    assert silent(pulses, (("a", 0.0),), BOUND - 0.1, BOUND) == ()
    assert silent(pulses, (("a", 0.0),), BOUND + 0.1, BOUND) == (CONTROLLER,)


def test_a_part_that_does_not_take_over_what_is_posted_is_named():
    posts = (("a", 0.0), ("b", 0.5), ("c", 2.0))
    pulses = seen(Pulses(), listed("a", "a", "a"), posts, 0.2)
    pulses = seen(pulses, listed("b", "a", "old"), posts, 2.1)
    assert silent(pulses, posts, 2.0, BOUND) == ("ingester balor",)
    assert silent(pulses, posts, 2.2, BOUND) == ("ingester balor", "worker w1")


def test_an_older_list_takes_nothing_back():
    posts = (("a", 0.0), ("b", 0.5))
    pulses = seen(Pulses(), listed("b", "b", "b"), posts, 0.6)
    pulses = seen(pulses, listed("a", "a", "a"), posts, 0.7)
    assert silent(pulses, posts, 0.5 + BOUND, BOUND) == ()


def test_what_was_posted_before_the_look_began_is_no_proof():
    posts = (("a", 0.0), ("b", 2.0))
    pulses = seen(Pulses(begun=1.9), listed("a", "a", "a"), posts, 2.0)
    assert silent(pulses, posts, 2.1, BOUND) == ("ingester balor", "worker w1")
    pulses = seen(pulses, listed("b", "b", "b"), posts, 2.2)
    assert silent(pulses, posts, 2.0 + BOUND, BOUND) == ()


def test_what_shows_no_hash_of_ours_has_shown_no_life():
    posts = (("a", 0.0),)
    pulses = seen(Pulses(), listed("a", "foreign", "a"), posts, 0.1)
    assert silent(pulses, posts, 0.1, BOUND) == ("ingester balor",)


def test_a_part_that_was_restarted_or_is_gone_is_silent_after_its_time():
    posts = (("a", 0.0), ("b", 3.0))
    pulses = seen(Pulses(), listed("a", "a", "a"), posts, 0.1)
    config = listed("b", "b", "b")
    anew = replace(config, workers=(replace(WORKER, uuid="another", parameters_hash="b"),))
    assert silent(seen(pulses, anew, posts, 3.1), posts, 3.1, BOUND) == ("worker w1",)
    gone = replace(config, workers=())
    assert silent(seen(pulses, gone, posts, 3.1), posts, 3.1, BOUND) == ("any worker", "worker w1")


def test_a_part_that_joins_later_has_its_time_to_show_life():
    posts = (("a", 0.0), ("b", 1.0))
    pulses = seen(Pulses(), listed("a", "a", "a"), posts, 0.1)
    config = listed("b", "b", "b")
    second = replace(WORKER, name="w2", uuid="uuid w2", parameters_hash="")
    pulses = seen(pulses, replace(config, workers=(*config.workers, second)), posts, 1.1)
    assert silent(pulses, posts, 1.2, BOUND) == ()
    assert silent(pulses, (*posts, ("c", 2.5)), 2.8, BOUND) == (
        "ingester balor",
        "worker w1",
        "worker w2",
    ), "it is not forgotten"


@given(
    st.lists(st.floats(0.05, 3.0), min_size=1, max_size=30),
    st.lists(st.integers(0, 30), min_size=30, max_size=30),
    st.floats(0.0, 5.0),
)
def test_who_is_not_named_has_taken_over_something_not_older_than_the_bound(steps, shown, wait):
    """However old the lists are: a proof is never younger than the POST that it rests on."""
    posts, pulses, now, alive = (), Pulses(), 0.0, 0.0
    for step, index in zip(steps, shown, strict=False):
        now += step
        posts = (*posts, (f"hash {len(posts)}", now))
        taken, when = posts[min(index, len(posts) - 1)]
        alive = max(alive, when)
        pulses = seen(pulses, listed(taken, taken, taken), posts, now)
    assert (silent(pulses, posts, now + wait, BOUND) == ()) == (now + wait - alive <= BOUND)


NOBODY = Pulses()


def watched(until: float, lists: Callable[[float], Config], start: Pulses = NOBODY) -> Pulses:
    """Let the controller list its parts each half second from where `start` ends."""
    pulses, now = start, max(start.listed, 0.0)
    while (now := now + 0.5) <= until:
        pulses = seen(pulses, lists(now), POSTS, now)
    return pulses


POSTS = tuple((f"hash {second}", float(second)) for second in range(60))
"""One each second."""


def newest(now: float) -> str:
    return f"hash {int(now)}"


def test_a_part_that_lacks_what_was_posted_is_found_after_the_bound():
    def hung_from_4(now):
        return listed(newest(now), newest(min(now, 4.0)), "")

    sent = [post for post in POSTS if post[1] <= 5.0 + BOUND]
    pulses = watched(5.0 + BOUND - 0.1, hung_from_4)
    assert silent_services(pulses, tuple(sent), BOUND) == frozenset()
    pulses = watched(5.5 + BOUND, hung_from_4, pulses)
    assert silent_services(pulses, tuple(sent), BOUND) == {("balor", "uuid i1")}


def test_nobody_hangs_because_the_controller_did():
    def alive(now):
        return listed(newest(now), newest(now), "")

    def stale(now):
        return listed("hash 4", "hash 4", "")

    before = watched(4.0, alive)
    sent = tuple(post for post in POSTS if post[1] <= 5.0)
    assert silent_services(before, sent, BOUND) == frozenset(), "no list, no judgement"
    # Ten seconds later it goes on with what it knew.
    after = seen(before, stale(14.0), sent, 14.0)
    assert silent_services(after, sent, BOUND) == frozenset()
    after = watched(14.0 + BOUND + 1.0, stale, after)
    assert silent_services(after, sent, BOUND) == {("balor", "uuid i1"), ("w1", "uuid w1")}


def test_a_hash_that_changes_is_life_whoever_posts():
    def others_post(now):
        return listed(f"foreign {now}", "hash 1", "")

    pulses = watched(8.0, others_post, watched(1.5, lambda now: listed("hash 1", "hash 1", "")))
    sent = tuple(post for post in POSTS if post[1] <= 8.0)
    assert silent_services(pulses, sent, BOUND) == {("balor", "uuid i1")}


def test_nobody_is_judged_before_all_have_shown_life():
    pulses = watched(9.0, lambda now: listed("old", newest(now), ""))
    assert silent_services(pulses, POSTS[:9], BOUND) == frozenset()

"""A service is alive as long as it takes over what is posted."""

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


def test_a_hash_that_changes_is_life_whoever_posts():
    posts = (("a", 0.0),)
    pulses = seen(Pulses(), listed("a", "a", "a"), posts, 1.0)
    pulses = seen(pulses, listed("foreign", "a", "a"), posts, 4.0)
    pulses = seen(pulses, listed("foreign 2", "a", "a"), posts, 4.3)
    late = (*posts, ("b", 4.2))
    assert silent_services(pulses, late, 4.4, BOUND) == {("balor", "uuid i1")}


def test_who_hangs_cannot_be_told_while_the_controller_does_or_before_all_have_shown_life():
    posts = (("a", 0.0),)
    pulses = seen(Pulses(), listed("a", "a", "a"), posts, 0.1)
    assert silent_services(pulses, posts, BOUND + 0.1, BOUND) == frozenset()
    pulses = seen(Pulses(), listed("old", "a", "a"), posts, 0.1)
    assert silent_services(pulses, (*posts, ("b", 2.0)), 2.0, BOUND) == frozenset()

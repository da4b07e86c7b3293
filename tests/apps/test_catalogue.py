# SPDX-License-Identifier: Apache-2.0
"""The selection of simulator tests by run, group, glob, test and parameter."""

import pytest

from hilnic.apps.catalogue import Entry, Selected, UnknownTest, load, select

CATALOGUE = load()


def named(*names: str) -> dict[str, tuple[str, ...]]:
    """What these names select: functions by run."""
    return {selected.entry.name: selected.functions for selected in select(CATALOGUE, names, soak=False)}


def test_no_name_means_every_run_but_the_long_ones() -> None:
    chosen = {selected.entry.name for selected in select(CATALOGUE, [], soak=False)}
    assert chosen == {entry.name for entry in CATALOGUE if not entry.soak}
    assert any(entry.soak for entry in CATALOGUE)


def test_a_run_a_group_and_a_glob_mean_whole_runs() -> None:
    assert named("tour") == {"tour": ()}
    assert set(named("mutants")) == {entry.name for entry in CATALOGUE if "mutants" in (entry.name, *entry.groups)}
    assert set(named("queues*")) == {"queues", "queues_1", "queues_64"}


def test_a_test_is_named_behind_a_dot() -> None:
    function = "a_frame_goes_out_and_comes_back"
    assert named(f"tour.{function}") == named("tour.a_frame_*") == {"tour": (function,)}


def test_a_parameter_is_named_as_the_report_of_a_failure_prints_it() -> None:
    test = "the_mutant_is_caught_by_its_rule/number=3"
    assert named(f"mutants.{test}") == {"mutants": (test,)}


def test_a_run_outranks_its_tests() -> None:
    assert named("tour.a_frame_*", "tour") == {"tour": ()}


@pytest.mark.parametrize("name", ["nosuch", "nosuch.test", "nosuch.*", "Tour"])
def test_a_name_that_means_nothing_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(UnknownTest, match=r"runs: smoke, .*groups: "):
        select(CATALOGUE, [name], soak=False)


def test_an_unknown_test_of_a_run_is_refused_with_the_runs_tests() -> None:
    with pytest.raises(
        UnknownTest, match=r"^no test is called 'tour.nosuch'; tour has: a_frame_goes_out_and_comes_back$"
    ):
        select(CATALOGUE, ["tour.nosuch"], soak=False)


def test_a_slip_of_the_pen_is_recognised() -> None:
    with pytest.raises(UnknownTest, match=r"'smok' \(did you mean smoke\?\); runs: "):
        select(CATALOGUE, ["smok"], soak=False)


def test_a_run_has_the_tests_of_all_its_modules() -> None:
    (stack,) = [entry for entry in CATALOGUE if entry.name == "stack"]
    assert (
        set(stack.places().values()) == set(stack.modules) == {"stack_tests", "stack_receive_tests", "stack_load_tests"}
    )
    assert tuple(stack.places()) == stack.functions()


def test_modules_of_a_run_with_equal_tests_are_refused() -> None:
    entry = Entry("twice", ("tour_tests", "tour_tests"), "tb_nic", ("icarus",))
    with pytest.raises(ValueError, match=r"several modules have \['a_frame_goes_out_and_comes_back'\]"):
        entry.functions()


def test_every_entry_has_tests_and_a_simulator() -> None:
    for entry in CATALOGUE:
        assert isinstance(entry, Entry)
        assert entry.functions(), entry.name
        assert entry.sims, entry.name
        assert Selected(entry).functions == ()


def test_a_group_has_no_long_runs() -> None:
    assert not [entry.name for entry in CATALOGUE if entry.soak and entry.groups]


def test_everything_about_virtual_connections_is_one_group() -> None:
    chosen = set(named("condis"))
    assert chosen == {entry.name for entry in CATALOGUE if "condis" in entry.groups}
    assert {"condis_calls", "condis_cable", "condis_lan", "vc", "vc_load"} <= chosen

# SPDX-License-Identifier: Apache-2.0
"""Bad handles and bad arguments: every function of CoNDIS names who called it with what (OI-21)."""

from __future__ import annotations

import inspect

import pytest

from hilnic.ndis import NdisViolation, condis
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.verifier.dump import snapshot
from hilnic.ndis.wdk import WDK_FUNCTIONS
from hilnic.testing import expect_violation
from hilnic.testing.co_bench import call_parameters

MODULES = (condis, condis5)
FUNCTIONS = [
    pytest.param(getattr(module, row.python_name), id=name)
    for name, row in WDK_FUNCTIONS.items()
    for module in MODULES
    if row.module.startswith(module.__name__) and row.python_name in module.__all__
    if (row.module.startswith(condis5.__name__)) is (module is condis5)
    if name != "NdisSetOptionalHandlers"
]


def arguments(function, first):
    parameters = list(inspect.signature(function).parameters.values())
    required = [each for each in parameters[1:] if each.default is inspect.Parameter.empty]
    return [first, *[None for _ in required]]


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("handle", [None, 7, "vc", object()])
def test_what_is_no_handle_is_named(function, handle):
    with pytest.raises(NdisViolation) as found:
        function(*arguments(function, handle))
    assert found.value.rule == "OI-21"


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handle_of_another_kind_is_named(cobench, function):
    b = cobench()
    with expect_violation(b.ndis, "OI-21"):
        function(*arguments(function, b.client.pool))


@pytest.mark.rule("OI-21")
def test_arguments_that_make_no_sense_are_the_callers_fault(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.new_call()
    with expect_violation(b.ndis, "OI-21"):
        condis.cl_make_call(call.open, "parameters")
        condis.cl_register_sap(b.client.opened)
        condis.cl_drop_party(call.open)


def test_a_driver_names_only_handlers_of_its_kind(cobench):
    b = cobench()
    wrong = condis.set_optional_handlers(b.client.driver, b.co.co_characteristics())
    assert wrong.name == "BAD_CHARACTERISTICS"
    assert condis.set_optional_handlers(b.fm.driver, b.client.client_handlers()).name == "BAD_CHARACTERISTICS"


def test_the_dump_shows_calls_and_what_they_wait_for(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.pend.add("make_call")
    b.client.make_call(call_parameters(), party="one")
    found = snapshot(b.ndis, "a test")
    ((row,),) = [adapter["connections"] for adapter in found["adapters"]]
    assert (row["state"], row["call"], row["parties"], row["pending"]) == ("Created", "Making", 1, ["make"])
    b.signalling.fail(b.signalling.vcs[0])

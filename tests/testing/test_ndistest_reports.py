# SPDX-License-Identifier: Apache-2.0
"""What `hilnic ndistest` says of a driver with a mistake: the rule, its line, what to do, and who waits for whom."""

import json
from dataclasses import replace

import pytest

from hilnic import ndis
from hilnic.apps import ndistest
from hilnic.apps.ndistest_beds import default_register, twin_bed
from hilnic.apps.outcome import Exit
from hilnic.hw import regs
from hilnic.miniport import driver as nic
from hilnic.ndis import NdisStatus, Oid
from hilnic.ndis.waiting import answer_of
from hilnic.testing.ndistest import SUITES, stuck
from hilnic.testing.ndistest.port import play

real = nic.CHARACTERISTICS


def failures_of(suite, name, **handlers):
    def register(host, number):
        config = default_register(host, number).context
        return ndis.register_miniport_driver(host, replace(real, **handlers), config)

    (case,) = (case for case in SUITES[suite] if case.name == name)
    clock, bed = twin_bed(int(suite[0]), register, rounds=1)
    return play(case, clock, bed).failures


def completes_twice(context, nbls, port_number, send_flags):
    """Sends, and completes the first list at once, too."""
    nbls.status = NdisStatus.SUCCESS
    real.send_net_buffer_lists(context, nbls, port_number, send_flags)
    nbls.next = None
    ndis.complete_send_net_buffer_lists(context.handle, nbls)


def test_a_mistake_made_for_each_frame_is_told_once_with_its_line_and_remedy():
    first = failures_of("1c", "load_unload", send_net_buffer_lists=completes_twice)[0].splitlines()
    assert first[0].startswith("IT-06 Adapter(card0, Running)")
    assert first[1].endswith("in completes_twice")
    assert first[2].startswith("  do: call NdisMFreeNetBufferSGList")


def test_the_suites_own_protocol_is_not_blamed_for_what_was_done_to_it():
    failures = failures_of("1c", "load_unload", send_net_buffer_lists=completes_twice)
    assert not [text for text in failures if text.startswith("FAULT ProtocolDriver")]


async def pends_for_ever(context, request):
    """Forgets a request."""
    if request.oid == Oid.OID_GEN_VENDOR_ID:
        return NdisStatus.PENDING
    return await answer_of(real.oid_request(context, request))


def test_a_case_without_an_end_names_the_request_that_waits():
    failures = failures_of("1c", "query_lengths", oid_request=pends_for_ever)
    assert failures[0] == "no end within 100 ms of simulated time"
    assert "OID_GEN_VENDOR_ID" in failures[1]
    assert "with Adapter(card0" in failures[1]


def forgets_one(context, nbls, port_number, send_flags):
    """Neither sends nor completes the last list of a call."""
    lists = list(ndis.walk(nbls))
    if lists[:-1]:
        real.send_net_buffer_lists(context, ndis.chain(lists[:-1]), port_number, send_flags)


def test_a_forgotten_send_is_named_and_the_card_said_to_be_at_rest():
    failures = "\n".join(failures_of("1c", "load_unload", send_net_buffer_lists=forgets_one))
    assert "sent, with Adapter(card0, Running), 4000 us" in failures
    assert "card0: its rings are at rest" in failures


async def deaf_after_sleep(context, request):
    """Wakes and closes its filter."""
    status = await answer_of(real.oid_request(context, request))
    if request.oid == Oid.OID_GEN_CURRENT_PACKET_FILTER:
        context.hardware.write(regs.RX_FILTER, 0)
    return status


def test_frames_that_the_card_dropped_are_counted():
    assert "card0 has counted rx.drop_filtered" in "\n".join(
        failures_of("1c", "load_unload", oid_request=deaf_after_sleep)
    )


def never_returns(context, nbls, port_number, send_flags):
    """A loop without an end."""
    while True:
        pass


def test_a_handler_that_never_returns_is_named(monkeypatch):
    monkeypatch.setattr(stuck, "LIMIT_S", 0.2)
    failures = failures_of("1c", "load_unload", send_net_buffer_lists=never_returns)
    assert "no return within 0.2 s" in failures[0]
    assert failures[0].endswith("in never_returns")


def raises_out_of_a_dpc(context, nbls, return_flags):
    raise KeyError("bug")


def test_what_a_driver_raised_is_told_though_the_card_then_breaks_the_case_off():
    failures = failures_of("1c", "load_unload", return_net_buffer_lists=raises_out_of_a_dpc)
    assert failures[0].startswith("FAULT MiniportDriver(nic_1g)")
    assert failures[0].splitlines()[1].endswith("in raises_out_of_a_dpc")


async def forgets_memory(adapter, config, parameters):
    adapter.ndis.kernel.allocate(100)
    return await real.initialize(adapter, config, parameters)


def test_memory_that_a_failed_start_left_names_the_drivers_line():
    failures = "\n".join(failures_of("1c", "start_failure", initialize=forgets_memory))
    assert "test_ndistest_reports.py" in failures
    assert "forgets_memory>" in failures


async def pauses_while_receives_are_out(context, parameters):
    """Waits for the sends alone."""
    context.rx.wait_until_returned = _at_once
    return await real.pause(context, parameters)


async def _at_once():
    pass


@pytest.mark.rule("ST-03")
def test_a_pause_that_does_not_wait_for_receives_is_caught():
    failures = failures_of("2c", "pause", pause=pauses_while_receives_are_out)
    assert failures[0].startswith("ST-03")


def says_success(context, nbls, port_number, send_flags):
    """Completes every list without sending it."""
    for nbl in list(ndis.walk(nbls)):
        nbl.next, nbl.status = None, NdisStatus.SUCCESS
        ndis.complete_send_net_buffer_lists(context.handle, nbl)


def test_a_send_that_ended_well_and_was_never_on_the_wire_is_caught():
    failures = failures_of("1c", "bind_storm", send_net_buffer_lists=says_success)
    assert any("frames reach the wire" in text or text.startswith("V14") for text in failures)


def test_the_command_leaves_a_dump_of_a_failed_case_and_the_record_of_the_run(tmp_path, monkeypatch):
    (tmp_path / "driver_that_forgets.py").write_text(
        "from hilnic.testing import FunctionalMiniport\n\n"
        "def register(host):\n    return FunctionalMiniport(host).driver\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path / "out"))
    monkeypatch.setattr(ndis.Ndis, "created", None)
    options = dict.fromkeys(("sim", "seed"))
    code = ndistest.run(
        suite="1c", cases=["frame_lengths"], miniport="driver_that_forgets:register", card="port", verify="fast",
        json=tmp_path / "report.json", **options,
    )  # fmt: skip
    (line,) = json.loads((tmp_path / "report.json").read_text())["cases"]
    dump = tmp_path / "out" / "ndis" / "failed" / "ndistest.1c.frame_lengths"
    assert (code, line["failures"][-1]) == (Exit.FAILED, f"hilnic dump {dump}")
    (instance,) = json.loads((dump / "ndis.dump.json").read_text())["instances"]
    assert instance["pending"][0]["state"] == "sent"
    assert json.loads((tmp_path / "out" / "ndis" / "host.json").read_text())["calls"]["MiniportSendNetBufferLists"]

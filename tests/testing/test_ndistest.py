# SPDX-License-Identifier: Apache-2.0
"""The suites of `hilnic ndistest`: our miniport passes them over the twin, and drivers with one fault each do not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hilnic import ndis
from hilnic.apps import ndistest
from hilnic.apps.ndistest_beds import OURS, default_register, find_register, twin_bed
from hilnic.apps.outcome import Exit, Stop
from hilnic.miniport import driver as nic
from hilnic.miniport.config import NicConfig
from hilnic.miniport.vlan import PriorityVlanTag
from hilnic.miniport5 import driver as nic5
from hilnic.ndis import NdisStatus, Oid
from hilnic.ndis.waiting import answer_of
from hilnic.testing.ndistest import SUITES
from hilnic.testing.ndistest.port import play

ALL = [(suite, case) for suite, cases in SUITES.items() for case in cases]


def play_named(suite: str, name: str, register, verify: str = "fast", rounds: int = 1) -> tuple[str, ...]:
    (case,) = ndistest.chosen(suite, [name])
    clock, bed = twin_bed(ndistest.CARDS[suite], register, verify=verify, rounds=rounds)
    return play(case, clock, bed).failures


@pytest.mark.parametrize(("suite", "case"), ALL, ids=[f"{suite}-{case.name}" for suite, case in ALL])
def test_our_miniport_passes(suite, case):
    assert play_named(suite, case.name, default_register) == ()


# Mutants: our miniport with one handler that does something wrong.


def mutant(**handlers):
    """Our miniport with these handlers; they get the original one as `real`."""

    def register(host: ndis.Ndis, number: int) -> ndis.MiniportDriver:
        config = default_register(host, number).context
        return ndis.register_miniport_driver(host, replace(nic.CHARACTERISTICS, **handlers), config)

    return register


real = nic.CHARACTERISTICS


async def needs_nothing(context, request):
    """Says BUFFER_TOO_SHORT without saying what it needs."""
    status = await answer_of(real.oid_request(context, request))
    if status is NdisStatus.BUFFER_TOO_SHORT:
        request.bytes_needed = 0
    return status


async def takes_anything(context, request):
    """Answers every set, known or not, with SUCCESS."""
    status = await answer_of(real.oid_request(context, request))
    return NdisStatus.SUCCESS if status is NdisStatus.NOT_SUPPORTED else status


async def deaf_to_broadcasts(context, request):
    """Leaves a bit out of the packet filter."""
    if request.oid == Oid.OID_GEN_CURRENT_PACKET_FILTER and len(request.buffer) >= 4:
        request.buffer[0] &= ~ndis.PacketFilter.BROADCAST
    return await answer_of(real.oid_request(context, request))


def backwards(context, nbls, port_number, send_flags):
    """Sends each chain from its end."""
    real.send_net_buffer_lists(context, ndis.chain(list(ndis.walk(nbls))[::-1]), port_number, send_flags)


def drops_some(context, nbls, port_number, send_flags):
    """Completes long frames without sending them."""
    for nbl in list(ndis.walk(nbls)):
        nbl.next = None
        if nbl.first_net_buffer.data_length > 500:
            ndis.complete_send_net_buffer_lists(context.handle, nbl)
        else:
            real.send_net_buffer_lists(context, nbl, port_number, send_flags)


async def forgets_memory(adapter, config, parameters):
    """Allocates a little and does not remember it."""
    adapter.ndis.kernel.allocate(100)
    return await real.initialize(adapter, config, parameters)


async def careless(adapter, config, parameters):
    """Frees its memory only when all goes well."""
    try:
        region = adapter.ndis.kernel.allocate(100)
    except MemoryError:
        return NdisStatus.RESOURCES
    status = await real.initialize(adapter, config, parameters)
    if status is NdisStatus.SUCCESS:
        adapter.ndis.kernel.free(region)
    return status


async def forgets_the_filter(context):
    """Resets and does not ask for its filters again."""
    status, _ = await real.reset(context)
    return status, False


async def never_ends(context):
    """A reset without an end."""
    await context.handle.ndis.kernel.create_event().wait()


async def raises(context, parameters):
    """A bug in a handler."""
    raise KeyError("bug")


async def pauses_at_once(context, parameters):
    """Does not wait for what is out."""
    return NdisStatus.SUCCESS


MUTANTS = [
    ("1c", "query_lengths", {"oid_request": needs_nothing}, "and needs 0"),
    ("1c", "unknown_oids", {"oid_request": takes_anything}, "which nobody knows, ends with SUCCESS"),
    ("1c", "load_unload", {"initialize": forgets_memory}, "left behind"),
    ("1c", "start_failure", {"initialize": careless}, "left [<"),
    ("1c", "frame_lengths", {"send_net_buffer_lists": drops_some}, "frames reach the wire: not within"),
    ("1c", "reset_power", {"reset": forgets_the_filter}, "frames arrive: not within"),
    ("1c", "reset_power", {"reset": never_ends}, "no end within 100 ms"),
    ("1c", "load_unload", {"restart": raises}, "FAULT"),
    ("2c", "send_receive", {"send_net_buffer_lists": backwards}, "unchanged, in order"),
    ("2c", "stress", {"send_net_buffer_lists": drops_some}, "frames sent"),
    ("2c", "filter_matrix", {"oid_request": deaf_to_broadcasts}, "packet filter"),
    ("2c", "pause", {"pause": pauses_at_once}, "Paused"),
    ("2c", "reset", {"reset": forgets_the_filter}, "all frames arrive at card 0: not within"),
]


@pytest.mark.parametrize(("suite", "case", "handlers", "sentence"), MUTANTS)
def test_a_mutant_is_caught(suite, case, handlers, sentence):
    failures = play_named(suite, case, mutant(**handlers))
    assert sentence in "\n".join(failures)


# A miniport that can be in a VLAN.


def in_vlans(**handlers):
    """Our miniport with *PriorityVLANTag, and with these handlers."""

    def register(host: ndis.Ndis, number: int) -> ndis.MiniportDriver:
        config = replace(default_register(host, number).context, priority_vlan_tag=PriorityVlanTag.PRIORITY_AND_VLAN)
        return ndis.register_miniport_driver(host, replace(nic.CHARACTERISTICS, **handlers), config)

    return register


async def forgets_its_vlan(context, request):
    """Takes a VLAN id, and stays where it is."""
    if request.oid == Oid.OID_GEN_VLAN_ID and len(request.buffer) >= 4:
        request.buffer[:4] = bytes(4)
    return await answer_of(real.oid_request(context, request))


@pytest.mark.parametrize("name", ["query_lengths", "set_lengths", "unknown_oids"])
def test_our_miniport_with_vlans_passes(name):
    assert play_named("1c", name, in_vlans()) == ()


def test_a_miniport_that_forgets_its_vlan_id_is_caught():
    failures = play_named("1c", "set_lengths", in_vlans(oid_request=forgets_its_vlan))
    assert "OID_GEN_VLAN_ID" in "\n".join(failures)


# The command.


def run(tmp_path, *cases, suite="2c", miniport=None, card="nic", sim=None):
    file = tmp_path / "report.json"
    code = ndistest.run(
        suite=suite, cases=cases, miniport=miniport, card=card, sim=sim, verify="fast", seed=None, json=file
    )
    return code, json.loads(file.read_text())


def test_the_report_names_every_case(tmp_path):
    code, report = run(tmp_path, "send*", "reply")
    assert (code, report["passed"], report["schema"]) == (Exit.PASSED, True, "hilnic.ndistest/1")
    assert [line["case"] for line in report["cases"]] == ["send_receive", "reply"]


def test_a_users_miniport_is_found_and_judged(tmp_path, monkeypatch):
    (tmp_path / "my_driver.py").write_text(
        "from hilnic.miniport import driver\n\ndef register(host):\n    return driver.register(host)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    code, report = run(tmp_path, "frame_lengths", suite="1c", miniport="my_driver:register")
    assert (code, report["miniport"]) == (Exit.PASSED, "my_driver:register")


@pytest.mark.parametrize("name", ["no_such_module:register", "hilnic.miniport.driver:no_such", "hilnic.ndis"])
def test_what_is_no_function_is_a_usage_error(name):
    with pytest.raises(Stop, match="module:function expected") as stopped:
        find_register(name)
    assert stopped.value.code is Exit.USAGE


QUICK = [(suite, case) for suite, case in ALL if suite == "1c" or case.name in {"send_receive", "priority", "pause"}]
"""The others of two cards are run on the NDIS 5 miniports by `make soak` (ndistest5_2c)."""


@pytest.mark.parametrize("miniport", ["5", "5-lookahead"])
def test_our_miniports_of_ndis_5_pass(miniport):
    failed = {case.name: play_named(suite, case.name, OURS[miniport]) for suite, case in QUICK}
    assert {name: failures for name, failures in failed.items() if failures} == {}


def transfers_nothing(nic, shown, offset, number, packet):
    """MiniportTransferData that says SUCCESS and copies nothing."""
    return NdisStatus.SUCCESS, number


def forgets_to_complete(nic, packets):
    """MiniportSendPackets that sends every second packet."""
    nic.tx.send_packets(packets[::2])


MUTANTS_5 = [
    ("5-lookahead", "1c", "frame_lengths", {"transfer_data": transfers_nothing}, "received unchanged"),
    ("5", "1c", "frame_lengths", {"send_packets": forgets_to_complete}, "frames reach the wire: not within"),
]


@pytest.mark.parametrize(("miniport", "suite", "case", "handlers", "sentence"), MUTANTS_5)
def test_a_mutant_of_ndis_5_is_caught(miniport, suite, case, handlers, sentence):
    def register(host: ndis.Ndis, number: int) -> ndis.MiniportDriver:
        settings = nic5.Settings(NicConfig(tx_ring=64, rx_ring=64, rx_buffers=96))
        kind = {"5": "packets", "5-lookahead": "lookahead"}[miniport]
        return ndis.ndis5.register_miniport(host, replace(nic5.CHARACTERISTICS[kind], **handlers), settings)[1]

    assert sentence in "\n".join(play_named(suite, case, register))


def test_what_carries_no_ethernet_frames_is_a_usage_error():
    with pytest.raises(Stop, match="PPP frames of lines"):
        find_register("5-wan")


def test_an_unknown_case_is_a_usage_error(tmp_path):
    with pytest.raises(Stop, match=r"no case 'nothing'; it has load_unload"):
        run(tmp_path, "nothing", suite="1c")


def test_a_port_cannot_be_simulated(tmp_path):
    with pytest.raises(Stop, match="no Verilog"):
        run(tmp_path, card="port", sim="icarus")


@pytest.mark.parametrize("name", [None, "6", "5-lookahead"])
def test_our_miniports_need_our_card(tmp_path, name):
    with pytest.raises(Stop, match="--card port needs --miniport module:function"):
        run(tmp_path, card="port", miniport=name)

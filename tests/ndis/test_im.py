# SPDX-License-Identifier: Apache-2.0
"""Intermediate drivers: source handles, splitting and relinking, fan-out, order, cancel, reset, link and power."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hilnic import ndis
from hilnic.ndis import (
    DevicePowerState,
    MediaConnectState,
    NblInfo,
    NdisStatus,
    NetEvent,
    NetPnpEvent,
    Oid,
    ReceiveFlags,
    SendFlags,
)
from hilnic.ndis.pnp import notify_protocol
from hilnic.protocols.mux import Mux
from hilnic.protocols.splitter import Splitter
from hilnic.testing import FunctionalMiniport, NdisBench
from hilnic.testing.frames import free_nbl

ADDRESSES = [bytes.fromhex(f"02484e0001{number:02x}") for number in range(4)]
GROUP = bytes.fromhex("01005e000001")


class ImStack:
    """`fm` below, intermediate drivers in between, the functional protocols `ups` above."""

    def __init__(self, bench: NdisBench) -> None:
        self.bench = bench
        self.ndis, self.fm, self.run, self.ups = bench.ndis, bench.fm, bench.run, bench.fps

    def mux(self, number: int = 2, lower: str = "fm", name: str = "mux", **options: Any) -> Mux:
        """A MUX with `number` virtual adapters and a protocol on each."""
        driver = self.bench.add(Mux(self.ndis, name, lower, ADDRESSES[:number], **options))
        for virtual in driver.virtuals:
            self.bench.protocol(virtual.name)
        return driver

    def splitter(self, alone: bool = False, **options: Any) -> Splitter:
        """A splitter; with a protocol on it unless `alone`."""
        driver = self.bench.add(Splitter(self.ndis, "split", "fm", **options))
        if not alone:
            self.bench.protocol("split0")
        return driver

    def frame(self, number: int = 0, destination: bytes = ADDRESSES[0]) -> bytes:
        """A frame from the peer."""
        return self.bench.frame(number, destination=destination)

    def frames(self, count: int) -> list[bytes]:
        """Numbered frames."""
        return [self.frame(number) for number in range(count)]


@pytest.fixture
def stack(bench: Callable[..., NdisBench]) -> Callable[..., ImStack]:
    """Make stacks; they are stopped afterwards and must not have leaked anything."""
    return lambda **options: ImStack(bench(protocols=0, **options))


def snapshot(nbl: ndis.NetBufferList) -> list[Any]:
    """What the form of a list is made of."""
    form: list[Any] = []
    for nb in nbl.net_buffers():
        form += [nb, nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset]
        for mdl in ndis.walk_mdls(nb.mdl_chain):
            form += [mdl, mdl.byte_offset, mdl.byte_count]
    return form


# Source handles.


@pytest.mark.rule("IM-01", "IM-02")
def test_every_completion_reaches_its_protocol_with_the_original_handle(stack):
    s = stack()
    mux = s.mux(2)
    sent = [up.send(*s.frames(3)) for up in s.ups]
    below = [nbl for pair in zip(*sent, strict=True) for nbl in pair]
    assert {nbl.source_handle for nbl in below} == {mux.edge.binding}
    s.fm.complete(*below)
    for up, nbls in zip(s.ups, sent, strict=True):
        assert up.completed == [(nbl, NdisStatus.SUCCESS) for nbl in nbls]
        assert {nbl.source_handle for nbl in nbls} == {up.binding}


@pytest.mark.rule("IM-01", "IM-03")
@pytest.mark.parametrize("verify", ["off", "fast", "full"])
def test_two_stacked_muxes_hand_everything_through_and_back(stack, verify):
    s = stack(verify=verify)
    s.mux(1)
    upper = s.mux(2, name="top", lower="mux0")
    low, *ups = s.ups
    sent = [*ups[0].send(*s.frames(2)), *ups[1].send(*s.frames(2)), *low.send(s.frame(9))]
    s.fm.complete(*reversed(sent))
    assert [len(up.completed) for up in s.ups] == [1, 2, 2]
    s.run()
    for up in s.ups:
        up.hold = True
        up.received.clear()  # what was looped back between the virtual adapters
    (nbl,) = s.fm.indicate(s.frame(5, destination=b"\xff" * 6))
    assert [up.received for up in s.ups] == [[nbl_bytes(nbl)]] * 3
    for up in s.ups:
        if up.held:
            up.give_back()
    assert s.fm.returned == [nbl]
    assert nbl.source_handle is s.fm.adapter
    assert upper.edge.receives_held == 0


def nbl_bytes(nbl) -> bytes:
    (nb,) = nbl.net_buffers()
    return nb.tobytes()


@pytest.mark.rule("IM-03", "IM-16")
def test_a_received_list_goes_back_below_only_after_it_has_come_back_from_above(stack):
    s = stack()
    s.mux(1)
    (up,) = s.ups
    up.hold = True
    nbls = s.fm.indicate(*s.frames(3))
    assert s.fm.returned == []
    up.give_back(nbls[1])
    assert s.fm.returned == [nbls[1]]
    up.give_back()
    assert s.fm.returned == [nbls[1], nbls[0], nbls[2]]
    assert {nbl.source_handle for nbl in nbls} == {s.fm.adapter}


# Splitting.


@pytest.mark.rule("IM-04", "IM-05", "S6-04")
@pytest.mark.parametrize("cut", ["frames", "mdls"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_an_original_completes_once_after_all_its_pieces_in_its_own_form(stack, cut, order):
    s = stack()
    s.splitter(cut=cut)
    (up,) = s.ups
    nbl = up.build(*s.frames(3), cuts=[7, 0, 20], head=5, tail=3)
    form = snapshot(nbl)
    up.send_nbls([nbl])
    pieces = list(s.fm.captured)
    assert (s.fm.sent_frames, len(pieces)) == (s.frames(3), 3)
    assert nbl.first_net_buffer is None
    for number in order:
        assert up.completed == []
        s.fm.complete(pieces[number])
    assert up.completed == [(nbl, NdisStatus.SUCCESS)]
    assert snapshot(nbl) == form


@pytest.mark.rule("S6-04", "MD-28")
@pytest.mark.parametrize("cut", ["frames", "mdls"])
@pytest.mark.parametrize("share", ["lend", "clone"])
def test_with_verify_full_everybody_touches_his_own_alone(stack, cut, share):
    s = stack(verify="full", completion="deferred")
    s.splitter(cut=cut, alone=True)
    s.bench.filter(adapter_name="split0")
    s.mux(2, lower="split0", share=share)
    for number in range(3):
        for up in s.ups:
            up.send_nbls([up.build(*[s.frame(number, bytes(6)) for _ in range(3)], cuts=[20])])
            up.hold = number == 1
        s.fm.indicate(s.frame(1, b"\xff" * 6), s.frame(2, ADDRESSES[1]))
        s.run()
        for up in s.ups:
            if up.held:
                up.give_back()
    assert [len(up.completed) for up in s.ups] == [3, 3]
    assert len(s.fm.returned) == 6


@pytest.mark.rule("IM-04", "S6-06")
@pytest.mark.parametrize("cut", ["frames", "mdls"])
def test_one_failed_piece_makes_the_whole_a_failure(stack, cut):
    s = stack()
    s.splitter(cut=cut)
    (up,) = s.ups
    nbl = up.build(*s.frames(3))
    up.send_nbls([nbl])
    pieces = list(s.fm.captured)
    s.fm.complete(pieces[1], status=NdisStatus.RESOURCES)
    s.fm.complete(pieces[0], pieces[2])
    assert up.completed == [(nbl, NdisStatus.RESOURCES)]


@pytest.mark.rule("IM-05", "S6-04")
@pytest.mark.parametrize("cut", ["frames", "mdls"])
@pytest.mark.parametrize("keep", [0, 1, 2])
def test_an_im_that_passes_on_only_part_returns_the_whole_original(stack, cut, keep):
    s = stack(completion="inline")
    wanted = [s.frame(number) for number in range(keep)]
    s.splitter(cut=cut, passes=lambda nb: nb.tobytes() in wanted)
    (up,) = s.ups
    nbl = up.build(*s.frames(3), cuts=[14, 1])
    form = snapshot(nbl)
    up.send_nbls([nbl])
    assert s.fm.sent_frames == wanted
    assert up.completed == [(nbl, NdisStatus.SUCCESS)]
    assert snapshot(nbl) == form


@pytest.mark.rule("IM-06", "S6-11")
def test_nbls_and_frames_keep_their_order_through_two_levels(stack):
    s = stack(completion="deferred")
    s.splitter(alone=True)
    s.mux(1, lower="split0")
    (up,) = s.ups
    frames = s.frames(12)
    up.send_nbls([up.build(*frames[:3]), up.build(*frames[3:5])])
    up.send_nbls([up.build(*frames[5:])])
    assert s.fm.sent_frames == frames
    s.run()
    assert [status for _, status in up.completed] == [NdisStatus.SUCCESS] * 3


@pytest.mark.rule("IM-09")
@pytest.mark.parametrize("cut", ["frames", "mdls"])
def test_the_pieces_carry_the_out_of_band_information(stack, cut):
    s = stack()
    s.splitter(cut=cut)
    (up,) = s.ups
    nbl = up.build(*s.frames(2))
    values = {NblInfo.TCP_IP_CHECKSUM: 5, NblInfo.IEEE_8021Q: 7, NblInfo.TCP_LARGE_SEND: 1460, NblInfo.CANCEL_ID: 0x101}
    for slot, value in values.items():
        nbl.net_buffer_list_info[slot] = value
    nbl.nbl_flags = int(ndis.flags.NblFlags.IS_IPV4)
    up.send_nbls([nbl])
    for piece in s.fm.captured:
        assert {slot: piece.net_buffer_list_info[slot] for slot in values} == values
        assert piece.nbl_flags == nbl.nbl_flags
    s.fm.complete_all()


@pytest.mark.rule("IM-09")
def test_clones_of_a_receive_carry_its_out_of_band_information(stack):
    s = stack()
    s.mux(2, share="clone")
    for up in s.ups:
        up.hold = True
    nbl = s.fm.build(s.frame(destination=b"\xff" * 6))
    values = {NblInfo.TCP_IP_CHECKSUM: 3, NblInfo.IEEE_8021Q: 9, NblInfo.HASH_VALUE: 0xABCD, NblInfo.HASH_INFO: 2}
    for slot, value in values.items():
        nbl.net_buffer_list_info[slot] = value
    s.fm.indicate_nbls([nbl])
    for up in s.ups:
        assert {slot: up.held[0].net_buffer_list_info[slot] for slot in values} == values
        up.give_back()


# Receives for several.


@pytest.mark.rule("IM-11")
@pytest.mark.parametrize("share", ["lend", "clone"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_frame_for_three_goes_back_once_after_the_last(stack, share, order):
    s = stack()
    s.mux(3, share=share)
    for up in s.ups:
        up.hold = True
    broadcast = s.frame(1, destination=b"\xff" * 6)
    (nbl,) = s.fm.indicate(broadcast)
    assert [up.received for up in s.ups] == [[broadcast]] * 3
    assert [len(up.held) for up in s.ups] == ([0, 0, 1] if share == "lend" else [1, 1, 1])
    for number in order:
        if s.ups[number].held:
            assert s.fm.returned == []
            s.ups[number].give_back()
    assert s.fm.returned == [nbl]
    assert s.fm.return_calls == 1


@pytest.mark.rule("IM-11", "IM-06")
def test_each_virtual_adapter_gets_its_own_frames_in_order(stack):
    s = stack()
    s.mux(2)
    s.run(s.ups[1].set_multicast(GROUP))
    destinations = [ADDRESSES[0], b"\xff" * 6, ADDRESSES[1], GROUP, ADDRESSES[0], ADDRESSES[3]]
    frames = [s.frame(number, destination) for number, destination in enumerate(destinations)]
    s.fm.indicate(*frames)
    assert s.ups[0].received == [frames[0], frames[1], frames[4]]
    assert s.ups[1].received == [frames[1], frames[2], frames[3]]
    assert len(s.fm.returned) == 6


@pytest.mark.rule("IM-11")
def test_what_the_miniport_lends_the_mux_lends(stack):
    s = stack()
    s.mux(2)
    for up in s.ups:
        up.hold = True
    frames = [s.frame(1, b"\xff" * 6), s.frame(2, ADDRESSES[1])]
    nbls = s.fm.indicate(*frames, flags=ReceiveFlags.RESOURCES)
    assert [up.received for up in s.ups] == [frames[:1], frames]
    assert [up.held for up in s.ups] == [[], []]
    assert (s.fm.return_calls, s.fm.returned) == (0, nbls)


# Cancel, loopback, reset, link, power.


@pytest.mark.rule("IM-07", "CN-07")
def test_a_cancel_ends_what_waits_in_the_im_and_what_waits_below(stack):
    s = stack(profile=ndis.Profile(hold_sends_during_reset=False))
    mux = s.mux(2)
    up, other = s.ups
    cancel_id = ndis.generate_partial_cancel_id(s.ndis) << 8 | 1
    below, waiting = up.build(s.frame(1)), up.build(s.frame(2))
    for nbl in (below, waiting):
        ndis.set_net_buffer_list_cancel_id(nbl, cancel_id)
    up.send_nbls([below])
    mux.edge.status(ndis.StatusIndication(NdisStatus.RESET_START))
    up.send_nbls([waiting])
    (kept,) = other.send(s.frame(3))
    ndis.cancel_send_net_buffer_lists(up.open, cancel_id)
    assert up.completed == [(waiting, NdisStatus.SEND_ABORTED), (below, NdisStatus.SEND_ABORTED)]
    assert [ndis.get_net_buffer_list_cancel_id(nbl) for nbl, _ in up.completed] == [cancel_id] * 2
    assert other.completed == []
    mux.edge.status(ndis.StatusIndication(NdisStatus.RESET_END, NdisStatus.SUCCESS))
    s.fm.complete(kept)
    assert other.completed == [(kept, NdisStatus.SUCCESS)]


@pytest.mark.rule("IM-08")
@pytest.mark.parametrize("kind", ["mux", "splitter"])
def test_the_loopback_flag_ends_at_the_upper_edge(stack, kind):
    s = stack()
    if kind == "mux":
        s.mux(1)
    else:
        s.splitter()
    flags: list[int] = []
    handler = s.fm.adapter.send_handler

    def look(context, nbls, port, send_flags):
        flags.append(send_flags)
        handler(context, nbls, port, send_flags)

    s.fm.adapter.send_handler = look
    (up,) = s.ups
    up.send_nbls([up.build(s.frame(destination=bytes(6)))], flags=SendFlags.CHECK_FOR_LOOPBACK)
    assert flags == [0]
    s.fm.complete_all()


@pytest.mark.rule("IM-17")
def test_a_reset_below_holds_the_traffic_and_loses_nothing(stack):
    class SlowReset(FunctionalMiniport):
        async def reset(self):
            await self.may_end.wait()
            return FunctionalMiniport.reset(self)

    s = stack(miniport=SlowReset)
    s.fm.may_end = s.bench.kernel.create_event()
    s.mux(2)
    up = s.ups[0]
    (before,) = up.send(s.frame(0))
    done = s.bench.kernel.start(ndis.reset_adapter(s.fm.adapter))
    s.run()
    held = up.send(s.frame(1), s.frame(2))
    assert (done, up.completed, s.fm.sent_frames) == ([], [], [s.frame(0)])
    s.fm.may_end.set()
    s.run()
    assert up.completed == [(before, NdisStatus.RESET_IN_PROGRESS)]
    assert s.fm.captured == held
    s.fm.complete_all()
    assert [nbl for nbl, _ in up.completed] == [before, *held]
    s.fm.indicate(s.frame(3))
    assert up.received == [s.frame(3)]


@pytest.mark.rule("IM-17", "ST-13")
def test_what_a_reset_holds_ends_with_paused_when_a_pause_comes_first(stack):
    s = stack()
    mux = s.mux(1)
    (up,) = s.ups
    mux.edge.status(ndis.StatusIndication(NdisStatus.RESET_START))
    held = up.send(*[s.frame(number, bytes(6)) for number in range(2)])
    s.run(ndis.pause_adapter(s.fm.adapter))
    assert up.completed == []
    mux.edge.status(ndis.StatusIndication(NdisStatus.RESET_END, NdisStatus.SUCCESS))
    assert up.completed == [(nbl, NdisStatus.PAUSED) for nbl in held]
    assert s.ndis.report.warnings == []
    s.run(ndis.restart_adapter(s.fm.adapter))


@pytest.mark.rule("IM-18")
def test_the_link_of_every_virtual_adapter_follows_the_one_below(stack):
    s = stack()
    s.splitter(alone=True)
    s.mux(2, lower="split0")
    s.fm.link(False)
    for up in s.ups:
        assert [i.status_code for i in up.statuses] == [NdisStatus.LINK_STATE]
        assert up.statuses[0].buffer.media_connect_state is MediaConnectState.DISCONNECTED
        request = ndis.query(Oid.OID_GEN_LINK_STATE, 64)
        assert s.run(up.request(request)) is NdisStatus.SUCCESS
        assert ndis.LinkState.parse(request.answer()).media_connect_state is MediaConnectState.DISCONNECTED
    s.fm.link(True)
    late = s.bench.protocol("mux0")
    request = ndis.query(Oid.OID_GEN_LINK_STATE, 64)
    s.run(late.request(request))
    assert ndis.LinkState.parse(request.answer()).media_connect_state is MediaConnectState.CONNECTED


@pytest.mark.rule("IM-18")
def test_the_power_state_below_reaches_the_protocols_above(stack):
    s = stack(completion="inline")
    mux = s.mux(2)
    states = [NetPnpEvent(NetEvent.SET_POWER, state) for state in (DevicePowerState.D3, DevicePowerState.D0)]
    assert s.run(notify_protocol(mux.edge.handle, states[0])) is NdisStatus.SUCCESS
    assert [up.events[-1] for up in s.ups] == [NetEvent.SET_POWER] * 2
    (asleep,) = s.ups[0].send(s.frame())
    s.run(notify_protocol(mux.edge.handle, states[1]))
    (awake,) = s.ups[0].send(s.frame())
    assert s.ups[0].completed == [(asleep, NdisStatus.LOW_POWER_STATE), (awake, NdisStatus.SUCCESS)]
    assert s.fm.sent_frames == [s.frame()]


@pytest.mark.rule("IM-18", "ST-24")
def test_an_adapter_that_slept_carries_traffic_again(stack):
    s = stack(completion="inline")
    s.mux(1)
    for state in (DevicePowerState.D3, DevicePowerState.D0):
        assert s.run(ndis.set_adapter_power(s.fm.adapter, state)) is NdisStatus.SUCCESS
    (nbl,) = s.ups[0].send(s.frame())
    assert s.ups[0].completed == [(nbl, NdisStatus.SUCCESS)]


@pytest.mark.parametrize("kind", [Mux, Splitter])
def test_a_binding_that_cannot_be_opened_leaves_nothing_and_the_next_one_works(stack, kind):
    s = stack()
    driver = kind(s.ndis, "im", "fm")
    s.fm.adapter.removed = True
    s.run(driver.start())
    assert driver.edges == []
    s.fm.adapter.removed = False
    s.run(ndis.bind_protocol(driver.protocol, s.fm.adapter))
    s.run()
    assert [virtual.name for virtual in driver.virtuals] == ["im0"]
    s.run(driver.stop())


# The virtual adapters.


def test_an_initialisation_can_be_taken_back_before_it_begins(stack):
    s = stack()
    mux = s.mux(1)
    assert ndis.im_initialize_device_instance(mux.miniport, "late", mux.virtuals[0]) is NdisStatus.SUCCESS
    assert ndis.im_initialize_device_instance(mux.miniport, "late", mux.virtuals[0]) is NdisStatus.FAILURE
    assert ndis.im_cancel_initialize_device_instance(mux.miniport, "late") is NdisStatus.SUCCESS
    assert ndis.im_cancel_initialize_device_instance(mux.miniport, "late") is NdisStatus.FAILURE
    s.run()
    assert [adapter.name for adapter in mux.miniport.adapters] == ["mux0"]


def test_a_virtual_adapter_can_be_taken_away_alone(stack):
    s = stack(completion="inline")
    mux = s.mux(2)
    gone = mux.virtuals[0].handle
    assert s.run(ndis.im_deinitialize_device_instance(gone)) is NdisStatus.SUCCESS
    assert s.run(ndis.im_deinitialize_device_instance(gone)) is NdisStatus.FAILURE
    assert (s.ups[0].binding, mux.virtuals[0].adapter) == (None, None)
    s.ups[1].send(s.frame(1, bytes(6)))
    assert [status for _, status in s.ups[1].completed] == [NdisStatus.SUCCESS]


def test_an_event_is_passed_on_to_the_protocols_of_one_virtual_adapter(stack):
    s = stack()
    mux = s.mux(2)
    event = NetPnpEvent(NetEvent.RECONFIGURE)
    assert s.run(ndis.im_notify_pnp_event(mux.virtuals[1].handle, event)) is NdisStatus.SUCCESS
    assert [up.events[-1] for up in s.ups] == [NetEvent.RESTART, NetEvent.RECONFIGURE]


def test_the_edges_of_one_driver_know_each_other(stack):
    s = stack()
    mux = s.mux(1)
    assert (mux.miniport.lower_edge, mux.protocol.upper_edge) == (mux.protocol, mux.miniport)
    ndis.im_associate_miniport(mux.miniport, mux.protocol)  # again changes nothing
    assert mux.edge.handle.forwards


def test_a_protocol_learns_the_device_context_of_the_virtual_adapter(stack):
    s = stack()
    mux = s.mux(2)
    assert [ndis.im_get_binding_context(up.open) for up in s.ups] == mux.virtuals


def test_the_edges_pause_when_the_adapter_below_does(stack):
    s = stack(completion="inline")
    s.mux(1)
    (up,) = s.ups
    s.run(ndis.pause_adapter(s.fm.adapter))
    (nbl,) = up.send(s.frame())
    assert up.completed == [(nbl, NdisStatus.PAUSED)]
    s.run(ndis.restart_adapter(s.fm.adapter))
    up.send(s.frame())
    assert [status for _, status in up.completed] == [NdisStatus.PAUSED, NdisStatus.SUCCESS]


@pytest.mark.rule("ST-03")
def test_a_virtual_adapters_pause_waits_for_what_is_below_and_above(stack):
    s = stack()
    mux = s.mux(1)
    (up,) = s.ups
    up.hold = up.hoards = True
    up.send(s.frame())
    s.fm.indicate(s.frame())
    paused = s.bench.kernel.start(ndis.pause_adapter(mux.virtuals[0].handle))
    s.run()
    s.fm.complete_all()
    s.run()
    assert paused == []
    up.give_back()
    s.run()
    assert paused == [None]


@pytest.mark.rule("OI-17", "OI-10")
def test_requests_go_through_an_im_as_clones(stack):
    s = stack()
    s.splitter(alone=True)
    s.mux(2, lower="split0")
    s.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"hilnic"
    request = ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)
    assert s.run(s.ups[0].request(request)) is NdisStatus.SUCCESS
    assert (request.answer(), s.ndis.oid_clones) == (b"hilnic", {})
    assert s.fm.packet_filter & ndis.PacketFilter.PROMISCUOUS


@pytest.mark.rule("IM-14", "IM-12")
def test_a_filter_below_and_a_filter_above_an_im(stack):
    s = stack()
    trace: list[str] = []
    s.bench.filter(name="low", adapter_name="fm", trace=trace)
    s.mux(2)
    s.bench.filter(name="high", adapter_name="mux0", trace=trace)
    trace.clear()
    (up, _) = s.ups
    sent = up.send(*s.frames(2))
    s.fm.complete(sent[1])
    s.fm.complete(sent[0])
    assert up.completed == [(sent[1], NdisStatus.SUCCESS), (sent[0], NdisStatus.SUCCESS)]
    assert trace == ["high send", "low send", *["low complete", "high complete"] * 2]
    s.fm.indicate(s.frame(4))
    assert up.received == [s.frame(4)]
    for nbl in s.fm.returned:
        free_nbl(nbl)
    s.fm.returned.clear()

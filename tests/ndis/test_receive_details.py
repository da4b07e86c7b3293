# SPDX-License-Identifier: Apache-2.0
"""R6, the finer points: frame types, cuts in headers, promises of the flags, copies of what is lent, order, timing."""

from __future__ import annotations

import itertools
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import NblInfo, NdisStatus, NdisVersion, Oid, OpenParameters, Profile, ReceiveFlags
from hilnic.ndis.ethernet import carries_ip, header_length
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, NdisBench, expect_violation
from hilnic.testing.bench import PEER
from hilnic.testing.frames import ethernet
from hilnic.testing.miniport import MAC_ADDRESS

IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD


def frame_of(kind: int, payload: bytes = bytes(46)) -> bytes:
    return ethernet(MAC_ADDRESS, PEER, payload, kind)


# R6-14: frame types.


def wanting(*kinds: int) -> type[FunctionalProtocol]:
    """A protocol that opens with frame types."""

    class Typed(FunctionalProtocol):
        def bind_adapter(self, bind_context, parameters):
            self._bind_context = bind_context
            status, self.binding = ndis.open_adapter(
                bind_context.protocol, self, OpenParameters(frame_types=kinds), bind_context
            )
            return status

    return Typed


@pytest.mark.rule("R6-14")
@pytest.mark.parametrize("slot", ["filled", "empty"])
@pytest.mark.parametrize("flags", [0, ReceiveFlags.RESOURCES])
def test_a_binding_with_frame_types_gets_these_and_no_other(bench, slot, flags):
    b = bench(protocols=0)
    fps = [kind(b.ndis, f"fp{n}") for n, kind in enumerate([wanting(IPV4), wanting(ARP, IPV6), FunctionalProtocol])]
    b.fps += fps
    for fp in fps:
        b.run(fp.start())
        b.run(fp.listen())
    frames = [frame_of(kind) for kind in (IPV4, ARP, 0x88B5, IPV6)]
    nbls = [b.fm.build(frame) for frame in frames]
    if slot == "filled":
        for nbl in nbls:
            nbl.net_buffer_list_info[NblInfo.FRAME_TYPE] = int.from_bytes(nbl.first_net_buffer.tobytes()[12:14], "big")
    b.fm.indicate_nbls(nbls, flags)
    assert [fp.received for fp in fps] == [[frames[0]], [frames[1], frames[3]], frames]
    assert len(b.fm.returned) == 4


@pytest.mark.rule("R6-08")
@pytest.mark.parametrize("verify", ["off", "fast", "full"])
@pytest.mark.parametrize("kinds", list(itertools.product((IPV4, ARP, 0x88B5), repeat=3)))
def test_a_list_goes_home_with_its_last_receiver_however_its_call_is_divided(bench, verify, kinds):
    b = bench(protocols=0, verify=verify)
    fps = [kind(b.ndis, f"fp{n}") for n, kind in enumerate([wanting(IPV4), wanting(ARP), FunctionalProtocol])]
    b.fps += fps
    for fp in fps:
        b.run(fp.start())
        b.run(fp.listen())
    frames = [frame_of(kind, bytes([n]) * 46) for n, kind in enumerate(kinds)]
    b.fm.indicate_nbls([b.fm.build(frame) for frame in frames], 0)
    assert fps[2].received == frames
    assert len(b.fm.returned) == 3


# R6-12: cuts.

TCP = struct.pack(">HHIIBBHHH", 1, 2, 3, 4, 0x80, 0, 5, 6, 7) + bytes(12)
IP_TCP = bytes.fromhex("46000040000100004006") + b"\0\0" + bytes(8) + b"\1\1\1\1" + TCP
IP6_UDP = bytes.fromhex("6000000000100040") + bytes(32) + bytes([17, 0]) + bytes(6) + bytes(8)


@pytest.mark.rule("R6-12")
@pytest.mark.parametrize(
    ("frame", "length"),
    [
        (frame_of(0x88B5), 14),
        (frame_of(IPV4, IP_TCP), 14 + 24 + 32),
        (frame_of(IPV4, IP_TCP)[:40], 14 + 24 + 20),
        (frame_of(IPV4, b"\x45" + bytes(8) + b"\x11" + bytes(40)), 14 + 20 + 8),
        (frame_of(IPV4, b"\x45" + bytes(8) + b"\x01" + bytes(40)), 14 + 20),
        (frame_of(IPV6, IP6_UDP), 14 + 40 + 8 + 8),
        (frame_of(IPV6, IP6_UDP[:6] + b"\x2c" + IP6_UDP[7:]), 14 + 40 + 8 + 8),
        (frame_of(IPV6, IP6_UDP[:41] + b"\1" + IP6_UDP[42:48] + bytes(8) + IP6_UDP[48:]), 14 + 40 + 16 + 8),
        (frame_of(0x8100, b"\0\5\x08\0" + IP_TCP), 18 + 24 + 32),
    ],
)
def test_the_headers_of_a_frame_end_where_the_protocols_say(frame, length):
    assert header_length(frame) == length
    assert carries_ip(frame) == (length > 14)


@given(data=st.binary(max_size=120))
def test_no_bytes_confuse_the_header_parser(data):
    assert header_length(data) >= 14


def cut_at(b: NdisBench, cut: int, lookahead: int, payload: bytes = IP_TCP + bytes(200)) -> None:
    if lookahead:
        request = ndis.set_information(Oid.OID_GEN_CURRENT_LOOKAHEAD, lookahead.to_bytes(4, "little"))
        assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
    b.fm.indicate(frame_of(IPV4, payload), cuts=[cut])


@pytest.mark.rule("R6-12")
@pytest.mark.parametrize(("cut", "lookahead"), [(200, 128), (70, 0), (128, 128), (20, 16), (70, 128)])
def test_a_frame_may_be_cut_behind_its_headers_or_behind_the_lookahead(bench, cut, lookahead):
    b = bench()
    cut_at(b, cut, lookahead)
    assert b.fp.received == [frame_of(IPV4, IP_TCP + bytes(200))]


@pytest.mark.rule("R6-12")
@pytest.mark.mutant("R6-12")
@pytest.mark.parametrize(("cut", "lookahead"), [(20, 128), (69, 0), (38, 128), (7, 0)])
def test_mutant_cuts_a_received_frame_inside_its_headers(bench, cut, lookahead):
    b = bench()
    with expect_violation(b.ndis, "R6-12"):
        cut_at(b, cut, lookahead)


class Old(FunctionalMiniport):
    """A miniport of NDIS 6.0."""

    def characteristics(self):
        return replace(super().characteristics(), ndis_version=NdisVersion.NDIS_6_0)


@pytest.mark.rule("R6-12")
@pytest.mark.mutant("R6-12")
def test_mutant_of_ndis_6_0_indicates_two_mdls(bench):
    b = bench(miniport=Old)
    b.fm.indicate(b.frame(size=400))
    with expect_violation(b.ndis, "R6-12"):
        b.fm.indicate(b.frame(size=400), cuts=[300])


# R6-13: what the flags promise.


def typed(b: NdisBench, *slots: tuple[int, int]) -> list[ndis.NetBufferList]:
    """NBLs with (frame type, VLAN) in their slots."""
    nbls = []
    for kind, vlan in slots:
        nbl = b.fm.build(frame_of(kind))
        nbl.net_buffer_list_info[NblInfo.FRAME_TYPE] = kind
        nbl.net_buffer_list_info[NblInfo.IEEE_8021Q] = vlan
        nbls.append(nbl)
    return nbls


BOTH = ReceiveFlags.SINGLE_ETHER_TYPE | ReceiveFlags.SINGLE_VLAN


@pytest.mark.rule("R6-13")
@pytest.mark.parametrize(
    ("slots", "flags"),
    [
        ([(IPV4, 1), (IPV4, 1)], BOTH),
        ([(IPV4, 1), (IPV4, 2)], ReceiveFlags.SINGLE_ETHER_TYPE),
        ([(IPV4, 1), (ARP, 1)], ReceiveFlags.SINGLE_VLAN),
        ([(IPV4, 1), (ARP, 2)], 0),
    ],
)
def test_a_list_that_keeps_its_promise_is_delivered_with_the_flag(bench, slots, flags):
    b = bench()
    b.fm.indicate_nbls(typed(b, *slots), flags)
    assert (b.fp.receive_flags, len(b.fp.received)) == ([flags], 2)


@pytest.mark.rule("R6-13")
@pytest.mark.mutant("R6-13")
@pytest.mark.parametrize(
    ("slots", "flags"),
    [([(IPV4, 1), (ARP, 1)], ReceiveFlags.SINGLE_ETHER_TYPE), ([(IPV4, 1), (IPV4, 2)], ReceiveFlags.SINGLE_VLAN)],
)
def test_mutant_promises_one_kind_and_indicates_two(bench, slots, flags):
    b = bench()
    with expect_violation(b.ndis, "R6-13"):
        b.fm.indicate_nbls(typed(b, *slots), flags)


# R6-07: copies of what is lent.


@pytest.mark.rule("R6-07", "R6-04", "LB-03")
@pytest.mark.parametrize("protocols", [1, 3])
@pytest.mark.parametrize("copied", [False, True])
def test_a_protocol_reads_the_same_whether_ndis_copies_lent_frames_or_not(bench, protocols, copied):
    b = bench(protocols=protocols, profile=Profile(copy_lent_receives=copied))
    for fp in b.fps:
        fp.hold = True
    frames = [b.frame(number, 100) for number in range(4)]
    nbls = b.fm.indicate(*frames, flags=ReceiveFlags.RESOURCES, cuts=[20, 0, 9])
    assert b.fm.return_calls == 0
    assert [nbl.ndis_custody.state for nbl in nbls] == ["home"] * 4
    for fp in b.fps:
        assert fp.received == frames
        assert fp.receive_flags == [0 if copied else ReceiveFlags.RESOURCES]
        assert [nbl.first_net_buffer.tobytes() for nbl in fp.held] == (frames if copied else [])
        if copied:
            fp.give_back()
    assert not b.ndis.copy_pool.live


@pytest.mark.rule("R6-07")
def test_a_copy_has_the_receive_information_of_its_original(bench):
    b = bench(profile=Profile(copy_lent_receives=True))
    b.fp.hold = True
    nbl = b.fm.build(frame_of(IPV4))
    nbl.net_buffer_list_info[NblInfo.TCP_IP_CHECKSUM], nbl.net_buffer_list_info[NblInfo.HASH_VALUE] = 8, 0x1234
    nbl.nbl_flags = ndis.NblFlags.IS_IPV4
    b.fm.indicate_nbls([nbl], ReceiveFlags.RESOURCES)
    (held,) = b.fp.held
    assert held is not nbl
    assert held.net_buffer_list_info[NblInfo.TCP_IP_CHECKSUM] == 8
    assert held.net_buffer_list_info[NblInfo.HASH_VALUE] == 0x1234
    assert held.nbl_flags == ndis.NblFlags.IS_IPV4
    b.fp.give_back()


def test_without_memory_a_lent_frame_is_dropped_by_the_copying_profile(bench):
    b = bench(profile=Profile(copy_lent_receives=True))
    nbls = [b.fm.build(frame) for frame in b.frames(2)]
    b.kernel.fail_allocations = 1
    b.fm.indicate_nbls(nbls, ReceiveFlags.RESOURCES)
    assert b.fp.received == b.frames(2)[1:]


# Returns and order.


@pytest.mark.rule("R6-20")
@pytest.mark.parametrize("when", ["inside the handler", "from another CPU's DPC", "a second later", "in the unbind"])
def test_a_protocol_returns_when_it_likes(bench, when):
    b = bench()
    b.fp.hold = when != "inside the handler"
    nbls = b.fm.indicate(*b.frames(3))
    if when == "from another CPU's DPC":
        b.kernel.queue_dpc(b.fp.give_back)
    elif when == "a second later":
        b.kernel.call_at(10**9, b.fp.give_back)
    elif when == "in the unbind":
        b.run(ndis.unbind_protocol(b.fp.open))
    b.run()
    assert b.fm.returned == nbls


@pytest.mark.rule("R6-21")
def test_scarce_and_plenty_buffers_need_two_calls(bench):
    b = bench()
    b.fp.hold = True
    kept = b.fm.indicate(*b.frames(3))
    b.fm.indicate(b.frame(9), flags=ReceiveFlags.RESOURCES)
    assert b.fp.receive_flags == [0, ReceiveFlags.RESOURCES]
    assert (b.fp.held, len(b.fm.returned)) == (kept, 1)
    b.fp.give_back()


@pytest.mark.rule("R6-22")
@given(
    flows=st.lists(st.integers(0, 7), max_size=30),
    calls=st.integers(1, 5),
    protocols=st.integers(1, 3),
    copied=st.booleans(),
    lent=st.booleans(),
)
def test_each_flow_keeps_its_order(flows, calls, protocols, copied, lent):
    b = NdisBench(protocols=protocols, profile=Profile(copy_lent_receives=copied))
    payloads = [bytes([flow]) + number.to_bytes(4, "big") + bytes(41) for number, flow in enumerate(flows)]
    frames = [frame_of(0x88B5, payload) for payload in payloads]
    flags = ReceiveFlags.RESOURCES if lent else 0
    for start in range(0, len(frames), calls):
        b.fm.indicate(*frames[start : start + calls], flags=flags)
    for fp in b.fps:
        for flow in range(8):
            assert [f for f in fp.received if f[14] == flow] == [f for f in frames if f[14] == flow]
    b.stop()

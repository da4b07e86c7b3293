# SPDX-License-Identifier: Apache-2.0
"""C5: registration, initialize, requests, open and close, reset, status, halt of NDIS 5 drivers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilnic.ndis import (
    Ndis,
    NdisMedium,
    NdisStatus,
    Oid,
    PacketFilter,
    Profile,
    RequestType,
    bind_protocol,
    complete_reset,
    halt_adapter,
    ndis5,
    shutdown_adapter,
    start_adapter,
    unbind_protocol,
)
from hilnic.ndis.ndis5 import NdisRequest, ProtocolOptions
from hilnic.testing import VirtualKernel, VirtualMapper, expect_violation
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5


@pytest.fixture
def host() -> Ndis:
    return Ndis(VirtualKernel())


def miniport_of(host: Ndis, **changes):
    return replace(FunctionalMiniport5(host).characteristics(), **changes)


def protocol_of(host: Ndis, **changes):
    return replace(FunctionalProtocol5(host).characteristics(), **changes)


@pytest.mark.rule("C5-01")
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, NdisStatus.SUCCESS),
        (
            {"version": (5, 0), "cancel_send_packets": None, "pnp_event_notify": None, "shutdown": None},
            NdisStatus.SUCCESS,
        ),
        ({"version": (5, 0)}, NdisStatus.BAD_CHARACTERISTICS),  # handlers that only 5.1 has
        ({"version": (4, 0)}, NdisStatus.BAD_VERSION),
        ({"version": (3, 0)}, NdisStatus.BAD_VERSION),
        ({"version": (6, 0)}, NdisStatus.BAD_VERSION),
        ({"initialize": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"halt": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"reset": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"query_information": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"set_information": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"send_packets": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"isr": lambda ctx: (True, True)}, NdisStatus.BAD_CHARACTERISTICS),  # without handle_interrupt
        ({"return_packet": None, "transfer_data": None, "check_for_hang": None}, NdisStatus.SUCCESS),
    ],
)
def test_a_miniport_registers_with_its_version_and_its_handlers(host, changes, status):
    assert ndis5.register_miniport(host, miniport_of(host, **changes))[0] is status


@pytest.mark.rule("C5-01", "R5-14")
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, NdisStatus.SUCCESS),
        ({"version": (5, 0)}, NdisStatus.SUCCESS),
        ({"version": (4, 0)}, NdisStatus.BAD_VERSION),
        ({"receive_packet": None}, NdisStatus.SUCCESS),
        ({"receive": None}, NdisStatus.SUCCESS),
        (
            {"receive": None, "receive_packet": None, "wan_receive": None, "wan_send_complete": None},
            NdisStatus.BAD_CHARACTERISTICS,
        ),
        ({"receive_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"transfer_data_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"bind_adapter": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"send_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"status_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"wan_send_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
    ],
)
def test_a_protocol_registers_with_at_least_one_receive_handler(host, changes, status):
    registering = ndis5.register_protocol(host, protocol_of(host, **changes))
    assert host.kernel.run(registering)[0] is status


@pytest.mark.rule("R5-14")
def test_protocol_receive_may_be_demanded(host):
    strict = Ndis(VirtualKernel(), profile=Profile(receive_required=True))
    registering = ndis5.register_protocol(strict, protocol_of(strict, receive=None))
    assert strict.kernel.run(registering)[0] is NdisStatus.BAD_CHARACTERISTICS


@pytest.mark.rule("C5-02")
def test_initialize_picks_one_of_the_media_that_are_offered(bench5):
    offered: list[NdisMedium] = []

    class Noting(FunctionalMiniport5):
        def initialize(self, adapter, mediums):
            offered.extend(mediums)
            return super().initialize(adapter, mediums)

    b = bench5(miniport=Noting)
    assert {NdisMedium.MEDIUM_802_3, NdisMedium.MEDIUM_802_5, NdisMedium.WAN} <= set(offered)
    assert b.fm.adapter.attributes.media_type is NdisMedium.MEDIUM_802_3
    assert b.fm.adapter.attributes.mac_address == b.fm.mac_address


@pytest.mark.rule("C5-02", "C5-12")
def test_no_common_medium_ends_the_initialize_with_nothing_left(host):
    class Irda(FunctionalMiniport5):
        medium = NdisMedium.LOOPBACK

    fm = Irda(host)
    assert host.kernel.run(fm.start()) is NdisStatus.UNSUPPORTED_MEDIA
    assert host.adapters == []
    host.check_leaks()


@pytest.mark.rule("C5-02")
def test_a_protocol_that_knows_no_such_medium_cannot_open(bench5):
    class TokenRingOnly(FunctionalProtocol5):
        mediums = (NdisMedium.MEDIUM_802_5,)

    b = bench5(protocol=TokenRingOnly, listen=False)
    assert b.fp.binding is None


@pytest.mark.rule("C5-02")
@pytest.mark.mutant("C5-02")
@pytest.mark.parametrize("fault", ["no attributes", "another medium", "hardware first"])
def test_mutant_initializes_out_of_order(host, fault):
    class Hasty(FunctionalMiniport5):
        def initialize(self, adapter, mediums):
            if fault == "hardware first":
                ndis5.initialize_scatter_gather_dma(adapter, VirtualMapper())
            if fault != "no attributes":
                super().initialize(adapter, mediums)
                if fault == "another medium":
                    ndis5.free_packet_pool(self.pool)
            return NdisStatus.SUCCESS, (NdisMedium.LOOPBACK if fault == "another medium" else self.medium)

    fm = Hasty(host)
    with expect_violation(host, "C5-02"):
        status = host.kernel.run(fm.start())
    assert status is (NdisStatus.SUCCESS if fault == "hardware first" else NdisStatus.FAILURE)


# Requests.


@pytest.mark.rule("C5-06")
def test_a_request_that_ndis_answers_has_no_callback(bench5):
    b = bench5()
    request = NdisRequest(RequestType.QUERY_INFORMATION, Oid.OID_GEN_MAXIMUM_TOTAL_SIZE, bytearray(4))
    before = len(b.fp.requests)
    assert ndis5.request(b.fp.open, request) is NdisStatus.SUCCESS
    assert int.from_bytes(request.answer(), "little") == 1514
    assert len(b.fp.requests) == before


@pytest.mark.rule("C5-06")
@pytest.mark.parametrize("hold", [False, True])
def test_a_request_that_pends_has_one_callback(bench5, hold):
    b = bench5()
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"a card"
    b.fm.hold_requests = hold
    request = NdisRequest(RequestType.QUERY_INFORMATION, Oid.OID_GEN_VENDOR_DESCRIPTION, bytearray(10))
    before = len(b.fp.requests)
    assert ndis5.request(b.fp.open, request) is NdisStatus.PENDING
    b.run()
    if hold:
        assert len(b.fp.requests) == before
        b.fm.complete_request()
        b.run()
    assert b.fp.requests[before:] == [(request, NdisStatus.SUCCESS)]
    assert request.answer() == b"a card"


@pytest.mark.rule("C5-06")
@pytest.mark.mutant("C5-06")
@pytest.mark.parametrize("fault", ["twice", "wrong kind", "pending"])
def test_mutant_completes_a_request_that_does_not_pend(bench5, fault):
    b = bench5()
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"a card"
    b.fm.hold_requests = True
    b.kernel.start(b.fp.query(Oid.OID_GEN_VENDOR_DESCRIPTION))
    b.run()
    with expect_violation(b.ndis, "C5-06"):
        if fault == "twice":
            ndis5.query_information_complete(b.fm.adapter, NdisStatus.FAILURE)
            ndis5.query_information_complete(b.fm.adapter, NdisStatus.FAILURE)
        elif fault == "wrong kind":
            ndis5.set_information_complete(b.fm.adapter, NdisStatus.SUCCESS)
        else:
            ndis5.query_information_complete(b.fm.adapter, NdisStatus.PENDING)


@pytest.mark.rule("C5-06")
@pytest.mark.mutant("C5-06")
def test_mutant_issues_a_request_again_while_it_pends(bench5):
    b = bench5()
    b.fm.hold_requests = True
    request = NdisRequest(RequestType.QUERY_INFORMATION, Oid.OID_GEN_VENDOR_DESCRIPTION, bytearray(10))
    ndis5.request(b.fp.open, request)
    with expect_violation(b.ndis, "C5-06"):
        assert ndis5.request(b.fp.open, request) is NdisStatus.FAILURE


@pytest.mark.rule("C5-06")
@pytest.mark.mutant("C5-06")
def test_mutant_answers_a_request_and_completes_it_as_well(bench5):
    class Both(FunctionalMiniport5):
        def query_information(self, request):
            ndis5.query_information_complete(self.adapter, NdisStatus.SUCCESS)
            return super().query_information(request)

    with pytest.raises(Exception, match="C5-06"):
        bench5(miniport=Both)


@pytest.mark.rule("C5-07")
def test_the_miniport_sees_one_request_at_a_time_in_order(bench5):
    b = bench5(handlers=("both", "both"))
    b.fm.hold_requests = True
    oids = [Oid.OID_GEN_VENDOR_DESCRIPTION, Oid.OID_GEN_VENDOR_ID]
    for fp, oid in zip(b.fps, oids, strict=True):
        b.kernel.start(fp.query(oid))
    b.run()
    assert [request.oid for request in b.fm.requests] == oids[:1]
    b.fm.complete_request()
    b.run()
    assert [request.oid for request in b.fm.requests] == oids
    b.fm.complete_request()


@pytest.mark.rule("C5-08")
def test_the_miniport_is_asked_for_the_or_of_all_filters(bench5):
    b = bench5(handlers=("both", "both"), listen=False)
    b.run(b.fps[0].set_filter(PacketFilter.DIRECTED))
    b.run(b.fps[1].set_filter(PacketFilter.BROADCAST))
    assert b.fm.packet_filter == PacketFilter.DIRECTED | PacketFilter.BROADCAST
    status, own = b.run(b.fps[0].query(Oid.OID_GEN_CURRENT_PACKET_FILTER))
    assert (status, int.from_bytes(own, "little")) == (NdisStatus.SUCCESS, PacketFilter.DIRECTED)


@pytest.mark.rule("C5-08")
def test_the_miniport_is_told_the_largest_lookahead(bench5):
    b = bench5(handlers=("both", "both"))
    for fp, size in zip(b.fps, (256, 128), strict=True):
        assert b.run(fp.set(Oid.OID_GEN_CURRENT_LOOKAHEAD, size)) is NdisStatus.SUCCESS
    b.run()
    assert b.fm.lookahead == 256
    assert b.run(b.fp.set(Oid.OID_GEN_CURRENT_LOOKAHEAD, 2000)) is NdisStatus.INVALID_LENGTH


@pytest.mark.rule("C5-08")
def test_protocol_options_are_ndis_own_matter(bench5):
    b = bench5(handlers=("both", "both"))
    b.run(b.fp.set(Oid.OID_GEN_PROTOCOL_OPTIONS, ProtocolOptions.NO_LOOPBACK))
    answers = [b.run(fp.query(Oid.OID_GEN_PROTOCOL_OPTIONS))[1] for fp in b.fps]
    assert answers == [b"\2\0\0\0", bytes(4)]
    assert b.fm.requests == []


@pytest.mark.rule("C5-08")
def test_a_5x_protocol_is_told_the_5x_oids(bench5):
    b = bench5()
    status, oids = b.run(b.fp.query(Oid.OID_GEN_SUPPORTED_LIST, 512))
    numbers = {int.from_bytes(oids[at : at + 4], "little") for at in range(0, len(oids), 4)}
    assert status is NdisStatus.SUCCESS
    assert {Oid.OID_GEN_PROTOCOL_OPTIONS, Oid.OID_GEN_MAXIMUM_SEND_PACKETS} <= numbers
    assert Oid.OID_GEN_STATISTICS not in numbers


@pytest.mark.rule("C5-08")
def test_the_longest_array_is_what_the_miniport_says(bench5):
    class Four(FunctionalMiniport5):
        def known(self):
            return super().known() | {Oid.OID_GEN_MAXIMUM_SEND_PACKETS: b"\4\0\0\0"}

    b = bench5(miniport=Four)
    assert b.run(b.fp.query(Oid.OID_GEN_MAXIMUM_SEND_PACKETS))[1] == b"\4\0\0\0"
    b.fp.send_array(*b.frames(10))
    assert b.fm.arrays == [4, 4, 2]


QUERIES = {
    Oid.OID_GEN_MAXIMUM_FRAME_SIZE: 4,
    Oid.OID_GEN_MAXIMUM_TOTAL_SIZE: 4,
    Oid.OID_GEN_LINK_SPEED: 4,
    Oid.OID_GEN_MAC_OPTIONS: 4,
    Oid.OID_GEN_MEDIA_CONNECT_STATUS: 4,
    Oid.OID_GEN_CURRENT_PACKET_FILTER: 4,
    Oid.OID_GEN_CURRENT_LOOKAHEAD: 4,
    Oid.OID_GEN_PROTOCOL_OPTIONS: 4,
    Oid.OID_GEN_MAXIMUM_SEND_PACKETS: 4,
    Oid.OID_802_3_CURRENT_ADDRESS: 6,
    Oid.OID_802_3_PERMANENT_ADDRESS: 6,
    Oid.OID_802_3_MAXIMUM_LIST_SIZE: 4,
    Oid.OID_GEN_VENDOR_DESCRIPTION: 6,
}


@pytest.mark.rule("C5-09")
@pytest.mark.parametrize("oid", QUERIES)
def test_a_query_that_is_too_small_is_told_how_much_it_needs(bench5, oid):
    b = bench5()
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"a card"
    for size in range(QUERIES[oid]):
        request = NdisRequest(RequestType.QUERY_INFORMATION, oid, bytearray(size))
        assert b.run(b.fp.request(request)) is NdisStatus.INVALID_LENGTH
        assert (request.bytes_needed, request.bytes_written) == (QUERIES[oid], 0)
    assert b.run(b.fp.query(oid, QUERIES[oid]))[0] is NdisStatus.SUCCESS


@pytest.mark.rule("C5-09")
def test_sets_that_are_too_small_and_unknown_oids_are_refused(bench5):
    b = bench5()
    for oid in (Oid.OID_GEN_CURRENT_PACKET_FILTER, Oid.OID_GEN_CURRENT_LOOKAHEAD, Oid.OID_GEN_PROTOCOL_OPTIONS):
        assert b.run(b.fp.set(oid, b"\1")) is NdisStatus.INVALID_LENGTH
    assert b.run(b.fp.query(0x12345678))[0] is NdisStatus.INVALID_OID
    assert b.run(b.fp.set(0x12345678, 1)) is NdisStatus.INVALID_OID


# Open, close, reset.


@pytest.mark.rule("C5-10")
def test_an_open_that_pends_has_one_completion(bench5):
    b = bench5(profile=Profile(pend_open=True))
    assert b.fp.trace == ["opened SUCCESS"]
    b.fm.indicate(b.frame())
    assert b.fp.received == [b.frame()]


@pytest.mark.rule("C5-10")
@pytest.mark.parametrize("what", ["send", "receive", "request"])
def test_a_close_waits_for_what_is_outstanding(bench5, what):
    b = bench5()
    binding = b.fp.open
    if what == "send":
        b.fp.send_array(*b.frames(1))
    elif what == "receive":
        b.fp.references = 1
        b.fm.indicate(b.frame())
    else:
        b.fm.hold_requests = True
        b.kernel.start(b.fp.query(Oid.OID_GEN_VENDOR_DESCRIPTION))
        b.kernel.run_for(0)
    closing = b.kernel.start(unbind_protocol(binding.core))
    b.kernel.run_for(1_000_000)
    assert not closing
    if what == "send":
        b.fm.complete()
    elif what == "receive":
        b.fp.held.clear()
        ndis5.return_packets([*b.fm.pool.live], binding)
    else:
        b.fm.hold_requests = False
        b.fm.complete_request()
    b.run()
    assert b.fp.trace == ["closed SUCCESS"]
    assert closing


@pytest.mark.rule("C5-10")
def test_a_protocol_may_close_on_its_own(bench5):
    b = bench5()
    assert ndis5.close_adapter(b.fp.open) is NdisStatus.SUCCESS
    b.fp.binding = None
    assert b.fm.adapter.bindings == []


@pytest.mark.rule("C5-15")
def test_a_protocol_is_unbound_and_bound_again_under_traffic(bench5):
    b = bench5(handlers=("both", "both"))
    for number in range(100):
        b.fp.send_array(*b.frames(2))
        b.fm.indicate(b.frame(number))
        closing = b.kernel.start(unbind_protocol(b.fp.open.core))
        b.kernel.run_for(0)
        b.fm.complete()
        b.run()
        assert closing
        b.run(bind_protocol(b.fp.driver, b.fm.adapter))
        b.run(b.fp.listen())
        for packet, _ in b.fp.completed:
            b.kernel.free(packet.head.region)
            ndis5.free_packet(packet)
        b.fp.completed.clear()
        b.fm.release()
    assert [len(fp.received) for fp in b.fps] == [100, 100]


@pytest.mark.rule("C5-11")
def test_a_reset_by_a_protocol_is_seen_by_all(bench5):
    b = bench5(handlers=("both", "both"))
    b.fp.send_array(*b.frames(1))
    assert ndis5.reset(b.fp.open) is NdisStatus.PENDING
    assert ndis5.reset(b.fp.open) is NdisStatus.RESET_IN_PROGRESS
    b.run()
    assert b.fp.resets == [NdisStatus.SUCCESS]
    for fp in b.fps:
        assert [code for code, _ in fp.statuses] == [NdisStatus.RESET_START, NdisStatus.RESET_END]
        assert fp.status_completes == 2
    assert b.fp.completed[0][1] is NdisStatus.RESET_IN_PROGRESS
    assert b.fm.packet_filter == PacketFilter.DIRECTED | PacketFilter.BROADCAST | PacketFilter.MULTICAST  # set again
    assert b.fps[1].resets == []


@pytest.mark.rule("C5-11")
def test_a_send_during_a_reset_is_told_so(bench5):
    class Slow(FunctionalMiniport5):
        def reset(self):
            return NdisStatus.PENDING, False

    b = bench5(miniport=Slow)
    ndis5.reset(b.fp.open)
    b.kernel.run_for(0)
    assert b.fp.send(b.frames(1)[0])[1] is NdisStatus.RESET_IN_PROGRESS
    complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
    b.run()
    assert b.fp.resets == [NdisStatus.SUCCESS]


# Halt, status, shutdown.


class Equipped(FunctionalMiniport5):
    """Takes one of everything at initialize; `steps` of them succeed, `keep` of them it forgets at halt."""

    steps = 5
    keep: frozenset[str] = frozenset()

    def initialize(self, adapter, mediums):
        answer = super().initialize(adapter, mediums)
        self.mapper = VirtualMapper()
        self.has: list[str] = []
        taking = {
            "interrupt": self.take_interrupt,
            "map registers": lambda: ndis5.allocate_map_registers(adapter, self.mapper, 4),
            "shared memory": self.take_shared_memory,
            "buffers": self.take_buffers,
            "timer": self.take_timer,
        }
        for name, take in list(taking.items())[: self.steps]:
            take()
            self.has.append(name)
        if self.steps < len(taking):
            self.release_all()
            if "packets" not in self.keep:
                ndis5.free_packet_pool(self.pool)
            return NdisStatus.RESOURCES, None
        return answer

    def characteristics(self):
        handlers = {"isr": lambda ctx: (True, True), "handle_interrupt": lambda ctx: None}
        return replace(super().characteristics(), **handlers)

    def take_interrupt(self):
        self.interrupt = ndis5.register_interrupt(self.adapter, lambda vector, handler: None)[1]

    def take_shared_memory(self):
        self.shared = ndis5.allocate_shared_memory(self.adapter, 256)

    def take_buffers(self):
        self.buffers = ndis5.allocate_buffer_pool(self.adapter, 8)[1]

    def take_timer(self):
        self.timer = ndis5.initialize_timer(self.adapter, lambda ctx: None)
        ndis5.set_periodic_timer(self.timer, 10)

    def release_all(self):
        giving = {
            "timer": lambda: ndis5.cancel_timer(self.timer),
            "buffers": lambda: ndis5.free_buffer_pool(self.buffers),
            "shared memory": lambda: ndis5.free_shared_memory(self.shared),
            "map registers": lambda: ndis5.free_map_registers(self.adapter),
            "interrupt": lambda: ndis5.deregister_interrupt(self.interrupt),
        }
        for name, give in giving.items():
            if name in self.has and name not in self.keep:
                give()

    def halt(self):
        self.release_all()
        super().halt()


@pytest.mark.rule("C5-12")
@pytest.mark.parametrize("steps", range(5))
def test_an_initialize_that_fails_at_any_step_leaves_nothing(host, steps):
    fm = Equipped(host)
    fm.steps = steps
    assert host.kernel.run(fm.start()) is NdisStatus.RESOURCES
    host.check_leaks()
    assert fm.mapper.live == set()


@pytest.mark.rule("C5-12")
def test_halt_leaves_nothing(host):
    fm = Equipped(host)
    assert host.kernel.run(fm.start()) is NdisStatus.SUCCESS
    host.kernel.run_for(25_000_000)
    host.kernel.run(halt_adapter(fm.adapter))
    host.check_leaks()
    host.kernel.run()
    assert fm.mapper.live == set()


@pytest.mark.rule("C5-12")
@pytest.mark.mutant("C5-12")
@pytest.mark.parametrize("forgotten", ["interrupt", "map registers", "shared memory", "buffers", "timer"])
def test_mutant_forgets_something_at_halt(host, forgotten):
    fm = Equipped(host)
    fm.keep = frozenset({forgotten, *({"map registers"} if forgotten == "shared memory" else ())})
    host.kernel.run(fm.start())
    with expect_violation(host, "C5-12"):
        host.kernel.run(halt_adapter(fm.adapter))


@pytest.mark.rule("C5-12")
@pytest.mark.mutant("C5-12")
def test_mutant_forgets_its_packet_pool_when_initialize_fails(host):
    fm = Equipped(host)
    fm.steps, fm.keep = 0, frozenset({"packets"})
    with expect_violation(host, "C5-12"):
        host.kernel.run(fm.start())


@pytest.mark.rule("C5-13")
def test_a_status_reaches_every_binding_and_then_its_complete(bench5):
    b = bench5(handlers=("both", "packet"))
    for up in (False, True):
        b.fm.link(up)
    for fp in b.fps:
        assert [code for code, _ in fp.statuses] == [NdisStatus.MEDIA_DISCONNECT, NdisStatus.MEDIA_CONNECT]
        assert fp.status_completes == 2
    b.run()
    assert b.fm.adapter.link_state.xmit_link_speed == 1_000_000_000


@pytest.mark.rule("C5-13")
@pytest.mark.mutant("C5-13")
def test_mutant_forgets_the_status_complete(bench5):
    b = bench5()
    with expect_violation(b.ndis, "C5-13"):
        ndis5.indicate_status(b.fm.adapter, NdisStatus.MEDIA_DISCONNECT)
        b.kernel.run_for(2_000_000_000)


@pytest.mark.rule("C5-13")
@pytest.mark.mutant("C5-13")
def test_mutant_indicates_a_status_after_halt(bench5):
    b = bench5()
    b.run(halt_adapter(b.fm.adapter))
    with expect_violation(b.ndis, "C5-13"):
        ndis5.indicate_status(b.fm.adapter, NdisStatus.MEDIA_DISCONNECT)


@pytest.mark.rule("C5-14")
def test_shutdown_calls_the_shutdown_handler_and_nothing_else(bench5):
    b = bench5()
    b.fp.send_array(*b.frames(1))
    b.fm.calls.clear()
    shutdown_adapter(b.fm.adapter)
    b.run()
    assert b.fm.calls == ["shutdown"]
    assert b.fp.completed == []
    b.is_abandoned = True


def test_two_adapters_of_one_driver_have_lives_of_their_own(bench5):
    b = bench5(listen=False)
    first = b.fm.adapter
    status, second = b.run(start_adapter(b.ndis, b.fm.driver, "fm5 b"))
    assert status is NdisStatus.SUCCESS
    assert first.context is not second.context
    b.run(halt_adapter(second))
    b.fm.adapter, b.fm.pool = first, next(pool for pool in b.ndis.pools if pool.owner is first)

# SPDX-License-Identifier: Apache-2.0
"""The specification documents s3 (receiving in a protocol driver) and s4 (ProtocolReceivePacket), sentence by sentence.

Each test says in its docstring which sentence it shows, in our words; the numbers count the sentences of the document.
"""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisMedium, NdisStatus, ProtocolCharacteristics, ndis5
from hilnic.ndis.ndis5 import Tsdu, tdi_return_chained_receives
from hilnic.testing import expect_violation
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5

# s3


@pytest.mark.rule("R5-01", "R5-10")
def test_a_nic_driver_indicates_full_packets_by_an_array_and_gives_their_resources_up(bench5):
    """s3 1-3: one way is an array of descriptors of full packets, whose resources return at a later time."""
    b = bench5()
    b.fp.references = 1
    packets = b.fm.indicate(b.frame(), b.frame(1))
    assert b.fp.received == [b.frame(), b.frame(1)]
    assert b.fm.returned == []
    b.kernel.run_for(1_000_000_000)
    b.fp.give_back()
    assert b.fm.returned == packets


@pytest.mark.rule("R5-16", "R5-17")
def test_a_nic_driver_indicates_a_lookahead_with_its_size_and_the_size_of_the_packet(bench5):
    """s3 4: the other way is a lookahead buffer, its size, and the total size of what was received."""
    sizes: list[tuple[int, int]] = []

    class Noting(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            sizes.append((len(lookahead), packet_size))
            return NdisStatus.NOT_ACCEPTED

    b = bench5(handlers=("lookahead",), protocol=Noting)
    b.fm.indicate_lookahead(b.frame(0, 600), 128)
    assert sizes == [(128, 586)]


@pytest.mark.rule("R5-14")
@pytest.mark.parametrize("handlers", ["packet", "lookahead", "both"])
def test_one_of_the_two_receive_handlers_is_enough(bench5, handlers):
    """s3 5-6: every protocol has at least one of the two possible receive handlers; both serve both ways."""
    b = bench5(handlers=(handlers,))
    b.fm.indicate(b.frame())
    if handlers != "packet":
        b.fm.indicate_lookahead(b.frame(1))
    assert b.fp.received == [b.frame(), b.frame(1)][: len(b.fp.received)]
    assert len(b.fp.received) == (1 if handlers == "packet" else 2)


@pytest.mark.rule("R5-17", "R5-18")
def test_protocol_receive_copies_the_lookahead_into_a_packet_of_its_own(bench5):
    """s3 7-8: ProtocolReceive looks, decides that a client wants the packet, and copies into its own buffer."""

    class Copier(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            self.copy = self.build(bytes(14 + packet_size))
            self.copy.head.view[:14] = header
            self.copy.head.view[14:] = lookahead
            return NdisStatus.SUCCESS

    b = bench5(handlers=("lookahead",), protocol=Copier)
    b.fm.indicate_lookahead(b.frame())
    assert b.fp.copy.tobytes() == b.frame()
    b.fp.completed.append((b.fp.copy, 0))


@pytest.mark.rule("R5-18", "R5-19")
def test_the_rest_is_copied_by_the_nic_driver_into_the_packet_that_transfer_data_names(bench5):
    """s3 9: with a lookahead that is too short, NdisTransferData has the driver below fill the protocol's packet."""
    b = bench5(handlers=("lookahead",))
    b.fm.indicate_lookahead(b.frame(0, 1000), 200)
    assert b.fm.calls == ["transfer_data"]
    assert b.fp.received == [b.frame(0, 1000)]


@pytest.mark.rule("R5-02", "R5-13")
def test_receive_packet_is_optional_and_gets_the_whole_packet(bench5):
    """s3 10, s4 1: ProtocolReceivePacket is optional; it gets the descriptor of a buffered full packet."""
    b = bench5(handlers=("packet", "lookahead"))
    b.fm.indicate(b.frame())
    assert [fp.received_by for fp in b.fps] == [["packet"], ["lookahead"]]
    assert b.fps[0].received == b.fps[1].received == [b.frame()]


class Highest(FunctionalProtocol5):
    """Two clients get access to each packet."""

    def receive_packet(self, packet):
        self.tsdus = [Tsdu(self.open, packet, client) for client in ("a", "b")]
        return 2


@pytest.mark.rule("R5-33", "R5-12")
def test_a_nonzero_answer_gives_the_clients_read_only_access(bench5):
    """s3 11-12, s4 14: by a nonzero answer the clients get direct, read-only access to the packet's data."""
    b = bench5(protocol=Highest)
    b.fm.indicate(b.frame())
    assert [tsdu.tobytes() for tsdu in b.fp.tsdus] == [b.frame()] * 2
    next(iter(b.fm.pool.live)).head.view[20] ^= 1  # one of them writes
    with expect_violation(b.ndis, "R5-12"):
        tdi_return_chained_receives(b.fp.tsdus)


@pytest.mark.rule("R5-33", "R5-01")
def test_the_clients_return_the_packet_until_their_calls_total_the_answer(bench5):
    """s3 13-15: each client returns descriptor and resources; with the last call they are the NIC driver's again."""
    b = bench5(protocol=Highest)
    (packet,) = b.fm.indicate(b.frame())
    tdi_return_chained_receives(b.fp.tsdus[:1])
    assert b.fm.returned == []
    tdi_return_chained_receives(b.fp.tsdus[1:])
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-02")
def test_an_answer_of_0_gives_the_packet_up_when_the_handler_returns(bench5):
    """s3 16: answering 0 relinquishes the packet's resources at the handler's return."""
    b = bench5()
    (packet,) = b.fm.indicate(b.frame())
    assert (b.fm.returned, ndis5.get_packet_status(packet)) == ([packet], NdisStatus.SUCCESS)


# s4


@pytest.mark.rule("R5-11", "OB-04")
def test_indications_come_from_arrays_and_from_single_packets_with_out_of_band_data(bench5):
    """s4 2: the miniport calls with arrays of packets, or with single ones that have out-of-band information."""
    seen: list[object] = []

    class Reader(FunctionalProtocol5):
        def receive_packet(self, packet):
            seen.append(ndis5.get_packet_time_received(packet))
            return super().receive_packet(packet)

    b = bench5(handlers=("packet",), protocol=Reader)
    b.fm.indicate(b.frame(), b.frame(1))
    packet = b.fm.build(b.frame(2))
    ndis5.set_packet_time_received(packet, 7)
    b.fm.indicate_packets([packet])
    assert b.fp.received == [b.frame(), b.frame(1), b.frame(2)]
    assert seen == [0, 0, 7]
    assert b.ndis.report.warnings == []


@pytest.mark.rule("R5-15")
def test_receive_packet_is_called_for_a_loopback_too(bench5):
    """s4 3: a call can also be the result of loopback."""
    b = bench5()
    b.fp.send_array(b.frame(destination=b"\xff" * 6))
    b.run()
    assert b.fp.received_by == ["packet"]


class Atm(FunctionalMiniport5):
    """A connection-oriented miniport."""

    medium = NdisMedium.ATM


@pytest.mark.rule("R5-14")
def test_a_connection_oriented_adapter_wants_the_handler_for_it(bench5):
    """s4 4: who binds to connection-oriented miniports has ProtocolCoReceivePacket instead."""

    class AtmOnly(FunctionalProtocol5):
        mediums = (NdisMedium.ATM,)

    class WithCo(AtmOnly):
        def characteristics(self):
            from dataclasses import replace

            none = {"receive": None, "receive_packet": None, "wan_receive": None, "wan_send_complete": None}
            return replace(super().characteristics(), co_receive_packet=lambda ctx, vc, packet: 0, **none)

    without = bench5(miniport=Atm, protocol=AtmOnly, listen=False)
    assert without.fp.binding is None
    capable = bench5(miniport=Atm, protocol=WithCo, listen=False)
    assert capable.fp.binding is not None


@pytest.mark.rule("R5-04", "R5-11")
def test_the_handler_gets_the_context_of_the_open_and_a_packet_of_the_array(bench5):
    """s4 5-7: the context is what the protocol gave NdisOpenAdapter; the packet is one of the miniport's array."""
    got: list[object] = []

    class Noting(FunctionalProtocol5):
        def receive_packet(self, packet):
            got.append((self, packet))
            return 0

    b = bench5(protocol=Noting)
    packets = b.fm.indicate(b.frame(), b.frame(1))
    assert got == [(b.fp, packet) for packet in packets]


@pytest.mark.rule("R5-01")
@pytest.mark.parametrize("answer", [0, 1, 4])
def test_the_answer_is_how_often_the_protocol_will_return_the_packet(bench5, answer):
    """s4 8, 18-19: NDIS keeps the count; the protocol owns the packet until it has paid all of it."""
    b = bench5()
    b.fp.references = answer
    (packet,) = b.fm.indicate(b.frame())
    for paid in range(answer):
        assert (paid, b.fm.returned) == (paid, [])
        b.fp.give_back(packet)
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-14", "R5-26")
def test_a_miniport_of_arrays_indicates_full_packets_always(bench5):
    """s4 9-10: a protocol over such a miniport should have ReceivePacket; what it gets are full packets."""
    b = bench5(handlers=("lookahead",))
    b.fm.indicate(b.frame(0, 1514), b.frame(1, 1514))
    assert [warning.rule for warning in b.ndis.report.warnings] == ["R5-14"] * 2
    assert "transfer_data" not in b.fm.calls
    assert [len(frame) for frame in b.fp.received] == [1514] * 2


@pytest.mark.rule("R5-13", "R5-33")
def test_who_has_the_handler_keeps_the_data_without_a_copy(bench5):
    """s4 11-12: with ReceivePacket all received data can be held, read-only, and no byte is copied."""
    b = bench5()
    b.fp.references = 1
    packets = b.fm.indicate(*[b.frame(n) for n in range(20)], cuts=(14, 20))
    assert [packet.tobytes() for packet in packets] == [b.frame(n) for n in range(20)]
    assert b.ndis.ndis5.copies == 0


@pytest.mark.rule("R5-05", "R5-34")
@pytest.mark.parametrize("others", [1, 3])
def test_an_intermediate_driver_answers_the_number_of_its_indications_or_one(bench5, others):
    """s4 13, 15-16: it keeps the packet until it has returned it as often as it answered."""

    class Intermediate(FunctionalProtocol5):
        def receive_packet(self, packet):
            self.held += [packet] * others
            return others

    b = bench5(protocol=Intermediate)
    (packet,) = b.fm.indicate(b.frame())
    for _ in range(others):
        assert b.fm.returned == []
        b.fp.give_back(packet)
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-06")
def test_returns_come_from_inside_the_handler_or_after_it(bench5):
    """s4 17: who does not return inside the handler saves the pointer and returns afterwards."""

    class Saving(FunctionalProtocol5):
        def receive_packet(self, packet):
            self.saved = packet
            return 1

    b = bench5(protocol=Saving)
    b.fm.indicate(b.frame())
    ndis5.return_packets([b.fp.saved])
    assert b.fm.returned == [b.fp.saved]


@pytest.mark.rule("R5-35")
def test_0_is_the_answer_of_who_is_not_interested_or_copies_data_and_out_of_band_block(bench5):
    """s4 20: no client is interested, or data and out-of-band block have been copied to the protocol's own storage."""

    class Copier(FunctionalProtocol5):
        def receive_packet(self, packet):
            copy = self.build(bytes(packet.length()))
            ndis5.copy_from_packet_to_packet(copy, 0, packet.length(), packet, 0)
            ndis5.copy_out_of_band(copy, packet)
            self.completed.append((copy, 0))
            return 0

    b = bench5(protocol=Copier)
    (packet,) = b.fm.indicate(b.frame())
    copy = b.fp.completed[0][0]
    assert b.fm.returned == [packet]
    assert (copy.tobytes(), ndis5.get_packet_header_size(copy)) == (b.frame(), 14)


@pytest.mark.rule("R5-04", "R5-02")
def test_after_a_0_the_next_protocol_is_called_or_the_miniport_gets_the_packet(bench5):
    """s4 21: NDIS goes on to another bound protocol, or returns the descriptor to the miniport."""
    b = bench5(handlers=("packet", "packet", "packet"))
    b.fps[1].references = 1
    (packet,) = b.fm.indicate(b.frame())
    assert [fp.received for fp in b.fps] == [[b.frame()]] * 3
    assert b.fm.returned == []
    b.fps[1].give_back()
    (second,) = b.fm.indicate(b.frame(destination=b"\2" * 6))
    assert b.fm.returned == [packet, second]


@pytest.mark.rule("OB-04")
def test_the_macros_read_the_out_of_band_information(bench5):
    """s4 22-23: a protocol over a NIC with out-of-band data has the handler and reads the data with the macros."""
    read: list[object] = []

    class Reader(FunctionalProtocol5):
        def receive_packet(self, packet):
            read.extend(
                [
                    ndis5.get_packet_status(packet),
                    ndis5.get_packet_header_size(packet),
                    ndis5.get_packet_time_received(packet),
                    ndis5.get_packet_media_specific_info(packet),
                ]
            )
            return 0

    b = bench5(protocol=Reader)
    packet = b.fm.build(b.frame())
    ndis5.set_packet_time_received(packet, 42)
    ndis5.set_packet_media_specific_info(packet, b"priority")
    b.fm.indicate_packets([packet])
    assert read == [NdisStatus.SUCCESS, 14, 42, b"priority"]


@pytest.mark.rule("R5-07")
def test_a_packet_of_a_driver_that_runs_low_is_copied_and_not_kept(bench5):
    """s4 24-26: with RESOURCES in its block the packet must not be retained; the miniport has it again at once."""
    b = bench5()
    b.fp.references = 1
    (scarce,) = b.fm.indicate(b.frame(), status=NdisStatus.RESOURCES)
    (plenty,) = b.fm.indicate(b.frame(1))
    assert b.fp.received == [b.frame(), b.frame(1)]
    assert b.fm.returned == [scarce]
    assert b.fp.held == [plenty]


@pytest.mark.rule("R5-31")
def test_the_handler_may_run_while_it_runs(bench5):
    """s4 27: the handler may run on more than one processor at a time; the counts stay exact (see test_concurrency)."""

    class Reentered(FunctionalProtocol5):
        inner = 0

        def receive_packet(self, packet):
            if not self.inner:
                self.inner = 1
                b.fm.indicate_packets([b.fm.build(b.frame(1))])
            self.held.append(packet)
            return 1

    b = bench5(protocol=Reentered, serialized=False)
    (outer,) = b.fm.indicate(b.frame())
    inner = next(packet for packet in b.fp.held if packet is not outer)
    b.fp.give_back(outer)
    assert b.fm.returned == [outer]
    b.fp.give_back(inner)
    assert b.fm.returned == [outer, inner]


@pytest.mark.rule("C5-01")
def test_the_handler_is_ndis_5s_alone(bench5):
    """s4 28-30: NDIS 6 drivers have ProtocolReceiveNetBufferLists instead; 5.1 drivers still run beside them."""
    assert not hasattr(ProtocolCharacteristics, "receive_packet")
    assert "receive_net_buffer_lists" in ProtocolCharacteristics.__dataclass_fields__
    b = bench5()
    b.fm.indicate(b.frame())
    assert b.fp.version == (5, 1)
    assert b.fp.received == [b.frame()]

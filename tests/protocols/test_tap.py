# SPDX-License-Identifier: Apache-2.0
"""The tap protocols of both NDIS versions over a functional miniport: what they hand over, refuse and give back."""

from collections.abc import Iterator

import pytest

from hilnic.protocols.tap import TapProtocol
from hilnic.protocols.tap5 import TapProtocol5
from hilnic.testing.bench import PEER, NdisBench
from hilnic.testing.miniport import MAC_ADDRESS


class Host:
    """The protocol with its port (`delivered`), and the miniport below it."""

    def __init__(self, kind: type[TapProtocol], limit: int = 3) -> None:
        self.delivered: list[bytes] = []
        self.bench = NdisBench(protocols=0, completion="hold")
        self.tap = kind(self.delivered.append, limit=limit)
        self.bench.run(self.tap.register(self.bench.ndis))


@pytest.fixture(params=[TapProtocol, TapProtocol5])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    found = Host(request.param)
    yield found
    found.bench.fm.complete_all()
    found.bench.stop()


def frame(fill: int, destination: bytes = PEER, source: bytes = MAC_ADDRESS) -> bytes:
    return (destination + source + b"\x08\x00").ljust(60, bytes([fill]))


def test_what_the_port_transmits_is_sent_as_it_is(host: Host) -> None:
    assert host.tap.transmit(frame(5))
    assert host.bench.fm.sent_frames == [frame(5)]


def test_it_takes_no_more_than_its_limit(host: Host) -> None:
    assert [host.tap.transmit(frame(n)) for n in range(5)] == [True, True, True, False, False]
    assert (host.tap.room, host.tap.refused, len(host.bench.fm.sent_frames)) == (0, 2, 3)


def test_a_completed_send_makes_room_again(host: Host) -> None:
    for number in range(3):
        host.tap.transmit(frame(number))
    host.bench.fm.complete_all()
    host.bench.run()
    assert host.tap.room == 3
    assert host.tap.transmit(frame(9))


def test_what_is_received_reaches_the_port_with_its_padding(host: Host) -> None:
    host.bench.fm.indicate(frame(8, MAC_ADDRESS, PEER))
    host.bench.run()
    assert host.delivered == [frame(8, MAC_ADDRESS, PEER)]
    assert host.tap.binding.statistics().held == 0


def test_nothing_is_taken_before_there_is_an_adapter() -> None:
    tap = TapProtocol(lambda _frame: None)
    with pytest.raises(RuntimeError, match="no adapter"):
        tap.transmit(bytes(60))


def test_nothing_is_taken_while_the_adapter_pauses(host: Host) -> None:
    host.tap.binding.running = False
    assert not host.tap.transmit(frame(1))
    assert host.bench.fm.sent_frames == []
    host.tap.binding.running = True

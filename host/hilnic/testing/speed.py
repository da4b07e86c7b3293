# SPDX-License-Identifier: Apache-2.0
"""`SpeedBench`: drivers that do as little as drivers can, so that a measurement shows what NDIS costs.

bench = SpeedBench(Path(direction="send", filters=4, batch=64))
for _ in range(1000):
    bench.turn()                 one batch: sent and completed, or indicated and returned
bench.stop()
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Literal

from hilnic import ndis
from hilnic.ndis import Ndis, NdisStatus, NetBufferList, ndis5
from hilnic.ndis.ndis import VerifyMode
from hilnic.testing.bench import PEER
from hilnic.testing.filter import FunctionalFilter
from hilnic.testing.frames import ethernet, free_nbl
from hilnic.testing.kernel import VirtualKernel
from hilnic.testing.miniport import MAC_ADDRESS, FunctionalMiniport
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.packets import build_packet, free_built_packet
from hilnic.testing.protocol import FunctionalProtocol
from hilnic.testing.protocol5 import FunctionalProtocol5

__all__ = ["Direction", "Path", "SpeedBench"]

Direction = Literal["send", "receive"]

_HEADER = ethernet(MAC_ADDRESS, PEER)
"""What the card writes into each receive buffer anew: NDIS poisons those that come home."""


@dataclass(frozen=True, slots=True)
class Path:
    """The way that is measured; `outstanding` batches more stay with the far driver all the time."""

    direction: Direction = "send"
    protocol: int = 6
    miniport: int = 6
    filters: int = 0
    bindings: int = 1
    batch: int = 64  # NBLs, or packets, of one call
    outstanding: int = 0
    verify: VerifyMode = "fast"
    fresh: bool = False  # allocated for each batch and freed after it, with their memory; else used again
    size: int = 60  # bytes of a frame


class SpeedBench:
    """One adapter with filters and protocols; `turn` moves one batch and answers how many NBLs that was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kernel = VirtualKernel()
        self.ndis = Ndis(self.kernel, path.verify)
        miniport, protocol = _MINIPORTS[path.miniport], _PROTOCOLS[path.protocol]
        self.miniport = miniport(self.ndis, path)
        self.filters = [_Filter(self.ndis, f"filter{n}") for n in range(path.filters)]
        self.protocols: list[Any] = [protocol(self.ndis, f"protocol{n}", path) for n in range(path.bindings)]
        for driver in (self.miniport, *self.filters, *self.protocols):
            self.kernel.run(driver.start())
        for each in self.protocols:
            self.kernel.run(each.listen())
        self._frame = ethernet(PEER, MAC_ADDRESS, bytes(path.size - 14))
        self._senders = cycle(self.protocols)
        self._fill()

    def _fill(self) -> None:
        """Every object that will travel is made once; the batches that stay out go out."""
        near = self.protocols if self.path.direction == "send" else [self.miniport]
        for driver in near:
            self._build(driver, self.path.batch * (self.path.outstanding + (not self.path.fresh)))
        for _ in range(self.path.outstanding):
            self._move()

    def _build(self, driver: Any, number: int) -> None:
        driver.idle.extend(driver.build(self._frame) for _ in range(number))

    def turn(self) -> int:
        """One batch to the far end; what comes home is idle again."""
        if self.path.fresh:
            driver = self.protocols[0] if self.path.direction == "send" else self.miniport
            self._build(driver, self.path.batch)
            self._move()
            driver.forget()
        else:
            self._move()
        return self.path.batch

    def _move(self) -> None:
        if self.path.direction == "send":
            next(self._senders).send_batch()
        else:
            self.miniport.indicate_batch()

    @property
    def seen(self) -> int:
        """How many NBLs the far drivers have got."""
        far = [self.miniport] if self.path.direction == "send" else self.protocols
        return int(sum(driver.seen for driver in far))

    def stop(self) -> None:
        """Everything home, halted, unregistered and free of leaks (V9)."""
        self.miniport.drain()
        for each in self.protocols:
            each.drain()
        for each in self.protocols:
            each.forget()
        self.miniport.forget()
        self.kernel.run(ndis.halt_adapter(self.miniport.adapter))
        for driver in (*self.protocols, *self.filters):
            self.kernel.run(driver.stop())
        self.ndis.check_leaks()


def _take(idle: deque[Any], number: int) -> Iterator[Any]:
    return islice(iter(idle.popleft, None), number)


# NDIS 6.


class _Miniport6(FunctionalMiniport):
    """Completes each chain inside the send call, or the oldest one when `outstanding` are there."""

    def __init__(self, host: Ndis, path: Path) -> None:
        super().__init__(host)
        self.path = path
        self.depth = path.outstanding * (path.direction == "send")
        self.seen = 0  # what the other side has brought
        self.idle: deque[NetBufferList] = deque()
        self.out: deque[NetBufferList] = deque()

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """MiniportSendNetBufferLists."""
        del port_number, send_flags
        self.seen += ndis.count(nbls)
        self.out.append(nbls)
        if len(self.out) > self.depth:
            ndis.complete_send_net_buffer_lists(self.adapter, self.out.popleft())

    def return_net_buffer_lists(self, nbls: NetBufferList, return_flags: int) -> None:
        """MiniportReturnNetBufferLists."""
        del return_flags
        self.idle.extend(ndis.walk(nbls))

    def indicate_batch(self) -> None:
        """One call with a batch."""
        batch = list(_take(self.idle, self.path.batch))
        for nbl in batch:
            nbl.first_net_buffer.mdl_chain.view[:14] = _HEADER
        nbls = ndis.chain(batch)
        ndis.indicate_receive_net_buffer_lists(self.adapter, nbls, 0, self.path.batch)

    def drain(self) -> None:
        """Complete what is out."""
        while self.out:
            ndis.complete_send_net_buffer_lists(self.adapter, self.out.popleft())

    def forget(self) -> None:
        """Free what travelled."""
        while self.idle:
            free_nbl(self.idle.popleft())


class _Protocol6(FunctionalProtocol):
    """Returns each chain inside the receive call, or the oldest one when `outstanding` are there."""

    def __init__(self, host: Ndis, name: str, path: Path) -> None:
        super().__init__(host, name)
        self.path = path
        self.depth = path.outstanding * (path.direction == "receive")
        self.seen = 0  # what the other side has brought
        self.idle: deque[NetBufferList] = deque()
        self.out: deque[NetBufferList] = deque()

    def send_batch(self) -> None:
        """One call with a batch."""
        ndis.send_net_buffer_lists(self.open, ndis.chain(_take(self.idle, self.path.batch)))

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """ProtocolSendNetBufferListsComplete."""
        del flags
        self.idle.extend(ndis.walk(nbls))

    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        """ProtocolReceiveNetBufferLists."""
        del port, flags
        self.seen += count
        self.out.append(nbls)
        if len(self.out) > self.depth:
            ndis.return_net_buffer_lists(self.open, self.out.popleft())

    def drain(self) -> None:
        """Return what is out."""
        while self.out:
            ndis.return_net_buffer_lists(self.open, self.out.popleft())

    def forget(self) -> None:
        """Free what travelled."""
        while self.idle:
            free_nbl(self.idle.popleft())


class _Filter(FunctionalFilter):
    """Sees everything and passes it on, with a handler of its own for each way."""

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """FilterSendNetBufferLists."""
        ndis.filter_send_net_buffer_lists(self.module, nbls, port_number, send_flags)

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """FilterSendNetBufferListsComplete."""
        ndis.filter_complete_send_net_buffer_lists(self.module, nbls, flags)

    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        """FilterReceiveNetBufferLists."""
        ndis.filter_indicate_receive_net_buffer_lists(self.module, nbls, port, count, flags)

    def return_net_buffer_lists(self, nbls: NetBufferList, flags: int) -> None:
        """FilterReturnNetBufferLists."""
        ndis.filter_return_net_buffer_lists(self.module, nbls, flags)


# NDIS 5.


class _Miniport5(FunctionalMiniport5):
    """Deserialized; completes each array inside the send call, or the oldest one when `outstanding` are there."""

    def __init__(self, host: Ndis, path: Path) -> None:
        super().__init__(host, serialized=False)
        self.path = path
        self.depth = path.outstanding * (path.direction == "send")
        self.seen = 0  # what the other side has brought
        self.idle: deque[ndis5.Packet] = deque()
        self.out: deque[list[ndis5.Packet]] = deque()

    def send_packets(self, packets: list[ndis5.Packet]) -> None:
        """MiniportSendPackets."""
        self.seen += len(packets)
        self.out.append(packets)
        if len(self.out) > self.depth:
            self.complete_oldest()

    def complete_oldest(self) -> None:
        """One completion per packet: NDIS 5 knows no other."""
        for packet in self.out.popleft():
            ndis5.send_complete(self.adapter, packet, NdisStatus.SUCCESS)

    def return_packet(self, packet: ndis5.Packet) -> None:
        """MiniportReturnPacket."""
        self.idle.append(packet)

    def indicate_batch(self) -> None:
        """One call with a batch."""
        batch = list(_take(self.idle, self.path.batch))
        for packet in batch:
            packet.head.view[:14] = _HEADER
            ndis5.set_packet_status(packet, NdisStatus.SUCCESS)
            ndis5.set_packet_header_size(packet, 14)
        ndis5.indicate_receive_packet(self.adapter, batch)

    def build(self, frame: bytes, cuts: Any = (), status: int = NdisStatus.SUCCESS) -> ndis5.Packet:
        """From a pool that is large enough."""
        if self.pool.size == len(self.pool.live):
            self.pool.size *= 2
        return super().build(frame, cuts, status)

    def drain(self) -> None:
        """Complete what is out."""
        while self.out:
            self.complete_oldest()

    def forget(self) -> None:
        """Free what travelled."""
        while self.idle:
            free_built_packet(self.idle.popleft())


class _Protocol5(FunctionalProtocol5):
    """With ProtocolReceivePacket; keeps nothing, or keeps each packet until `outstanding` batches are there."""

    def __init__(self, host: Ndis, name: str, path: Path) -> None:
        super().__init__(host, name, "packet")
        self.path = path
        self.depth = path.outstanding * path.batch * (path.direction == "receive")
        self.seen = 0  # what the other side has brought
        self.idle: deque[ndis5.Packet] = deque()
        self.out: deque[ndis5.Packet] = deque()

    def send_batch(self) -> None:
        """One call with a batch."""
        ndis5.send_packets(self.open, list(_take(self.idle, self.path.batch)))

    def send_complete(self, packet: ndis5.Packet, status: int) -> None:
        """ProtocolSendComplete."""
        del status
        self.idle.append(packet)

    def receive_packet(self, packet: ndis5.Packet) -> int:
        """ProtocolReceivePacket."""
        self.seen += 1
        if not self.depth:
            return 0
        if len(self.out) >= self.depth:
            ndis5.return_packets([self.out.popleft()], self.open)
        self.out.append(packet)
        return 1

    def build(self, frame: bytes, cuts: Any = ()) -> ndis5.Packet:
        """From a pool that is large enough."""
        if self.pool.size == len(self.pool.live):
            self.pool.size *= 2
        return build_packet(self.pool, frame, cuts)

    def drain(self) -> None:
        """Return what is out."""
        if self.out:
            ndis5.return_packets(list(self.out), self.open)
            self.out.clear()

    def forget(self) -> None:
        """Free what travelled."""
        while self.idle:
            free_built_packet(self.idle.popleft())


_MINIPORTS: dict[int, Any] = {5: _Miniport5, 6: _Miniport6}
_PROTOCOLS: dict[int, Any] = {5: _Protocol5, 6: _Protocol6}

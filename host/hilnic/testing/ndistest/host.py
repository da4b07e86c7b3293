# SPDX-License-Identifier: Apache-2.0
"""The suites' protocol: a functional protocol that frees what it has sent, drains on pause, and may answer frames."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from hilnic import ndis
from hilnic.ndis import Ndis, NdisStatus, NetBufferList, NetEvent
from hilnic.testing.frames import ethernet, free_nbl
from hilnic.testing.protocol import FunctionalProtocol

__all__ = ["BROADCAST", "CANARY", "GROUPS", "PEER", "Host", "Traffic", "as_sent", "numbered", "padded"]

PEER = bytes.fromhex("02484e0000fe")
BROADCAST = b"\xff" * 6
GROUPS = tuple(bytes.fromhex("01005e0000") + bytes([number]) for number in range(1, 7))
CANARY = 0xA5
_NUMBER = struct.Struct(">IH")
_SHORTEST = 14 + _NUMBER.size


def padded(frame: bytes) -> bytes:
    """As it arrives from the wire."""
    return frame.ljust(60, b"\0")


def numbered(number: int, length: int = 60, destination: bytes = PEER, source: bytes = PEER) -> bytes:
    """A frame that says which one it is and how long; below 20 bytes there is room for its header alone."""
    body = _NUMBER.pack(number, length) + bytes((number + at) & 0xFF for at in range(max(0, length - _SHORTEST)))
    return ethernet(destination, source, body)[:length]


def as_sent(frame: bytes) -> tuple[int, bytes]:
    """Number and original of a frame that has arrived: what it must look like if no bit is wrong."""
    number, length = _NUMBER.unpack_from(frame, 14)
    return number, padded(numbered(number, length, frame[:6], frame[6:12]))


class Host(FunctionalProtocol):
    """`ended` counts completions by status; `answer(frame)` may give a frame to send for each received one."""

    drains_on_pause = True

    def __init__(self, host: Ndis, name: str) -> None:
        super().__init__(host, name)
        self.running = False
        self.ended: Counter[int] = Counter()
        self.answer: Callable[[bytes], bytes | None] = lambda _: None

    def keep(self, nanoseconds: int) -> None:
        """Hold what is received from now on, and give it back after so long, whatever happens meanwhile."""
        self.hold = self.hoards = True
        self.ndis.kernel.set_timer(nanoseconds, self._let_go)

    def _let_go(self) -> None:
        self.hold = self.hoards = False
        if self.held:
            self.give_back(*self.held)

    async def ask(self, oid: int, size: int) -> tuple[NdisStatus, ndis.OidRequest]:
        """A query with `size` bytes of canary."""
        request = ndis.query(oid, size)
        request.buffer[:] = bytes([CANARY]) * size
        return await self.request(request), request

    def send_numbered(self, numbers: range, destination: bytes, source: bytes, length: int = 60) -> list[bytes]:
        """Send one NBL per number in one call; the frames."""
        frames = [numbered(number, length, destination, source) for number in numbers]
        self.send(*frames)
        return frames

    async def net_pnp_event(self, event: ndis.NetPnpEvent) -> NdisStatus:
        """ProtocolNetPnPEvent: nothing is sent in a pause."""
        if event.event is NetEvent.PAUSE:
            self.running = False
        status = await super().net_pnp_event(event)
        if event.event is NetEvent.RESTART:
            self.running = True
        return status

    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        """ProtocolReceiveNetBufferLists: note, return, answer."""
        first = len(self.received)
        super().receive_net_buffer_lists(nbls, port, count, flags)
        answers = [answer for frame in self.received[first:] if (answer := self.answer(frame)) is not None]
        if answers and self.running:
            self.send(*answers)

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """ProtocolSendNetBufferListsComplete: count and free."""
        del flags
        self.completion_calls += 1
        for nbl in list(ndis.walk(nbls)):
            self.ended[nbl.status] += 1
            self.in_flight -= 1
            free_nbl(nbl)
        if self._drained is not None and not self.in_flight:
            self._drained.set()


class Traffic:
    """Random bursts to one destination, numbered in order, until `stop`."""

    def __init__(self, host: Host, destination: bytes, source: bytes, seed: Any, most: int = 64) -> None:
        self.host, self.destination, self.source, self.most = host, destination, source, most
        self.count = 0
        self._draw = Random(seed)
        self._on = True
        self._ended = host.ndis.kernel.create_event()
        host.ndis.kernel.queue_work_item(self._go)

    async def _go(self) -> None:
        kernel = self.host.ndis.kernel
        while self._on:
            if self.host.running and self.host.in_flight < self.most:
                lengths = [self._draw.randrange(20, 600) for _ in range(self._draw.randrange(1, 6))]
                frames = [
                    numbered(self.count + n, size, self.destination, self.source) for n, size in enumerate(lengths)
                ]
                self.count += len(frames)
                self.host.send(*frames)
            await kernel.sleep(self._draw.randrange(500, 8_000))
        self._ended.set()

    async def stop(self) -> None:
        """No more of it."""
        self._on = False
        await self._ended.wait()

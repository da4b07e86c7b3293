# SPDX-License-Identifier: Apache-2.0
"""The connection of an integrated call manager's signalling: the driver's own, NDIS knows nothing of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress

from hilnic import ndis
from hilnic.mcm.half import LONGEST_MESSAGE
from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.connections import Connections
from hilnic.miniport_co.entry import VcEntry
from hilnic.miniport_co.rx import VcReceiver
from hilnic.miniport_co.tx import VcTransmitter
from hilnic.ndis import NdisStatus, NetBufferList, ReceiveFlags

__all__ = ["MOST_WAITING", "SignalConnection", "Signals"]

Hear = Callable[[bytes], None]
MOST_WAITING = 256
"""Messages on their way; more are lost, as on a wire."""
_RESOURCES = int(ReceiveFlags.RESOURCES)


class Signals(Connection):
    """Messages as bytes; `hear` gets those that come. Subclasses know what data is."""

    is_known = False
    hear: Hear
    _waiting = 0

    def say(self, octets: bytes) -> None:
        """Send a message; it may be lost."""
        if self.tx is None or self._waiting >= MOST_WAITING:
            return
        with suppress(MemoryError):
            self.put(octets)

    @abstractmethod
    def put(self, octets: bytes) -> None:
        """Give a message to the transmit queue, which is there; MemoryError."""

    async def close(self) -> None:
        """At halt: everything goes."""
        await self.take_down(NdisStatus.PAUSED)
        await self.release()
        self.free_messages()

    @abstractmethod
    def free_messages(self) -> None:
        """Give back what messages were made of; none is on its way."""


class SignalConnection(Signals):
    """Of lists."""

    tx: SignalTransmitter | None
    rx: SignalReceiver | None

    def __init__(self, connections: Connections, entry: VcEntry, hear: Hear) -> None:
        super().__init__(connections, None, entry)  # type: ignore[arg-type]  # NDIS has no VC for it
        self.hear = hear
        self._adapter = connections.nic.handle
        self._pool = ndis.allocate_net_buffer_list_pool(
            self._adapter, ndis.NetBufferListPoolParameters(tag="signalling")
        )
        self._spare: list[NetBufferList] = []

    def make_queues(self, slot: int) -> tuple[SignalTransmitter, SignalReceiver]:
        """Those that bring the messages here."""
        return SignalTransmitter(self, slot), SignalReceiver(self, slot + 1)

    def put(self, octets: bytes) -> None:
        """In a list of its own."""
        assert self.tx is not None
        nbl = self._spare.pop() if self._spare else self._new()
        nb = nbl.first_net_buffer
        assert nb is not None
        assert nb.mdl_chain is not None
        nb.mdl_chain.region.view[: len(octets)] = octets
        nb.data_length = nb.mdl_chain.byte_count = len(octets)
        nb.frame_id = 0  # the trace gives each message its own
        self._waiting += 1
        self.tx.send(nbl)

    def _new(self) -> NetBufferList:
        region = self._adapter.ndis.kernel.allocate(LONGEST_MESSAGE)
        mdl = ndis.allocate_mdl(self._adapter, region, 0, LONGEST_MESSAGE)
        return ndis.allocate_net_buffer_and_net_buffer_list(self._pool, 0, 0, mdl, 0, LONGEST_MESSAGE)

    def said(self, nbls: NetBufferList) -> None:
        """Messages have gone, or been lost."""
        for nbl in list(ndis.walk(nbls)):
            nbl.next = None
            self._waiting -= 1
            self._spare.append(nbl)

    def heard(self, nbls: NetBufferList, flags: int) -> None:
        """Copy what has come; the buffers go back at once."""
        messages = [nb.tobytes() for nbl in ndis.walk(nbls) for nb in nbl.net_buffers()]
        if not flags & _RESOURCES:
            assert self.rx is not None
            self.rx.give_back(nbls)
        for octets in messages:
            self.hear(octets)

    def free_messages(self) -> None:
        """Lists, descriptors, memory, pool."""
        for nbl in self._spare:
            nb = nbl.first_net_buffer
            assert nb is not None
            assert nb.mdl_chain is not None
            self._adapter.ndis.kernel.free(nb.mdl_chain.region)
            ndis.free_mdl(nb.mdl_chain)
            ndis.free_net_buffer_list(nbl)
        ndis.free_net_buffer_list_pool(self._pool)


class SignalTransmitter(VcTransmitter):
    """Completes to the connection instead of NDIS."""

    _connection: SignalConnection

    def hand_back(self, nbls: NetBufferList, flags: int) -> None:
        """They are the driver's own."""
        del flags
        self._connection.said(nbls)


class SignalReceiver(VcReceiver):
    """Indicates to the connection instead of NDIS."""

    _connection: SignalConnection

    def hand_up(self, nbls: NetBufferList | None, count: int, flags: int) -> None:
        """Nobody else sees them."""
        del count
        if nbls is not None:
            self._connection.heard(nbls, flags)

# SPDX-License-Identifier: Apache-2.0
"""The connection of an integrated call manager's signalling: the driver's own, NDIS knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable

from hilnic import ndis
from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.connections import Connections
from hilnic.miniport_co.entry import VcEntry
from hilnic.miniport_co.rx import VcReceiver
from hilnic.miniport_co.tx import VcTransmitter
from hilnic.ndis import NdisStatus, NetBufferList, ReceiveFlags

__all__ = ["SignalConnection"]

_RESOURCES = int(ReceiveFlags.RESOURCES)
_LONGEST = 512
_MOST_WAITING = 1024
"""Messages on their way; more are lost, as on a wire."""


class SignalConnection(Connection):
    """Messages as bytes; `hear` gets those that come."""

    tx: SignalTransmitter | None
    rx: SignalReceiver | None

    def __init__(self, connections: Connections, entry: VcEntry, hear: Callable[[bytes], None]) -> None:
        super().__init__(connections, None, entry)  # type: ignore[arg-type]  # NDIS has no VC for it
        self.hear = hear
        self._adapter = connections.nic.handle
        self._pool = ndis.allocate_net_buffer_list_pool(
            self._adapter, ndis.NetBufferListPoolParameters(tag="signalling")
        )
        self._spare: list[NetBufferList] = []
        self._waiting = 0

    def make_queues(self, slot: int) -> tuple[SignalTransmitter, SignalReceiver]:
        """Those that bring the messages here."""
        return SignalTransmitter(self, slot), SignalReceiver(self, slot + 1)

    def say(self, octets: bytes) -> None:
        """Send a message; it may be lost."""
        if self.tx is None or self._waiting >= _MOST_WAITING:
            return
        try:
            nbl = self._spare.pop() if self._spare else self._new()
        except MemoryError:
            return
        nb = nbl.first_net_buffer
        assert nb is not None
        assert nb.mdl_chain is not None
        nb.mdl_chain.region.view[: len(octets)] = octets
        nb.data_length = nb.mdl_chain.byte_count = len(octets)
        self._waiting += 1
        self.tx.send(nbl)

    def _new(self) -> NetBufferList:
        region = self._adapter.ndis.kernel.allocate(_LONGEST)
        mdl = ndis.allocate_mdl(self._adapter, region, 0, _LONGEST)
        return ndis.allocate_net_buffer_and_net_buffer_list(self._pool, 0, 0, mdl, 0, _LONGEST)

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

    async def close(self) -> None:
        """At halt: everything goes."""
        await self.take_down(NdisStatus.PAUSED)
        await self.release()
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

# SPDX-License-Identifier: Apache-2.0
"""SDUs of a connection-oriented protocol: bytes into NET_BUFFER_LISTs, or NDIS_PACKETs, and home again.

A list or packet of one SDU is kept with its memory and used again; `close` gives everything back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, condis, ndis5
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import Packet

__all__ = ["PacketPool", "SduPool", "SduSender"]


class SduSender(Protocol):
    """What a protocol of either version sends its SDUs from."""

    outstanding: int

    def send(self, vc: condis.VcHandle, sdus: Iterable[bytes]) -> int:
        """Send each SDU by itself, all in one call; how many.

        ValueError: one is too long. MemoryError: there is no room for all of them. Then none has been sent.
        """
        ...

    def close(self) -> None:
        """Give everything back; nothing is outstanding."""
        ...


class SduPool:
    """The send buffers of one protocol driver."""

    def __init__(self, driver: ndis.ProtocolDriver, size: int, tag: str) -> None:
        self._driver, self._size = driver, size
        self._pool = ndis.allocate_net_buffer_list_pool(driver, ndis.NetBufferListPoolParameters(tag=tag))
        self._spare: list[NetBufferList] = []
        self.outstanding = 0

    def send(self, vc: condis.VcHandle, sdus: Iterable[bytes]) -> int:
        """Send each SDU in a list of its own, all in one call; how many. ValueError for one that is too long."""
        nbls: list[NetBufferList] = []
        try:
            for sdu in sdus:
                nbl = self._filled(sdu)
                nbl.source_handle = vc
                nbls.append(nbl)
        except (MemoryError, ValueError):
            self._spare += nbls
            raise
        if nbls:
            self.outstanding += len(nbls)
            condis.co_send_net_buffer_lists(vc, ndis.chain(nbls))
        return len(nbls)

    def completed(self, nbls: NetBufferList) -> tuple[int, int]:
        """Take lists back that have been sent; (how many, how many of them failed)."""
        number = failed = 0
        for nbl in ndis.walk(nbls):
            number += 1
            failed += nbl.status != ndis.NdisStatus.SUCCESS
            self._spare.append(nbl)
        self.outstanding -= number
        return number, failed

    def close(self) -> None:
        """Give everything back; nothing is outstanding."""
        for nbl in self._spare:
            nb = nbl.first_net_buffer
            assert nb is not None
            assert nb.mdl_chain is not None
            self._driver.ndis.kernel.free(nb.mdl_chain.region)
            ndis.free_mdl(nb.mdl_chain)
            ndis.free_net_buffer_list(nbl)
        self._spare.clear()
        ndis.free_net_buffer_list_pool(self._pool)

    def _filled(self, sdu: bytes) -> NetBufferList:
        if len(sdu) > self._size:
            raise ValueError(f"an SDU of {len(sdu)} bytes, {self._size} is the longest")
        nbl = self._spare.pop() if self._spare else self._new()
        nb = nbl.first_net_buffer
        assert nb is not None
        mdl = nb.mdl_chain
        assert mdl is not None
        mdl.region.view[: len(sdu)] = sdu
        nb.data_length = mdl.byte_count = len(sdu)
        return nbl

    def _new(self) -> NetBufferList:
        region = self._driver.ndis.kernel.allocate(self._size)
        mdl = ndis.allocate_mdl(self._driver, region, 0, self._size)
        return ndis.allocate_net_buffer_and_net_buffer_list(self._pool, 0, 0, mdl, 0, self._size)


class PacketPool:
    """The same of a protocol of NDIS 5."""

    def __init__(self, driver: ndis.ProtocolDriver, size: int, number: int, tag: str) -> None:
        self._driver, self._size = driver, size
        _, packets = ndis5.allocate_packet_pool(driver, number, tag=tag)
        _, buffers = ndis5.allocate_buffer_pool(driver, number, tag=tag)
        assert packets is not None
        assert buffers is not None
        self._packets, self._buffers = packets, buffers
        self._spare: list[tuple[Packet, ndis.Mdl]] = []
        self._sent: dict[Packet, ndis.Mdl] = {}
        self.outstanding = 0

    def send(self, vc: condis.VcHandle, sdus: Iterable[bytes]) -> int:
        """Send each SDU in a packet of its own, all in one array; how many. ValueError for one that is too long."""
        packets: list[Packet] = []
        try:
            packets += map(self._filled, sdus)
        except (MemoryError, ValueError):
            self._spare += [(packet, self._sent.pop(packet)) for packet in packets]
            raise
        if packets:
            self.outstanding += len(packets)
            condis5.co_send_packets(vc, packets)
        return len(packets)

    def completed(self, packet: Packet, status: int) -> tuple[int, int]:
        """Take a packet back that has been sent; (1, whether it failed)."""
        self._spare.append((packet, self._sent.pop(packet)))
        self.outstanding -= 1
        return 1, int(status != NdisStatus.SUCCESS)

    def close(self) -> None:
        """Give everything back; nothing is outstanding."""
        for packet, mdl in self._spare:
            ndis5.reinitialize_packet(packet)
            self._driver.ndis.kernel.free(mdl.region)
            ndis5.free_buffer(mdl)
            ndis5.free_packet(packet)
        self._spare.clear()
        ndis5.free_packet_pool(self._packets)
        ndis5.free_buffer_pool(self._buffers)

    def _filled(self, sdu: bytes) -> Packet:
        if len(sdu) > self._size:
            raise ValueError(f"an SDU of {len(sdu)} bytes, {self._size} is the longest")
        packet, mdl = self._spare.pop() if self._spare else self._new()
        ndis5.reinitialize_packet(packet)
        mdl.region.view[: len(sdu)] = sdu
        mdl.byte_count = len(sdu)
        ndis5.chain_buffer_at_front(packet, mdl)
        self._sent[packet] = mdl
        return packet

    def _new(self) -> tuple[Packet, ndis.Mdl]:
        kernel = self._driver.ndis.kernel
        region = kernel.allocate(self._size)
        _, packet = ndis5.allocate_packet(self._packets)
        _, mdl = ndis5.allocate_buffer(self._buffers, region)
        if packet is not None and mdl is not None:
            return packet, mdl
        if packet is not None:
            ndis5.free_packet(packet)
        if mdl is not None:
            ndis5.free_buffer(mdl)
        kernel.free(region)
        raise MemoryError("no packet is left")

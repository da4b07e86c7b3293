# SPDX-License-Identifier: Apache-2.0
"""SDUs of a connection-oriented protocol: bytes into NET_BUFFER_LISTs and home again.

A list of one SDU is kept with its memory and used again; memory and lists are given back by `close`.
"""

from __future__ import annotations

from collections.abc import Iterable

from hilnic import ndis
from hilnic.ndis import NetBufferList, condis

__all__ = ["SduPool"]


class SduPool:
    """The send buffers of one protocol driver."""

    def __init__(self, driver: ndis.ProtocolDriver, size: int, tag: str) -> None:
        self._driver, self._size = driver, size
        self._pool = ndis.allocate_net_buffer_list_pool(driver, ndis.NetBufferListPoolParameters(tag=tag))
        self._spare: list[NetBufferList] = []
        self.outstanding = 0

    def send(self, vc: condis.VcHandle, sdus: Iterable[bytes], flags: int = 0) -> int:
        """Send each SDU in a list of its own, all in one call; how many. ValueError for one that is too long."""
        nbls = []
        for sdu in sdus:
            nbl = self._filled(sdu)
            nbl.source_handle = vc
            nbls.append(nbl)
        if nbls:
            self.outstanding += len(nbls)
            condis.co_send_net_buffer_lists(vc, ndis.chain(nbls), flags)
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

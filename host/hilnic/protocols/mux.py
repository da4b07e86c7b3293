# SPDX-License-Identifier: Apache-2.0
"""MUX: several virtual adapters, each with a MAC address of its own, over one NIC; the same NBLs all the way through.

A frame for several of them is lent to all but the last (`share="lend"`) or cloned for them (`share="clone"`); the last
one gets the original, which goes back to the NIC once it and all clones have come back (IM-11, IM-16).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal, cast

from hilnic import ndis
from hilnic.ndis import NetBufferList, ReceiveFlags, SendFlags
from hilnic.ndis.ethernet import destination, filter_accepts
from hilnic.protocols.intermediate import IntermediateDriver, LowerEdge
from hilnic.protocols.virtual_miniport import VirtualMiniport

__all__ = ["Mux", "MuxEdge", "MuxMiniport"]

Share = Literal["lend", "clone"]

_RESOURCES = int(ReceiveFlags.RESOURCES)
_LOOPBACK = int(SendFlags.CHECK_FOR_LOOPBACK)


class MuxMiniport(VirtualMiniport):
    """One virtual adapter: sends its NBLs on as they are, with the source handle of the lower edge."""

    def forward(self, nbls: NetBufferList, send_flags: int) -> None:
        """Save the upper source handle, write our own (IM-01); loopback has been done above us (IM-08)."""
        edge = cast("MuxEdge", self.edge)
        for nbl in ndis.walk(nbls):
            edge.sources[nbl] = self, nbl.source_handle
            nbl.source_handle = edge.binding
            edge.sends_below += 1
        ndis.send_net_buffer_lists(edge.handle, nbls, 0, send_flags & ~_LOOPBACK)

    def wants(self, nbl: NetBufferList) -> bool:
        """Whether anybody above may want the frame."""
        nb = nbl.first_net_buffer
        if nb is None or not self.running:
            return False
        return filter_accepts(self.packet_filter, self.mac_address, self.multicast_list, destination(nb))


class MuxEdge(LowerEdge):
    """The lower edge: sorts completions and receives by virtual adapter."""

    virtual_type: type[VirtualMiniport] = MuxMiniport

    def __init__(self, driver: IntermediateDriver, bind_context: Any, parameters: ndis.BindParameters) -> None:
        super().__init__(driver, bind_context, parameters)
        self.share: Share = cast("Mux", driver).share
        self.sources: dict[NetBufferList, tuple[VirtualMiniport, Any]] = {}  # of what is below: whose, its old handle
        self.above: dict[NetBufferList, tuple[Any, int]] = {}  # of what is above: its old handle, how many hold it
        self.pool = ndis.allocate_net_buffer_list_pool(
            driver.miniport, ndis.NetBufferListPoolParameters(tag=driver.name)
        )

    def free(self) -> None:
        """The pool goes with the binding."""
        ndis.free_net_buffer_list_pool(self.pool)

    # Completions.

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """Restore each source handle, then give each virtual adapter its own (IM-02)."""
        del flags
        for virtual, chain, number in ndis.classify(nbls, self.restore):
            self.sends_below -= number
            virtual.finish(chain)
        self.check_drained()

    def restore(self, nbl: NetBufferList) -> VirtualMiniport:
        """Write back the source handle that the list came with; whose it is."""
        virtual, nbl.source_handle = self.sources.pop(nbl)
        return virtual

    # Receives.

    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        """Neighbours in the list with the same takers go up together, in order (IM-06)."""
        del count
        lists = list(ndis.walk(nbls))
        for takers, run in groupby(lists, self._takers):
            members = list(run)
            if flags & _RESOURCES:
                for virtual in takers:
                    self.lend(virtual, members, port, flags)
            elif not takers:
                ndis.return_net_buffer_lists(self.handle, ndis.chain(members))
            else:
                self.share_out(takers, members, port, flags)
        if flags & _RESOURCES:
            ndis.chain(lists)  # lent lists keep their links

    def _takers(self, nbl: NetBufferList) -> tuple[MuxMiniport, ...]:
        return tuple(virtual for virtual in cast("list[MuxMiniport]", self.virtuals) if virtual.wants(nbl))

    def lend(self, virtual: VirtualMiniport, members: list[NetBufferList], port: int, flags: int) -> None:
        """Let one virtual adapter look at lists that are the NIC's or somebody else's as well (IM-11)."""
        handles = [self.take(virtual, nbl) for nbl in members]
        ndis.indicate_receive_net_buffer_lists(
            virtual.handle, ndis.chain(members), port, len(members), flags | _RESOURCES
        )
        for nbl, handle in zip(members, handles, strict=True):
            nbl.source_handle = handle

    def take(self, virtual: VirtualMiniport, nbl: NetBufferList) -> Any:
        """Save the lower source handle, write the virtual adapter's (IM-03)."""
        handle, nbl.source_handle = nbl.source_handle, virtual.adapter
        return handle

    def share_out(self, takers: Sequence[VirtualMiniport], members: list[NetBufferList], port: int, flags: int) -> None:
        """One receive for several virtual adapters: the last one gets the original."""
        *others, last = takers
        self.receives_held += len(members)
        copies = []
        for virtual in others:
            if self.share == "lend":
                self.lend(virtual, members, port, flags)
            else:
                copies.append((virtual, [self.clone(virtual, nbl) for nbl in members]))
        for nbl in members:
            self.above[nbl] = self.take(last, nbl), 1 + len(copies)
        for virtual, lists in (*copies, (last, members)):
            ndis.indicate_receive_net_buffer_lists(virtual.handle, ndis.chain(lists), port, len(lists), flags)

    def clone(self, virtual: VirtualMiniport, original: NetBufferList) -> NetBufferList:
        """One more description of a received frame, with its out-of-band information (IM-09)."""
        clone = ndis.allocate_clone_net_buffer_list(original, self.pool)
        ndis.copy_receive_net_buffer_list_info(clone, original)
        clone.nbl_flags = original.nbl_flags
        clone.source_handle = virtual.adapter
        return clone

    def give_back(self, nbls: NetBufferList, return_flags: int) -> None:
        """Each goes back to the NIC when its last holder has returned it, its source handle restored (IM-16)."""
        home = ndis.NblQueue()
        for nbl in ndis.walk(nbls):
            original = nbl
            if nbl.pool is self.pool and nbl.parent_net_buffer_list is not None:
                original = nbl.parent_net_buffer_list
                ndis.free_clone_net_buffer_list(nbl)
            handle, holders = self.above.pop(original)
            if holders > 1:
                self.above[original] = handle, holders - 1
            else:
                original.source_handle = handle
                home.append(original)
        if home.first is not None:
            self.receives_held -= home.count
            ndis.return_net_buffer_lists(self.handle, home.first, return_flags)
        self.check_drained()


class Mux(IntermediateDriver):
    """Several virtual adapters over one NIC."""

    edge_type: type[LowerEdge] = MuxEdge

    def __init__(
        self, host: ndis.Ndis, name: str, lower: str = "", addresses: Sequence[bytes] = (), share: Share = "lend"
    ) -> None:
        self.share: Share = share
        super().__init__(host, name, lower, addresses)

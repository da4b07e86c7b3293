# SPDX-License-Identifier: Apache-2.0
"""Splitter: one virtual adapter that takes every NBL apart, sends its frames on one by one, and returns it whole.

`cut="frames"` puts each NET_BUFFER itself into an NBL of its own. `cut="mdls"` takes the MDLs out of the NET_BUFFER as
well and puts them into a new one. Frames that `passes` does not want are dropped. The original completes once, after
all pieces made from it, with the first failure as its status (IM-04), in the form in which it came (IM-05).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from hilnic import ndis
from hilnic.ndis import Mdl, NdisStatus, NetBuffer, NetBufferList, SendFlags
from hilnic.protocols.intermediate import IntermediateDriver, LowerEdge
from hilnic.protocols.mux import Mux, MuxEdge, MuxMiniport
from hilnic.protocols.virtual_miniport import VirtualMiniport

__all__ = ["Splitter", "SplitterEdge", "SplitterMiniport"]

Cut = Literal["frames", "mdls"]
Passes = Callable[[NetBuffer], bool]

_LOOPBACK = int(SendFlags.CHECK_FOR_LOOPBACK)


@dataclass(slots=True)
class _Frame:
    """One NET_BUFFER as it came."""

    nb: NetBuffer
    passes: bool
    mdls: list[Mdl] = field(default_factory=list)
    current_mdl: Mdl | None = None
    current_mdl_offset: int = 0


@dataclass(slots=True)
class _Original:
    """A list that was taken apart."""

    nbl: NetBufferList
    frames: list[_Frame]
    pieces: int = 0
    status: int = NdisStatus.SUCCESS


class SplitterMiniport(MuxMiniport):
    """The upper edge: takes lists apart."""

    def forward(self, nbls: NetBufferList, send_flags: int) -> None:
        """Send the pieces of all lists on in one call, in order; a list of which nothing goes on is complete."""
        edge = cast("SplitterEdge", self.edge)
        pieces, finished = ndis.NblQueue(), ndis.NblQueue()
        for nbl in ndis.walk(nbls):
            original = edge.take_apart(nbl)
            for frame in original.frames:
                if frame.passes:
                    pieces.append(edge.piece(original, frame))
            if not original.pieces:
                edge.put_together(original)
                finished.append(nbl)
        if finished.first is not None:
            self.finish(finished.first)
        if pieces.first is not None:
            edge.sends_below += pieces.count
            ndis.send_net_buffer_lists(edge.handle, pieces.first, 0, send_flags & ~_LOOPBACK)


class SplitterEdge(MuxEdge):
    """The lower edge: keeps the books of the pieces."""

    virtual_type: type[VirtualMiniport] = SplitterMiniport

    def __init__(self, driver: IntermediateDriver, bind_context: Any, parameters: ndis.BindParameters) -> None:
        super().__init__(driver, bind_context, parameters)
        splitter = cast("Splitter", driver)
        self.cut, self.passes = splitter.cut, splitter.passes
        self.made_from: dict[NetBufferList, _Original] = {}
        self.shells = ndis.allocate_net_buffer_list_pool(
            driver.miniport, ndis.NetBufferListPoolParameters(allocate_net_buffer=False, tag=f"{driver.name} pieces")
        )
        self.net_buffers = ndis.allocate_net_buffer_pool(driver.miniport, f"{driver.name} frames")

    def free(self) -> None:
        """The pools go with the binding."""
        super().free()
        ndis.free_net_buffer_list_pool(self.shells)
        ndis.free_net_buffer_pool(self.net_buffers)

    def take_apart(self, nbl: NetBufferList) -> _Original:
        """Separate the frames of a list, and their MDLs when those go on in new NET_BUFFERs."""
        frames = []
        for nb in list(nbl.net_buffers()):
            frame = _Frame(nb, self.passes(nb))
            nb.next = None
            if self.cut == "mdls" and frame.passes:
                frame.mdls = list(ndis.walk_mdls(nb.mdl_chain))
                frame.current_mdl, frame.current_mdl_offset = nb.current_mdl, nb.current_mdl_offset
                for mdl in frame.mdls:
                    mdl.next = None
            frames.append(frame)
        nbl.first_net_buffer = None
        return _Original(nbl, frames)

    def piece(self, original: _Original, frame: _Frame) -> NetBufferList:
        """A list of one frame, with the original's out-of-band information (IM-09)."""
        piece = ndis.allocate_net_buffer_list(self.shells)
        nb = frame.nb
        if self.cut == "mdls":
            nb = ndis.allocate_net_buffer(
                self.net_buffers, ndis.link(*frame.mdls), frame.nb.data_offset, frame.nb.data_length
            )
            nb.frame_id = frame.nb.frame_id
            frame.nb.mdl_chain = frame.nb.current_mdl = None
        piece.first_net_buffer = nb
        piece.parent_net_buffer_list = original.nbl
        original.nbl.child_ref_count += 1
        original.pieces += 1
        ndis.copy_send_net_buffer_list_info(piece, original.nbl)
        piece.flags, piece.nbl_flags = original.nbl.flags, original.nbl.nbl_flags
        piece.source_handle = self.binding
        self.made_from[piece] = original
        return piece

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """Free the pieces; an original whose last piece it was goes back whole."""
        del flags
        finished = ndis.NblQueue()
        for piece in ndis.walk(nbls):
            self.sends_below -= 1
            original = self.made_from.pop(piece)
            original.pieces -= 1
            original.nbl.child_ref_count -= 1
            if original.status == NdisStatus.SUCCESS:
                original.status = piece.status
            if self.cut == "mdls" and piece.first_net_buffer is not None:
                ndis.free_net_buffer(piece.first_net_buffer)
            piece.first_net_buffer = None
            ndis.free_net_buffer_list(piece)
            if not original.pieces:
                self.put_together(original)
                finished.append(original.nbl)
        if finished.first is not None:
            self.virtuals[0].finish(finished.first)
        self.check_drained()

    def put_together(self, original: _Original) -> None:
        """The list as it came: its frames, their MDLs, and the status of all of it (IM-05)."""
        before: NetBuffer | None = None
        for frame in original.frames:
            if frame.mdls:
                ndis.link(*frame.mdls)
                frame.nb.mdl_chain = frame.mdls[0]
                frame.nb.current_mdl, frame.nb.current_mdl_offset = frame.current_mdl, frame.current_mdl_offset
            if before is None:
                original.nbl.first_net_buffer = frame.nb
            else:
                before.next = frame.nb
            before = frame.nb
        original.nbl.status = original.status


def everything(nb: NetBuffer) -> bool:
    """Pass every frame on."""
    del nb
    return True


class Splitter(Mux):
    """One virtual adapter over one NIC, with the NIC's address; receives pass through."""

    edge_type: type[LowerEdge] = SplitterEdge

    def __init__(
        self, host: ndis.Ndis, name: str, lower: str = "", cut: Cut = "frames", passes: Passes = everything
    ) -> None:
        self.cut: Cut = cut
        self.passes: Passes = passes
        super().__init__(host, name, lower)

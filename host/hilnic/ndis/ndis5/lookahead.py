# SPDX-License-Identifier: Apache-2.0
"""ProtocolReceive: header and lookahead buffer, valid during the call; the rest by NdisTransferData (R5-16 to R5-30).

    header | lookahead ........ | only by transfer_data
           |<---------------- packet_size ------------->|

What is indicated comes from a miniport's lookahead (`eth_indicate_receive` and its relatives) or from a full packet,
whose data is then all lookahead (R5-13). The `Indication` is the protocol's MacReceiveContext.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.flags import MacOptions, NdisMedium
from hilnic.ndis.ndis5 import miniport_edge, protocol_edge, whole
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.verifier.packet_ledger import HEADER_SIZES
from hilnic.ndis.verifier.packet_shadow import fill
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge

COMPLETE_WITHIN_NS = 1_000_000_000
"""A miniport that indicates a lookahead calls its IndicateReceiveComplete within this time (R5-24)."""

_COPY_LOOKAHEAD_DATA = int(MacOptions.COPY_LOOKAHEAD_DATA)


class Indication:
    """One receive while its handlers run: what the protocols transfer from."""

    __slots__ = ("edge", "is_current", "packet", "packet_size", "receive_context")

    def __init__(
        self, packet_size: int, edge: MiniportEdge | None, receive_context: Any, packet: Packet | None
    ) -> None:
        self.packet_size = packet_size
        self.edge = edge  # of a lookahead indication
        self.receive_context = receive_context
        self.packet = packet  # of a packet indication
        self.is_current = True

    def __repr__(self) -> str:
        return f"Indication({self.packet_size} bytes)"


class DeviceMemory:
    """A lookahead buffer that may lie on the card: read it with `copy_lookahead_data` (R5-30)."""

    __slots__ = ("_edge", "_view")

    def __init__(self, edge: BindingEdge, view: memoryview) -> None:
        self._edge = edge
        self._view = view

    def __len__(self) -> int:
        return len(self._view)

    def __getitem__(self, at: Any) -> Any:
        return self._read()[at]

    def __bytes__(self) -> bytes:
        return bytes(self._read())

    def _read(self) -> memoryview:
        detail = "lookahead read directly although the MAC options lack COPY_LOOKAHEAD_DATA"
        self._edge.ndis.warning("R5-30", self._edge, self._edge, detail)
        return self._view

    def copy(self) -> bytes:
        """The bytes, as the helper reads them."""
        return bytes(self._view)


def copy_lookahead_data(lookahead: memoryview | DeviceMemory) -> bytes:
    """NdisCopyLookaheadData: read a lookahead buffer wherever it lies (R5-30)."""
    return lookahead.copy() if isinstance(lookahead, DeviceMemory) else bytes(lookahead)


# From a full packet.


def receive_whole(edge: BindingEdge, packet: Packet) -> None:
    """ProtocolReceive with all of a packet as lookahead (R5-13)."""
    head = packet.head
    assert head is not None
    if head.next is None:
        data = head.view
    else:
        data = memoryview(bytearray(packet.tobytes()))  # several buffers become one
        edge.ndis.ndis5.copies += 1
        edge.ndis.xlate_copies += len(data)
    size = packet.oob.header_size
    indication = Indication(len(data) - size, None, None, packet)
    _receive(edge, indication, data[:size], data[size:])
    indication.is_current = False


def _receive(edge: BindingEdge, indication: Indication, header: memoryview, lookahead: memoryview) -> None:
    """Call ProtocolReceive; with the verifier on, the buffers are copies that are poisoned afterwards (R5-17).

    What it answers (SUCCESS, NOT_ACCEPTED) changes nothing (R5-25).
    """
    if edge.receive_handler is None:
        return
    edge.is_receive_complete_due = True
    if edge.ledger is None:
        edge.receive_handler(edge.context, indication, header, lookahead, indication.packet_size)
        return
    header_copy, lookahead_copy = memoryview(bytearray(header)), memoryview(bytearray(lookahead))
    shown: Any = lookahead_copy
    if not edge.core.adapter.attributes.mac_options & _COPY_LOOKAHEAD_DATA:
        shown = DeviceMemory(edge, lookahead_copy)
    edge.receive_handler(edge.context, indication, header_copy, shown, indication.packet_size)
    if header_copy != header or lookahead_copy != lookahead:
        edge.ndis.violation("R5-12", edge, indication, "the header or the lookahead was written to")
    fill(header_copy)
    fill(lookahead_copy)


# From a miniport's lookahead.


@wdk("NdisMEthIndicateReceive", callout=True)
def eth_indicate_receive(
    adapter: Adapter, receive_context: Any, header: memoryview, lookahead: memoryview, packet_size: int
) -> None:
    """Indicate a frame by its header and the beginning of its data; `packet_size` counts without the header (R5-16).

    The buffers need to be valid during this call only. `transfer_data` is called inside it for more (R5-27).
    """
    _indicate(adapter, NdisMedium.MEDIUM_802_3, receive_context, header, lookahead, packet_size)


@wdk("NdisMTrIndicateReceive", callout=True)
def tr_indicate_receive(
    adapter: Adapter, receive_context: Any, header: memoryview, lookahead: memoryview, packet_size: int
) -> None:
    """The same for token ring, whose header has 14 bytes and up to 18 of source routing (R5-29)."""
    _indicate(adapter, NdisMedium.MEDIUM_802_5, receive_context, header, lookahead, packet_size)


@wdk("NdisMFddiIndicateReceive", callout=True)
def fddi_indicate_receive(
    adapter: Adapter, receive_context: Any, header: memoryview, lookahead: memoryview, packet_size: int
) -> None:
    """The same for FDDI."""
    _indicate(adapter, NdisMedium.FDDI, receive_context, header, lookahead, packet_size)


@wdk("NdisMEthIndicateReceiveComplete", callout=True)
def eth_indicate_receive_complete(adapter: Adapter) -> None:
    """One or more frames have been indicated: the protocols may work on what they have (R5-23, R5-24)."""
    _complete(adapter)


@wdk("NdisMTrIndicateReceiveComplete", callout=True)
def tr_indicate_receive_complete(adapter: Adapter) -> None:
    """The same for token ring."""
    _complete(adapter)


@wdk("NdisMFddiIndicateReceiveComplete", callout=True)
def fddi_indicate_receive_complete(adapter: Adapter) -> None:
    """The same for FDDI."""
    _complete(adapter)


def _indicate(
    adapter: Adapter,
    medium: NdisMedium,
    receive_context: Any,
    header: memoryview,
    lookahead: memoryview,
    packet_size: int,
) -> None:
    edge = miniport_edge.edge_of(adapter, "NdisMXxxIndicateReceive")
    if edge is None:
        return
    ndis = adapter.ndis
    if not miniport_edge.may_indicate(edge):
        return
    if edge.ledger is not None:
        _check(edge, medium, header, lookahead, packet_size)
    if adapter.wire_watch is not None:
        adapter.wire_watch.shown(bytes(header) + bytes(lookahead), len(header) + packet_size)
    _expect_complete(edge)
    at_dispatch(ndis.kernel, _deliver, edge, receive_context, header, lookahead, packet_size)


def _check(edge: MiniportEdge, medium: NdisMedium, header: memoryview, lookahead: memoryview, packet_size: int) -> None:
    ndis, adapter = edge.ndis, edge.adapter
    least, most = HEADER_SIZES[medium]
    if edge.medium is not medium or not least <= len(header) <= most:
        detail = f"a {medium.name} header of {len(header)} bytes on {edge.medium.name}"
        ndis.violation("R5-29", adapter, adapter, detail)
    wanted = min(max((binding.lookahead for binding in adapter.bindings), default=0), packet_size)
    if not wanted <= len(lookahead) <= packet_size:
        detail = f"a lookahead of {len(lookahead)} bytes, {wanted} wanted, {packet_size} there"
        ndis.violation("R5-16", adapter, adapter, detail)


def _deliver(
    edge: MiniportEdge, receive_context: Any, header: memoryview, lookahead: memoryview, packet_size: int
) -> None:
    """Show it to the 5.x bindings that ask for it; NDIS makes the whole frame when filters or 6.x bindings want it."""
    adapter, address = edge.adapter, bytes(header[:6])
    indication = Indication(packet_size, edge, receive_context, None)
    others: Sequence[Any] = adapter.receivers
    if not adapter.filters:
        others = [other for other in protocol_edge.bindings_of_6(adapter) if protocol_edge.asks_for(other, address)]
        for receiver in protocol_edge.edges_of(adapter):
            if receiver.accepts(address):
                _receive(receiver, indication, header, lookahead)
    if others or adapter.filters:
        whole.put_together(edge, receive_context, header, lookahead, packet_size, tuple(others))
    indication.is_current = False


def _expect_complete(edge: MiniportEdge) -> None:
    """R5-24: the verifier looks whether the complete call comes."""
    if edge.receive_watch is None and edge.ledger is not None:
        edge.receive_watch = edge.ndis.kernel.set_watchdog(COMPLETE_WITHIN_NS, lambda: _miss_complete(edge))


def _miss_complete(edge: MiniportEdge) -> None:
    edge.receive_watch = None
    edge.ndis.violation("R5-24", edge.adapter, edge.adapter, "no IndicateReceiveComplete after an IndicateReceive")


def _complete(adapter: Adapter) -> None:
    edge = miniport_edge.edge_of(adapter, "NdisMXxxIndicateReceiveComplete")
    if edge is None:
        return
    if edge.receive_watch is not None:
        edge.receive_watch.cancel()
        edge.receive_watch = None
    for receiver in protocol_edge.edges_of(adapter):
        receiver.receive_complete()

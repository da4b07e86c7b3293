# SPDX-License-Identifier: Apache-2.0
"""Software loopback of NDIS 5 sends: on unless the packet or the sender's options say no (LB-12, A11).

Who gets a copy is decided in ndis/loopback.py, as for NDIS 6; the default alone differs. The copy is a packet of NDIS's
own, marked IS_LOOPBACK_PACKET, shown from a DPC: whole, whichever receive handler the protocol has (R5-15, LB-13).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis import loopback as core
from hilnic.ndis.binding import Binding
from hilnic.ndis.flags import MacOptions, PacketFilter
from hilnic.ndis.ndis5 import oob, owned, protocol_edge, receive
from hilnic.ndis.ndis5.constants import PacketFlags, PacketInfo, ProtocolOptions
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.states import ADAPTER_OPERATIONS, Operation

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge

_ETHERNET_HEADER = 14
_NO_LOOPBACK = int(MacOptions.NO_LOOPBACK)
_DONT_LOOPBACK = int(PacketFlags.DONT_LOOPBACK)
_LOOPBACK_ONLY = int(PacketFlags.LOOPBACK_ONLY)
_LOOPED = int(PacketFlags.IS_LOOPBACK_PACKET)
_OPTION_OFF = int(ProtocolOptions.NO_LOOPBACK)
_ALL_LOCAL = int(PacketFilter.ALL_LOCAL)
_TAG = int(PacketInfo.IEEE_8021Q)


def loop(sender: BindingEdge, lower: MiniportEdge, packet: Packet) -> None:
    """Copy a packet that is about to be sent, or is for loopback only, for the bindings of its adapter that want it."""
    adapter, head = lower.adapter, packet.head
    only = packet.flags & _LOOPBACK_ONLY
    if head is None or not (only or adapter.attributes.mac_options & _NO_LOOPBACK):
        return  # without the option the card loops (LB-09), but what it does not get (LB-10)
    wanted = not (packet.flags & _DONT_LOOPBACK or sender.protocol_options & _OPTION_OFF)
    address = bytes(head.view[:6])
    own = wanted and (sender.core.packet_filter & _ALL_LOCAL or sender.accepts(address))
    if not own and not adapter.loopback and not only:
        return  # the sender does not want it, and nobody else listens in
    receivers = core.looped_to(core.station_of(adapter), adapter.bindings, sender.core, wanted, address)
    copy = _copy(sender, packet) if receivers else None
    if copy is not None:
        sender.ndis.kernel.queue_dpc(lambda: _deliver(lower, copy, receivers))


def _copy(sender: BindingEdge, packet: Packet) -> Packet | None:
    """The frame as it was sent; None without memory, and then nothing loops."""
    data = packet.tobytes()
    copy = owned.make(sender.ndis, len(data), _ETHERNET_HEADER, packet.flags & ~_DONT_LOOPBACK | _LOOPED)
    if copy is None or copy.head is None:
        return None
    copy.head.view[:] = data
    oob.copy_out_of_band(copy, packet)
    copy.oob.header_size = packet.oob.header_size or _ETHERNET_HEADER
    copy.packet_info[_TAG] = packet.packet_info[_TAG]
    sender.ndis.ndis5.copies += 1
    return copy


def _deliver(lower: MiniportEdge, copy: Packet, chosen: tuple[Binding, ...]) -> None:
    """The DPC: to those of the chosen that are still there."""
    adapter = lower.adapter
    present = [binding for binding in chosen if binding in adapter.receivers]
    if Operation.INDICATE not in ADAPTER_OPERATIONS[adapter.state]:
        present = []
    edges = [binding.context for binding in present if isinstance(binding.context, protocol_edge.BindingEdge)]
    others = tuple(binding for binding in present if binding.context not in edges)
    receive.present_looped(lower, copy, edges, others)

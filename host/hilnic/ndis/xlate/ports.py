# SPDX-License-Identifier: Apache-2.0
"""What the translation wants of the two edges of NDIS 5 (protocol_edge.py, miniport_edge.py there); who calls what.

    a 5.x protocol sends      NdisSend(Packets)          -> tx.packets_to_nbls(binding_edge, packets)
      its core handler        send_..._complete          -> tx.nbls_completed(binding_edge, nbls)
                                                         -> binding_edge.packet_sent(packet, status)
    to a 5.x miniport         send_net_buffer_lists      -> tx.nbls_to_packets(miniport_edge, nbls, send_flags)
                                                         -> miniport_edge.submit(packets, miniport_edge.xlate)
      its packet completes    NdisMSendComplete          -> miniport_edge.xlate.send_completed(packet, status)
    a 5.x miniport indicates  NdisMIndicateReceivePacket -> rx.packets_to_nbls(miniport_edge, packets, receivers)
                                                         -> miniport_edge.hold(packet)
      its core handler        return_net_buffer_lists    -> rx.nbls_returned(miniport_edge, nbls)
                                                         -> miniport_edge.release(packet)
    to a 5.x protocol         receive_net_buffer_lists   -> rx.nbls_to_packets(binding_edge, nbls, receive_flags)
                                                         -> binding_edge.deliver(packet, binding_edge.xlate)
                                                         -> binding_edge.receive_complete()
      nobody holds it         NdisReturnPackets          -> binding_edge.xlate.packet_returned(packet)

`xlate` is the `Translation` of the edge (objects.py): the route by which a translated packet finds its way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.ndis5.packet import Packet
    from hilnic.ndis.xlate.objects import Translation


class BindingPort(Protocol):
    """A 5.x protocol's binding, whatever the miniport below."""

    @property
    def ndis(self) -> Ndis:
        """The instance."""

    @property
    def core(self) -> Binding:
        """The core's binding behind it."""

    @property
    def xlate(self) -> Translation:
        """`Translation(edge)`, made with the edge and closed when the binding is."""

    @property
    def protocol_options(self) -> int:
        """ProtocolOptions that OID_GEN_PROTOCOL_OPTIONS or the open set."""

    def packet_sent(self, packet: Packet, status: int) -> None:
        """Give a packet back by ProtocolSendComplete; the status is a 5.x one."""

    def deliver(self, packet: Packet, route: Translation) -> None:
        """Give a received packet to ProtocolReceivePacket, or to ProtocolReceive with all of it as lookahead.

        `route.packet_returned(packet)` follows once, inside this call or when the last reference is paid.
        """

    def receive_complete(self) -> None:
        """ProtocolReceiveComplete, when something was received since the last one."""


class MiniportPort(Protocol):
    """A 5.x miniport's adapter, whatever the protocols above."""

    @property
    def ndis(self) -> Ndis:
        """The instance."""

    @property
    def adapter(self) -> Adapter:
        """The core's adapter behind it."""

    @property
    def xlate(self) -> Translation:
        """`Translation(edge)`, made with the edge and closed when the adapter has halted."""

    def submit(self, packets: list[Packet], route: Translation) -> None:
        """Put packets into the miniport's send queue, in this order; each comes back by `route.send_completed`."""

    def hold(self, packet: Packet) -> None:
        """One more reference to a packet that is being indicated."""

    def release(self, packet: Packet) -> None:
        """That reference is paid; the last one gives the packet back to the miniport."""

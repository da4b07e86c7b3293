# SPDX-License-Identifier: Apache-2.0
"""An exception inside a 5.x driver's handler: ndis/faults.py takes the driver out, and its edge becomes a ghost.

A miniport's ghost answers every send with FAILURE, as a serialized driver may, and ends what the miniport held. A
protocol's ghost keeps no packet, and pays the references that the protocol owed. The edges' own work goes on, so that
what has been translated finds its way back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.faults import failed
from hilnic.ndis.ndis5 import receive
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge


def contained(handler: Any, actor_of: Callable[[], Any], name: str, refused: Any) -> Any:
    """The handler; when it raises, its driver is taken out and the call goes on as if it had answered `refused`."""
    if handler is None:
        return None

    def call(*args: Any) -> Any:
        try:
            return handler(*args)
        except Exception as error:
            failed(actor_of(), name, error)
            return refused

    return call


def haunt_miniport(edge: MiniportEdge) -> None:
    """The driver of this adapter is gone: nothing reaches it any more, and what it held ends now."""
    from hilnic.ndis.ndis5 import transfer, wan

    adapter, ghost = edge.adapter, edge.adapter.return_handler

    def return_lists(context: Any, nbls: Any, flags: int) -> None:
        edge.return_net_buffer_lists(nbls, flags)
        ghost(context, nbls, flags)

    adapter.return_handler = return_lists
    edge.lock.serialized = True
    if edge.send_packets_handler is not None:
        edge.send_packets_handler = _refuse_packets
    edge.send_handler = edge.wan_send_handler = _refuse
    edge.return_handler = edge.transfer_handler = edge.cancel_handler = None
    edge.co_send_handler = _completer(edge)
    for packet, vc in list(edge.co_sends.items()):
        _end_on_vc(packet, vc)
    for packet in list(edge.queue.in_miniport):
        edge.queue.end(packet, NdisStatus.FAILURE, answered=False)
    for wan_packet in list(edge.wan_sends):
        wan.complete(edge, wan_packet, NdisStatus.FAILURE)
    for destination in list(edge.transfers):
        transfer.complete(edge, destination, NdisStatus.FAILURE, 0)
    edge.queue.resume()
    edge.requests.abandon()


def _end_on_vc(packet: Packet, vc: Any) -> None:
    from hilnic.ndis.condis.ndis5.send import mco_send_complete

    mco_send_complete(vc.miniport, packet, NdisStatus.FAILURE)


def _completer(edge: MiniportEdge) -> Callable[..., None]:
    def complete(_: Any, packets: list[Packet]) -> None:
        for packet in packets:
            _end_on_vc(packet, edge.co_sends[packet])

    return complete


def _refuse(*_: Any) -> NdisStatus:
    return NdisStatus.FAILURE


def _refuse_packets(_: Any, packets: list[Packet]) -> None:
    for packet in packets:
        packet.oob.status = NdisStatus.FAILURE


def haunt_protocol(edge: BindingEdge) -> None:
    """The driver of this binding is gone: nothing reaches it any more, and what it owed is paid."""
    edge.connect()
    edge.receive_packet_handler = _keep_nothing if edge.receive_packet_handler is not None else None
    edge.receive_handler = _take_nothing if edge.receive_handler is not None else None
    edge.receive_complete_handler = edge.wan_receive_handler = None
    edge.co_receive_handler, edge.co_send_complete_handler = _keep_nothing, _nothing
    edge.send_complete_handler = edge.request_complete_handler = edge.reset_complete_handler = _nothing
    edge.status_handler = edge.status_complete_handler = _nothing
    edge.transfer_complete_handler = edge.wan_send_complete_handler = _nothing
    for pool in list(edge.ndis.pools):
        for packet in [packet for packet in pool.live if isinstance(packet, Packet)]:
            for _ in range(_owed(packet, edge)):
                receive.release(packet, edge)
                if not _owed(packet, edge):  # all of it may have been paid without a name
                    break


def _owed(packet: Packet, edge: BindingEdge) -> int:
    levels = [packet.stack[index].ndis_reserved[0] for index in range(packet.stack_index + 1)]
    return sum(max(0, level.holders.get(edge, 0)) for level in levels if level.calling is not edge)


def _keep_nothing(*_: Any) -> int:
    return 0


def _take_nothing(*_: Any) -> NdisStatus:
    return NdisStatus.NOT_ACCEPTED


def _nothing(*_: Any) -> None:
    """A ghost takes what it is told."""

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
from hilnic.ndis.ndis5 import levels, receive
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.driver import MiniportDriver
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
            return 1 if name == "receive_packet" and _is_held_above(actor_of(), args[1]) else refused

    return call


def haunt_miniport(edge: MiniportEdge) -> None:
    """The driver of this adapter is gone: nothing reaches it any more, and what it held ends now."""
    from hilnic.ndis.ndis5 import transfer, wan

    adapter, ghost = edge.adapter, edge.adapter.return_handler
    edge.is_haunted = True

    def return_lists(context: Any, nbls: Any, flags: int) -> None:
        edge.return_net_buffer_lists(nbls, flags)
        ghost(context, nbls, flags)

    adapter.return_handler = return_lists
    edge.lock.serialized = True
    if edge.send_packets_handler is not None:
        edge.send_packets_handler = _refuse_packets
    edge.send_handler = edge.wan_send_handler = _refuse
    edge.return_handler = edge.transfer_handler = edge.cancel_handler = None
    if adapter.driver.lower_edge is not None:
        edge.return_handler = lambda *_: settle(adapter.driver)
    edge.co_send_handler = _completer(edge)
    for packet, vc in list(edge.co_sends.items()):
        _end_on_vc(packet, vc)
    _end_sends(edge)
    for wan_packet in list(edge.wan_sends):
        wan.complete(edge, wan_packet, NdisStatus.FAILURE)
    for destination in list(edge.transfers):
        transfer.complete(edge, destination, NdisStatus.FAILURE, 0)
    edge.queue.resume()
    edge.requests.abandon()


def check_paused(adapter: Adapter) -> None:
    """End a pause of the ghost's that waits for what is out."""
    from hilnic.ndis.ghosts.miniport import check_paused as check

    check(adapter)


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
    upper = edge.core.driver.upper_edge
    if upper is not None:
        edge.send_complete_handler = _passer(upper)
    _pay(edge)


def _pay(edge: BindingEdge) -> None:
    """Return what the driver held, once nothing of it is further up."""
    for packet in _packets_of(edge.ndis):
        if _owed(packet, edge) and _is_out(packet, edge.core.driver):
            continue
        for _ in range(_owed(packet, edge)):
            receive.release(packet, edge)
            if not _owed(packet, edge):  # all of it may have been paid without a name
                break


def _packets_of(ndis: Any) -> list[Packet]:
    return [packet for pool in list(ndis.pools) for packet in list(pool.live) if isinstance(packet, Packet)]


# An intermediate driver: what is on its way through it comes out where it went in.


def settle(upper: MiniportDriver) -> None:
    """Something has come back: what waited for it goes home, upwards and downwards."""
    for binding in [] if upper.lower_edge is None else list(upper.lower_edge.bindings):
        if hasattr(binding.context, "haunt"):
            _pay(binding.context)
    for adapter in list(upper.adapters):
        if hasattr(adapter.context, "haunt"):
            _end_sends(adapter.context)
            adapter.context.check_idle()


def _end_sends(edge: MiniportEdge) -> None:
    for packet in list(edge.queue.in_miniport):
        if packet in edge.queue.in_miniport and not _is_out(packet, edge.adapter.driver):
            edge.queue.end(packet, NdisStatus.FAILURE, answered=False)


def _passer(upper: MiniportDriver) -> Callable[..., None]:
    """ProtocolSendComplete of the lower half: a packet that was sent on goes on up."""

    def completed(_: Any, packet: Packet, status: int) -> None:
        for adapter in upper.adapters:
            if packet in adapter.context.queue.in_miniport:
                adapter.context.queue.end(packet, status, answered=False)
        settle(upper)

    return completed


def _is_out(packet: Packet, driver: Any) -> bool:
    """Whether an intermediate driver has handed on this packet, or one of its own over the same buffers."""
    halves = {driver, getattr(driver, "upper_edge", None), getattr(driver, "lower_edge", None)} - {None}
    if len(halves) == 1:
        return False
    level = levels.top(packet)
    if level is not None and _driver_of(level.route) in halves:
        return True
    return any(
        other is not packet and other.head is packet.head and other.stack_index >= 0
        for other in _packets_of(packet.ndis)
        if _driver_of(other.pool.owner) in halves
    )


def _is_held_above(binding: Any, packet: Packet) -> bool:
    """An intermediate driver had indicated it before it raised: one reference, which is paid when it comes back."""
    return packet.oob.status != NdisStatus.RESOURCES and _is_out(packet, binding.driver)


def _driver_of(end: Any) -> Any:
    """Of an edge, a handle, or the driver itself."""
    handle = getattr(end, "core", None) or getattr(end, "adapter", None) or end
    return getattr(handle, "driver", handle)


def _owed(packet: Packet, edge: BindingEdge) -> int:
    levels = [packet.stack[index].ndis_reserved[0] for index in range(packet.stack_index + 1)]
    return sum(max(0, level.holders.get(edge, 0)) for level in levels if level.calling is not edge)


def _keep_nothing(*_: Any) -> int:
    return 0


def _take_nothing(*_: Any) -> NdisStatus:
    return NdisStatus.NOT_ACCEPTED


def _nothing(*_: Any) -> None:
    """A ghost takes what it is told."""

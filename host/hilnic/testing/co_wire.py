# SPDX-License-Identifier: Apache-2.0
"""Several hosts with functional CoNDIS miniports on one wire, over one virtual time.

    lan = CoLan()                           # two hosts
    for host in lan.hosts:
        host.add(call_manager);  host.add(client);  host.start()
    lan.run(...);  lan.run_for(5);  lan.stop()

An SDU that a miniport sends arrives after `DELAY_NS` on every active VC with its VLAN id whose host it is addressed to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from hilnic import ndis
from hilnic.ndis import Ndis, NdisStatus, NetBufferList, ReceiveFlags
from hilnic.ndis.condis import CallParameters, MediaFlags
from hilnic.ndis.condis.vlan_media import BROADCAST, VlanMedia
from hilnic.ndis.ndis import VerifyMode
from hilnic.ndis.ndis5 import NdisRequest, Packet
from hilnic.testing.co_miniport import CoVc, FunctionalCoMiniport
from hilnic.testing.co_miniport5 import CoVc5, FunctionalCoMiniport5
from hilnic.testing.kernel import VirtualKernel

__all__ = ["CoHost", "CoLan", "Plug", "WiredCoMiniport", "WiredCoMiniport5"]

T = TypeVar("T")
DELAY_NS = 2_000
_LINK_SPEED = 0x00010105  # OID_GEN_CO_LINK_SPEED
_GIGABIT_BOTH_WAYS = (10_000_000).to_bytes(4, "little") * 2  # in units of 100 bit/s


class Driver(Protocol):
    """A protocol driver as the stack starts and ends it."""

    async def register(self, host: Ndis) -> None:
        """Register with NDIS."""
        ...

    async def deregister(self) -> None:
        """Leave NDIS."""
        ...


class Plug(ABC):
    """What a functional CoNDIS miniport with a plug does, whatever its version; it stands before the miniport."""

    lan: CoLan
    name: str
    mac_address: bytes
    vcs: list[Any]

    @abstractmethod
    def deliver(self, vc: Any, sdu: bytes) -> None:
        """Indicate what has come for a VC."""

    def carry(self, vc: Any, sdus: list[bytes]) -> None:
        """Onto the wire, to whom the VC's frames go."""
        assert vc.parameters is not None
        media = VlanMedia.parse(vc.parameters.media.specific)
        for sdu in sdus:
            self.lan.carry(self, media, sdu)

    def hear(self, vlan_id: int, destination: bytes, sdu: bytes) -> None:
        """A frame from the wire: for a VC that receives, or for nobody."""
        for vc in list(self.vcs):
            if vc.parameters is None or not vc.parameters.media.flags & MediaFlags.RECEIVE_VC or vc.is_deactivating:
                continue
            media = VlanMedia.parse(vc.parameters.media.specific)
            if media.vlan_id == vlan_id and self._is_for(media, destination):
                self.lan.delivered.append((self.name, vlan_id, sdu))
                self.deliver(vc, sdu)

    def _is_for(self, media: VlanMedia, destination: bytes) -> bool:
        if destination == BROADCAST:
            return media.destination == BROADCAST
        return destination == (media.destination if destination[0] & 1 else self.mac_address)


class WiredCoMiniport(Plug, FunctionalCoMiniport):
    """Of NDIS 6: what is sent on a VC comes out at the others'."""

    def activate_vc(self, vc: CoVc, parameters: CallParameters) -> NdisStatus:
        """MiniportCoActivateVc: at once, or after the wire's `slow_ns`."""
        if not self.lan.slow_ns:
            return super().activate_vc(vc, parameters)
        vc.asked = parameters
        return self.lan.pend(lambda: self.complete_activate(vc))

    def deactivate_vc(self, vc: CoVc) -> NdisStatus:
        """MiniportCoDeactivateVc, likewise; what has been activated is not any more."""
        vc.parameters = None
        if not self.lan.slow_ns:
            return super().deactivate_vc(vc)
        vc.is_deactivating = True
        vc.complete_all(NdisStatus.FAILURE)
        return self.lan.pend(lambda: self.check_drained(vc))

    def co_send_net_buffer_lists(self, vc: CoVc, nbls: NetBufferList, send_flags: int) -> None:
        """MiniportCoSendNetBufferLists: onto the wire, then home."""
        sdus = [nb.tobytes() for nbl in ndis.walk(nbls) for nb in nbl.net_buffers()]
        super().co_send_net_buffer_lists(vc, nbls, send_flags)
        self.carry(vc, sdus)

    def deliver(self, vc: CoVc, sdu: bytes) -> None:
        """NdisMCoIndicateReceiveNetBufferLists."""
        vc.indicate(sdu, flags=ReceiveFlags.DISPATCH_LEVEL)

    def co_oid_request(self, vc: CoVc | None, request: ndis.OidRequest) -> NdisStatus:
        """MiniportCoOidRequest: it knows its speed."""
        if vc is None and request.oid == _LINK_SPEED:
            return ndis.answer_query(request, _GIGABIT_BOTH_WAYS)
        return super().co_oid_request(vc, request)


class WiredCoMiniport5(Plug, FunctionalCoMiniport5):
    """Of NDIS 5."""

    def activate_vc(self, vc: CoVc5, parameters: CallParameters) -> NdisStatus:
        """MiniportCoActivateVc: at once, or after the wire's `slow_ns`."""
        if not self.lan.slow_ns:
            return super().activate_vc(vc, parameters)
        vc.asked = parameters
        return self.lan.pend(lambda: self.complete_activate(vc))

    def deactivate_vc(self, vc: CoVc5) -> NdisStatus:
        """MiniportCoDeactivateVc, likewise; what has been activated is not any more."""
        vc.parameters = None
        if not self.lan.slow_ns:
            return super().deactivate_vc(vc)
        vc.is_deactivating = True
        vc.complete_all(NdisStatus.FAILURE)
        return self.lan.pend(lambda: self.check_drained(vc))

    def co_send_packets(self, vc: CoVc5, packets: list[Packet]) -> None:
        """MiniportCoSendPackets: onto the wire, then home."""
        sdus = [packet.tobytes() for packet in packets]
        super().co_send_packets(vc, packets)
        self.carry(vc, sdus)

    def deliver(self, vc: CoVc5, sdu: bytes) -> None:
        """NdisMCoIndicateReceivePacket; the packets that have come back make room for it."""
        self.release()
        vc.indicate(sdu)

    def co_request(self, vc: CoVc5 | None, request: NdisRequest) -> NdisStatus:
        """MiniportCoRequest: it knows its speed."""
        return request.reply(_GIGABIT_BOTH_WAYS) if request.oid == _LINK_SPEED else super().co_request(vc, request)


Wired = WiredCoMiniport | WiredCoMiniport5


class CoHost:
    """A host on the wire."""

    def __init__(self, lan: CoLan, number: int, miniport: type[Wired], verify: VerifyMode) -> None:
        self.lan = lan
        self.ndis = Ndis(lan.kernel, verify)
        address = bytes((2, 0x48, 0x4E, 0, 0, number + 1))
        kind = type("Wired", (miniport,), {"lan": lan})
        self.miniport: Wired = kind(self.ndis, f"nic{number}", address, completion="deferred")
        self.drivers: list[Driver] = []

    @property
    def address(self) -> bytes:
        """Its station address."""
        return self.miniport.mac_address

    def add(self, driver: Driver) -> Any:
        """Register a driver; it binds when the adapter is there."""
        self.drivers.append(driver)
        self.lan.run(driver.register(self.ndis))
        return driver

    def start(self) -> None:
        """Start the adapter."""
        assert self.lan.run(self.miniport.start()) is NdisStatus.SUCCESS

    async def stop(self) -> None:
        """Halt, deregister, and report what leaked."""
        for adapter in list(self.ndis.adapters):
            await ndis.halt_adapter(adapter)
        for driver in reversed(self.drivers):
            await driver.deregister()
        ndis.deregister_miniport_driver(self.miniport.driver)
        self.ndis.check_leaks()


class CoLan:
    """The wire and its hosts; `cut` hosts neither send nor hear, `harm` may change or swallow what is carried.

    `slow_ns`: how long activations and deactivations pend.
    """

    def __init__(
        self,
        hosts: Sequence[type[Wired]] = (WiredCoMiniport, WiredCoMiniport),
        *,
        verify: VerifyMode = "fast",
        trace: bool = False,
        slow_ns: int = 0,
    ) -> None:
        self.slow_ns = slow_ns
        self.kernel = VirtualKernel(trace)
        self.cut: set[CoHost] = set()
        self.harm: Callable[[bytes], Sequence[bytes]] = lambda sdu: (sdu,)
        self.carried: list[tuple[int, bytes]] = []
        self.delivered: list[tuple[str, int, bytes]] = []
        self.hosts = [CoHost(self, number, kind, verify) for number, kind in enumerate(hosts)]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self.kernel.run(work)

    def run_for(self, milliseconds: float) -> None:
        """Let virtual time pass."""
        self.kernel.run_for(int(milliseconds * 1_000_000))

    def pend(self, routine: Callable[[], None]) -> NdisStatus:
        """PENDING; what ends it comes after `slow_ns`."""
        self.kernel.set_timer(self.slow_ns, routine)
        return NdisStatus.PENDING

    def carry(self, sender: Plug, media: VlanMedia, sdu: bytes) -> None:
        """From one miniport to all others."""
        self.carried.append((media.vlan_id, sdu))
        ends: dict[Plug, CoHost] = {host.miniport: host for host in self.hosts}
        if ends[sender] in self.cut:
            return
        for miniport, host in ends.items():
            if miniport is not sender and host not in self.cut:
                for copy in self.harm(sdu):
                    self._later(miniport, media, copy)

    def _later(self, miniport: Plug, media: VlanMedia, sdu: bytes) -> None:
        self.kernel.set_timer(DELAY_NS, lambda: miniport.hear(media.vlan_id, media.destination, sdu))

    def stop(self) -> None:
        """Halt all hosts."""
        for host in self.hosts:
            self.run(host.stop())

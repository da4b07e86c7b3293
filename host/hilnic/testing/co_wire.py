# SPDX-License-Identifier: Apache-2.0
"""Several hosts with functional CoNDIS miniports on one wire, over one virtual time.

    lan = CoLan()                           # two hosts
    for host in lan.hosts:
        host.add(call_manager);  host.add(client);  host.start()
    lan.run(...);  lan.run_for(5);  lan.stop()

An SDU that a miniport sends arrives after `DELAY_NS` on every active VC with its VLAN id whose host it is addressed to.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from hilnic import ndis
from hilnic.ndis import Ndis, NdisStatus, NetBufferList, ReceiveFlags
from hilnic.ndis.condis import CallParameters, MediaFlags
from hilnic.ndis.condis.vlan_media import BROADCAST, VlanMedia
from hilnic.ndis.ndis import VerifyMode
from hilnic.testing.co_miniport import CoVc, FunctionalCoMiniport
from hilnic.testing.kernel import VirtualKernel

__all__ = ["CoHost", "CoLan", "WiredCoMiniport"]

T = TypeVar("T")
DELAY_NS = 2_000


class Driver(Protocol):
    """A protocol driver as the stack starts and ends it."""

    async def register(self, host: Ndis) -> None:
        """Register with NDIS."""
        ...

    async def deregister(self) -> None:
        """Leave NDIS."""
        ...


class WiredCoMiniport(FunctionalCoMiniport):
    """A functional CoNDIS miniport with a plug: what is sent on a VC comes out at the others'."""

    lan: CoLan

    def activate_vc(self, vc: CoVc, parameters: CallParameters) -> NdisStatus:
        """MiniportCoActivateVc: at once, or after the wire's `slow_ns`."""
        if not self.lan.slow_ns:
            return super().activate_vc(vc, parameters)
        vc.asked = parameters
        self.ndis.kernel.set_timer(self.lan.slow_ns, lambda: self.complete_activate(vc))
        return NdisStatus.PENDING

    def co_send_net_buffer_lists(self, vc: CoVc, nbls: NetBufferList, send_flags: int) -> None:
        """MiniportCoSendNetBufferLists: onto the wire, then home."""
        sdus = [nb.tobytes() for nbl in ndis.walk(nbls) for nb in nbl.net_buffers()]
        super().co_send_net_buffer_lists(vc, nbls, send_flags)
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
                vc.indicate(sdu, flags=ReceiveFlags.DISPATCH_LEVEL)

    def _is_for(self, media: VlanMedia, destination: bytes) -> bool:
        if destination == BROADCAST:
            return media.destination == BROADCAST
        return destination == (media.destination if destination[0] & 1 else self.mac_address)

    def deactivate_vc(self, vc: CoVc) -> NdisStatus:
        """MiniportCoDeactivateVc: what has been activated is not any more."""
        vc.parameters = None
        if not self.lan.slow_ns:
            return super().deactivate_vc(vc)
        vc.is_deactivating = True
        vc.complete_all(NdisStatus.FAILURE)
        self.ndis.kernel.set_timer(self.lan.slow_ns, lambda: self.check_drained(vc))
        return NdisStatus.PENDING


class CoHost:
    """A host on the wire."""

    def __init__(self, lan: CoLan, number: int, miniport: type[WiredCoMiniport], verify: VerifyMode) -> None:
        self.lan = lan
        self.ndis = Ndis(lan.kernel, verify)
        address = bytes((2, 0x48, 0x4E, 0, 0, number + 1))
        kind = type("Wired", (miniport,), {"lan": lan})
        self.miniport: WiredCoMiniport = kind(self.ndis, f"nic{number}", address, "deferred")
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
        hosts: Sequence[type[WiredCoMiniport]] = (WiredCoMiniport, WiredCoMiniport),
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

    def carry(self, sender: WiredCoMiniport, media: VlanMedia, sdu: bytes) -> None:
        """From one miniport to all others."""
        self.carried.append((media.vlan_id, sdu))
        ends = {host.miniport: host for host in self.hosts}
        if ends[sender] in self.cut:
            return
        for miniport, host in ends.items():
            if miniport is not sender and host not in self.cut:
                for copy in self.harm(sdu):
                    self._later(miniport, media, copy)

    def _later(self, miniport: WiredCoMiniport, media: VlanMedia, sdu: bytes) -> None:
        self.kernel.set_timer(DELAY_NS, lambda: miniport.hear(media.vlan_id, media.destination, sdu))

    def stop(self) -> None:
        """Halt all hosts."""
        for host in self.hosts:
            self.run(host.stop())

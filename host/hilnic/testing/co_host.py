# SPDX-License-Identifier: Apache-2.0
"""A host whose NIC carries connections, with a client and a call manager that do what a test says.

host = CoHost(device, clock, number=0)
await host.start()
call = host.call(vlan=100, rate=12_500_000)       VC, call, activation; ends when the call is connected
taken = other.take(vlan=100)                      the other end, as if the network had offered the call
await host.settled(call);  call.send(b"...");  taken.received
await host.stop()

There is no signalling: both ends are told the same VLAN id. `wire` is whatever joins the devices. The call manager is a
protocol of version `manager`, or with an integrated one (miniport "6-mcm", "5-mcm") a script in its place.
"""

from __future__ import annotations

from typing import Any, Literal

from hilnic import ndis
from hilnic.hw.clock import Clock
from hilnic.hw.device import Device
from hilnic.hw.timing import TimingModel
from hilnic.hw.trace import Trace
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import UNSPECIFIED, CallParameters, FlowSpec, ServiceType
from hilnic.ndis.condis.vlan_media import BROADCAST, VlanMedia
from hilnic.ndis.ndis import VerifyMode
from hilnic.stack import CoConfig, HostProtocol, MiniportKind, NicConfig, Stack
from hilnic.testing.co_card_mcm import CardMcm
from hilnic.testing.co_client import ClientCall, FunctionalCoClient
from hilnic.testing.co_client5 import FunctionalCoClient5
from hilnic.testing.co_cm import FunctionalCallManager, ManagedVc
from hilnic.testing.co_cm5 import FunctionalCallManager5
from hilnic.testing.protocol import FunctionalProtocol

__all__ = ["CoHost", "address", "call_parameters"]

_SAP = b"host"
_STEP_NS = 1_000
_PATIENCE_NS = 3_000_000


def address(number: int) -> bytes:
    """The hardware address of host `number`."""
    return b"\x02\x48\x4e\x00\x00" + bytes([number + 1])


def call_parameters(
    vlan: int,
    *,
    rate: int = UNSPECIFIED,
    burst: int = UNSPECIFIED,
    peak: int = UNSPECIFIED,
    max_sdu: int = UNSPECIFIED,
    service: ServiceType = ServiceType.BEST_EFFORT,
    priority: int = 0,
    destination: bytes = BROADCAST,
) -> CallParameters:
    """Parameters of a call on a VLAN id; rates in bytes per second."""
    flow = FlowSpec(rate, burst, peak, service_type=service, max_sdu_size=max_sdu)
    media = condis.MediaParameters(specific=VlanMedia(vlan, priority, destination).pack())
    return CallParameters(0, condis.CallManagerParameters(flow, flow), media)


class _Functional:
    """A functional protocol as a stack starts and ends it."""

    def __init__(self, driver: FunctionalProtocol) -> None:
        self._driver = driver

    async def register(self, host: ndis.Ndis) -> None:
        del host
        await self._driver.start()

    async def deregister(self) -> None:
        await self._driver.stop()


_CLIENTS = {"6": FunctionalCoClient, "5": FunctionalCoClient5}
_MANAGERS = {"6": FunctionalCallManager, "5": FunctionalCallManager5}


class CoHost:
    """Stack, client and call manager over one device; `protocols` are more drivers beside them.

    `manager` is the version of a stand-alone call manager; an integrated one has its miniport's.
    """

    def __init__(
        self,
        device: Device,
        clock: Clock,
        *,
        number: int = 0,
        timing: TimingModel | None = None,
        verify: VerifyMode = "fast",
        trace: Trace | None = None,
        protocols: tuple[HostProtocol, ...] = (),
        miniport: MiniportKind = "6-co",
        client: Literal["6", "5"] = "6",
        manager: Literal["6", "5"] = "6",
        connections: CoConfig | None = None,
        **config: Any,
    ) -> None:
        self.clock, self.number = clock, number
        self.stack = Stack(
            device,
            clock,
            protocols=protocols,
            config=NicConfig(mac_address=address(number), **config),
            verify=verify,
            timing=timing,
            trace=trace,
            name=f"nic{number}",
            miniport=miniport,
            connections=connections,
        )
        self.client: Any = _CLIENTS[client](self.stack.host, f"client{number}")
        self.manager: Any
        if miniport.endswith("-mcm"):
            self.manager = CardMcm(self.stack)
            self.client.opens_at_once = False  # not before the script has taken the family over
        else:
            self.manager = _MANAGERS[manager](self.stack.host, f"manager{number}")
            self.stack.protocols.append(_Functional(self.manager))
        self.stack.protocols.append(_Functional(self.client))

    def __repr__(self) -> str:
        """Its stack."""
        return f"<CoHost {self.number}: {self.stack!r}>"

    async def start(self) -> None:
        """The address family is open and the client can be called."""
        await self.stack.start()
        if isinstance(self.manager, CardMcm):
            self.manager.take_over()
            await self.until(lambda: self.client.families, "the news of the address family")
            self.client.open_family()
        await self.until(lambda: self.client.af is not None, "the address family")
        self.client.register_sap(_SAP)

    async def stop(self) -> None:
        """Close everything; what leaked is reported."""
        for call in list(self.client.calls):
            await self.hang_up(call)
        for sap in list(self.client.saps):
            self.client.deregister_sap(sap)
        self.client.close_family()
        await self.clock.sleep(_STEP_NS)
        await self.stack.stop()

    async def until(self, condition: Any, what: str = "", limit_ns: int = _PATIENCE_NS) -> None:
        """Until a condition holds; AssertionError when it takes too long."""
        end = self.clock.now_ns() + limit_ns
        while not condition():
            assert self.clock.now_ns() < end, f"{what or 'a condition'}: not within {limit_ns} ns"
            await self.clock.sleep(_STEP_NS)

    # --- calls --------------------------------------------------------------------------------------------------------

    async def call(self, vlan: int, **parameters: Any) -> ClientCall:
        """An outgoing call, connected."""
        call: ClientCall = self.client.make_call(call_parameters(vlan, **parameters))
        await self.until(lambda: call.status is not NdisStatus.PENDING, "the end of make_call")
        assert call.status is NdisStatus.SUCCESS, call.status
        return call

    async def take(self, vlan: int, **parameters: Any) -> ClientCall:
        """An incoming call, connected."""
        before = list(self.client.calls)
        vc = await self.offer(vlan, **parameters)
        del vc
        call: ClientCall = next(call for call in self.client.calls if call not in before)
        await self.until(lambda: call.is_connected, "the connection")
        return call

    async def offer(self, vlan: int, **parameters: Any) -> ManagedVc:
        """The network offers a call to the client."""
        vc: ManagedVc
        _, vc = self.manager.signalling.offer(_SAP, call_parameters(vlan, **parameters))
        await self.until(lambda: not vc.is_activating, "the activation")
        return vc

    async def change(self, call: ClientCall, vlan: int, **parameters: Any) -> None:
        """The network changes a call."""
        vc = self.managed(call)
        self.manager.signalling.change(vc, call_parameters(vlan, **parameters))
        await self.until(lambda: not vc.is_activating, "the change")

    def managed(self, call: ClientCall) -> ManagedVc:
        """The call manager's state of a call's VC."""
        vcs: list[ManagedVc] = self.manager.signalling.vcs
        return next(vc for vc in vcs if vc.open.vc is call.open.vc)

    async def hang_up(self, call: ClientCall) -> None:
        """Close a call once its data is out, and delete the VC if it is the client's."""
        await self.until(lambda: not call.in_flight, "the completion of what was sent", 20_000_000)
        if call.held:
            call.give_back()
        call.close()
        await self.until(lambda: call.is_closed, "the end of the call")
        if call.is_own:
            call.delete()
        await self.until(lambda: call not in self.client.calls, "the end of the VC")

# SPDX-License-Identifier: Apache-2.0
"""The composition root: one host with one NIC, from the Device port up to its protocols.

    stack = Stack(device, clock, protocols=[raw])
    await stack.start()         # initialize, bind, restart: traffic flows
    ...
    await stack.stop()          # pause, unbind, halt; leaks are reported

It knows every layer and nothing about what the device is made of: the Verilog or its software twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Protocol

from hilnic import ndis
from hilnic.hw.clock import Clock
from hilnic.hw.cpu import HostCpu
from hilnic.hw.device import Device
from hilnic.hw.timing import TimingModel
from hilnic.hw.trace import Trace
from hilnic.miniport import driver
from hilnic.miniport.adapter import NicAdapter
from hilnic.miniport.config import NicConfig
from hilnic.miniport.hardware import Hardware
from hilnic.miniport5 import driver as driver5
from hilnic.miniport5.nic import Nic5
from hilnic.miniport_co import driver as co_driver
from hilnic.miniport_co import driver5 as co_driver5
from hilnic.miniport_co import mcm as co_mcm
from hilnic.miniport_co import mcm5 as co_mcm5
from hilnic.miniport_co.adapter import CoNic
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.connections import Connections
from hilnic.miniport_co.nic5 import CoNic5
from hilnic.ndis.ndis import VerifyMode
from hilnic.ndis.ndis5 import MiniportEdge
from hilnic.testing.special_pool import SpecialPool

__all__ = ["CoConfig", "HostProtocol", "MiniportKind", "NicConfig", "Stack", "StackError"]

MiniportKind = Literal["6", "6-co", "6-mcm", "5", "5-co", "5-mcm", "5-lookahead", "5-wan"]
"""The NIC's driver: of NDIS 6; of NDIS 5 with full packets; both with connections, and with a call manager besides; of
NDIS 5, serialized, by lookahead; PPP over Ethernet."""
_CONNECTED = {
    "6-co": co_driver.register,
    "6-mcm": co_mcm.register,
    "5-co": co_driver5.register,
    "5-mcm": co_mcm5.register,
}
_KINDS_OF_5: dict[str, driver5.DriverKind] = {"5": "packets", "5-lookahead": "lookahead", "5-wan": "wan"}


class HostProtocol(Protocol):
    """A protocol driver as the stack starts and ends it."""

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS; it binds to every adapter there is and will be."""
        ...

    async def deregister(self) -> None:
        """Unbind and leave NDIS."""
        ...


class StackError(RuntimeError):
    """The adapter did not start; `status` says why."""

    def __init__(self, status: ndis.NdisStatus) -> None:
        super().__init__(f"the adapter did not start: {ndis.NdisStatus(status).name}")
        self.status = status


class Stack:
    """CPU, NDIS, miniport and protocols over one device."""

    def __init__(
        self,
        device: Device,
        clock: Clock,
        *,
        protocols: Sequence[HostProtocol] = (),
        config: NicConfig | None = None,
        verify: VerifyMode = "fast",
        timing: TimingModel | None = None,
        profile: ndis.Profile | None = None,
        trace: Trace | None = None,
        seed: int = 0,
        name: str = "nic0",
        miniport: MiniportKind = "6",
        connections: CoConfig | None = None,
    ) -> None:
        self.device, self.name = device, name
        self.cpu = HostCpu(clock, device.memory, timing, trace)
        self.cpu.attach(device)
        self.special_pool = _special_pool(self.cpu) if verify == "full" else None
        """Guards around all memory that drivers allocate; checked when it is freed, and in `stop`."""
        self.host = ndis.Ndis(self.cpu, verify, profile, seed)
        if self.cpu.trace.enabled:
            self.host.last_frame_id = self.cpu.trace.new_host()
        if miniport == "6":
            self.driver = driver.register(self.host, config)
        elif miniport in _CONNECTED:
            settings = replace(connections or CoConfig(), nic=config or NicConfig())
            self.driver = _CONNECTED[miniport](self.host, settings)
        else:
            of_5 = driver5.Settings(config or NicConfig(), seed)
            self.driver = driver5.register(self.host, _KINDS_OF_5[miniport], of_5)
        self.protocols = list(protocols)
        self._adapter: ndis.Adapter | None = None

    def __repr__(self) -> str:
        """The adapter's name and state."""
        return f"<Stack {self.name}: {self._adapter or 'not started'}>"

    @property
    def adapter(self) -> ndis.Adapter:
        """The NDIS adapter handle, once started."""
        if self._adapter is None:
            raise RuntimeError("the stack has not been started")
        return self._adapter

    @property
    def nic(self) -> NicAdapter:
        """The 6.x miniport's adapter context, once started."""
        context = self.adapter.context
        assert isinstance(context, NicAdapter)
        return context

    @property
    def co_nic(self) -> CoNic:
        """The same of the one with connections."""
        context = self.adapter.context
        assert isinstance(context, CoNic)
        return context

    @property
    def connections(self) -> Connections:
        """The virtual connections of a driver that has them, of either version."""
        context = self.adapter.context
        if isinstance(context, MiniportEdge):
            context = context.context
        assert isinstance(context, CoNic | CoNic5)
        return context.connections

    @property
    def nic5(self) -> Nic5:
        """The 5.x miniport's adapter context, once started."""
        edge = self.adapter.context
        assert isinstance(edge, MiniportEdge)
        assert isinstance(edge.context, Nic5)
        return edge.context

    @property
    def hardware(self) -> Hardware:
        """The NIC's registers as its driver uses them, whichever driver it is."""
        return self.nic.hardware if isinstance(self.adapter.context, NicAdapter) else self.nic5.hardware

    async def start(self) -> None:
        """Register the protocols, start the adapter; StackError if it refuses."""
        for protocol in self.protocols:
            await protocol.register(self.host)
        await self.start_adapter()

    async def start_adapter(self) -> None:
        """Initialize the miniport on the device and restart it; StackError if it refuses."""
        status, adapter = await ndis.start_adapter(self.host, self.driver, self.name, self.device)
        if status != ndis.NdisStatus.SUCCESS:
            raise StackError(status)
        self._adapter = adapter

    async def stop(self) -> None:
        """Halt the adapter, deregister everybody, report what has leaked (V9)."""
        for adapter in list(self.host.adapters):
            await ndis.halt_adapter(adapter)
        for protocol in reversed(self.protocols):
            await protocol.deregister()
        ndis.deregister_miniport_driver(self.driver)
        self.host.check_leaks()
        if self.special_pool is not None:
            self.special_pool.close()


def _special_pool(cpu: HostCpu) -> SpecialPool:
    """Over the host's memory, which notes who allocates: whoever calls the pool."""
    memory = cpu.memory
    return SpecialPool(cpu, lambda size, alignment: memory.allocate(size, alignment, 3), memory.free)

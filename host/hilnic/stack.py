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
from typing import Protocol

from hilnic import ndis
from hilnic.hw.clock import Clock
from hilnic.hw.cpu import HostCpu
from hilnic.hw.device import Device
from hilnic.hw.timing import TimingModel
from hilnic.hw.trace import Trace
from hilnic.miniport import driver
from hilnic.miniport.adapter import NicAdapter
from hilnic.miniport.config import NicConfig
from hilnic.ndis.ndis import VerifyMode

__all__ = ["HostProtocol", "Stack", "StackError"]


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
    ) -> None:
        self.device, self.name = device, name
        self.cpu = HostCpu(clock, device.memory, timing, trace)
        self.cpu.attach(device)
        self.host = ndis.Ndis(self.cpu, verify, profile, seed)
        self.driver = driver.register(self.host, config)
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
        """The miniport's adapter context, once started."""
        context = self.adapter.context
        assert isinstance(context, NicAdapter)
        return context

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

# SPDX-License-Identifier: Apache-2.0
"""Filters and intermediate drivers over the Verilog NIC: the words of tb/im_tests.py.

host = await over(dut, splitter(), mux(2), filters=[Queue])        # bottom to top
up0, up1 = host.ups                                                # functional protocols on the virtual adapters
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stack_bench import Host, address, hosts

from hilnic import ndis
from hilnic.protocols.intermediate import IntermediateDriver
from hilnic.protocols.mux import Mux
from hilnic.protocols.raw import RawProtocol
from hilnic.protocols.splitter import Splitter
from hilnic.testing.filter import FunctionalFilter
from hilnic.testing.frames import free_nbl
from hilnic.testing.protocol import FunctionalProtocol

VIRTUAL = [address(16 + number) for number in range(4)]
"""Hardware addresses of the MUX's virtual adapters."""


class Above:
    """Any driver, as the stack starts and ends it; made once there is an NDIS to make it for."""

    def __init__(self, make: Callable[[ndis.Ndis], Any]) -> None:
        self._make = make
        self.driver: Any = None

    async def register(self, host: ndis.Ndis) -> None:
        """As the stack starts a protocol."""
        self.driver = self._make(host)
        await self.driver.start()

    async def deregister(self) -> None:
        """As the stack ends it."""
        await self.driver.stop()


class Tidy(FunctionalProtocol):
    """A functional protocol for long runs: `forget` frees what has completed."""

    drains_on_pause = True

    def forget(self) -> None:
        """Free the completed NBLs."""
        for nbl, _ in self.completed:
            free_nbl(nbl)
        self.completed.clear()


class ImHost(Host):
    """A host with drivers between its protocols and its NIC."""

    drivers: list[Any]
    filters: list[Any]
    ups: list[Tidy]

    async def listen(self) -> None:
        """Wait until the virtual adapters run, then ask for directed, broadcast and listed multicast frames."""
        for up in self.ups:
            await self.until(lambda up=up: up.binding is not None and up.binding.refusal is None, what="bound above")
            await up.listen()

    async def ended(self, *ups: Tidy, number: int) -> None:
        """Until these protocols have this many completions together."""
        await self.until(lambda: sum(len(up.completed) for up in ups) == number, what=f"{number} completions")


def mux(number: int, lower: str = "nic0", **options: Any) -> Callable[[ndis.Ndis], IntermediateDriver]:
    """A MUX with `number` virtual adapters mux0, mux1, ... on this adapter."""
    return lambda host: Mux(host, "mux", lower, VIRTUAL[:number], **options)


def splitter(**options: Any) -> Callable[[ndis.Ndis], IntermediateDriver]:
    """A splitter on the NIC; its virtual adapter is split0."""
    return lambda host: Splitter(host, "split", "nic0", **options)


async def over(
    dut: Any,
    *drivers: Callable[[ndis.Ndis], IntermediateDriver],
    filters: Sequence[tuple[type[FunctionalFilter], str]] = (),
    on: Sequence[str] = ("mux0", "mux1"),
    **options: Any,
) -> ImHost:
    """A card with filters (type, adapter), intermediate drivers (bottom to top), a protocol on each adapter of `on`."""
    between = [Above(make) for make in drivers]
    modules = [
        Above(lambda host, kind=kind, name=name, at=at: kind(host, f"fi{at}", adapter_name=name))
        for at, (kind, name) in enumerate(filters)
    ]
    tops = [Above(lambda host, name=name: Tidy(host, f"{name}.fp", name)) for name in on]
    (plain,) = await hosts(dut, protocols=lambda _: [RawProtocol(), *modules, *between, *tops], **options)
    host = ImHost(plain.harness, plain.card, plain.stack, plain.raw, plain.layouts)
    host.drivers = [each.driver for each in between]
    host.filters = [each.driver for each in modules]
    host.ups = [each.driver for each in tops]
    await host.listen()
    return host

# SPDX-License-Identifier: Apache-2.0
"""Further protocols over one card, for tests of what NDIS does between several of them.

host, (one, two) = await with_protocols(dut, "one", "two")
await one.listen()
one.send(frame(1)); host.inject(frame(2))
"""

from __future__ import annotations

from typing import Any

from stack_bench import Host, Layouts, hosts

from hilnic import ndis
from hilnic.protocols.raw import RawProtocol
from hilnic.testing.frames import free_nbl
from hilnic.testing.protocol import FunctionalProtocol


class Protocol(Layouts):
    """A functional protocol with a name; `frame_types` are given to the open."""

    def __init__(self, name: str, *, frame_types: tuple[int, ...] = ()) -> None:
        """The rest comes with `register`."""
        self.given, self.frame_types = name, frame_types

    async def register(self, host: ndis.Ndis) -> None:
        """As the stack starts a protocol."""
        FunctionalProtocol.__init__(self, host, self.given)
        await self.start()

    def bind_adapter(self, bind_context: ndis.BindContext, parameters: ndis.BindParameters) -> ndis.NdisStatus:
        """ProtocolBindAdapterEx: open with the frame types."""
        del parameters
        self._bind_context = bind_context
        wanted = ndis.OpenParameters(frame_types=self.frame_types)
        status, self.binding = ndis.open_adapter(bind_context.protocol, self, wanted, bind_context)
        return status

    def forget(self) -> None:
        """Free the completed NBLs, of any number of frames, each once."""
        for nbl in {nbl: None for nbl, _ in self.completed}:
            free_nbl(nbl)
        self.completed.clear()

    async def settle(self, host: Host) -> None:
        """Until everything sent has completed."""
        await host.until(lambda: not self.in_flight, what=f"sends of {self.name} complete")


async def with_protocols(dut: Any, *protocols: Protocol | str, **options: Any) -> tuple[Host, list[Protocol]]:
    """A stack on one card: the raw protocol with its filter off, and these, which listen."""
    made = [one if isinstance(one, Protocol) else Protocol(one) for one in protocols]
    own = [RawProtocol(), *made]
    (host,) = await hosts(dut, protocols=lambda index: list(own), **options)
    await host.binding.set_filter(0)
    for one in made:
        await one.listen()
    return host, made

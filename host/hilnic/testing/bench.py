# SPDX-License-Identifier: Apache-2.0
"""`NdisBench`: a host with NDIS, one functional miniport and some functional protocols, over virtual time.

bench = NdisBench(protocols=2)
bench.fp.send(bench.frame())
bench.fm.complete_all()
bench.stop()                   halts, unregisters, and reports leaks
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from hilnic.ndis import Ndis, NdisStatus, Profile
from hilnic.ndis.ndis import VerifyMode
from hilnic.ndis.pnp import halt_adapter
from hilnic.ndis.states import AdapterState
from hilnic.testing.filter import FunctionalFilter
from hilnic.testing.frames import ethernet
from hilnic.testing.kernel import VirtualKernel
from hilnic.testing.miniport import MAC_ADDRESS, Completion, FunctionalMiniport
from hilnic.testing.protocol import FunctionalProtocol
from hilnic.testing.special_pool import SpecialPool

__all__ = ["PEER", "NdisBench"]

T = TypeVar("T")


class Driver(Protocol):
    """What `add` starts and `stop` stops."""

    def start(self) -> Coroutine[Any, Any, None]:
        """Register."""
        ...

    def stop(self) -> Coroutine[Any, Any, None]:
        """Unregister."""
        ...


D = TypeVar("D", bound=Driver)

PEER = bytes.fromhex("02484e0000fe")


class NdisBench:
    """Everything started and listening; `fm` the miniport, `fps` the protocols, `fp` the first of them."""

    def __init__(
        self,
        protocols: int = 1,
        verify: VerifyMode = "fast",
        completion: Completion = "hold",
        profile: Profile | None = None,
        trace: bool = False,
        miniport: type[FunctionalMiniport] = FunctionalMiniport,
        protocol: type[FunctionalProtocol] = FunctionalProtocol,
        listen: bool = True,
        seed: int = 0,
    ) -> None:
        self.kernel = VirtualKernel(trace)
        self.special_pool = SpecialPool(self.kernel) if verify == "full" else None
        self.ndis = Ndis(self.kernel, verify, profile, seed)
        self.fm = miniport(self.ndis, completion=completion)
        self.fps = [protocol(self.ndis, f"fp{n}") for n in range(protocols)]
        self.fis: list[FunctionalFilter] = []
        self.others: list[Driver] = []
        for fp in self.fps:
            self.run(fp.start())
        self.start_status = self.run(self.fm.start())
        if listen and self.start_status is NdisStatus.SUCCESS:
            for fp in self.fps:
                self.run(fp.listen())

    def filter(self, kind: type[FunctionalFilter] = FunctionalFilter, **options: Any) -> FunctionalFilter:
        """A functional filter, attached on top of those there are."""
        fi = kind(self.ndis, options.pop("name", f"fi{len(self.fis)}"), **options)
        self.fis.append(fi)
        self.run(fi.start())
        return fi

    def add(self, driver: D) -> D:
        """Start any other driver (an intermediate one), stopped in `stop` after what is on it."""
        self.others.append(driver)
        self.run(driver.start())
        self.run()
        return driver

    def protocol(self, adapter_name: str) -> FunctionalProtocol:
        """One more functional protocol, listening on the adapter of this name."""
        fp = FunctionalProtocol(self.ndis, f"{adapter_name}.fp{len(self.fps)}", adapter_name)
        self.fps.append(fp)
        self.run(fp.start())
        self.run(fp.listen())
        return fp

    @property
    def fp(self) -> FunctionalProtocol:
        """The first protocol."""
        return self.fps[0]

    def run(self, work: Coroutine[Any, Any, T] | None = None) -> T:
        """Run a coroutine to its end, or everything that is queued."""
        return self.kernel.run(work)

    def frame(self, number: int = 0, size: int = 60, destination: bytes = MAC_ADDRESS) -> bytes:
        """A frame from the peer, its payload made of `number`."""
        return ethernet(destination, PEER, number.to_bytes(4, "big") + bytes([number & 0xFF]) * (size - 18))

    def frames(self, count: int, size: int = 60) -> list[bytes]:
        """Numbered frames."""
        return [self.frame(number, size) for number in range(count)]

    def stop(self) -> None:
        """Halt, unregister, and report everything that leaked (V9)."""
        self.fm.hold_oids = False
        self.run()
        if self.fm.adapter in self.ndis.adapters and self.fm.adapter.state in _STOPPABLE:
            self.run(halt_adapter(self.fm.adapter))
        for fp in self.fps:
            self.run(fp.stop())
        for fi in self.fis:
            self.run(fi.stop())
        for driver in reversed(self.others):
            self.run(driver.stop())
        self.ndis.check_leaks()
        if self.special_pool is not None:
            self.special_pool.check()


_STOPPABLE = {AdapterState.RUNNING, AdapterState.PAUSED}

# SPDX-License-Identifier: Apache-2.0
"""An exception inside a driver's handler: the driver is taken out, the others go on, and the report says which it was.

The call that NDIS was making goes on as if the handler had refused. From then on a *ghost* stands in for the driver
(ndis/ghosts): it completes what comes down, returns what comes up, and answers PnP, so that the ordinary paths unbind,
detach and remove it. What the driver held is completed or returned by NDIS. When it is gone, the fault is raised out of
the kernel's work item (unless violations are being collected), so that nobody overlooks it.

An intermediate driver is one driver: when one of its edges raises, both go, the virtual adapters first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from hilnic.ndis.status import NdisStatus
from hilnic.ndis.violation import NdisViolation
from hilnic.ndis.waiting import answer_of

if TYPE_CHECKING:
    from hilnic.ndis.driver import MiniportDriver, ProtocolDriver
    from hilnic.ndis.filter import FilterDriver

    Driver: TypeAlias = MiniportDriver | ProtocolDriver | FilterDriver

RULE = "FAULT"

_MINIPORT = (
    "initialize", "halt", "pause", "restart", "oid_request", "cancel_oid_request", "reset", "check_for_hang",
    "direct_oid_request", "cancel_direct_oid_request", "device_pnp_event_notify", "shutdown",
)  # fmt: skip
_PROTOCOL = (
    "bind_adapter", "unbind_adapter", "open_adapter_complete", "close_adapter_complete", "net_pnp_event",
    "direct_oid_request_complete",
)  # fmt: skip
_FILTER = (
    "attach", "detach", "pause", "restart", "cancel_send_net_buffer_lists", "oid_request", "oid_request_complete",
    "cancel_oid_request", "direct_oid_request", "direct_oid_request_complete", "cancel_direct_oid_request",
)  # fmt: skip


class DriverFault(NdisViolation):
    """A handler raised: which handler of which driver, and the exception, which is also the cause of this one.

    `outstanding`: what was with the driver then, or out on its behalf, as far as the verifier knows.
    """

    def __init__(
        self,
        driver: Any,
        handler: str,
        error: BaseException,
        time_ns: int,
        seed: int,
        outstanding: tuple[str, ...] = (),
    ) -> None:
        super().__init__(RULE, driver, handler, repr(error), time_ns, seed, ())
        self.handler = handler
        self.error = error
        self.outstanding = outstanding
        self.__cause__ = error

    def __str__(self) -> str:
        headline = f"{RULE} {self.actor!r} {self.handler} @{self.time_ns}ns seed={self.seed}: raised {self.error!r}"
        return "\n".join([headline, *self.advice(), *(f"  with {what}" for what in self.outstanding)])


def failed(actor: Any, handler: str, error: Exception) -> None:
    """NDIS called `handler` of `actor` (adapter, binding, module) and it raised; what is not its fault goes on up."""
    if not _is_of_the_driver(error):
        raise error
    _take_out(actor.driver, handler, error)


def _is_of_the_driver(error: Exception) -> bool:
    """Violations speak for themselves; a device that breaks its contract says so by `of_the_device`."""
    return not (isinstance(error, NdisViolation) or getattr(error, "of_the_device", False))


def _take_out(driver: Driver, handler: str, error: Exception) -> None:
    """Record the fault and put the ghosts in, once per driver."""
    from hilnic.ndis.ghosts import haunt, outstanding, replace, unload

    ndis = driver.ndis
    if driver.faulted:
        ndis.report.fault(DriverFault(driver, handler, error, ndis.kernel.now_ns(), ndis.report.seed))
        return
    edges = _edges(driver)
    left = tuple(what for edge in edges for what in outstanding(edge))
    fault = DriverFault(driver, handler, error, ndis.kernel.now_ns(), ndis.report.seed, left)
    raised = ndis.report.fault(fault)
    for edge in edges:
        replace(edge)
        edge.faulted = True
    for edge in edges:
        haunt(edge)
        for event in getattr(edge, "waiting", ()):
            event.set()

    async def work() -> None:
        for edge in edges:
            await unload(edge)
        if raised:
            raise fault

    ndis.kernel.queue_work_item(work)


def _edges(driver: Driver) -> list[Driver]:
    """The driver; of an intermediate one both halves, that of the virtual adapters first."""
    upper = getattr(driver, "upper_edge", None)
    lower = getattr(driver, "lower_edge", None)
    return [edge for edge in (upper, driver, lower) if edge is not None]


def contained(driver: Driver, characteristics: Any, stand_in: Callable[[], Any] | None = None) -> Any:
    """The characteristics with handlers that may raise; those of the data path NDIS calls in a `try`.

    Once the driver is out its handlers are called no more: `stand_in()`, by default the driver's characteristics of
    then, has the ghost's.
    """
    names: tuple[str, ...] = _PROTOCOL
    if hasattr(characteristics, "initialize"):
        names = _MINIPORT
    elif hasattr(characteristics, "attach"):
        names = _FILTER
    handlers = {name: getattr(characteristics, name) for name in names}
    ghost = stand_in or (lambda: driver.characteristics)
    wrapped = {
        name: _Contained(driver, name, handler, ghost) for name, handler in handlers.items() if handler is not None
    }
    return dataclasses.replace(characteristics, **wrapped)


class _Contained:
    """One handler as NDIS calls it; `stand_in()` has the ghost's."""

    __slots__ = ("_driver", "_handler", "_name", "_stand_in")

    def __init__(self, driver: Any, name: str, handler: Callable[..., Any], stand_in: Callable[[], Any]) -> None:
        self._driver = driver
        self._name = name
        self._handler = handler
        self._stand_in = stand_in

    def __call__(self, *args: Any) -> Any:
        if self._driver.faulted:
            return self._by_ghost(args)
        try:
            answer = self._handler(*args)
        except Exception as error:
            return self._fall_back(args, error)
        if not isinstance(answer, Awaitable):
            return answer
        has_two_edges = len(_edges(self._driver)) > 1
        return self._wait_for_both_edges(args, answer) if has_two_edges else self._wait(args, answer)

    def _by_ghost(self, args: tuple[Any, ...]) -> Any:
        ghost = getattr(self._stand_in(), self._name)
        return NdisStatus.FAILURE if ghost is None else ghost(*args)

    def _fall_back(self, args: tuple[Any, ...], error: Exception) -> Any:
        if not _is_of_the_driver(error):
            raise error
        _take_out(self._driver, self._name, error)
        return self._by_ghost(args)

    async def _wait(self, args: tuple[Any, ...], answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except Exception as error:
            return await answer_of(self._fall_back(args, error))

    async def _wait_for_both_edges(self, args: tuple[Any, ...], answer: Awaitable[Any]) -> Any:
        """What it waits for may be its other edge's business: whoever waits for it is let go when the driver is out."""
        driver = self._driver
        ended, outcome = driver.ndis.kernel.create_event(), list[tuple[Any, Exception | None]]()

        async def work() -> None:
            try:
                outcome.append((await self._wait(args, answer), None))
            except Exception as error:
                outcome.append((None, error))
            ended.set()

        driver.waiting.append(ended)
        driver.ndis.kernel.queue_work_item(work)
        await ended.wait()
        driver.waiting.remove(ended)
        if not outcome:
            return await answer_of(self._by_ghost(args))
        result, failure = outcome[0]
        if failure is not None:
            raise failure
        return result

# SPDX-License-Identifier: Apache-2.0
"""Where requests enter a driver: a miniport's or a filter module's, one at a time, each ended once (OI-01, OI-02)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.kernel import Event
from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.watchdog import OID_LIMIT_S
from hilnic.ndis.waiting import Mutex, answer_of

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis


class RequestPort:
    """The request that is with one driver now, and those that wait for their turn."""

    __slots__ = ("_answered", "_answers", "_cancel", "_handler", "_ndis", "_owner", "_turn", "active")

    def __init__(self, owner: Any, handler: Any, cancel: Any) -> None:
        self._owner = owner
        self._ndis: Ndis = owner.ndis
        self._handler = handler
        self._cancel = cancel
        self._turn = Mutex(owner.ndis.kernel)
        self._answered: Event | None = None
        self._answers: list[NdisStatus] = []
        self.active: OidRequest | None = None

    @property
    def owner(self) -> Any:
        """The adapter or filter module whose requests these are."""
        return self._owner

    @property
    def exists(self) -> bool:
        """Whether the driver sees requests at all; a filter without the handler is bypassed."""
        return self._handler is not None

    @property
    def is_answered(self) -> bool:
        """Whether the driver has ended the request that it has."""
        return bool(self._answers)

    async def call(self, request: OidRequest) -> NdisStatus:
        """Give one request to the driver and wait for its end, whichever way it answers."""
        async with self._turn:
            refusal: NdisStatus | None = self._owner.request_refusal()
            if refusal is not None:
                return refusal
            self.active, self._answers = request, []
            self._answered = self._ndis.kernel.create_event()
            with self._ndis.time_limit(OID_LIMIT_S, "OI-02", self._owner, request, "the request"):
                status = await answer_of(self._handler(self._owner.context, request))
                if status is NdisStatus.PENDING:
                    await self._answered.wait()
                    status = self._answers[0]
                elif self._answers and not self._owner.driver.faulted:
                    self._ndis.violation("OI-02", self._owner, request, "answered and completed as well")
            self.active = None
        return NdisStatus(status)

    def complete(self, request: OidRequest, status: NdisStatus) -> None:
        """The driver ends the request that it answered with PENDING."""
        if status is NdisStatus.PENDING:
            self._ndis.violation("OI-03", self._owner, request, "completed with PENDING")
        elif request is not self.active or self._answers or self._answered is None:
            self._ndis.violation("OI-02", self._owner, request, "completed, but it is not pending")
        else:
            self._answers.append(status)
            self._answered.set()

    def cancel(self, request_id: int) -> None:
        """Ask the driver to give up the request, if that is the one it has."""
        if self.active is not None and self.active.request_id == request_id and self._cancel is not None:
            self._cancel(self._owner.context, request_id)

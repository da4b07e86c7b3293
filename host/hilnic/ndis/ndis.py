# SPDX-License-Identifier: Apache-2.0
"""`Ndis`: one NDIS instance, the root that everything hangs on. No globals: two hosts are two instances."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.driver import MiniportDriver, ProtocolDriver
from hilnic.ndis.filter import FilterDriver
from hilnic.ndis.kernel import Kernel, Region
from hilnic.ndis.lock import SpinLock
from hilnic.ndis.mdl import Mdl
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.ndis5.state import Ndis5
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.pool import NetBufferListPool, NetBufferListPoolParameters, Site, allocation_site
from hilnic.ndis.verifier.access import AccessGuard, CheckedNetBuffer, CheckedNetBufferList
from hilnic.ndis.verifier.leaks import report_everything, report_leaks
from hilnic.ndis.verifier.ledger import Verifier
from hilnic.ndis.verifier.packet_ledger import PacketLedger
from hilnic.ndis.verifier.report import Report
from hilnic.ndis.verifier.vc_ledger import VcLedger
from hilnic.ndis.verifier.watchdog import Watchdogs
from hilnic.ndis.verifier.wire_watch import WireWatch
from hilnic.ndis.xlate.check import typed

F = TypeVar("F")

VerifyMode = Literal["off", "fast", "full"]


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the sources differ or NDIS has a choice: the defaults of the catalogue, and their alternatives."""

    max_nbls_to_indicate: int = 64  # per DPC (IT-03)
    pre630_reset: bool = False  # A8: sends may stay pending over a reset
    hold_sends_during_reset: bool = False  # ST-14: held and sent afterwards, instead of RESET_IN_PROGRESS
    pend_open: bool = False  # open_adapter answers PENDING and completes from a work item
    pend_requests: bool = False  # oid_request answers PENDING also where NDIS knows the answer at once
    late_sg_callback: bool = False  # process_sg_list runs from a DPC after allocate_net_buffer_sg_list returned
    mux_sample: bool = False  # A6: an IM driver that leaves the source handle of receives alone is frowned upon only
    loopback_algorithm: Literal["ddi", "literal"] = "ddi"  # A15: literal = the send flag opens for other bindings too
    copy_lent_receives: bool = False  # R6-07: NDIS copies what comes with RESOURCES and indicates it without
    split_header: Literal["warning", "error"] = "warning"  # S6-20 against MD-27: a MAC header in two MDLs
    resources_via_receive: bool = False  # A1: a RESOURCES packet goes to ProtocolReceive, as in older versions of NDIS
    early_return_is_error: bool = False  # A3: a return before ProtocolReceivePacket has answered
    receive_required: bool = False  # A17: every 5.x protocol needs ProtocolReceive
    check_for_hang: bool = False  # ST-16: discouraged since 6.83
    check_for_hang_ns: int = 2_000_000_000


class Ndis:
    """Drivers, adapters and the verifier of one simulated host."""

    created: ClassVar[Callable[[Ndis], None] | None] = None
    """Who is told of every new instance: the record of a test session (hilnic.testing.run_record)."""

    def __init__(
        self, kernel: Kernel, verify: VerifyMode = "fast", profile: Profile | None = None, seed: int = 0
    ) -> None:
        self.kernel = kernel
        self.trace = kernel.trace
        self.profile = profile or Profile()
        self.verify = verify
        self.report = Report(seed)
        self.verifier = None if verify == "off" else Verifier(self)
        self.vc_ledger = None if self.verifier is None else VcLedger(self, self.verifier)
        self.watchdogs = Watchdogs(self)
        self.guard = AccessGuard(self) if verify == "full" else None
        self.net_buffer_list_type = CheckedNetBufferList if verify == "full" else NetBufferList
        self.net_buffer_type = CheckedNetBuffer if verify == "full" else NetBuffer
        self.miniport_drivers: list[MiniportDriver] = []
        self.protocol_drivers: list[ProtocolDriver] = []
        self.filter_drivers: list[FilterDriver] = []
        self.adapters: list[Adapter] = []
        self.pools: list[Any] = []
        self.mdls: dict[Mdl, Site] = {}
        self.oid_clones: dict[OidRequest, tuple[Any, Site]] = {}
        self.held_locks: list[SpinLock] = []
        self.others_busy = False  # another CPU is in mid-call: what it sends may not have reached the miniport yet
        self.calls: defaultdict[str, int] = defaultdict(int)  # WDK name -> calls
        self.ndis5 = Ndis5(self, None if verify == "off" else PacketLedger(self))
        self.wire_watches: dict[str, WireWatch] = {}  # by the name of the adapter that will start (V14)
        self.last_nbl_id = 0
        self.last_frame_id = 0
        self.xlate_copies = 0  # bytes that the translation between NDIS 5 and 6 copied: lookahead and transfers alone
        self.last_cancel_id = 0
        self.counts_handlers = False  # calls of the handlers that have a WDK name, too
        self.fan_out_pool = NetBufferListPool(self, NetBufferListPoolParameters(tag="receive fan-out"))
        self.copy_pool = NetBufferListPool(self, NetBufferListPoolParameters(tag="copies of frames"))
        if Ndis.created is not None:
            Ndis.created(self)

    @property
    def ndis(self) -> Ndis:
        """Itself: the root is a handle too."""
        return self

    def violation(self, rule: str, actor: Any, subject: Any, detail: str = "") -> None:
        """A rule was broken: raise, or record while violations are being collected; silent with verify=off."""
        if self.verifier is not None:
            self.report.violation(rule, actor, subject, detail, self.kernel.now_ns())

    def warning(self, rule: str, actor: Any, subject: Any, detail: str = "") -> None:
        """A rule frowns: recorded in `report.warnings`, never raised."""
        if self.verifier is not None:
            self.report.warning(rule, actor, subject, detail, self.kernel.now_ns())

    def time_limit(self, seconds: int, rule: str, actor: Any, subject: Any, what: str) -> AbstractContextManager[None]:
        """The block has to end within so many seconds of virtual time (V8)."""
        if self.verifier is None:
            return nullcontext()
        return self.watchdogs.limit(seconds, rule, actor, subject, what)

    def emit(self, kind: str, **fields: Any) -> None:
        """An event for the trace."""
        if self.trace.enabled:
            self.trace.emit(kind, **fields)

    def guarded(self, handler: F, actor: Any, name: str = "") -> F:
        """The handler as NDIS calls it: counted by `name` on demand; in `full` `actor` answers for what it touches."""
        if handler is None:
            return handler
        wrapped: Any = handler
        if name and self.counts_handlers:
            wrapped = self._counted(wrapped, name)
        if self.guard is not None:
            wrapped = self.guard.wrap(typed(self, wrapped, actor, name), actor)
        return wrapped  # type: ignore[no-any-return]

    def _counted(self, handler: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(handler)
        def call(*args: Any) -> Any:
            self.calls[name] += 1
            return handler(*args)

        return call

    def new_mdl(self, region: Region, byte_offset: int, byte_count: int) -> Mdl:
        """An MDL in the leak ledger."""
        mdl = Mdl(region, byte_offset, byte_count, self)
        if self.verifier is not None:
            self.mdls[mdl] = allocation_site(3)
        return mdl

    def forget_mdl(self, mdl: Mdl) -> None:
        """The MDL was freed."""
        self.mdls.pop(mdl, None)

    def leaks_of(self, owner: Any) -> None:
        """Report what an adapter or driver should have released by now (V9)."""
        if self.verifier is not None:
            report_leaks(self, owner)

    def check_leaks(self) -> None:
        """The end of a run: report everything that is still allocated or outstanding (V9)."""
        if self.verifier is not None:
            report_everything(self)

    def __repr__(self) -> str:
        return f"Ndis(verify={self.verify}, {len(self.adapters)} adapters, {len(self.protocol_drivers)} protocols)"

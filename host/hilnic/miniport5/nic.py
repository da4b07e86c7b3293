# SPDX-License-Identifier: Apache-2.0
"""The adapter's life in NDIS 5: initialize to halt; the queues run in between, for a 5.x miniport knows no pause.

    MiniportInitialize    steps in order, each with its undo on a stack; a failure at step k undoes 1..k-1
    MiniportReset         PENDING; a work item resets the NIC, ends what is pending, starts again, NdisMResetComplete
    OID_PNP_SET_POWER     below D0 the NIC is silent, at D0 it is as initialize left it
    MiniportHalt          the whole undo stack

Handlers of NDIS 5 run at DISPATCH_LEVEL and may not wait; a register read is a round trip. So whatever reads is a work
item, and its handler answers PENDING. The filter is closed until a protocol opens it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.device import BusError, Device
from hilnic.miniport import bring_up
from hilnic.miniport.bring_up import Refused, UndoStack, require
from hilnic.miniport.config import NicConfig
from hilnic.miniport.filter import ReceiveFilter
from hilnic.miniport.hardware import ALL_ONES, Hardware
from hilnic.miniport.link import QUEUE_ERRORS
from hilnic.miniport5.interrupt import LINE, MiscWatch
from hilnic.miniport5.link import Link5
from hilnic.miniport5.rx import ReceiveRing
from hilnic.miniport5.tx import TransmitRing
from hilnic.ndis import NdisMedium, NdisStatus, ndis5
from hilnic.ndis.ndis5 import NdisRequest
from hilnic.ndis.waiting import Mutex

__all__ = ["Nic5"]

InitializeAnswer = tuple[NdisStatus, NdisMedium | None]


class Nic5(ABC):
    """One NIC: the MiniportAdapterContext. Subclasses choose how frames go up and down."""

    medium: ClassVar[NdisMedium] = NdisMedium.MEDIUM_802_3
    attributes: ClassVar[int]
    own_oids: ClassVar[frozenset[int]] = frozenset()
    """What `query_own` and `set_own` know."""
    tx: TransmitRing
    rx: ReceiveRing
    filter: ReceiveFilter
    link: Link5
    misc: MiscWatch

    def __init__(self, adapter: ndis.Adapter, device: Device, config: NicConfig) -> None:
        self.handle = adapter
        self.config = config
        self.kernel = adapter.ndis.kernel
        self.hardware = Hardware(device, self.kernel)
        self.memory = device.memory
        self.queues_running = False
        """True while completions are to be looked for."""
        self.turn = Mutex(self.kernel)
        self._awake = False
        self._loopback = regs.CTRL_LOOPBACK if config.loopback else 0
        self._hang_mark: tuple[int, bool] = (0, False)
        self._undo = UndoStack()

    def __repr__(self) -> str:
        """Address and condition."""
        state = "running" if self.queues_running else "stopped"
        return f"<{type(self).__name__} {self.config.mac_address.hex(':')} {state}>"

    # --- what the subclasses say --------------------------------------------------------------------------------------

    @abstractmethod
    def set_up_dma(self) -> NdisStatus:
        """NdisMInitializeScatterGatherDma or NdisMAllocateMapRegisters."""

    def undo_dma(self) -> None:  # noqa: B027 - nothing is a good answer
        """The reverse, where there is one."""

    @abstractmethod
    def make_transmitter(self) -> TransmitRing:
        """The transmit half."""

    @abstractmethod
    def make_receiver(self) -> ReceiveRing:
        """The receive half."""

    def make_link(self) -> Link5:
        """How link changes are told."""
        return Link5(self.handle, self.hardware)

    def query_own(self, request: NdisRequest) -> NdisStatus | None:
        """A query that only this driver knows; None when it does not."""
        del request
        return None

    def set_own(self, request: NdisRequest) -> NdisStatus | None:
        """Likewise a set."""
        del request
        return None

    async def make_more(self) -> None:  # noqa: B027 - nothing is a good answer
        """What halt gives back besides, made when there are queues and no interrupts yet; Refused, MemoryError."""

    def open(self) -> None:  # noqa: B027 - nothing is a good answer
        """The queues run: what has to be programmed besides, after each start."""

    # --- initialize and halt ------------------------------------------------------------------------------------------

    async def initialize(self, mediums: Sequence[NdisMedium]) -> InitializeAnswer:
        """MiniportInitialize."""
        if self.medium not in mediums:
            return NdisStatus.UNSUPPORTED_MEDIA, None
        ndis5.set_attributes_ex(self.handle, self, attribute_flags=self.attributes)
        try:
            await bring_up.identify(self.hardware, self.config, LINE)
            await bring_up.soft_reset_or_refuse(self.hardware, self.config)
            self._undo.push(lambda: bring_up.soft_reset_at_halt(self.hardware, self.config))
            await self._make()
            await self._start()
        except Refused as refused:
            status = refused.status
        except BusError:
            status = NdisStatus.DEVICE_FAILED
        except MemoryError:
            status = NdisStatus.RESOURCES
        else:
            return NdisStatus.SUCCESS, self.medium
        await self._undo.unwind()
        return status, None

    async def _make(self) -> None:
        """Everything that halt gives back (C5-12)."""
        self.link = self.make_link()
        self.link.up = await self.link.read()
        self.filter = ReceiveFilter(self.hardware)
        require(self.set_up_dma())
        self._undo.push(self.undo_dma)
        self.tx = self.make_transmitter()
        self._undo.push(self.tx.free)
        self.tx.allocate()
        self.rx = self.make_receiver()
        self._undo.push(self.rx.free)
        self.rx.allocate()
        if self.medium is NdisMedium.MEDIUM_802_3:
            self.tx.vlan_id = self.rx.vlan_id = self.config.vlan_id
        await self.make_more()
        self.misc = MiscWatch(self.handle, self._look_at_causes)
        self._undo.push(self.misc.stop)
        status, interrupt = ndis5.register_interrupt(self.handle, self.hardware.device.connect_interrupt, LINE)
        require(status)
        assert interrupt is not None
        line = interrupt
        self._undo.push(lambda: ndis5.deregister_interrupt(line))
        self._undo.push(lambda: bring_up.mask_misc(self.hardware, self.config))

    async def _start(self) -> None:
        self._undo.push(self._stop_for_good)
        self._awake = True
        self._program()
        if not await self._start_queues():
            raise Refused(NdisStatus.DEVICE_FAILED)

    async def _stop_for_good(self) -> None:
        async with self.turn:
            self._awake = False
            await self._stop_queues(NdisStatus.REQUEST_ABORTED)

    async def halt(self) -> None:
        """MiniportHalt: everything undone, in reverse."""
        await self._undo.unwind()

    # --- the NIC ------------------------------------------------------------------------------------------------------

    def _program(self) -> None:
        bring_up.program(self.hardware, self.config, self.filter)

    async def _start_queues(self) -> bool:
        if not self.hardware.present:
            return False
        self.queues_running = True
        if not (await self.rx.start() and await self.tx.start()):
            return False
        self.rearm()
        self.open()
        self.hardware.write(regs.CTRL, regs.CTRL_TX_ENABLE | regs.CTRL_RX_ENABLE | self._loopback)
        return await self.hardware.until(regs.CTRL, regs.CTRL_RX_ENABLE, regs.CTRL_RX_ENABLE, self.config.timeout_ns)

    async def _stop_queues(self, status: NdisStatus) -> None:
        """Disable both queues, wait for the idle acknowledgement, only then touch their memory (RG-12)."""
        self.tx.refusal = self.tx.refusal or status
        if self.hardware.present:
            self.hardware.write(regs.CTRL, regs.CTRL_TX_ENABLE | self._loopback)
            idle = await self.disable_queues()
            self.hardware.write(regs.CTRL, 0)
            if not idle and self.hardware.present:
                await self.hardware.soft_reset(self.config.timeout_ns)
        self._end_traffic(status)

    async def disable_queues(self) -> bool:
        """True once nothing of any queue is outstanding in the NIC."""
        idle = [await page.disable(self.config.timeout_ns) for page in (self.rx.page, self.tx.page)]
        return all(idle)

    def _end_traffic(self, status: NdisStatus) -> None:
        """The NIC does nothing any more: completions of the last moment are taken, buffers come back, sends end."""
        if self.queues_running and self.hardware.present:
            self.tx.reap()
            self.rx.drain()
        self.queues_running = False
        self.rx.reclaim()
        self.tx.abort(status)

    # --- interrupt ----------------------------------------------------------------------------------------------------

    def handle_interrupt(self) -> None:
        """MiniportHandleInterrupt: sends that are done, at most `dpc_budget` frames; then whatever else it may be."""
        taken = 0
        if self.queues_running:
            taken = self.tx.reap() + self.rx.poll(self.config.dpc_budget)
        if self.hardware.present:
            self.misc.note(taken > 0)

    def rearm(self) -> None:
        """MiniportEnableInterrupt: both queues, at the index up to which they were looked at (RG-06)."""
        if self.queues_running:
            self.tx.rearm()
            self.rx.rearm()

    async def _look_at_causes(self) -> None:
        causes = await self.link.acknowledge()
        if causes & QUEUE_ERRORS and self._awake:
            ndis.reset_miniport(self.handle)
        if self.hardware.present:
            await self.link.report()

    # --- reset --------------------------------------------------------------------------------------------------------

    def reset(self) -> tuple[NdisStatus, bool]:
        """MiniportReset: pending sends end with RESET_IN_PROGRESS (A8); NDIS sets the filters again."""
        self.tx.refusal = self.tx.refusal or NdisStatus.RESET_IN_PROGRESS
        self.tx.running = False
        ndis.queue_io_work_item(self.handle, self._reset, None)
        return NdisStatus.PENDING, False

    async def _reset(self, context: Any) -> None:
        del context
        async with self.turn:
            works = await self.hardware.soft_reset(self.config.timeout_ns)
            if works:
                self._end_traffic(NdisStatus.RESET_IN_PROGRESS)
                self._program()
                works = not self._awake or await self._start_queues()
        if not works:
            self._lose()
        ndis.complete_reset(self.handle, NdisStatus.SUCCESS if works else NdisStatus.FAILURE, works)
        if works:
            await self.link.report()

    def check_for_hang(self) -> bool:
        """MiniportCheckForHang: True when sends have made no progress since the last call (ST-16)."""
        ndis.queue_io_work_item(self.handle, self._check_presence, None)
        before = self._hang_mark
        self._hang_mark = (self.tx.completions.index, self.tx.busy)
        return self.tx.busy and self.tx.refusal is None and before == self._hang_mark

    async def _check_presence(self, context: Any) -> None:
        del context
        try:
            missing = await self.hardware.read(regs.ID) == ALL_ONES
        except BusError:
            return  # it is there; a hang shows in the sends
        if missing:
            self._lose()

    def _lose(self) -> None:
        """The NIC does not come back from a reset, or is not there: it leaves."""
        if self.hardware.present:
            self.surprise_removed()
            ndis.remove_miniport(self.handle)

    # --- power, removal, shutdown -------------------------------------------------------------------------------------

    async def set_power(self, state: ndis.DevicePowerState) -> NdisStatus:
        """Below D0 the NIC forgets everything and causes no interrupt; at D0 it runs again (ST-24)."""
        async with self.turn:
            self._awake = state == ndis.DevicePowerState.D0
            if self.queues_running:
                await self._stop_queues(NdisStatus.FAILURE)
            if not await self.hardware.soft_reset(self.config.timeout_ns):
                return NdisStatus.NOT_ACCEPTED
            if not self._awake:
                self.filter.forget()
                return NdisStatus.SUCCESS
            self._program()
            if not await self._start_queues():
                return NdisStatus.FAILURE
        await self.link.report()
        return NdisStatus.SUCCESS

    def surprise_removed(self) -> None:
        """The device has left: no register access from now on, all that it owned is ours again (ST-17)."""
        self.hardware.present = False
        self._awake = False
        self.tx.refusal = NdisStatus.NOT_ACCEPTED
        self._end_traffic(NdisStatus.NOT_ACCEPTED)

    def shut_down(self) -> None:
        """MiniportShutdown: stop the traffic with one write; memory is nobody's concern any more (C5-14)."""
        self.hardware.write(regs.CTRL, regs.CTRL_SOFT_RESET)
        self.queues_running = False

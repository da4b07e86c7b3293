# SPDX-License-Identifier: Apache-2.0
"""The adapter's life: initialize, restart, pause, reset, surprise removal, halt.

    initialize   steps in order, each with its undo on a stack; a failure at step k undoes 1..k-1 (ST-20)
    restart      program the queues, post buffers, enable                                    -> traffic
    pause        drain what was accepted, disable the queues, wait for returned frames (ST-03)
    reset        soft reset, end what is pending, set up again; the operational state stays (ST-13)
    removal      nothing touches the hardware any more, everything pending ends (ST-17)
    halt         the whole undo stack (ST-18, ST-19)

Restart, the stopping part of pause, reset and halt exclude each other; all of them run at PASSIVE_LEVEL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.device import BusError, Device
from hilnic.hw.line import CardOnLine
from hilnic.miniport import bring_up
from hilnic.miniport.bring_up import Refused, UndoStack, require
from hilnic.miniport.config import NicConfig
from hilnic.miniport.filter import MULTICAST_LIST_SIZE, ReceiveFilter
from hilnic.miniport.hardware import ALL_ONES, Hardware
from hilnic.miniport.interrupt import MISC_MESSAGE, PolledQueues, QueuePoller, message_interrupt, message_interrupt_dpc
from hilnic.miniport.line import LineCauses, line_interrupt, line_interrupt_dpc
from hilnic.miniport.link import QUEUE_ERRORS, Link, link_state
from hilnic.miniport.oids import OIDS_WITH_VLAN, SUPPORTED_OIDS
from hilnic.miniport.ring import CompletionRing
from hilnic.miniport.rx import Receiver
from hilnic.miniport.tx import Transmitter
from hilnic.miniport.tx_frame import process_sg_list
from hilnic.ndis import NdisStatus
from hilnic.ndis.waiting import Mutex

__all__ = ["NicAdapter"]

_DRAIN_POLL_NS = 5_000
_U32 = 0xFFFFFFFF
Step = Callable[[], Awaitable[None]]
_MAC_OPTIONS = ndis.MacOptions.TRANSFERS_NOT_PEND | ndis.MacOptions.COPY_LOOKAHEAD_DATA


class Drained(Protocol):
    """What a pause waits for: a transmit queue."""

    completions: CompletionRing

    @property
    def busy(self) -> bool:
        """Is anything waiting or in flight?"""
        ...


class NicAdapter:
    """One NIC: the miniport adapter context."""

    tx: Transmitter
    rx: Receiver
    filter: ReceiveFilter
    link: Link

    def __init__(self, adapter: ndis.Adapter, device: Device, config: NicConfig) -> None:
        self.handle = adapter
        self.config: NicConfig = config
        self.kernel = adapter.ndis.kernel
        self.hardware = Hardware(device, self.kernel)
        self.queues_running = False
        """True while completions are to be looked for: from restart until the queues are known to be idle."""
        self.line = LineCauses(device.pin) if isinstance(device, CardOnLine) else None
        """When the bus gives the card a line instead of messages."""
        self.memory = device.memory
        self.turn = Mutex(self.kernel)
        self._operational = False
        self._loopback = regs.CTRL_LOOPBACK if config.loopback else 0
        self._misc_queued = False
        self._hang_mark: tuple[int, bool] = (0, False)
        self._undo = UndoStack()
        self.pollers: dict[int, QueuePoller] = {}
        """Vector -> what looks at its queues."""
        self._dma: Any = None

    def __repr__(self) -> str:
        """Address and condition."""
        state = "running" if self.queues_running else "stopped"
        return f"<NicAdapter {self.config.mac_address.hex(':')} {state if self.hardware.present else 'removed'}>"

    # --- initialize and halt ------------------------------------------------------------------------------------------

    async def initialize(self) -> NdisStatus:
        """MiniportInitializeEx."""
        try:
            for step in self.initialization_steps():
                await step()
        except Refused as refused:
            status = refused.status
        except BusError:
            status = NdisStatus.DEVICE_FAILED
        except MemoryError:
            status = NdisStatus.RESOURCES
        else:
            return NdisStatus.SUCCESS
        await self._undo.unwind()
        return status

    def initialization_steps(self) -> list[Step]:
        """In order; each pushes what undoes it."""
        return [
            self._identify,
            self._quiesce,
            self._announce,
            self._register_dma,
            self._make_transmitter,
            self._make_receiver,
            self._connect_interrupts,
            self._set_up,
        ]

    async def _identify(self) -> None:
        await bring_up.identify(self.hardware, self.config, self.config.vector)

    async def _quiesce(self) -> None:
        await bring_up.soft_reset_or_refuse(self.hardware, self.config)
        self._undo.push(lambda: bring_up.soft_reset_at_halt(self.hardware, self.config))

    def make_link(self) -> Link:
        """How link changes are told."""
        return Link(self.handle, self.hardware)

    async def _announce(self) -> None:
        """Registration attributes first, then what NDIS answers queries with."""
        self.link = self.make_link()
        self.link.up = await self.link.read()
        flags = ndis.MiniportAttributes.HARDWARE_DEVICE | ndis.MiniportAttributes.BUS_MASTER
        flags |= ndis.MiniportAttributes.SURPRISE_REMOVE_OK
        self._set(ndis.RegistrationAttributes(self, flags))
        state = link_state(self.link.up)
        options = _MAC_OPTIONS if self.config.loopback else _MAC_OPTIONS | ndis.MacOptions.NO_LOOPBACK
        if self.config.priority_vlan_tag:
            options |= self.config.priority_vlan_tag.mac_options
        self._set(
            ndis.GeneralAttributes(
                mac_address=self.config.mac_address,
                permanent_mac_address=self.config.mac_address,
                mtu_size=self.config.mtu,
                lookahead_size=self.config.mtu,
                xmit_link_speed=state.xmit_link_speed,
                rcv_link_speed=state.rcv_link_speed,
                media_connect_state=state.media_connect_state,
                media_duplex_state=state.media_duplex_state,
                mac_options=options,
                max_multicast_list_size=MULTICAST_LIST_SIZE,
                supported_statistics=ndis.ALL_STATISTICS,
                supported_oids=OIDS_WITH_VLAN if self.config.has_vlan else SUPPORTED_OIDS,
            )
        )

    def _set(self, attributes: ndis.RegistrationAttributes | ndis.GeneralAttributes) -> None:
        require(ndis.set_miniport_attributes(self.handle, attributes))

    async def _register_dma(self) -> None:
        description = ndis.ScatterGatherDmaDescription(mapper=self.memory, process_sg_list=process_sg_list)
        status, self._dma = ndis.register_scatter_gather_dma(self.handle, description)
        require(status)
        self._undo.push(lambda: ndis.deregister_scatter_gather_dma(self._dma))

    async def _make_transmitter(self) -> None:
        self.tx = Transmitter(self.handle, self.hardware, self.memory, self._dma, self.config)
        self.tx.vlan_id = self.config.vlan_id
        self._undo.push(self.tx.free)
        self.tx.allocate()

    async def _make_receiver(self) -> None:
        self.rx = Receiver(self.handle, self.hardware, self.memory, self._dma, self.config)
        self.rx.vlan_id = self.config.vlan_id
        self._undo.push(self.rx.free)
        self.rx.allocate()

    async def _connect_interrupts(self) -> None:
        """Handlers first, causes afterwards (IT-01)."""
        self._make_pollers()
        characteristics = ndis.InterruptCharacteristics(
            connect=self.hardware.device.connect_interrupt,
            vectors=(MISC_MESSAGE, *self.pollers),
            message_interrupt=message_interrupt,
            message_interrupt_dpc=message_interrupt_dpc,
            line=None if self.line is None else self.line.pin,
            interrupt=line_interrupt,
            interrupt_dpc=line_interrupt_dpc,
        )
        status, interrupt = ndis.register_interrupt(self.handle, self, characteristics)
        require(status)
        if self.line is not None:
            self.line.interrupt = interrupt
        self._undo.push(lambda: ndis.deregister_interrupt(interrupt))
        self._undo.push(lambda: bring_up.mask_misc(self.hardware, self.config))

    def _make_pollers(self) -> None:
        """One for each vector of queues."""
        self._add_poller(self.config, self)

    def _add_poller(self, config: NicConfig, queues: PolledQueues) -> None:
        poller = self.pollers[config.vector] = QueuePoller(self.handle, config, queues)
        self._undo.push(poller.free)

    async def _set_up(self) -> None:
        self.filter = ReceiveFilter(self.hardware)
        self._program()

    def _program(self) -> None:
        bring_up.program(self.hardware, self.config, self.filter)

    async def halt(self) -> None:
        """MiniportHaltEx: everything undone, in reverse."""
        self.queues_running = False
        await self._undo.unwind()

    # --- restart, pause -----------------------------------------------------------------------------------------------

    async def restart(self) -> NdisStatus:
        """MiniportRestart: traffic from here on; on failure everything is as before (ST-09)."""
        async with self.turn:
            self._operational = True
            if await self._start_queues():
                return NdisStatus.SUCCESS
            self._operational = False
            await self._stop_queues(NdisStatus.FAILURE)
            return NdisStatus.FAILURE if self.hardware.present else NdisStatus.NOT_ACCEPTED

    async def _start_queues(self) -> bool:
        if not self.hardware.present:
            return False
        self.queues_running = True
        if not (await self.rx.start() and await self.tx.start()):
            return False
        self.rearm()
        self.hardware.write(regs.CTRL, regs.CTRL_TX_ENABLE | regs.CTRL_RX_ENABLE | self._loopback)
        return await self.hardware.until(regs.CTRL, regs.CTRL_RX_ENABLE, regs.CTRL_RX_ENABLE, self.config.timeout_ns)

    async def pause(self) -> NdisStatus:
        """MiniportPause: accepted frames still go out (ST-23), then silence, then everything is back (ST-03)."""
        self._operational = False
        self.tx.refusal = NdisStatus.PAUSED
        await self._drain_transmitter()
        async with self.turn:
            await self._stop_queues(NdisStatus.PAUSED)
        await self.rx.wait_until_returned()
        return NdisStatus.SUCCESS

    async def _drain_transmitter(self) -> None:
        """Until the transmitter is empty, or has been stuck for `stall_ns` (its clock stopped, its queue in error)."""
        await self._drain(self.tx, self.config.stall_ns)

    async def _drain(self, tx: Drained, stall_ns: int) -> None:
        mark, since = -1, self.kernel.now_ns()
        while tx.busy and self.hardware.present:
            if tx.completions.index != mark:
                mark, since = tx.completions.index, self.kernel.now_ns()
            elif self.kernel.now_ns() - since > stall_ns:
                return
            await self.kernel.sleep(_DRAIN_POLL_NS)

    async def _stop_queues(self, status: NdisStatus) -> None:
        """Disable both queues, wait for the idle acknowledgement, only then touch their memory (RG-12)."""
        self.tx.refusal = self.tx.refusal or status
        if self.hardware.present:
            self.hardware.write(regs.CTRL, regs.CTRL_TX_ENABLE | self._loopback)
            idle = await self._disable_queues()
            self.hardware.write(regs.CTRL, 0)
            if not idle and self.hardware.present:
                await self.hardware.soft_reset(self.config.timeout_ns)
                self._program()
        self._collect()
        self._end_traffic(status)

    async def _disable_queues(self) -> bool:
        """True once nothing of any queue is outstanding in the NIC."""
        idle = [await page.disable(self.config.timeout_ns) for page in (self.rx.page, self.tx.page)]
        return all(idle)

    def collect(self, budget: int) -> tuple[int, bool]:
        """For the poller: complete sends, indicate at most `budget` frames; how many there were, is there more?"""
        completions = self.rx.completions
        before = completions.index
        sent = self.tx.reap()
        more = self.rx.poll(budget)
        return max(sent, (completions.index - before) & _U32), more

    def rearm(self) -> None:
        """For the poller: both queues, at the index up to which they were looked at (RG-06)."""
        self.tx.rearm()
        self.rx.rearm()

    def _collect(self) -> None:
        """Take what the NIC completed before it stopped."""
        if self.queues_running and self.hardware.present:
            self.tx.reap()
            self.rx.drain()

    def _end_traffic(self, status: NdisStatus) -> None:
        """The NIC does nothing any more: buffers come back, sends end."""
        self.queues_running = False
        for poller in self.pollers.values():
            poller.stop()
        self.rx.reclaim()
        self.tx.abort(status)

    # --- power --------------------------------------------------------------------------------------------------------

    async def sleep(self) -> NdisStatus:
        """OID_PNP_SET_POWER below D0, paused: the NIC forgets everything and causes no interrupt (ST-24)."""
        async with self.turn:
            if await self.hardware.soft_reset(self.config.timeout_ns):
                self.filter.forget()
                return NdisStatus.SUCCESS
        return NdisStatus.NOT_ACCEPTED

    async def wake(self) -> NdisStatus:
        """OID_PNP_SET_POWER to D0: from reset values to where initialize had it; NDIS sets the filters and restarts."""
        async with self.turn:
            if not await self.hardware.soft_reset(self.config.timeout_ns):
                return NdisStatus.NOT_ACCEPTED
            self._program()
        await self.link.report()
        return NdisStatus.SUCCESS

    # --- reset --------------------------------------------------------------------------------------------------------

    async def reset(self) -> tuple[NdisStatus, bool]:
        """MiniportResetEx: pending sends end with RESET_IN_PROGRESS (A8); NDIS sets the filters again."""
        self.tx.refusal = self.tx.refusal or NdisStatus.RESET_IN_PROGRESS
        self.tx.running = False
        async with self.turn:
            if not await self.hardware.soft_reset(self.config.timeout_ns):
                return self._lost()
            self._collect()
            self._end_traffic(NdisStatus.RESET_IN_PROGRESS)
            self._program()
            if self._operational and not await self._start_queues():
                return self._lost()
        await self.link.report()
        return NdisStatus.SUCCESS, True

    def _lost(self) -> tuple[NdisStatus, bool]:
        """The NIC does not come back from a reset, or is not there: it leaves."""
        if self.hardware.present:
            self.surprise_removed()
            ndis.remove_miniport(self.handle)
        return NdisStatus.FAILURE, False

    async def check_for_hang(self) -> bool:
        """True when the transmitter has made no progress since the last call (ST-16); a missing NIC removes itself."""
        try:
            missing = await self.hardware.read(regs.ID) == ALL_ONES
        except BusError:
            return True
        if missing:
            self._lost()
            return False
        before = self._hang_mark
        self._hang_mark = (self.tx.completions.index, self.tx.busy)
        return self.tx.busy and self.tx.refusal is None and before == self._hang_mark

    # --- removal, shutdown --------------------------------------------------------------------------------------------

    def surprise_removed(self) -> None:
        """The device has left: no register access from now on, all that it owned is ours again (ST-17)."""
        self.hardware.present = False
        self._operational = False
        self.tx.refusal = NdisStatus.NOT_ACCEPTED
        self._end_traffic(NdisStatus.NOT_ACCEPTED)

    def shut_down(self) -> None:
        """MiniportShutdownEx: stop the traffic with one write; memory is nobody's concern any more."""
        self.hardware.write(regs.CTRL, regs.CTRL_SOFT_RESET)
        self.queues_running = False

    # --- miscellaneous interrupt --------------------------------------------------------------------------------------

    def queue_misc_work(self) -> None:
        """From the DPC of vector 0: registers are read at PASSIVE_LEVEL."""
        if not self._misc_queued and self.hardware.present:
            self._misc_queued = True
            ndis.queue_io_work_item(self.handle, self._misc_work, None)

    async def _misc_work(self, context: Any) -> None:
        del context
        self._misc_queued = False
        causes = await self.link.acknowledge()
        if causes & QUEUE_ERRORS and self._operational:
            ndis.reset_miniport(self.handle)
        await self.link.report()

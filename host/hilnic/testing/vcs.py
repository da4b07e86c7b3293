# SPDX-License-Identifier: Apache-2.0
"""The VC table of nic_1g as a test writes it, beside docs/nic.md section 11."""

from hilnic.hw import regs
from hilnic.hw.regs import Cause, VcCounter, VcState
from hilnic.hw.regs_table import VC_COUNTER_NAMES
from hilnic.testing.nic_1g import Nic1g
from hilnic.testing.nic_adapter import VcSetup

_BITS = 8
_FRACTION = 1 << 16
_PICOSECONDS = 10**12


def tagged(frame: bytes, vlan: int, priority: int = 0) -> bytes:
    """The frame with an 802.1Q tag behind its source address."""
    return frame[:12] + b"\x81\x00" + (priority << 13 | vlan).to_bytes(2, "big") + frame[12:]


def vlan_of(frame: bytes) -> int:
    """The VLAN id of a frame; 0 without a tag."""
    return int.from_bytes(frame[14:16], "big") & 0xFFF if frame[12:14] == b"\x81\x00" else 0


def counted(frame: bytes) -> int:
    """Octets that the shaper and the counters count of a frame as it is on the wire, which is given without FCS."""
    return max(len(frame), 60) + 4


class Vcs:
    """All entries."""

    def __init__(self, nic: Nic1g) -> None:
        self._nic, self._device = nic, nic.device

    async def activate(self, setup: VcSetup) -> Cause:
        """Write the page and CTRL = 1, also of an active VC; the cause of a refusal."""
        await self.write_page(setup)
        page = regs.vc_page(setup.number)
        self._device.write32(page + regs.VC_CTRL, regs.VC_CTRL_ENABLE)
        return (await self.state(setup.number))[1]

    async def write_page(self, setup: VcSetup) -> None:
        """Every register but CTRL."""
        page = regs.vc_page(setup.number)
        share = setup.quantum | (regs.VC_SHARE_GUARANTEED if setup.guaranteed else 0)
        for offset, value in (
            (regs.VC_VLAN, setup.vlan | setup.priority << regs.VC_VLAN_PCP_LSB),
            (regs.VC_TX_QUEUE, setup.queue | (regs.VC_TX_QUEUE_ENABLE if setup.transmits else 0)),
            (regs.VC_RX_QUEUE, setup.queue | (regs.VC_RX_QUEUE_ENABLE if setup.receives else 0)),
            (regs.VC_MAX_FRAME, setup.max_frame),
            (regs.VC_INTERVAL, await self.interval(setup.rate)),
            (regs.VC_BURST, setup.burst),
            (regs.VC_PEAK_INTERVAL, await self.interval(setup.peak_rate)),
            (regs.VC_PEAK_BURST, setup.peak_burst),
            (regs.VC_SHARE, share),
        ):
            self._device.write32(page + offset, value)

    async def interval(self, rate: int) -> int:
        """INTERVAL of a rate in bit/s; 0 stays 0."""
        if not rate:
            return 0
        cycle_ps = await self._device.read32(regs.SYS_CLK_PS)
        return round(_FRACTION * _BITS * _PICOSECONDS / (rate * cycle_ps))

    def begin_deactivation(self, number: int) -> None:
        """CTRL = 0, without waiting for anything."""
        self._device.write32(regs.vc_page(number) + regs.VC_CTRL, 0)

    async def deactivate(self, number: int) -> None:
        """CTRL = 0, and wait for state off."""
        self.begin_deactivation(number)
        await self._nic.wait_for(regs.vc_page(number) + regs.VC_STATUS, regs.VC_STATUS_STATE, VcState.OFF)

    async def state(self, number: int) -> tuple[VcState, Cause]:
        """State, and why the last activation was refused."""
        status = await self._device.read32(regs.vc_page(number) + regs.VC_STATUS)
        cause = (status & regs.VC_STATUS_CAUSE) >> regs.VC_STATUS_CAUSE_LSB
        return VcState(status & regs.VC_STATUS_STATE), Cause(cause)

    async def counters(self, number: int) -> dict[str, int]:
        """All counters of a VC by name."""
        found = {}
        for counter in VcCounter:
            offset = regs.vc_counter(number, counter)
            low = await self._device.read32(offset)
            found[VC_COUNTER_NAMES[counter]] = low | await self._device.read32(offset + 4) << 32
        return found

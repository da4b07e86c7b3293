# SPDX-License-Identifier: Apache-2.0
"""From call parameters to what a VC page of the NIC says.

    token_rate         -> INTERVAL       cycles per octet; never faster than asked unless ROUND_UP_FLOW
    token_bucket_size  -> BURST          at least the longest frame, for a frame starts only when the bucket holds one
    peak_bandwidth     -> PEAK_INTERVAL  with a bucket of one longest frame
    max_sdu_size       -> MAX_FRAME      with header, tag and FCS
    service_type       -> GUARANTEED     for CONTROLLED_LOAD and GUARANTEED with a token rate

Rates and bursts count what the NIC counts: the octets of frames with header, tag, padding and FCS.
"""

from __future__ import annotations

from dataclasses import dataclass

from hilnic.hw import regs
from hilnic.miniport_co.header import OVERHEAD
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import UNSPECIFIED, CallParameters, FlowSpec, MediaFlags, ServiceType
from hilnic.ndis.condis.vlan_media import VlanMedia

__all__ = ["Contract", "Unfit", "contract_of"]

LINE_RATE = 125_000_000
"""Bytes per second of the wire."""
_PICOSECONDS = 10**12
_FRACTION_BITS = 16
_BURSTS_UNASKED = 2
"""Longest frames in a bucket whose depth nobody has named."""
_MOST_BURST = regs.VC_BURST_OCTETS
_SLOWEST = 0xFFFFFFFF
_ORDINARY = {ServiceType.NO_TRAFFIC, ServiceType.BEST_EFFORT}


class Unfit(Exception):
    """Parameters that the NIC cannot keep to; `status` is the answer."""

    def __init__(self, status: NdisStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Contract:
    """One connection as it was agreed; intervals in cycles / 65536 per octet, 0: no limit; sizes in octets."""

    media: VlanMedia
    transmits: bool
    receives: bool
    max_sdu: int
    interval: int
    burst: int
    peak_interval: int
    peak_burst: int
    guaranteed: bool
    committed: int
    """Bytes per second that nobody else may be promised."""
    longest_wait_ns: int
    """Until an empty bucket holds the longest frame, twice."""
    transmit_speed: int
    receive_speed: int
    """Bits per second, at most the line's: what the VC's user is told."""

    @property
    def identity(self) -> tuple[int, bool, bool]:
        """What no change of an active VC's contract may change."""
        return self.media.vlan_id, self.transmits, self.receives

    @property
    def max_frame(self) -> int:
        """The longest frame on the wire."""
        return longest_frame(self.max_sdu)


def longest_frame(max_sdu: int) -> int:
    """With header, tag and FCS."""
    return max(max_sdu + OVERHEAD, regs.SMALLEST_VC_FRAME)


def contract_of(parameters: CallParameters, mtu: int, cycle_ps: int) -> Contract:
    """The contract that call parameters ask for; Unfit when no page can say it."""
    try:
        media = VlanMedia.parse(parameters.media.specific)
    except ValueError as error:
        raise Unfit(NdisStatus.INVALID_DATA, str(error)) from error
    flags, flow = parameters.media.flags, parameters.call_manager.transmit
    max_sdu = _max_sdu(flow, mtu)
    max_frame = longest_frame(max_sdu)
    shaped = flow.token_rate != UNSPECIFIED
    peaked = flow.peak_bandwidth != UNSPECIFIED and flow.peak_bandwidth < LINE_RATE
    if shaped and peaked and flow.peak_bandwidth < flow.token_rate:
        raise Unfit(NdisStatus.INVALID_DATA, "the peak is below the token rate")
    interval = _interval(flow.token_rate, cycle_ps, flags) if shaped else 0
    peak_interval = _interval(flow.peak_bandwidth, cycle_ps, flags) if peaked else 0
    wait_ps = (max(interval, peak_interval) * cycle_ps * max_frame) >> _FRACTION_BITS
    guaranteed = shaped and flow.service_type not in _ORDINARY
    return Contract(
        media=media,
        transmits=bool(flags & MediaFlags.TRANSMIT_VC) and flow.service_type is not ServiceType.NO_TRAFFIC,
        receives=bool(flags & MediaFlags.RECEIVE_VC),
        max_sdu=max_sdu,
        interval=interval,
        burst=_burst(flow.token_bucket_size, max_frame, flags) if shaped else 0,
        peak_interval=peak_interval,
        peak_burst=max_frame if peaked else 0,
        guaranteed=guaranteed,
        committed=flow.token_rate if guaranteed else 0,
        longest_wait_ns=2 * wait_ps // 1000,
        transmit_speed=_speed(flow, bool(flags & MediaFlags.TRANSMIT_VC)),
        receive_speed=_speed(parameters.call_manager.receive, bool(flags & MediaFlags.RECEIVE_VC)),
    )


def _speed(flow: FlowSpec, is_used: bool) -> int:
    if not is_used or flow.service_type is ServiceType.NO_TRAFFIC:
        return 0
    return 8 * min(LINE_RATE if flow.token_rate == UNSPECIFIED else flow.token_rate, LINE_RATE)


def _max_sdu(flow: FlowSpec, mtu: int) -> int:
    wanted = mtu if flow.max_sdu_size == UNSPECIFIED else flow.max_sdu_size
    if not 1 <= wanted <= mtu:
        raise Unfit(NdisStatus.INVALID_DATA, f"max_sdu_size {wanted}, the NIC takes {mtu}")
    return wanted


def _interval(rate: int, cycle_ps: int, flags: int) -> int:
    """Of a rate in bytes per second: rounded to slower, or to faster when the parameters allow that."""
    if rate <= 0:
        raise Unfit(NdisStatus.INVALID_DATA, f"a rate of {rate}")
    cycles = _PICOSECONDS << _FRACTION_BITS
    faster = bool(flags & MediaFlags.ROUND_UP_FLOW)
    interval = max(cycles // (cycle_ps * rate) if faster else -(-cycles // (cycle_ps * rate)), 1)
    if interval <= _SLOWEST:
        return interval
    if faster:
        return _SLOWEST
    raise Unfit(NdisStatus.INVALID_DATA, f"{rate} bytes per second are less than the shaper's least")


def _burst(asked: int, max_frame: int, flags: int) -> int:
    if asked == UNSPECIFIED:
        return _BURSTS_UNASKED * max_frame
    if asked < max_frame and not flags & MediaFlags.ROUND_UP_FLOW:
        raise Unfit(NdisStatus.INVALID_DATA, f"a bucket of {asked} octets never holds a frame of {max_frame}")
    if asked > _MOST_BURST and not flags & MediaFlags.ROUND_DOWN_FLOW:
        raise Unfit(NdisStatus.INVALID_DATA, f"a bucket of {asked} octets")
    return min(max(asked, max_frame), _MOST_BURST)

# SPDX-License-Identifier: Apache-2.0
"""Constants of the NIC's registers. Generated from hdl/regs/nic_1g.rdl by `make regs`; do not edit.

Plain names are byte offsets in the CSR space, `QUEUE_*` are offsets inside a queue page, `VC_*` inside a VC page;
`REGISTER_FIELD` is the field's mask and `REGISTER_FIELD_LSB` its lowest bit. Access types and reset values are in
`hilnic.hw.regs_table`.
"""

from enum import IntEnum, IntFlag
from typing import Final

# limits and the default build
DEFAULT_NUM_TX_QUEUES: Final = 4
DEFAULT_NUM_RX_QUEUES: Final = 4
DEFAULT_NUM_VECTORS: Final = 8
DEFAULT_MAX_READS: Final = 16
DEFAULT_MAX_WRITES: Final = 8
DEFAULT_MAX_BURST_BYTES: Final = 256
DEFAULT_TX_BUF_BYTES: Final = 32768
DEFAULT_RX_BUF_BYTES: Final = 32768
DEFAULT_CACHE_DEPTH: Final = 32
DEFAULT_SYS_CLK_PS: Final = 8000
LARGEST_RING_LOG2: Final = 15
SMALLEST_BUFFER: Final = 64
LARGEST_BUFFER: Final = 16384
BASE_ALIGNMENT: Final = 64
DEFAULT_NUM_VCS: Final = 64
QUEUE_BITS: Final = 11
SMALLEST_VC_FRAME: Final = 64
MOST_QUEUES: Final = 2048
MOST_VCS: Final = 2048

# global registers
ID_VALUE: Final = 0x484E4943
ID: Final = 0x000
VERSION: Final = 0x004
VERSION_MINOR: Final = 0x0000FFFF
VERSION_MINOR_LSB: Final = 0
VERSION_MAJOR: Final = 0xFFFF0000
VERSION_MAJOR_LSB: Final = 16
CAPS0: Final = 0x008
CAPS0_NUM_TX_QUEUES: Final = 0x0000007F
CAPS0_NUM_TX_QUEUES_LSB: Final = 0
CAPS0_NUM_RX_QUEUES: Final = 0x00007F00
CAPS0_NUM_RX_QUEUES_LSB: Final = 8
CAPS0_NUM_VECTORS: Final = 0x00FF0000
CAPS0_NUM_VECTORS_LSB: Final = 16
CAPS0_LARGEST_RING_LOG2: Final = 0x1F000000
CAPS0_LARGEST_RING_LOG2_LSB: Final = 24
FEATURES: Final = 0x00C
FEATURES_LOOPBACK: Final = 0x00000001
FEATURES_LOOPBACK_LSB: Final = 0
FEATURES_MULTICAST_HASH: Final = 0x00000002
FEATURES_MULTICAST_HASH_LSB: Final = 1
FEATURES_MODERATION: Final = 0x00000004
FEATURES_MODERATION_LSB: Final = 2
FEATURES_JUMBO: Final = 0x00000008
FEATURES_JUMBO_LSB: Final = 3
FEATURES_PASS_BAD: Final = 0x00000010
FEATURES_PASS_BAD_LSB: Final = 4
FEATURES_KEEP_FCS: Final = 0x00000020
FEATURES_KEEP_FCS_LSB: Final = 5
FEATURES_HOST_FCS: Final = 0x00000040
FEATURES_HOST_FCS_LSB: Final = 6
FEATURES_CHECKSUM_OFFLOAD: Final = 0x00010000
FEATURES_CHECKSUM_OFFLOAD_LSB: Final = 16
FEATURES_SEGMENTATION: Final = 0x00020000
FEATURES_SEGMENTATION_LSB: Final = 17
FEATURES_VLAN: Final = 0x00040000
FEATURES_VLAN_LSB: Final = 18
FEATURES_RSS: Final = 0x00080000
FEATURES_RSS_LSB: Final = 19
FEATURES_TIMESTAMP: Final = 0x00100000
FEATURES_TIMESTAMP_LSB: Final = 20
FEATURES_VIRTUAL_CONNECTIONS: Final = 0x00200000
FEATURES_VIRTUAL_CONNECTIONS_LSB: Final = 21
FEATURES_HALF_DUPLEX: Final = 0x40000000
FEATURES_HALF_DUPLEX_LSB: Final = 30
FEATURES_SPEED_10_100: Final = 0x80000000
FEATURES_SPEED_10_100_LSB: Final = 31
SYS_CLK_PS: Final = 0x010
MAC_CLK_PS: Final = 0x014
TX_PAGE_BASE: Final = 0x018
PAGE_STRIDE: Final = 0x01C
RX_PAGE_BASE: Final = 0x020
DOORBELL_BASE: Final = 0x024
TX_BUF_BYTES: Final = 0x028
RX_BUF_BYTES: Final = 0x02C
CAPS1: Final = 0x030
CAPS1_MAX_READS: Final = 0x000000FF
CAPS1_MAX_READS_LSB: Final = 0
CAPS1_MAX_WRITES: Final = 0x0000FF00
CAPS1_MAX_WRITES_LSB: Final = 8
CAPS1_MAX_BURST_BYTES: Final = 0xFFFF0000
CAPS1_MAX_BURST_BYTES_LSB: Final = 16
CACHE_DEPTH: Final = 0x034
SCRATCH: Final = 0x038
CTRL: Final = 0x040
CTRL_TX_ENABLE: Final = 0x00000001
CTRL_TX_ENABLE_LSB: Final = 0
CTRL_RX_ENABLE: Final = 0x00000002
CTRL_RX_ENABLE_LSB: Final = 1
CTRL_LOOPBACK: Final = 0x00000004
CTRL_LOOPBACK_LSB: Final = 2
CTRL_SOFT_RESET: Final = 0x00000100
CTRL_SOFT_RESET_LSB: Final = 8
STATUS: Final = 0x044
STATUS_LINK_UP: Final = 0x00000001
STATUS_LINK_UP_LSB: Final = 0
STATUS_RESET_BUSY: Final = 0x00000002
STATUS_RESET_BUSY_LSB: Final = 1
STATUS_DMA_IDLE: Final = 0x00000004
STATUS_DMA_IDLE_LSB: Final = 2
STATUS_TX_CLK_ALIVE: Final = 0x00000008
STATUS_TX_CLK_ALIVE_LSB: Final = 3
STATUS_RX_CLK_ALIVE: Final = 0x00000010
STATUS_RX_CLK_ALIVE_LSB: Final = 4
MISC_CAUSE: Final = 0x048
MISC_CAUSE_LINK_CHANGE: Final = 0x00000001
MISC_CAUSE_LINK_CHANGE_LSB: Final = 0
MISC_CAUSE_TX_QUEUE_ERROR: Final = 0x00000002
MISC_CAUSE_TX_QUEUE_ERROR_LSB: Final = 1
MISC_CAUSE_RX_QUEUE_ERROR: Final = 0x00000004
MISC_CAUSE_RX_QUEUE_ERROR_LSB: Final = 2
MISC_CAUSE_VC_OFF: Final = 0x00000008
MISC_CAUSE_VC_OFF_LSB: Final = 3
MISC_ENABLE: Final = 0x04C
MISC_ENABLE_LINK_CHANGE: Final = 0x00000001
MISC_ENABLE_LINK_CHANGE_LSB: Final = 0
MISC_ENABLE_TX_QUEUE_ERROR: Final = 0x00000002
MISC_ENABLE_TX_QUEUE_ERROR_LSB: Final = 1
MISC_ENABLE_RX_QUEUE_ERROR: Final = 0x00000004
MISC_ENABLE_RX_QUEUE_ERROR_LSB: Final = 2
MISC_ENABLE_VC_OFF: Final = 0x00000008
MISC_ENABLE_VC_OFF_LSB: Final = 3
MAC_CFG: Final = 0x050
MAC_CFG_IFG: Final = 0x000000FF
MAC_CFG_IFG_LSB: Final = 0
MAC_CFG_PASS_BAD: Final = 0x00000100
MAC_CFG_PASS_BAD_LSB: Final = 8
MAC_CFG_KEEP_FCS: Final = 0x00000200
MAC_CFG_KEEP_FCS_LSB: Final = 9
MAC_CFG_HOST_FCS: Final = 0x00000400
MAC_CFG_HOST_FCS_LSB: Final = 10
MAX_FRAME: Final = 0x054
MAX_FRAME_OCTETS: Final = 0x0000FFFF
MAX_FRAME_OCTETS_LSB: Final = 0
RX_FILTER: Final = 0x060
RX_FILTER_OWN_UNICAST: Final = 0x00000001
RX_FILTER_OWN_UNICAST_LSB: Final = 0
RX_FILTER_BROADCAST: Final = 0x00000002
RX_FILTER_BROADCAST_LSB: Final = 1
RX_FILTER_MULTICAST_EXACT: Final = 0x00000004
RX_FILTER_MULTICAST_EXACT_LSB: Final = 2
RX_FILTER_MULTICAST_HASH: Final = 0x00000008
RX_FILTER_MULTICAST_HASH_LSB: Final = 3
RX_FILTER_ALL_MULTICAST: Final = 0x00000010
RX_FILTER_ALL_MULTICAST_LSB: Final = 4
RX_FILTER_PROMISCUOUS: Final = 0x00000020
RX_FILTER_PROMISCUOUS_LSB: Final = 5
MAC_ADDR_LO: Final = 0x064
MAC_ADDR_LO_OCTETS: Final = 0xFFFFFFFF
MAC_ADDR_LO_OCTETS_LSB: Final = 0
MAC_ADDR_HI: Final = 0x068
MAC_ADDR_HI_OCTETS: Final = 0x0000FFFF
MAC_ADDR_HI_OCTETS_LSB: Final = 0
HASH_LO: Final = 0x06C
HASH_HI: Final = 0x070
RX_STEER: Final = 0x074
RX_STEER_DEFAULT_QUEUE: Final = 0x0000003F
RX_STEER_DEFAULT_QUEUE_LSB: Final = 0
STATS_CTRL: Final = 0x078
STATS_CTRL_CLEAR: Final = 0x00000001
STATS_CTRL_CLEAR_LSB: Final = 0
QUEUES: Final = 0x080
QUEUES_NUM_TX_QUEUES: Final = 0x00000FFF
QUEUES_NUM_TX_QUEUES_LSB: Final = 0
QUEUES_NUM_RX_QUEUES: Final = 0x0FFF0000
QUEUES_NUM_RX_QUEUES_LSB: Final = 16
DOORBELL_GROUP: Final = 0x084
NUM_VCS: Final = 0x088
VC_PAGE_BASE: Final = 0x08C
VC_PAGE_STRIDE: Final = 0x090
VC_SCHED: Final = 0x094
VC_SCHED_QUANTUM: Final = 0x0000FFFF
VC_SCHED_QUANTUM_LSB: Final = 0
VC_SCHED_RX_NO_WAIT: Final = 0x00010000
VC_SCHED_RX_NO_WAIT_LSB: Final = 16

# exact filter table: entry i at + EXACT_STRIDE * i
EXACT_ENTRIES: Final = 32
EXACT_STRIDE: Final = 8
EXACT_LO: Final = 0x100
EXACT_LO_OCTETS: Final = 0xFFFFFFFF
EXACT_LO_OCTETS_LSB: Final = 0
EXACT_HI: Final = 0x104
EXACT_HI_OCTETS: Final = 0x0000FFFF
EXACT_HI_OCTETS_LSB: Final = 0
EXACT_HI_QUEUE: Final = 0x003F0000
EXACT_HI_QUEUE_LSB: Final = 16
EXACT_HI_STEER: Final = 0x40000000
EXACT_HI_STEER_LSB: Final = 30
EXACT_HI_VALID: Final = 0x80000000
EXACT_HI_VALID_LSB: Final = 31

# queue pages
TX_PAGES: Final = 0x100000
RX_PAGES: Final = 0x180000
PAGE_BYTES: Final = 0x100
QUEUE_CTRL: Final = 0x00
QUEUE_CTRL_ENABLE: Final = 0x00000001
QUEUE_CTRL_ENABLE_LSB: Final = 0
QUEUE_STATUS: Final = 0x04
QUEUE_STATUS_STATE: Final = 0x00000007
QUEUE_STATUS_STATE_LSB: Final = 0
QUEUE_STATUS_CAUSE: Final = 0x0000FF00
QUEUE_STATUS_CAUSE_LSB: Final = 8
QUEUE_RING_LO: Final = 0x08
QUEUE_RING_HI: Final = 0x0C
QUEUE_RING_SIZE: Final = 0x10
QUEUE_RING_SIZE_ENTRIES: Final = 0x0001FFFF
QUEUE_RING_SIZE_ENTRIES_LSB: Final = 0
QUEUE_CPL_LO: Final = 0x14
QUEUE_CPL_HI: Final = 0x18
QUEUE_CPL_SIZE: Final = 0x1C
QUEUE_CPL_SIZE_ENTRIES: Final = 0x0001FFFF
QUEUE_CPL_SIZE_ENTRIES_LSB: Final = 0
QUEUE_INIT_INDEX: Final = 0x20
QUEUE_CPL_INIT_INDEX: Final = 0x24
QUEUE_VECTOR: Final = 0x28
QUEUE_MOD_COUNT: Final = 0x2C
QUEUE_MOD_COUNT_COMPLETIONS: Final = 0x000000FF
QUEUE_MOD_COUNT_COMPLETIONS_LSB: Final = 0
QUEUE_MOD_TICKS: Final = 0x30
QUEUE_MOD_TICKS_TICKS: Final = 0x0000FFFF
QUEUE_MOD_TICKS_TICKS_LSB: Final = 0
QUEUE_BUF_SIZE: Final = 0x34
QUEUE_BUF_SIZE_BYTES: Final = 0x00007FFF
QUEUE_BUF_SIZE_BYTES_LSB: Final = 0
QUEUE_CONSUMED: Final = 0x38
QUEUE_CPL_PRODUCED: Final = 0x3C
QUEUE_ERROR_INDEX: Final = 0x40
QUEUE_PRODUCER: Final = 0x44

# VC pages
VC_PAGES: Final = 0x280000
VC_PAGE_BYTES: Final = 0x80
VC_CTRL: Final = 0x00
VC_CTRL_ENABLE: Final = 0x00000001
VC_CTRL_ENABLE_LSB: Final = 0
VC_STATUS: Final = 0x04
VC_STATUS_STATE: Final = 0x00000003
VC_STATUS_STATE_LSB: Final = 0
VC_STATUS_CAUSE: Final = 0x0000FF00
VC_STATUS_CAUSE_LSB: Final = 8
VC_VLAN: Final = 0x08
VC_VLAN_VID: Final = 0x00000FFF
VC_VLAN_VID_LSB: Final = 0
VC_VLAN_DEI: Final = 0x00001000
VC_VLAN_DEI_LSB: Final = 12
VC_VLAN_PCP: Final = 0x0000E000
VC_VLAN_PCP_LSB: Final = 13
VC_TX_QUEUE: Final = 0x0C
VC_TX_QUEUE_QUEUE: Final = 0x000007FF
VC_TX_QUEUE_QUEUE_LSB: Final = 0
VC_TX_QUEUE_ENABLE: Final = 0x80000000
VC_TX_QUEUE_ENABLE_LSB: Final = 31
VC_RX_QUEUE: Final = 0x10
VC_RX_QUEUE_QUEUE: Final = 0x000007FF
VC_RX_QUEUE_QUEUE_LSB: Final = 0
VC_RX_QUEUE_ENABLE: Final = 0x80000000
VC_RX_QUEUE_ENABLE_LSB: Final = 31
VC_MAX_FRAME: Final = 0x14
VC_MAX_FRAME_OCTETS: Final = 0x0000FFFF
VC_MAX_FRAME_OCTETS_LSB: Final = 0
VC_INTERVAL: Final = 0x18
VC_BURST: Final = 0x1C
VC_BURST_OCTETS: Final = 0x00FFFFFF
VC_BURST_OCTETS_LSB: Final = 0
VC_PEAK_INTERVAL: Final = 0x20
VC_PEAK_BURST: Final = 0x24
VC_PEAK_BURST_OCTETS: Final = 0x00FFFFFF
VC_PEAK_BURST_OCTETS_LSB: Final = 0
VC_SHARE: Final = 0x28
VC_SHARE_QUANTUM: Final = 0x0000FFFF
VC_SHARE_QUANTUM_LSB: Final = 0
VC_SHARE_GUARANTEED: Final = 0x80000000
VC_SHARE_GUARANTEED_LSB: Final = 31
VC_COUNTERS: Final = 0x40

# doorbells: queue q at + DOORBELL_STRIDE * q
DOORBELL_STRIDE: Final = 4
TX_DOORBELL: Final = 0x200000
RX_DOORBELL: Final = 0x202000
TX_REARM: Final = 0x204000
RX_REARM: Final = 0x206000

# counters: counter i at + COUNTER_STRIDE * i, low word first; reading it latches the high word
COUNTER_STRIDE: Final = 8
TX_COUNTERS: Final = 0x400
RX_COUNTERS: Final = 0x600


def tx_page(queue: int) -> int:
    """Offset of a transmit queue's page."""
    return TX_PAGES + PAGE_BYTES * queue


def rx_page(queue: int) -> int:
    """Offset of a receive queue's page."""
    return RX_PAGES + PAGE_BYTES * queue


def vc_page(vc: int) -> int:
    """Offset of a virtual connection's page."""
    return VC_PAGES + VC_PAGE_BYTES * vc


def vc_counter(vc: int, index: int) -> int:
    """Offset of the low word of a virtual connection's counter."""
    return VC_PAGES + VC_PAGE_BYTES * vc + VC_COUNTERS + COUNTER_STRIDE * index


def tx_doorbell(queue: int) -> int:
    """Offset: Absolute producer index, at a frame boundary."""
    return TX_DOORBELL + DOORBELL_STRIDE * queue


def rx_doorbell(queue: int) -> int:
    """Offset: Absolute producer index, at a frame boundary."""
    return RX_DOORBELL + DOORBELL_STRIDE * queue


def tx_rearm(queue: int) -> int:
    """Offset: Completion consumer index: unmasks the interrupt, fires at once when CPL_PRODUCED is ahead."""
    return TX_REARM + DOORBELL_STRIDE * queue


def rx_rearm(queue: int) -> int:
    """Offset: Completion consumer index: unmasks the interrupt, fires at once when CPL_PRODUCED is ahead."""
    return RX_REARM + DOORBELL_STRIDE * queue


def exact_lo(entry: int) -> int:
    """Offset of the first word of an exact filter entry."""
    return EXACT_LO + EXACT_STRIDE * entry


def exact_hi(entry: int) -> int:
    """Offset of the second word of an exact filter entry."""
    return EXACT_HI + EXACT_STRIDE * entry


def tx_counter(index: int) -> int:
    """Offset of the low word of a transmit counter."""
    return TX_COUNTERS + COUNTER_STRIDE * index


def rx_counter(index: int) -> int:
    """Offset of the low word of a receive counter."""
    return RX_COUNTERS + COUNTER_STRIDE * index


class QueueState(IntEnum):
    """Values of the field `queue_state`."""

    DISABLED = 0  # nothing of the queue is outstanding; configuration may be written
    ENABLED = 1  # descriptors are taken
    DISABLING = 2  # no new frame is started; frames already started end
    ERROR = 3  # stopped by a queue error; write CTRL.enable = 0 to leave


class Cause(IntEnum):
    """Values of the field `cause`."""

    NONE = 0  # no error
    ZERO_LENGTH = 1  # descriptor of length zero
    RESERVED_BITS = 2  # reserved bits set
    BAD_KIND = 3  # unknown or unbuilt descriptor type
    NO_EOP = 4  # no EOP within the ring
    TOO_SHORT = 5  # frame under 14 bytes
    TOO_LONG = 6  # frame over the maximum
    BAD_SOP = 7  # SOP missing or unexpected
    BUS_ERROR = 8  # data bus error
    MAC_ABORT = 9  # MAC underrun or abort
    FLUSHED = 10  # transmit clock stopped while a queue was being disabled
    FCS_ERROR = 16  # FCS error (pass_bad)
    RX_ER = 17  # rx_er inside the frame (pass_bad)
    RUNT = 18  # under 64 octets (pass_bad)
    OVERSIZE = 19  # over MAX_FRAME (pass_bad)
    LENGTH_MISMATCH = 20  # length field against data (pass_bad)
    PRODUCER_RANGE = 32  # queue: producer beyond the ring size
    FETCH_ERROR = 33  # queue: descriptor fetch error
    COMPLETION_ERROR = 34  # queue: completion write error
    BAD_CONFIG = 35  # queue or VC: bad configuration at enable
    VID_TAKEN = 36  # VC: another VC has the VLAN id
    QUEUE_TAKEN = 37  # VC: a queue is not enabled, or another VC has it


class VcState(IntEnum):
    """Values of the field `vc_state`."""

    OFF = 0  # no frame of the VC is left in the NIC
    ACTIVE = 1  # frames are taken and delivered
    DRAINING = 2  # no new frame is started or mapped; frames under way end


class DescriptorKind(IntEnum):
    """Values of the field `descriptor_kind`."""

    DATA = 0  # a piece of a frame
    CONTEXT = 1  # context descriptor: unbuilt, refused


class CompletionStatus(IntFlag):
    """Values of the field `completion_status`."""

    OK = 0x01  # the frame or buffer is good
    SOP = 0x02  # first buffer of the frame
    EOP = 0x04  # last buffer of the frame
    ERROR = 0x08  # see cause
    OWN_UNICAST = 0x10  # destination is MAC_ADDR
    BROADCAST = 0x20  # destination is broadcast
    MULTICAST = 0x40  # destination is multicast
    LOOPBACK = 0x80  # the frame came through the loopback


class AxiReadId(IntEnum):
    """Values of the field `axi_read_id`."""

    TX_DESCRIPTORS = 0
    RX_DESCRIPTORS = 1
    TX_DATA = 2


class AxiWriteId(IntEnum):
    """Values of the field `axi_write_id`."""

    RX_DATA = 0
    COMPLETIONS = 1


class TxCounter(IntEnum):
    """Index of each transmit counter."""

    FRAMES = 0  # good frames sent on the wire
    OCTETS = 1  # octets of sent frames with padding and FCS
    UNICAST_FRAMES = 2
    UNICAST_OCTETS = 3  # of sent unicast frames, destination to data, without padding and FCS
    MULTICAST_FRAMES = 4
    MULTICAST_OCTETS = 5  # of sent multicast frames, likewise
    BROADCAST_FRAMES = 6
    BROADCAST_OCTETS = 7  # of sent broadcast frames, likewise
    DROP_MALFORMED = 8  # ended with cause 1 to 7
    DROP_DMA = 9  # ended by a bus error on data or on a descriptor of the frame
    DROP_ABORT = 10  # ended by a MAC underrun or abort
    DROP_FLUSHED = 11  # ended because the transmit clock had stopped
    PKTS_64 = 12  # sent frames by length with FCS, like all pkts_*
    PKTS_65_127 = 13
    PKTS_128_255 = 14
    PKTS_256_511 = 15
    PKTS_512_1023 = 16
    PKTS_1024_1518 = 17
    PKTS_1519_MAX = 18
    LOOPBACK_FRAMES = 19  # good frames turned round instead of sent


class RxCounter(IntEnum):
    """Index of each receive counter."""

    WIRE_FRAMES = 0  # carriers with an octet after the SFD, and looped frames
    WIRE_OCTETS = 1  # octets of wire_frames after the SFD, with FCS
    DELIVERED_FRAMES = 2  # frames written to buffers, also bad ones in pass_bad mode
    DELIVERED_OCTETS = 3  # bytes of delivered frames as written
    UNICAST_FRAMES = 4  # delivered, by destination; the octet counters likewise
    UNICAST_OCTETS = 5
    MULTICAST_FRAMES = 6
    MULTICAST_OCTETS = 7
    BROADCAST_FRAMES = 8
    BROADCAST_OCTETS = 9
    DROP_FCS = 10  # FCS error
    DROP_RX_ER = 11  # rx_er inside the frame
    DROP_RUNT = 12  # under 64 octets
    DROP_OVERSIZE = 13  # over MAX_FRAME
    DROP_FILTERED = 14  # destination not accepted
    DROP_BUFFER_FULL = 15  # no room in the frame buffer
    DROP_NO_DESCRIPTOR = 16  # waited for descriptors until the frame buffer filled
    DROP_QUEUE_OFF = 17  # its queue was not enabled
    DROP_DMA = 18  # bus error on its data or on a descriptor
    DROP_DISABLED = 19  # rx_enable off, soft reset, or wire traffic during loopback
    FALSE_CARRIER = 20  # rx_er without rx_dv
    MISSING_SFD = 21  # carrier without SFD or without an octet after it
    IN_RANGE_LENGTH_ERRORS = 22  # 802.3 aInRangeLengthErrors
    OUT_OF_RANGE_LENGTH = 23  # length/type field 1501 to 1535
    UNDERSIZE = 24  # under 64 octets, FCS good
    FRAGMENTS = 25  # under 64 octets, FCS bad
    JABBERS = 26  # over MAX_FRAME, FCS bad
    OVERSIZE_GOOD = 27  # over MAX_FRAME, FCS good
    PKTS_64 = 28  # wire frames by length with FCS, good or bad, like all pkts_*
    PKTS_65_127 = 29
    PKTS_128_255 = 30
    PKTS_256_511 = 31
    PKTS_512_1023 = 32
    PKTS_1024_1518 = 33
    PKTS_1519_MAX = 34
    CRC_ALIGN_ERRORS = 35  # 64 octets to MAX_FRAME, FCS bad


class VcCounter(IntEnum):
    """Index of each virtual connection's counter."""

    TX_FRAMES = 0  # good frames of the VC, sent or looped
    TX_OCTETS = 1  # octets of tx_frames with tag, padding and FCS
    RX_FRAMES = 2  # frames delivered to the VC's queue
    RX_OCTETS = 3  # bytes of rx_frames as written, without the tag
    RX_DROPS = 4  # frames of the VC dropped: buffer full, no descriptor, queue off, bus error
    TX_WAITS = 5  # times that a bucket made the VC's queue wait

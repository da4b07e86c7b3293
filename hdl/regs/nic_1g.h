/* SPDX-License-Identifier: Apache-2.0 */
/* The constants of the NIC for driver writers. Generated from nic_1g.rdl by `make regs`; do not edit.
 * Offsets are byte offsets in the CSR space, NIC_QUEUE_* inside a queue page, NIC_VC_* inside a VC page. The structs hold little-endian values;
 * fields that share a unit have _LSB and _MASK inside that unit. */
#ifndef NIC_1G_H
#define NIC_1G_H

#include <stdint.h>

#define NIC_DEFAULT_NUM_TX_QUEUES 4
#define NIC_DEFAULT_NUM_RX_QUEUES 4
#define NIC_DEFAULT_NUM_VECTORS 8
#define NIC_DEFAULT_MAX_READS 16
#define NIC_DEFAULT_MAX_WRITES 8
#define NIC_DEFAULT_MAX_BURST_BYTES 256
#define NIC_DEFAULT_TX_BUF_BYTES 32768
#define NIC_DEFAULT_RX_BUF_BYTES 32768
#define NIC_DEFAULT_CACHE_DEPTH 32
#define NIC_DEFAULT_SYS_CLK_PS 8000
#define NIC_LARGEST_RING_LOG2 15
#define NIC_SMALLEST_BUFFER 64
#define NIC_LARGEST_BUFFER 16384
#define NIC_BASE_ALIGNMENT 64
#define NIC_DEFAULT_NUM_VCS 64
#define NIC_QUEUE_BITS 11
#define NIC_SMALLEST_VC_FRAME 64
#define NIC_MOST_QUEUES 2048
#define NIC_MOST_VCS 2048

/* Identification: 'HNIC'. */
#define NIC_ID 0x000u

/* Version of this contract. */
#define NIC_VERSION 0x004u
#define NIC_VERSION_MINOR_LSB 0
#define NIC_VERSION_MINOR_MASK 0x0000FFFFu
#define NIC_VERSION_MAJOR_LSB 16
#define NIC_VERSION_MAJOR_MASK 0xFFFF0000u

/* Queues and vectors that are built. */
#define NIC_CAPS0 0x008u
#define NIC_CAPS0_NUM_TX_QUEUES_LSB 0
#define NIC_CAPS0_NUM_TX_QUEUES_MASK 0x0000007Fu
#define NIC_CAPS0_NUM_RX_QUEUES_LSB 8
#define NIC_CAPS0_NUM_RX_QUEUES_MASK 0x00007F00u
#define NIC_CAPS0_NUM_VECTORS_LSB 16
#define NIC_CAPS0_NUM_VECTORS_MASK 0x00FF0000u
#define NIC_CAPS0_LARGEST_RING_LOG2_LSB 24
#define NIC_CAPS0_LARGEST_RING_LOG2_MASK 0x1F000000u

/* Features that are built; a clear bit is a feature that is not. */
#define NIC_FEATURES 0x00Cu
#define NIC_FEATURES_LOOPBACK_LSB 0
#define NIC_FEATURES_LOOPBACK_MASK 0x00000001u
#define NIC_FEATURES_MULTICAST_HASH_LSB 1
#define NIC_FEATURES_MULTICAST_HASH_MASK 0x00000002u
#define NIC_FEATURES_MODERATION_LSB 2
#define NIC_FEATURES_MODERATION_MASK 0x00000004u
#define NIC_FEATURES_JUMBO_LSB 3
#define NIC_FEATURES_JUMBO_MASK 0x00000008u
#define NIC_FEATURES_PASS_BAD_LSB 4
#define NIC_FEATURES_PASS_BAD_MASK 0x00000010u
#define NIC_FEATURES_KEEP_FCS_LSB 5
#define NIC_FEATURES_KEEP_FCS_MASK 0x00000020u
#define NIC_FEATURES_HOST_FCS_LSB 6
#define NIC_FEATURES_HOST_FCS_MASK 0x00000040u
#define NIC_FEATURES_CHECKSUM_OFFLOAD_LSB 16
#define NIC_FEATURES_CHECKSUM_OFFLOAD_MASK 0x00010000u
#define NIC_FEATURES_SEGMENTATION_LSB 17
#define NIC_FEATURES_SEGMENTATION_MASK 0x00020000u
#define NIC_FEATURES_VLAN_LSB 18
#define NIC_FEATURES_VLAN_MASK 0x00040000u
#define NIC_FEATURES_RSS_LSB 19
#define NIC_FEATURES_RSS_MASK 0x00080000u
#define NIC_FEATURES_TIMESTAMP_LSB 20
#define NIC_FEATURES_TIMESTAMP_MASK 0x00100000u
#define NIC_FEATURES_VIRTUAL_CONNECTIONS_LSB 21
#define NIC_FEATURES_VIRTUAL_CONNECTIONS_MASK 0x00200000u
#define NIC_FEATURES_HALF_DUPLEX_LSB 30
#define NIC_FEATURES_HALF_DUPLEX_MASK 0x40000000u
#define NIC_FEATURES_SPEED_10_100_LSB 31
#define NIC_FEATURES_SPEED_10_100_MASK 0x80000000u

/* Period of the system clock in picoseconds. */
#define NIC_SYS_CLK_PS 0x010u

/* Period of the MAC clocks in picoseconds. */
#define NIC_MAC_CLK_PS 0x014u

/* Offset of the first TX queue page. */
#define NIC_TX_PAGE_BASE 0x018u

/* Distance of two queue pages in bytes. */
#define NIC_PAGE_STRIDE 0x01Cu

/* Offset of the first RX queue page. */
#define NIC_RX_PAGE_BASE 0x020u

/* Offset of the doorbell page. */
#define NIC_DOORBELL_BASE 0x024u

/* Transmit frame buffer in bytes. */
#define NIC_TX_BUF_BYTES 0x028u

/* Receive frame buffer in bytes. */
#define NIC_RX_BUF_BYTES 0x02Cu

/* Outstanding DMA bursts and their size. */
#define NIC_CAPS1 0x030u
#define NIC_CAPS1_MAX_READS_LSB 0
#define NIC_CAPS1_MAX_READS_MASK 0x000000FFu
#define NIC_CAPS1_MAX_WRITES_LSB 8
#define NIC_CAPS1_MAX_WRITES_MASK 0x0000FF00u
#define NIC_CAPS1_MAX_BURST_BYTES_LSB 16
#define NIC_CAPS1_MAX_BURST_BYTES_MASK 0xFFFF0000u

/* Prefetched descriptors per queue. */
#define NIC_CACHE_DEPTH 0x034u

/* For software's own use. */
#define NIC_SCRATCH 0x038u

/* Enables and reset of the whole NIC. */
#define NIC_CTRL 0x040u
#define NIC_CTRL_TX_ENABLE_LSB 0
#define NIC_CTRL_TX_ENABLE_MASK 0x00000001u
#define NIC_CTRL_RX_ENABLE_LSB 1
#define NIC_CTRL_RX_ENABLE_MASK 0x00000002u
#define NIC_CTRL_LOOPBACK_LSB 2
#define NIC_CTRL_LOOPBACK_MASK 0x00000004u
#define NIC_CTRL_SOFT_RESET_LSB 8
#define NIC_CTRL_SOFT_RESET_MASK 0x00000100u

/* State of the NIC. */
#define NIC_STATUS 0x044u
#define NIC_STATUS_LINK_UP_LSB 0
#define NIC_STATUS_LINK_UP_MASK 0x00000001u
#define NIC_STATUS_RESET_BUSY_LSB 1
#define NIC_STATUS_RESET_BUSY_MASK 0x00000002u
#define NIC_STATUS_DMA_IDLE_LSB 2
#define NIC_STATUS_DMA_IDLE_MASK 0x00000004u
#define NIC_STATUS_TX_CLK_ALIVE_LSB 3
#define NIC_STATUS_TX_CLK_ALIVE_MASK 0x00000008u
#define NIC_STATUS_RX_CLK_ALIVE_LSB 4
#define NIC_STATUS_RX_CLK_ALIVE_MASK 0x00000010u

/* Causes of the miscellaneous interrupt, vector 0; a write re-arms it. */
#define NIC_MISC_CAUSE 0x048u
#define NIC_MISC_CAUSE_LINK_CHANGE_LSB 0
#define NIC_MISC_CAUSE_LINK_CHANGE_MASK 0x00000001u
#define NIC_MISC_CAUSE_TX_QUEUE_ERROR_LSB 1
#define NIC_MISC_CAUSE_TX_QUEUE_ERROR_MASK 0x00000002u
#define NIC_MISC_CAUSE_RX_QUEUE_ERROR_LSB 2
#define NIC_MISC_CAUSE_RX_QUEUE_ERROR_MASK 0x00000004u
#define NIC_MISC_CAUSE_VC_OFF_LSB 3
#define NIC_MISC_CAUSE_VC_OFF_MASK 0x00000008u

/* Causes that may send vector 0. */
#define NIC_MISC_ENABLE 0x04Cu
#define NIC_MISC_ENABLE_LINK_CHANGE_LSB 0
#define NIC_MISC_ENABLE_LINK_CHANGE_MASK 0x00000001u
#define NIC_MISC_ENABLE_TX_QUEUE_ERROR_LSB 1
#define NIC_MISC_ENABLE_TX_QUEUE_ERROR_MASK 0x00000002u
#define NIC_MISC_ENABLE_RX_QUEUE_ERROR_LSB 2
#define NIC_MISC_ENABLE_RX_QUEUE_ERROR_MASK 0x00000004u
#define NIC_MISC_ENABLE_VC_OFF_LSB 3
#define NIC_MISC_ENABLE_VC_OFF_MASK 0x00000008u

/* MAC configuration. */
#define NIC_MAC_CFG 0x050u
#define NIC_MAC_CFG_IFG_LSB 0
#define NIC_MAC_CFG_IFG_MASK 0x000000FFu
#define NIC_MAC_CFG_PASS_BAD_LSB 8
#define NIC_MAC_CFG_PASS_BAD_MASK 0x00000100u
#define NIC_MAC_CFG_KEEP_FCS_LSB 9
#define NIC_MAC_CFG_KEEP_FCS_MASK 0x00000200u
#define NIC_MAC_CFG_HOST_FCS_LSB 10
#define NIC_MAC_CFG_HOST_FCS_MASK 0x00000400u

/* Longest frame with FCS, untagged; four more with a VLAN tag. */
#define NIC_MAX_FRAME 0x054u
#define NIC_MAX_FRAME_OCTETS_LSB 0
#define NIC_MAX_FRAME_OCTETS_MASK 0x0000FFFFu

/* Which destinations are accepted. */
#define NIC_RX_FILTER 0x060u
#define NIC_RX_FILTER_OWN_UNICAST_LSB 0
#define NIC_RX_FILTER_OWN_UNICAST_MASK 0x00000001u
#define NIC_RX_FILTER_BROADCAST_LSB 1
#define NIC_RX_FILTER_BROADCAST_MASK 0x00000002u
#define NIC_RX_FILTER_MULTICAST_EXACT_LSB 2
#define NIC_RX_FILTER_MULTICAST_EXACT_MASK 0x00000004u
#define NIC_RX_FILTER_MULTICAST_HASH_LSB 3
#define NIC_RX_FILTER_MULTICAST_HASH_MASK 0x00000008u
#define NIC_RX_FILTER_ALL_MULTICAST_LSB 4
#define NIC_RX_FILTER_ALL_MULTICAST_MASK 0x00000010u
#define NIC_RX_FILTER_PROMISCUOUS_LSB 5
#define NIC_RX_FILTER_PROMISCUOUS_MASK 0x00000020u

/* Own address, octets 0 (bits 7:0) to 3. */
#define NIC_MAC_ADDR_LO 0x064u
#define NIC_MAC_ADDR_LO_OCTETS_LSB 0
#define NIC_MAC_ADDR_LO_OCTETS_MASK 0xFFFFFFFFu

/* Own address, octets 4 and 5. */
#define NIC_MAC_ADDR_HI 0x068u
#define NIC_MAC_ADDR_HI_OCTETS_LSB 0
#define NIC_MAC_ADDR_HI_OCTETS_MASK 0x0000FFFFu

/* Multicast hash, buckets 0 to 31. */
#define NIC_HASH_LO 0x06Cu

/* Multicast hash, buckets 32 to 63. */
#define NIC_HASH_HI 0x070u

/* Queue of frames that no exact entry steers. */
#define NIC_RX_STEER 0x074u
#define NIC_RX_STEER_DEFAULT_QUEUE_LSB 0
#define NIC_RX_STEER_DEFAULT_QUEUE_MASK 0x0000003Fu

/* Statistics control. */
#define NIC_STATS_CTRL 0x078u
#define NIC_STATS_CTRL_CLEAR_LSB 0
#define NIC_STATS_CTRL_CLEAR_MASK 0x00000001u

/* Queues that are built. */
#define NIC_QUEUES 0x080u
#define NIC_QUEUES_NUM_TX_QUEUES_LSB 0
#define NIC_QUEUES_NUM_TX_QUEUES_MASK 0x00000FFFu
#define NIC_QUEUES_NUM_RX_QUEUES_LSB 16
#define NIC_QUEUES_NUM_RX_QUEUES_MASK 0x0FFF0000u

/* Distance of the four groups of doorbells (TX, RX, TX re-arm, RX re-arm) in bytes. */
#define NIC_DOORBELL_GROUP 0x084u

/* Virtual connections that are built; 0: none. */
#define NIC_NUM_VCS 0x088u

/* Offset of the first VC page. */
#define NIC_VC_PAGE_BASE 0x08Cu

/* Distance of two VC pages in bytes. */
#define NIC_VC_PAGE_STRIDE 0x090u

/* Scheduling with virtual connections; without them nothing happens. */
#define NIC_VC_SCHED 0x094u
#define NIC_VC_SCHED_QUANTUM_LSB 0
#define NIC_VC_SCHED_QUANTUM_MASK 0x0000FFFFu
#define NIC_VC_SCHED_RX_NO_WAIT_LSB 16
#define NIC_VC_SCHED_RX_NO_WAIT_MASK 0x00010000u

/* exact filter table: entry i at + NIC_EXACT_STRIDE * i */
#define NIC_EXACT_ENTRIES 32
#define NIC_EXACT_STRIDE 8

/* Exact filter entry: octets 0 (bits 7:0) to 3. */
#define NIC_EXACT_LO 0x100u
#define NIC_EXACT_LO_OCTETS_LSB 0
#define NIC_EXACT_LO_OCTETS_MASK 0xFFFFFFFFu

/* Exact filter entry: octets 4 and 5, steering. */
#define NIC_EXACT_HI 0x104u
#define NIC_EXACT_HI_OCTETS_LSB 0
#define NIC_EXACT_HI_OCTETS_MASK 0x0000FFFFu
#define NIC_EXACT_HI_QUEUE_LSB 16
#define NIC_EXACT_HI_QUEUE_MASK 0x003F0000u
#define NIC_EXACT_HI_STEER_LSB 30
#define NIC_EXACT_HI_STEER_MASK 0x40000000u
#define NIC_EXACT_HI_VALID_LSB 31
#define NIC_EXACT_HI_VALID_MASK 0x80000000u

/* queue pages */
#define NIC_TX_PAGE(queue) (0x100000u + 0x100u * (queue))
#define NIC_RX_PAGE(queue) (0x180000u + 0x100u * (queue))

/* Queue control. */
#define NIC_QUEUE_CTRL 0x00u
#define NIC_QUEUE_CTRL_ENABLE_LSB 0
#define NIC_QUEUE_CTRL_ENABLE_MASK 0x00000001u

/* Queue state. */
#define NIC_QUEUE_STATUS 0x04u
#define NIC_QUEUE_STATUS_STATE_LSB 0
#define NIC_QUEUE_STATUS_STATE_MASK 0x00000007u
#define NIC_QUEUE_STATUS_CAUSE_LSB 8
#define NIC_QUEUE_STATUS_CAUSE_MASK 0x0000FF00u

/* Descriptor ring, bus address bits 31:0 (64-byte aligned). */
#define NIC_QUEUE_RING_LO 0x08u

/* Descriptor ring, bus address bits 63:32. */
#define NIC_QUEUE_RING_HI 0x0Cu

/* Descriptors in the ring: a power of two, 2 to 32768. */
#define NIC_QUEUE_RING_SIZE 0x10u
#define NIC_QUEUE_RING_SIZE_ENTRIES_LSB 0
#define NIC_QUEUE_RING_SIZE_ENTRIES_MASK 0x0001FFFFu

/* Completion ring, bus address bits 31:0 (64-byte aligned). */
#define NIC_QUEUE_CPL_LO 0x14u

/* Completion ring, bus address bits 63:32. */
#define NIC_QUEUE_CPL_HI 0x18u

/* Completions in the ring: a power of two, RING_SIZE to 32768. */
#define NIC_QUEUE_CPL_SIZE 0x1Cu
#define NIC_QUEUE_CPL_SIZE_ENTRIES_LSB 0
#define NIC_QUEUE_CPL_SIZE_ENTRIES_MASK 0x0001FFFFu

/* Producer and consumer index at enable. */
#define NIC_QUEUE_INIT_INDEX 0x20u

/* Completion index at enable. */
#define NIC_QUEUE_CPL_INIT_INDEX 0x24u

/* Interrupt vector of the queue. */
#define NIC_QUEUE_VECTOR 0x28u

/* Completions until an interrupt; 0 and 1: at once. */
#define NIC_QUEUE_MOD_COUNT 0x2Cu
#define NIC_QUEUE_MOD_COUNT_COMPLETIONS_LSB 0
#define NIC_QUEUE_MOD_COUNT_COMPLETIONS_MASK 0x000000FFu

/* System clock ticks after the first unreported completion until an interrupt; 0: no timer. */
#define NIC_QUEUE_MOD_TICKS 0x30u
#define NIC_QUEUE_MOD_TICKS_TICKS_LSB 0
#define NIC_QUEUE_MOD_TICKS_TICKS_MASK 0x0000FFFFu

/* Bytes of every posted buffer, 64 to 16384. */
#define NIC_QUEUE_BUF_SIZE 0x34u
#define NIC_QUEUE_BUF_SIZE_BYTES_LSB 0
#define NIC_QUEUE_BUF_SIZE_BYTES_MASK 0x00007FFFu

/* Consumed descriptor index; final when the queue is disabled. */
#define NIC_QUEUE_CONSUMED 0x38u

/* Completions whose write response came. */
#define NIC_QUEUE_CPL_PRODUCED 0x3Cu

/* Index that the last queue error is about. */
#define NIC_QUEUE_ERROR_INDEX 0x40u

/* Last accepted doorbell. */
#define NIC_QUEUE_PRODUCER 0x44u

/* VC pages; VC counters: low word first; reading it latches the high word */
#define NIC_VC_PAGE(vc) (0x280000u + 0x80u * (vc))
#define NIC_VC_COUNTER(vc, index) (NIC_VC_PAGE(vc) + 0x40u + 8u * (index))

/* VC control. */
#define NIC_VC_CTRL 0x00u
#define NIC_VC_CTRL_ENABLE_LSB 0
#define NIC_VC_CTRL_ENABLE_MASK 0x00000001u

/* VC state. */
#define NIC_VC_STATUS 0x04u
#define NIC_VC_STATUS_STATE_LSB 0
#define NIC_VC_STATUS_STATE_MASK 0x00000003u
#define NIC_VC_STATUS_CAUSE_LSB 8
#define NIC_VC_STATUS_CAUSE_MASK 0x0000FF00u

/* 802.1Q tag of the VC (as TCI: inserted on transmit, matched by vid on receive). */
#define NIC_VC_VLAN 0x08u
#define NIC_VC_VLAN_VID_LSB 0
#define NIC_VC_VLAN_VID_MASK 0x00000FFFu
#define NIC_VC_VLAN_DEI_LSB 12
#define NIC_VC_VLAN_DEI_MASK 0x00001000u
#define NIC_VC_VLAN_PCP_LSB 13
#define NIC_VC_VLAN_PCP_MASK 0x0000E000u

/* TX queue of the VC. */
#define NIC_VC_TX_QUEUE 0x0Cu
#define NIC_VC_TX_QUEUE_QUEUE_LSB 0
#define NIC_VC_TX_QUEUE_QUEUE_MASK 0x000007FFu
#define NIC_VC_TX_QUEUE_ENABLE_LSB 31
#define NIC_VC_TX_QUEUE_ENABLE_MASK 0x80000000u

/* RX queue of the VC. */
#define NIC_VC_RX_QUEUE 0x10u
#define NIC_VC_RX_QUEUE_QUEUE_LSB 0
#define NIC_VC_RX_QUEUE_QUEUE_MASK 0x000007FFu
#define NIC_VC_RX_QUEUE_ENABLE_LSB 31
#define NIC_VC_RX_QUEUE_ENABLE_MASK 0x80000000u

/* Longest frame of the VC on the wire, with tag and FCS; a bucket must hold as many octets before a frame starts. */
#define NIC_VC_MAX_FRAME 0x14u
#define NIC_VC_MAX_FRAME_OCTETS_LSB 0
#define NIC_VC_MAX_FRAME_OCTETS_MASK 0x0000FFFFu

/* Rate of the VC; 0: no limit. */
#define NIC_VC_INTERVAL 0x18u

/* Depth of the bucket in octets, from MAX_FRAME on. */
#define NIC_VC_BURST 0x1Cu
#define NIC_VC_BURST_OCTETS_LSB 0
#define NIC_VC_BURST_OCTETS_MASK 0x00FFFFFFu

/* Peak rate, a second bucket; 0: no limit. */
#define NIC_VC_PEAK_INTERVAL 0x20u

/* Depth of the peak bucket in octets, from MAX_FRAME on. */
#define NIC_VC_PEAK_BURST 0x24u
#define NIC_VC_PEAK_BURST_OCTETS_LSB 0
#define NIC_VC_PEAK_BURST_OCTETS_MASK 0x00FFFFFFu

/* The VC's share of the line. */
#define NIC_VC_SHARE 0x28u
#define NIC_VC_SHARE_QUANTUM_LSB 0
#define NIC_VC_SHARE_QUANTUM_MASK 0x0000FFFFu
#define NIC_VC_SHARE_GUARANTEED_LSB 31
#define NIC_VC_SHARE_GUARANTEED_MASK 0x80000000u
enum nic_vc_counter {
    NIC_VC_COUNTER_TX_FRAMES = 0,
    NIC_VC_COUNTER_TX_OCTETS = 1,
    NIC_VC_COUNTER_RX_FRAMES = 2,
    NIC_VC_COUNTER_RX_OCTETS = 3,
    NIC_VC_COUNTER_RX_DROPS = 4,
    NIC_VC_COUNTER_TX_WAITS = 5
};

/* doorbells */
#define NIC_TX_DOORBELL(queue) (0x200000u + 4u * (queue))
#define NIC_RX_DOORBELL(queue) (0x202000u + 4u * (queue))
#define NIC_TX_REARM(queue) (0x204000u + 4u * (queue))
#define NIC_RX_REARM(queue) (0x206000u + 4u * (queue))

/* TX counters: low word first; reading it latches the high word */
#define NIC_TX_COUNTER(index) (0x400u + 8u * (index))
enum nic_tx_counter {
    NIC_TX_COUNTER_FRAMES = 0,
    NIC_TX_COUNTER_OCTETS = 1,
    NIC_TX_COUNTER_UNICAST_FRAMES = 2,
    NIC_TX_COUNTER_UNICAST_OCTETS = 3,
    NIC_TX_COUNTER_MULTICAST_FRAMES = 4,
    NIC_TX_COUNTER_MULTICAST_OCTETS = 5,
    NIC_TX_COUNTER_BROADCAST_FRAMES = 6,
    NIC_TX_COUNTER_BROADCAST_OCTETS = 7,
    NIC_TX_COUNTER_DROP_MALFORMED = 8,
    NIC_TX_COUNTER_DROP_DMA = 9,
    NIC_TX_COUNTER_DROP_ABORT = 10,
    NIC_TX_COUNTER_DROP_FLUSHED = 11,
    NIC_TX_COUNTER_PKTS_64 = 12,
    NIC_TX_COUNTER_PKTS_65_127 = 13,
    NIC_TX_COUNTER_PKTS_128_255 = 14,
    NIC_TX_COUNTER_PKTS_256_511 = 15,
    NIC_TX_COUNTER_PKTS_512_1023 = 16,
    NIC_TX_COUNTER_PKTS_1024_1518 = 17,
    NIC_TX_COUNTER_PKTS_1519_MAX = 18,
    NIC_TX_COUNTER_LOOPBACK_FRAMES = 19
};

/* RX counters: low word first; reading it latches the high word */
#define NIC_RX_COUNTER(index) (0x600u + 8u * (index))
enum nic_rx_counter {
    NIC_RX_COUNTER_WIRE_FRAMES = 0,
    NIC_RX_COUNTER_WIRE_OCTETS = 1,
    NIC_RX_COUNTER_DELIVERED_FRAMES = 2,
    NIC_RX_COUNTER_DELIVERED_OCTETS = 3,
    NIC_RX_COUNTER_UNICAST_FRAMES = 4,
    NIC_RX_COUNTER_UNICAST_OCTETS = 5,
    NIC_RX_COUNTER_MULTICAST_FRAMES = 6,
    NIC_RX_COUNTER_MULTICAST_OCTETS = 7,
    NIC_RX_COUNTER_BROADCAST_FRAMES = 8,
    NIC_RX_COUNTER_BROADCAST_OCTETS = 9,
    NIC_RX_COUNTER_DROP_FCS = 10,
    NIC_RX_COUNTER_DROP_RX_ER = 11,
    NIC_RX_COUNTER_DROP_RUNT = 12,
    NIC_RX_COUNTER_DROP_OVERSIZE = 13,
    NIC_RX_COUNTER_DROP_FILTERED = 14,
    NIC_RX_COUNTER_DROP_BUFFER_FULL = 15,
    NIC_RX_COUNTER_DROP_NO_DESCRIPTOR = 16,
    NIC_RX_COUNTER_DROP_QUEUE_OFF = 17,
    NIC_RX_COUNTER_DROP_DMA = 18,
    NIC_RX_COUNTER_DROP_DISABLED = 19,
    NIC_RX_COUNTER_FALSE_CARRIER = 20,
    NIC_RX_COUNTER_MISSING_SFD = 21,
    NIC_RX_COUNTER_IN_RANGE_LENGTH_ERRORS = 22,
    NIC_RX_COUNTER_OUT_OF_RANGE_LENGTH = 23,
    NIC_RX_COUNTER_UNDERSIZE = 24,
    NIC_RX_COUNTER_FRAGMENTS = 25,
    NIC_RX_COUNTER_JABBERS = 26,
    NIC_RX_COUNTER_OVERSIZE_GOOD = 27,
    NIC_RX_COUNTER_PKTS_64 = 28,
    NIC_RX_COUNTER_PKTS_65_127 = 29,
    NIC_RX_COUNTER_PKTS_128_255 = 30,
    NIC_RX_COUNTER_PKTS_256_511 = 31,
    NIC_RX_COUNTER_PKTS_512_1023 = 32,
    NIC_RX_COUNTER_PKTS_1024_1518 = 33,
    NIC_RX_COUNTER_PKTS_1519_MAX = 34,
    NIC_RX_COUNTER_CRC_ALIGN_ERRORS = 35
};

enum nic_queue_state {
    NIC_QUEUE_STATE_DISABLED = 0, /* nothing of the queue is outstanding; configuration may be written */
    NIC_QUEUE_STATE_ENABLED = 1, /* descriptors are taken */
    NIC_QUEUE_STATE_DISABLING = 2, /* no new frame is started; frames already started end */
    NIC_QUEUE_STATE_ERROR = 3 /* stopped by a queue error; write CTRL.enable = 0 to leave */
};

enum nic_cause {
    NIC_CAUSE_NONE = 0, /* no error */
    NIC_CAUSE_ZERO_LENGTH = 1, /* descriptor of length zero */
    NIC_CAUSE_RESERVED_BITS = 2, /* reserved bits set */
    NIC_CAUSE_BAD_KIND = 3, /* unknown or unbuilt descriptor type */
    NIC_CAUSE_NO_EOP = 4, /* no EOP within the ring */
    NIC_CAUSE_TOO_SHORT = 5, /* frame under 14 bytes */
    NIC_CAUSE_TOO_LONG = 6, /* frame over the maximum */
    NIC_CAUSE_BAD_SOP = 7, /* SOP missing or unexpected */
    NIC_CAUSE_BUS_ERROR = 8, /* data bus error */
    NIC_CAUSE_MAC_ABORT = 9, /* MAC underrun or abort */
    NIC_CAUSE_FLUSHED = 10, /* transmit clock stopped while a queue was being disabled */
    NIC_CAUSE_FCS_ERROR = 16, /* FCS error (pass_bad) */
    NIC_CAUSE_RX_ER = 17, /* rx_er inside the frame (pass_bad) */
    NIC_CAUSE_RUNT = 18, /* under 64 octets (pass_bad) */
    NIC_CAUSE_OVERSIZE = 19, /* over MAX_FRAME (pass_bad) */
    NIC_CAUSE_LENGTH_MISMATCH = 20, /* length field against data (pass_bad) */
    NIC_CAUSE_PRODUCER_RANGE = 32, /* queue: producer beyond the ring size */
    NIC_CAUSE_FETCH_ERROR = 33, /* queue: descriptor fetch error */
    NIC_CAUSE_COMPLETION_ERROR = 34, /* queue: completion write error */
    NIC_CAUSE_BAD_CONFIG = 35, /* queue or VC: bad configuration at enable */
    NIC_CAUSE_VID_TAKEN = 36, /* VC: another VC has the VLAN id */
    NIC_CAUSE_QUEUE_TAKEN = 37 /* VC: a queue is not enabled, or another VC has it */
};

enum nic_vc_state {
    NIC_VC_STATE_OFF = 0, /* no frame of the VC is left in the NIC */
    NIC_VC_STATE_ACTIVE = 1, /* frames are taken and delivered */
    NIC_VC_STATE_DRAINING = 2 /* no new frame is started or mapped; frames under way end */
};

enum nic_descriptor_kind {
    NIC_DESCRIPTOR_KIND_DATA = 0, /* a piece of a frame */
    NIC_DESCRIPTOR_KIND_CONTEXT = 1 /* context descriptor: unbuilt, refused */
};

enum nic_completion_status {
    NIC_COMPLETION_STATUS_OK = 0x01, /* the frame or buffer is good */
    NIC_COMPLETION_STATUS_SOP = 0x02, /* first buffer of the frame */
    NIC_COMPLETION_STATUS_EOP = 0x04, /* last buffer of the frame */
    NIC_COMPLETION_STATUS_ERROR = 0x08, /* see cause */
    NIC_COMPLETION_STATUS_OWN_UNICAST = 0x10, /* destination is MAC_ADDR */
    NIC_COMPLETION_STATUS_BROADCAST = 0x20, /* destination is broadcast */
    NIC_COMPLETION_STATUS_MULTICAST = 0x40, /* destination is multicast */
    NIC_COMPLETION_STATUS_LOOPBACK = 0x80 /* the frame came through the loopback */
};

enum nic_axi_read_id {
    NIC_AXI_READ_ID_TX_DESCRIPTORS = 0,
    NIC_AXI_READ_ID_RX_DESCRIPTORS = 1,
    NIC_AXI_READ_ID_TX_DATA = 2
};

enum nic_axi_write_id {
    NIC_AXI_WRITE_ID_RX_DATA = 0,
    NIC_AXI_WRITE_ID_COMPLETIONS = 1
};

/* TX descriptor. 16 bytes. */
struct nic_tx_descriptor {
    uint64_t address;
    uint16_t length;
    uint8_t bits_80;
    uint8_t reserved_88;
    uint32_t reserved_96;
};
#define NIC_TX_DESCRIPTOR_SOP_LSB 0
#define NIC_TX_DESCRIPTOR_SOP_MASK 0x01u
#define NIC_TX_DESCRIPTOR_EOP_LSB 1
#define NIC_TX_DESCRIPTOR_EOP_MASK 0x02u
#define NIC_TX_DESCRIPTOR_KIND_LSB 4
#define NIC_TX_DESCRIPTOR_KIND_MASK 0xF0u

/* RX descriptor. 16 bytes. */
struct nic_rx_descriptor {
    uint64_t address;
    uint64_t reserved_64;
};

/* Completion, of either direction. 32 bytes. */
struct nic_completion {
    uint32_t index;
    uint16_t length;
    uint8_t status;
    uint8_t cause;
    uint16_t vlan;
    uint8_t rss_type;
    uint8_t checksum;
    uint32_t rss_hash;
    uint64_t timestamp;
    uint8_t bits_192;
    uint8_t reserved_200;
    uint16_t frame_length;
    uint32_t reserved_224;
};
#define NIC_COMPLETION_PHASE_LSB 0
#define NIC_COMPLETION_PHASE_MASK 0x01u

#endif

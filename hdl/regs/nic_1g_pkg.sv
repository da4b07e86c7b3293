// SPDX-License-Identifier: Apache-2.0
// nic_1g_pkg: the constants of the software contract. Generated from nic_1g.rdl by `make regs`; do not edit.
// Offsets are byte offsets in the CSR space; QUEUE_* offsets are inside a queue page, VC_* inside a VC page. For each field: _LSB, _WIDTH, _MASK.
`default_nettype none
/* verilator lint_off UNUSEDPARAM */  // a package of constants: no module needs all of them

package nic_1g_pkg;

  // ---- limits and the default build ----
  localparam int DEFAULT_NUM_TX_QUEUES = 4;
  localparam int DEFAULT_NUM_RX_QUEUES = 4;
  localparam int DEFAULT_NUM_VECTORS = 8;
  localparam int DEFAULT_MAX_READS = 16;
  localparam int DEFAULT_MAX_WRITES = 8;
  localparam int DEFAULT_MAX_BURST_BYTES = 256;
  localparam int DEFAULT_TX_BUF_BYTES = 32768;
  localparam int DEFAULT_RX_BUF_BYTES = 32768;
  localparam int DEFAULT_CACHE_DEPTH = 32;
  localparam int DEFAULT_SYS_CLK_PS = 8000;
  localparam int LARGEST_RING_LOG2 = 15;
  localparam int SMALLEST_BUFFER = 64;
  localparam int LARGEST_BUFFER = 16384;
  localparam int BASE_ALIGNMENT = 64;
  localparam int DEFAULT_NUM_VCS = 64;
  localparam int QUEUE_BITS = 11;
  localparam int SMALLEST_VC_FRAME = 64;
  localparam int MOST_QUEUES = 2048;
  localparam int MOST_VCS = 2048;

  // ---- queue_state ----
  localparam logic [2:0] QUEUE_STATE_DISABLED = 3'd0;  // nothing of the queue is outstanding; configuration may be written
  localparam logic [2:0] QUEUE_STATE_ENABLED = 3'd1;  // descriptors are taken
  localparam logic [2:0] QUEUE_STATE_DISABLING = 3'd2;  // no new frame is started; frames already started end
  localparam logic [2:0] QUEUE_STATE_ERROR = 3'd3;  // stopped by a queue error; write CTRL.enable = 0 to leave

  // ---- cause ----
  localparam logic [7:0] CAUSE_NONE = 8'd0;  // no error
  localparam logic [7:0] CAUSE_ZERO_LENGTH = 8'd1;  // descriptor of length zero
  localparam logic [7:0] CAUSE_RESERVED_BITS = 8'd2;  // reserved bits set
  localparam logic [7:0] CAUSE_BAD_KIND = 8'd3;  // unknown or unbuilt descriptor type
  localparam logic [7:0] CAUSE_NO_EOP = 8'd4;  // no EOP within the ring
  localparam logic [7:0] CAUSE_TOO_SHORT = 8'd5;  // frame under 14 bytes
  localparam logic [7:0] CAUSE_TOO_LONG = 8'd6;  // frame over the maximum
  localparam logic [7:0] CAUSE_BAD_SOP = 8'd7;  // SOP missing or unexpected
  localparam logic [7:0] CAUSE_BUS_ERROR = 8'd8;  // data bus error
  localparam logic [7:0] CAUSE_MAC_ABORT = 8'd9;  // MAC underrun or abort
  localparam logic [7:0] CAUSE_FLUSHED = 8'd10;  // transmit clock stopped while a queue was being disabled
  localparam logic [7:0] CAUSE_FCS_ERROR = 8'd16;  // FCS error (pass_bad)
  localparam logic [7:0] CAUSE_RX_ER = 8'd17;  // rx_er inside the frame (pass_bad)
  localparam logic [7:0] CAUSE_RUNT = 8'd18;  // under 64 octets (pass_bad)
  localparam logic [7:0] CAUSE_OVERSIZE = 8'd19;  // over MAX_FRAME (pass_bad)
  localparam logic [7:0] CAUSE_LENGTH_MISMATCH = 8'd20;  // length field against data (pass_bad)
  localparam logic [7:0] CAUSE_PRODUCER_RANGE = 8'd32;  // queue: producer beyond the ring size
  localparam logic [7:0] CAUSE_FETCH_ERROR = 8'd33;  // queue: descriptor fetch error
  localparam logic [7:0] CAUSE_COMPLETION_ERROR = 8'd34;  // queue: completion write error
  localparam logic [7:0] CAUSE_BAD_CONFIG = 8'd35;  // queue or VC: bad configuration at enable
  localparam logic [7:0] CAUSE_VID_TAKEN = 8'd36;  // VC: another VC has the VLAN id
  localparam logic [7:0] CAUSE_QUEUE_TAKEN = 8'd37;  // VC: a queue is not enabled, or another VC has it

  // ---- vc_state ----
  localparam logic [1:0] VC_STATE_OFF = 2'd0;  // no frame of the VC is left in the NIC
  localparam logic [1:0] VC_STATE_ACTIVE = 2'd1;  // frames are taken and delivered
  localparam logic [1:0] VC_STATE_DRAINING = 2'd2;  // no new frame is started or mapped; frames under way end

  // ---- descriptor_kind ----
  localparam logic [3:0] DESCRIPTOR_KIND_DATA = 4'd0;  // a piece of a frame
  localparam logic [3:0] DESCRIPTOR_KIND_CONTEXT = 4'd1;  // context descriptor: unbuilt, refused

  // ---- completion_status ----
  localparam logic [7:0] COMPLETION_STATUS_OK = 8'd1;  // the frame or buffer is good
  localparam logic [7:0] COMPLETION_STATUS_SOP = 8'd2;  // first buffer of the frame
  localparam logic [7:0] COMPLETION_STATUS_EOP = 8'd4;  // last buffer of the frame
  localparam logic [7:0] COMPLETION_STATUS_ERROR = 8'd8;  // see cause
  localparam logic [7:0] COMPLETION_STATUS_OWN_UNICAST = 8'd16;  // destination is MAC_ADDR
  localparam logic [7:0] COMPLETION_STATUS_BROADCAST = 8'd32;  // destination is broadcast
  localparam logic [7:0] COMPLETION_STATUS_MULTICAST = 8'd64;  // destination is multicast
  localparam logic [7:0] COMPLETION_STATUS_LOOPBACK = 8'd128;  // the frame came through the loopback

  // ---- axi_read_id ----
  localparam logic [3:0] AXI_READ_ID_TX_DESCRIPTORS = 4'd0;
  localparam logic [3:0] AXI_READ_ID_RX_DESCRIPTORS = 4'd1;
  localparam logic [3:0] AXI_READ_ID_TX_DATA = 4'd2;

  // ---- axi_write_id ----
  localparam logic [3:0] AXI_WRITE_ID_RX_DATA = 4'd0;
  localparam logic [3:0] AXI_WRITE_ID_COMPLETIONS = 4'd1;

  // ---- global registers ----
  // RO: Identification: 'HNIC'.
  localparam logic [23:0] ID_OFFSET = 24'h000000;
  localparam logic [31:0] ID_RESET = 32'h484e4943;
  localparam logic [31:0] ID_WRITE_MASK = 32'h00000000;

  // RO: Version of this contract.
  localparam logic [23:0] VERSION_OFFSET = 24'h000004;
  localparam logic [31:0] VERSION_RESET = 32'h00010000;
  localparam logic [31:0] VERSION_WRITE_MASK = 32'h00000000;
  localparam int VERSION_MINOR_LSB = 0;
  localparam int VERSION_MINOR_WIDTH = 16;
  localparam logic [31:0] VERSION_MINOR_MASK = 32'h0000ffff;
  localparam int VERSION_MAJOR_LSB = 16;
  localparam int VERSION_MAJOR_WIDTH = 16;
  localparam logic [31:0] VERSION_MAJOR_MASK = 32'hffff0000;

  // RO: Queues and vectors that are built.
  localparam logic [23:0] CAPS0_OFFSET = 24'h000008;
  localparam logic [31:0] CAPS0_RESET = 32'h0f080404;
  localparam logic [31:0] CAPS0_WRITE_MASK = 32'h00000000;
  localparam int CAPS0_NUM_TX_QUEUES_LSB = 0;
  localparam int CAPS0_NUM_TX_QUEUES_WIDTH = 7;
  localparam logic [31:0] CAPS0_NUM_TX_QUEUES_MASK = 32'h0000007f;
  localparam int CAPS0_NUM_RX_QUEUES_LSB = 8;
  localparam int CAPS0_NUM_RX_QUEUES_WIDTH = 7;
  localparam logic [31:0] CAPS0_NUM_RX_QUEUES_MASK = 32'h00007f00;
  localparam int CAPS0_NUM_VECTORS_LSB = 16;
  localparam int CAPS0_NUM_VECTORS_WIDTH = 8;
  localparam logic [31:0] CAPS0_NUM_VECTORS_MASK = 32'h00ff0000;
  localparam int CAPS0_LARGEST_RING_LOG2_LSB = 24;
  localparam int CAPS0_LARGEST_RING_LOG2_WIDTH = 5;
  localparam logic [31:0] CAPS0_LARGEST_RING_LOG2_MASK = 32'h1f000000;

  // RO: Features that are built; a clear bit is a feature that is not.
  localparam logic [23:0] FEATURES_OFFSET = 24'h00000c;
  localparam logic [31:0] FEATURES_RESET = 32'h0000007f;
  localparam logic [31:0] FEATURES_WRITE_MASK = 32'h00000000;
  localparam int FEATURES_LOOPBACK_LSB = 0;
  localparam int FEATURES_LOOPBACK_WIDTH = 1;
  localparam logic [31:0] FEATURES_LOOPBACK_MASK = 32'h00000001;
  localparam int FEATURES_MULTICAST_HASH_LSB = 1;
  localparam int FEATURES_MULTICAST_HASH_WIDTH = 1;
  localparam logic [31:0] FEATURES_MULTICAST_HASH_MASK = 32'h00000002;
  localparam int FEATURES_MODERATION_LSB = 2;
  localparam int FEATURES_MODERATION_WIDTH = 1;
  localparam logic [31:0] FEATURES_MODERATION_MASK = 32'h00000004;
  localparam int FEATURES_JUMBO_LSB = 3;
  localparam int FEATURES_JUMBO_WIDTH = 1;
  localparam logic [31:0] FEATURES_JUMBO_MASK = 32'h00000008;
  localparam int FEATURES_PASS_BAD_LSB = 4;
  localparam int FEATURES_PASS_BAD_WIDTH = 1;
  localparam logic [31:0] FEATURES_PASS_BAD_MASK = 32'h00000010;
  localparam int FEATURES_KEEP_FCS_LSB = 5;
  localparam int FEATURES_KEEP_FCS_WIDTH = 1;
  localparam logic [31:0] FEATURES_KEEP_FCS_MASK = 32'h00000020;
  localparam int FEATURES_HOST_FCS_LSB = 6;
  localparam int FEATURES_HOST_FCS_WIDTH = 1;
  localparam logic [31:0] FEATURES_HOST_FCS_MASK = 32'h00000040;
  localparam int FEATURES_CHECKSUM_OFFLOAD_LSB = 16;
  localparam int FEATURES_CHECKSUM_OFFLOAD_WIDTH = 1;
  localparam logic [31:0] FEATURES_CHECKSUM_OFFLOAD_MASK = 32'h00010000;
  localparam int FEATURES_SEGMENTATION_LSB = 17;
  localparam int FEATURES_SEGMENTATION_WIDTH = 1;
  localparam logic [31:0] FEATURES_SEGMENTATION_MASK = 32'h00020000;
  localparam int FEATURES_VLAN_LSB = 18;
  localparam int FEATURES_VLAN_WIDTH = 1;
  localparam logic [31:0] FEATURES_VLAN_MASK = 32'h00040000;
  localparam int FEATURES_RSS_LSB = 19;
  localparam int FEATURES_RSS_WIDTH = 1;
  localparam logic [31:0] FEATURES_RSS_MASK = 32'h00080000;
  localparam int FEATURES_TIMESTAMP_LSB = 20;
  localparam int FEATURES_TIMESTAMP_WIDTH = 1;
  localparam logic [31:0] FEATURES_TIMESTAMP_MASK = 32'h00100000;
  localparam int FEATURES_VIRTUAL_CONNECTIONS_LSB = 21;
  localparam int FEATURES_VIRTUAL_CONNECTIONS_WIDTH = 1;
  localparam logic [31:0] FEATURES_VIRTUAL_CONNECTIONS_MASK = 32'h00200000;
  localparam int FEATURES_HALF_DUPLEX_LSB = 30;
  localparam int FEATURES_HALF_DUPLEX_WIDTH = 1;
  localparam logic [31:0] FEATURES_HALF_DUPLEX_MASK = 32'h40000000;
  localparam int FEATURES_SPEED_10_100_LSB = 31;
  localparam int FEATURES_SPEED_10_100_WIDTH = 1;
  localparam logic [31:0] FEATURES_SPEED_10_100_MASK = 32'h80000000;

  // RO: Period of the system clock in picoseconds.
  localparam logic [23:0] SYS_CLK_PS_OFFSET = 24'h000010;
  localparam logic [31:0] SYS_CLK_PS_RESET = 32'h00001f40;
  localparam logic [31:0] SYS_CLK_PS_WRITE_MASK = 32'h00000000;

  // RO: Period of the MAC clocks in picoseconds.
  localparam logic [23:0] MAC_CLK_PS_OFFSET = 24'h000014;
  localparam logic [31:0] MAC_CLK_PS_RESET = 32'h00001f40;
  localparam logic [31:0] MAC_CLK_PS_WRITE_MASK = 32'h00000000;

  // RO: Offset of the first TX queue page.
  localparam logic [23:0] TX_PAGE_BASE_OFFSET = 24'h000018;
  localparam logic [31:0] TX_PAGE_BASE_RESET = 32'h00100000;
  localparam logic [31:0] TX_PAGE_BASE_WRITE_MASK = 32'h00000000;

  // RO: Distance of two queue pages in bytes.
  localparam logic [23:0] PAGE_STRIDE_OFFSET = 24'h00001c;
  localparam logic [31:0] PAGE_STRIDE_RESET = 32'h00000100;
  localparam logic [31:0] PAGE_STRIDE_WRITE_MASK = 32'h00000000;

  // RO: Offset of the first RX queue page.
  localparam logic [23:0] RX_PAGE_BASE_OFFSET = 24'h000020;
  localparam logic [31:0] RX_PAGE_BASE_RESET = 32'h00180000;
  localparam logic [31:0] RX_PAGE_BASE_WRITE_MASK = 32'h00000000;

  // RO: Offset of the doorbell page.
  localparam logic [23:0] DOORBELL_BASE_OFFSET = 24'h000024;
  localparam logic [31:0] DOORBELL_BASE_RESET = 32'h00200000;
  localparam logic [31:0] DOORBELL_BASE_WRITE_MASK = 32'h00000000;

  // RO: Transmit frame buffer in bytes.
  localparam logic [23:0] TX_BUF_BYTES_OFFSET = 24'h000028;
  localparam logic [31:0] TX_BUF_BYTES_RESET = 32'h00008000;
  localparam logic [31:0] TX_BUF_BYTES_WRITE_MASK = 32'h00000000;

  // RO: Receive frame buffer in bytes.
  localparam logic [23:0] RX_BUF_BYTES_OFFSET = 24'h00002c;
  localparam logic [31:0] RX_BUF_BYTES_RESET = 32'h00008000;
  localparam logic [31:0] RX_BUF_BYTES_WRITE_MASK = 32'h00000000;

  // RO: Outstanding DMA bursts and their size.
  localparam logic [23:0] CAPS1_OFFSET = 24'h000030;
  localparam logic [31:0] CAPS1_RESET = 32'h01000810;
  localparam logic [31:0] CAPS1_WRITE_MASK = 32'h00000000;
  localparam int CAPS1_MAX_READS_LSB = 0;
  localparam int CAPS1_MAX_READS_WIDTH = 8;
  localparam logic [31:0] CAPS1_MAX_READS_MASK = 32'h000000ff;
  localparam int CAPS1_MAX_WRITES_LSB = 8;
  localparam int CAPS1_MAX_WRITES_WIDTH = 8;
  localparam logic [31:0] CAPS1_MAX_WRITES_MASK = 32'h0000ff00;
  localparam int CAPS1_MAX_BURST_BYTES_LSB = 16;
  localparam int CAPS1_MAX_BURST_BYTES_WIDTH = 16;
  localparam logic [31:0] CAPS1_MAX_BURST_BYTES_MASK = 32'hffff0000;

  // RO: Prefetched descriptors per queue.
  localparam logic [23:0] CACHE_DEPTH_OFFSET = 24'h000034;
  localparam logic [31:0] CACHE_DEPTH_RESET = 32'h00000020;
  localparam logic [31:0] CACHE_DEPTH_WRITE_MASK = 32'h00000000;

  // RW: For software's own use.
  localparam logic [23:0] SCRATCH_OFFSET = 24'h000038;
  localparam logic [31:0] SCRATCH_RESET = 32'h00000000;
  localparam logic [31:0] SCRATCH_WRITE_MASK = 32'hffffffff;

  // RW: Enables and reset of the whole NIC.
  localparam logic [23:0] CTRL_OFFSET = 24'h000040;
  localparam logic [31:0] CTRL_RESET = 32'h00000000;
  localparam logic [31:0] CTRL_WRITE_MASK = 32'h00000107;
  localparam int CTRL_TX_ENABLE_LSB = 0;
  localparam int CTRL_TX_ENABLE_WIDTH = 1;
  localparam logic [31:0] CTRL_TX_ENABLE_MASK = 32'h00000001;
  localparam int CTRL_RX_ENABLE_LSB = 1;
  localparam int CTRL_RX_ENABLE_WIDTH = 1;
  localparam logic [31:0] CTRL_RX_ENABLE_MASK = 32'h00000002;
  localparam int CTRL_LOOPBACK_LSB = 2;
  localparam int CTRL_LOOPBACK_WIDTH = 1;
  localparam logic [31:0] CTRL_LOOPBACK_MASK = 32'h00000004;
  localparam int CTRL_SOFT_RESET_LSB = 8;
  localparam int CTRL_SOFT_RESET_WIDTH = 1;
  localparam logic [31:0] CTRL_SOFT_RESET_MASK = 32'h00000100;

  // RO: State of the NIC.
  localparam logic [23:0] STATUS_OFFSET = 24'h000044;
  localparam logic [31:0] STATUS_RESET = 32'h00000004;
  localparam logic [31:0] STATUS_WRITE_MASK = 32'h00000000;
  localparam int STATUS_LINK_UP_LSB = 0;
  localparam int STATUS_LINK_UP_WIDTH = 1;
  localparam logic [31:0] STATUS_LINK_UP_MASK = 32'h00000001;
  localparam int STATUS_RESET_BUSY_LSB = 1;
  localparam int STATUS_RESET_BUSY_WIDTH = 1;
  localparam logic [31:0] STATUS_RESET_BUSY_MASK = 32'h00000002;
  localparam int STATUS_DMA_IDLE_LSB = 2;
  localparam int STATUS_DMA_IDLE_WIDTH = 1;
  localparam logic [31:0] STATUS_DMA_IDLE_MASK = 32'h00000004;
  localparam int STATUS_TX_CLK_ALIVE_LSB = 3;
  localparam int STATUS_TX_CLK_ALIVE_WIDTH = 1;
  localparam logic [31:0] STATUS_TX_CLK_ALIVE_MASK = 32'h00000008;
  localparam int STATUS_RX_CLK_ALIVE_LSB = 4;
  localparam int STATUS_RX_CLK_ALIVE_WIDTH = 1;
  localparam logic [31:0] STATUS_RX_CLK_ALIVE_MASK = 32'h00000010;

  // W1C: Causes of the miscellaneous interrupt, vector 0; a write re-arms it.
  localparam logic [23:0] MISC_CAUSE_OFFSET = 24'h000048;
  localparam logic [31:0] MISC_CAUSE_RESET = 32'h00000000;
  localparam logic [31:0] MISC_CAUSE_WRITE_MASK = 32'h0000000f;
  localparam int MISC_CAUSE_LINK_CHANGE_LSB = 0;
  localparam int MISC_CAUSE_LINK_CHANGE_WIDTH = 1;
  localparam logic [31:0] MISC_CAUSE_LINK_CHANGE_MASK = 32'h00000001;
  localparam int MISC_CAUSE_TX_QUEUE_ERROR_LSB = 1;
  localparam int MISC_CAUSE_TX_QUEUE_ERROR_WIDTH = 1;
  localparam logic [31:0] MISC_CAUSE_TX_QUEUE_ERROR_MASK = 32'h00000002;
  localparam int MISC_CAUSE_RX_QUEUE_ERROR_LSB = 2;
  localparam int MISC_CAUSE_RX_QUEUE_ERROR_WIDTH = 1;
  localparam logic [31:0] MISC_CAUSE_RX_QUEUE_ERROR_MASK = 32'h00000004;
  localparam int MISC_CAUSE_VC_OFF_LSB = 3;
  localparam int MISC_CAUSE_VC_OFF_WIDTH = 1;
  localparam logic [31:0] MISC_CAUSE_VC_OFF_MASK = 32'h00000008;

  // RW: Causes that may send vector 0.
  localparam logic [23:0] MISC_ENABLE_OFFSET = 24'h00004c;
  localparam logic [31:0] MISC_ENABLE_RESET = 32'h00000000;
  localparam logic [31:0] MISC_ENABLE_WRITE_MASK = 32'h0000000f;
  localparam int MISC_ENABLE_LINK_CHANGE_LSB = 0;
  localparam int MISC_ENABLE_LINK_CHANGE_WIDTH = 1;
  localparam logic [31:0] MISC_ENABLE_LINK_CHANGE_MASK = 32'h00000001;
  localparam int MISC_ENABLE_TX_QUEUE_ERROR_LSB = 1;
  localparam int MISC_ENABLE_TX_QUEUE_ERROR_WIDTH = 1;
  localparam logic [31:0] MISC_ENABLE_TX_QUEUE_ERROR_MASK = 32'h00000002;
  localparam int MISC_ENABLE_RX_QUEUE_ERROR_LSB = 2;
  localparam int MISC_ENABLE_RX_QUEUE_ERROR_WIDTH = 1;
  localparam logic [31:0] MISC_ENABLE_RX_QUEUE_ERROR_MASK = 32'h00000004;
  localparam int MISC_ENABLE_VC_OFF_LSB = 3;
  localparam int MISC_ENABLE_VC_OFF_WIDTH = 1;
  localparam logic [31:0] MISC_ENABLE_VC_OFF_MASK = 32'h00000008;

  // RW: MAC configuration.
  localparam logic [23:0] MAC_CFG_OFFSET = 24'h000050;
  localparam logic [31:0] MAC_CFG_RESET = 32'h0000000c;
  localparam logic [31:0] MAC_CFG_WRITE_MASK = 32'h000007ff;
  localparam int MAC_CFG_IFG_LSB = 0;
  localparam int MAC_CFG_IFG_WIDTH = 8;
  localparam logic [31:0] MAC_CFG_IFG_MASK = 32'h000000ff;
  localparam int MAC_CFG_PASS_BAD_LSB = 8;
  localparam int MAC_CFG_PASS_BAD_WIDTH = 1;
  localparam logic [31:0] MAC_CFG_PASS_BAD_MASK = 32'h00000100;
  localparam int MAC_CFG_KEEP_FCS_LSB = 9;
  localparam int MAC_CFG_KEEP_FCS_WIDTH = 1;
  localparam logic [31:0] MAC_CFG_KEEP_FCS_MASK = 32'h00000200;
  localparam int MAC_CFG_HOST_FCS_LSB = 10;
  localparam int MAC_CFG_HOST_FCS_WIDTH = 1;
  localparam logic [31:0] MAC_CFG_HOST_FCS_MASK = 32'h00000400;

  // RW: Longest frame with FCS, untagged; four more with a VLAN tag.
  localparam logic [23:0] MAX_FRAME_OFFSET = 24'h000054;
  localparam logic [31:0] MAX_FRAME_RESET = 32'h000005ee;
  localparam logic [31:0] MAX_FRAME_WRITE_MASK = 32'h0000ffff;
  localparam int MAX_FRAME_OCTETS_LSB = 0;
  localparam int MAX_FRAME_OCTETS_WIDTH = 16;
  localparam logic [31:0] MAX_FRAME_OCTETS_MASK = 32'h0000ffff;

  // RW: Which destinations are accepted.
  localparam logic [23:0] RX_FILTER_OFFSET = 24'h000060;
  localparam logic [31:0] RX_FILTER_RESET = 32'h00000000;
  localparam logic [31:0] RX_FILTER_WRITE_MASK = 32'h0000003f;
  localparam int RX_FILTER_OWN_UNICAST_LSB = 0;
  localparam int RX_FILTER_OWN_UNICAST_WIDTH = 1;
  localparam logic [31:0] RX_FILTER_OWN_UNICAST_MASK = 32'h00000001;
  localparam int RX_FILTER_BROADCAST_LSB = 1;
  localparam int RX_FILTER_BROADCAST_WIDTH = 1;
  localparam logic [31:0] RX_FILTER_BROADCAST_MASK = 32'h00000002;
  localparam int RX_FILTER_MULTICAST_EXACT_LSB = 2;
  localparam int RX_FILTER_MULTICAST_EXACT_WIDTH = 1;
  localparam logic [31:0] RX_FILTER_MULTICAST_EXACT_MASK = 32'h00000004;
  localparam int RX_FILTER_MULTICAST_HASH_LSB = 3;
  localparam int RX_FILTER_MULTICAST_HASH_WIDTH = 1;
  localparam logic [31:0] RX_FILTER_MULTICAST_HASH_MASK = 32'h00000008;
  localparam int RX_FILTER_ALL_MULTICAST_LSB = 4;
  localparam int RX_FILTER_ALL_MULTICAST_WIDTH = 1;
  localparam logic [31:0] RX_FILTER_ALL_MULTICAST_MASK = 32'h00000010;
  localparam int RX_FILTER_PROMISCUOUS_LSB = 5;
  localparam int RX_FILTER_PROMISCUOUS_WIDTH = 1;
  localparam logic [31:0] RX_FILTER_PROMISCUOUS_MASK = 32'h00000020;

  // RW: Own address, octets 0 (bits 7:0) to 3.
  localparam logic [23:0] MAC_ADDR_LO_OFFSET = 24'h000064;
  localparam logic [31:0] MAC_ADDR_LO_RESET = 32'h00000000;
  localparam logic [31:0] MAC_ADDR_LO_WRITE_MASK = 32'hffffffff;
  localparam int MAC_ADDR_LO_OCTETS_LSB = 0;
  localparam int MAC_ADDR_LO_OCTETS_WIDTH = 32;
  localparam logic [31:0] MAC_ADDR_LO_OCTETS_MASK = 32'hffffffff;

  // RW: Own address, octets 4 and 5.
  localparam logic [23:0] MAC_ADDR_HI_OFFSET = 24'h000068;
  localparam logic [31:0] MAC_ADDR_HI_RESET = 32'h00000000;
  localparam logic [31:0] MAC_ADDR_HI_WRITE_MASK = 32'h0000ffff;
  localparam int MAC_ADDR_HI_OCTETS_LSB = 0;
  localparam int MAC_ADDR_HI_OCTETS_WIDTH = 16;
  localparam logic [31:0] MAC_ADDR_HI_OCTETS_MASK = 32'h0000ffff;

  // RW: Multicast hash, buckets 0 to 31.
  localparam logic [23:0] HASH_LO_OFFSET = 24'h00006c;
  localparam logic [31:0] HASH_LO_RESET = 32'h00000000;
  localparam logic [31:0] HASH_LO_WRITE_MASK = 32'hffffffff;

  // RW: Multicast hash, buckets 32 to 63.
  localparam logic [23:0] HASH_HI_OFFSET = 24'h000070;
  localparam logic [31:0] HASH_HI_RESET = 32'h00000000;
  localparam logic [31:0] HASH_HI_WRITE_MASK = 32'hffffffff;

  // RW: Queue of frames that no exact entry steers.
  localparam logic [23:0] RX_STEER_OFFSET = 24'h000074;
  localparam logic [31:0] RX_STEER_RESET = 32'h00000000;
  localparam logic [31:0] RX_STEER_WRITE_MASK = 32'h0000003f;
  localparam int RX_STEER_DEFAULT_QUEUE_LSB = 0;
  localparam int RX_STEER_DEFAULT_QUEUE_WIDTH = 6;
  localparam logic [31:0] RX_STEER_DEFAULT_QUEUE_MASK = 32'h0000003f;

  // W1S: Statistics control.
  localparam logic [23:0] STATS_CTRL_OFFSET = 24'h000078;
  localparam logic [31:0] STATS_CTRL_RESET = 32'h00000000;
  localparam logic [31:0] STATS_CTRL_WRITE_MASK = 32'h00000001;
  localparam int STATS_CTRL_CLEAR_LSB = 0;
  localparam int STATS_CTRL_CLEAR_WIDTH = 1;
  localparam logic [31:0] STATS_CTRL_CLEAR_MASK = 32'h00000001;

  // RO: Queues that are built.
  localparam logic [23:0] QUEUES_OFFSET = 24'h000080;
  localparam logic [31:0] QUEUES_RESET = 32'h00040004;
  localparam logic [31:0] QUEUES_WRITE_MASK = 32'h00000000;
  localparam int QUEUES_NUM_TX_QUEUES_LSB = 0;
  localparam int QUEUES_NUM_TX_QUEUES_WIDTH = 12;
  localparam logic [31:0] QUEUES_NUM_TX_QUEUES_MASK = 32'h00000fff;
  localparam int QUEUES_NUM_RX_QUEUES_LSB = 16;
  localparam int QUEUES_NUM_RX_QUEUES_WIDTH = 12;
  localparam logic [31:0] QUEUES_NUM_RX_QUEUES_MASK = 32'h0fff0000;

  // RO: Distance of the four groups of doorbells (TX, RX, TX re-arm, RX re-arm) in bytes.
  localparam logic [23:0] DOORBELL_GROUP_OFFSET = 24'h000084;
  localparam logic [31:0] DOORBELL_GROUP_RESET = 32'h00002000;
  localparam logic [31:0] DOORBELL_GROUP_WRITE_MASK = 32'h00000000;

  // RO: Virtual connections that are built; 0: none.
  localparam logic [23:0] NUM_VCS_OFFSET = 24'h000088;
  localparam logic [31:0] NUM_VCS_RESET = 32'h00000000;
  localparam logic [31:0] NUM_VCS_WRITE_MASK = 32'h00000000;

  // RO: Offset of the first VC page.
  localparam logic [23:0] VC_PAGE_BASE_OFFSET = 24'h00008c;
  localparam logic [31:0] VC_PAGE_BASE_RESET = 32'h00280000;
  localparam logic [31:0] VC_PAGE_BASE_WRITE_MASK = 32'h00000000;

  // RO: Distance of two VC pages in bytes.
  localparam logic [23:0] VC_PAGE_STRIDE_OFFSET = 24'h000090;
  localparam logic [31:0] VC_PAGE_STRIDE_RESET = 32'h00000080;
  localparam logic [31:0] VC_PAGE_STRIDE_WRITE_MASK = 32'h00000000;

  // RW: Scheduling with virtual connections; without them nothing happens.
  localparam logic [23:0] VC_SCHED_OFFSET = 24'h000094;
  localparam logic [31:0] VC_SCHED_RESET = 32'h00000800;
  localparam logic [31:0] VC_SCHED_WRITE_MASK = 32'h0001ffff;
  localparam int VC_SCHED_QUANTUM_LSB = 0;
  localparam int VC_SCHED_QUANTUM_WIDTH = 16;
  localparam logic [31:0] VC_SCHED_QUANTUM_MASK = 32'h0000ffff;
  localparam int VC_SCHED_RX_NO_WAIT_LSB = 16;
  localparam int VC_SCHED_RX_NO_WAIT_WIDTH = 1;
  localparam logic [31:0] VC_SCHED_RX_NO_WAIT_MASK = 32'h00010000;

  // ---- exact filter table: entry i at + EXACT_STRIDE * i ----
  localparam int EXACT_ENTRIES = 32;
  localparam int EXACT_STRIDE = 8;
  // RW: Exact filter entry: octets 0 (bits 7:0) to 3.
  localparam logic [23:0] EXACT_LO_OFFSET = 24'h000100;
  localparam logic [31:0] EXACT_LO_RESET = 32'h00000000;
  localparam logic [31:0] EXACT_LO_WRITE_MASK = 32'hffffffff;
  localparam int EXACT_LO_OCTETS_LSB = 0;
  localparam int EXACT_LO_OCTETS_WIDTH = 32;
  localparam logic [31:0] EXACT_LO_OCTETS_MASK = 32'hffffffff;

  // RW: Exact filter entry: octets 4 and 5, steering.
  localparam logic [23:0] EXACT_HI_OFFSET = 24'h000104;
  localparam logic [31:0] EXACT_HI_RESET = 32'h00000000;
  localparam logic [31:0] EXACT_HI_WRITE_MASK = 32'hc03fffff;
  localparam int EXACT_HI_OCTETS_LSB = 0;
  localparam int EXACT_HI_OCTETS_WIDTH = 16;
  localparam logic [31:0] EXACT_HI_OCTETS_MASK = 32'h0000ffff;
  localparam int EXACT_HI_QUEUE_LSB = 16;
  localparam int EXACT_HI_QUEUE_WIDTH = 6;
  localparam logic [31:0] EXACT_HI_QUEUE_MASK = 32'h003f0000;
  localparam int EXACT_HI_STEER_LSB = 30;
  localparam int EXACT_HI_STEER_WIDTH = 1;
  localparam logic [31:0] EXACT_HI_STEER_MASK = 32'h40000000;
  localparam int EXACT_HI_VALID_LSB = 31;
  localparam int EXACT_HI_VALID_WIDTH = 1;
  localparam logic [31:0] EXACT_HI_VALID_MASK = 32'h80000000;

  // ---- queue pages: queue q of direction d at d_PAGE_BASE + PAGE_STRIDE * q (see the registers of these names) ----
  // RW: Queue control.
  localparam logic [7:0] QUEUE_CTRL_OFFSET = 8'h00;
  localparam logic [31:0] QUEUE_CTRL_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_CTRL_WRITE_MASK = 32'h00000001;
  localparam int QUEUE_CTRL_ENABLE_LSB = 0;
  localparam int QUEUE_CTRL_ENABLE_WIDTH = 1;
  localparam logic [31:0] QUEUE_CTRL_ENABLE_MASK = 32'h00000001;

  // RO: Queue state.
  localparam logic [7:0] QUEUE_STATUS_OFFSET = 8'h04;
  localparam logic [31:0] QUEUE_STATUS_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_STATUS_WRITE_MASK = 32'h00000000;
  localparam int QUEUE_STATUS_STATE_LSB = 0;
  localparam int QUEUE_STATUS_STATE_WIDTH = 3;
  localparam logic [31:0] QUEUE_STATUS_STATE_MASK = 32'h00000007;
  localparam int QUEUE_STATUS_CAUSE_LSB = 8;
  localparam int QUEUE_STATUS_CAUSE_WIDTH = 8;
  localparam logic [31:0] QUEUE_STATUS_CAUSE_MASK = 32'h0000ff00;

  // RW, locked while the queue is not disabled: Descriptor ring, bus address bits 31:0 (64-byte aligned).
  localparam logic [7:0] QUEUE_RING_LO_OFFSET = 8'h08;
  localparam logic [31:0] QUEUE_RING_LO_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_RING_LO_WRITE_MASK = 32'hffffffff;

  // RW, locked while the queue is not disabled: Descriptor ring, bus address bits 63:32.
  localparam logic [7:0] QUEUE_RING_HI_OFFSET = 8'h0c;
  localparam logic [31:0] QUEUE_RING_HI_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_RING_HI_WRITE_MASK = 32'hffffffff;

  // RW, locked while the queue is not disabled: Descriptors in the ring: a power of two, 2 to 32768.
  localparam logic [7:0] QUEUE_RING_SIZE_OFFSET = 8'h10;
  localparam logic [31:0] QUEUE_RING_SIZE_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_RING_SIZE_WRITE_MASK = 32'h0001ffff;
  localparam int QUEUE_RING_SIZE_ENTRIES_LSB = 0;
  localparam int QUEUE_RING_SIZE_ENTRIES_WIDTH = 17;
  localparam logic [31:0] QUEUE_RING_SIZE_ENTRIES_MASK = 32'h0001ffff;

  // RW, locked while the queue is not disabled: Completion ring, bus address bits 31:0 (64-byte aligned).
  localparam logic [7:0] QUEUE_CPL_LO_OFFSET = 8'h14;
  localparam logic [31:0] QUEUE_CPL_LO_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_CPL_LO_WRITE_MASK = 32'hffffffff;

  // RW, locked while the queue is not disabled: Completion ring, bus address bits 63:32.
  localparam logic [7:0] QUEUE_CPL_HI_OFFSET = 8'h18;
  localparam logic [31:0] QUEUE_CPL_HI_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_CPL_HI_WRITE_MASK = 32'hffffffff;

  // RW, locked while the queue is not disabled: Completions in the ring: a power of two, RING_SIZE to 32768.
  localparam logic [7:0] QUEUE_CPL_SIZE_OFFSET = 8'h1c;
  localparam logic [31:0] QUEUE_CPL_SIZE_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_CPL_SIZE_WRITE_MASK = 32'h0001ffff;
  localparam int QUEUE_CPL_SIZE_ENTRIES_LSB = 0;
  localparam int QUEUE_CPL_SIZE_ENTRIES_WIDTH = 17;
  localparam logic [31:0] QUEUE_CPL_SIZE_ENTRIES_MASK = 32'h0001ffff;

  // RW, locked while the queue is not disabled: Producer and consumer index at enable.
  localparam logic [7:0] QUEUE_INIT_INDEX_OFFSET = 8'h20;
  localparam logic [31:0] QUEUE_INIT_INDEX_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_INIT_INDEX_WRITE_MASK = 32'hffffffff;

  // RW, locked while the queue is not disabled: Completion index at enable.
  localparam logic [7:0] QUEUE_CPL_INIT_INDEX_OFFSET = 8'h24;
  localparam logic [31:0] QUEUE_CPL_INIT_INDEX_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_CPL_INIT_INDEX_WRITE_MASK = 32'hffffffff;

  // RW, locked while the queue is not disabled: Interrupt vector of the queue.
  localparam logic [7:0] QUEUE_VECTOR_OFFSET = 8'h28;
  localparam logic [31:0] QUEUE_VECTOR_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_VECTOR_WRITE_MASK = 32'h000000ff;

  // RW: Completions until an interrupt; 0 and 1: at once.
  localparam logic [7:0] QUEUE_MOD_COUNT_OFFSET = 8'h2c;
  localparam logic [31:0] QUEUE_MOD_COUNT_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_MOD_COUNT_WRITE_MASK = 32'h000000ff;
  localparam int QUEUE_MOD_COUNT_COMPLETIONS_LSB = 0;
  localparam int QUEUE_MOD_COUNT_COMPLETIONS_WIDTH = 8;
  localparam logic [31:0] QUEUE_MOD_COUNT_COMPLETIONS_MASK = 32'h000000ff;

  // RW: System clock ticks after the first unreported completion until an interrupt; 0: no timer.
  localparam logic [7:0] QUEUE_MOD_TICKS_OFFSET = 8'h30;
  localparam logic [31:0] QUEUE_MOD_TICKS_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_MOD_TICKS_WRITE_MASK = 32'h0000ffff;
  localparam int QUEUE_MOD_TICKS_TICKS_LSB = 0;
  localparam int QUEUE_MOD_TICKS_TICKS_WIDTH = 16;
  localparam logic [31:0] QUEUE_MOD_TICKS_TICKS_MASK = 32'h0000ffff;

  // RW, locked while the queue is not disabled: Bytes of every posted buffer, 64 to 16384.
  localparam logic [7:0] QUEUE_BUF_SIZE_OFFSET = 8'h34;
  localparam logic [31:0] QUEUE_BUF_SIZE_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_BUF_SIZE_WRITE_MASK = 32'h00007fff;
  localparam int QUEUE_BUF_SIZE_BYTES_LSB = 0;
  localparam int QUEUE_BUF_SIZE_BYTES_WIDTH = 15;
  localparam logic [31:0] QUEUE_BUF_SIZE_BYTES_MASK = 32'h00007fff;

  // RO: Consumed descriptor index; final when the queue is disabled.
  localparam logic [7:0] QUEUE_CONSUMED_OFFSET = 8'h38;
  localparam logic [31:0] QUEUE_CONSUMED_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_CONSUMED_WRITE_MASK = 32'h00000000;

  // RO: Completions whose write response came.
  localparam logic [7:0] QUEUE_CPL_PRODUCED_OFFSET = 8'h3c;
  localparam logic [31:0] QUEUE_CPL_PRODUCED_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_CPL_PRODUCED_WRITE_MASK = 32'h00000000;

  // RO: Index that the last queue error is about.
  localparam logic [7:0] QUEUE_ERROR_INDEX_OFFSET = 8'h40;
  localparam logic [31:0] QUEUE_ERROR_INDEX_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_ERROR_INDEX_WRITE_MASK = 32'h00000000;

  // RO: Last accepted doorbell.
  localparam logic [7:0] QUEUE_PRODUCER_OFFSET = 8'h44;
  localparam logic [31:0] QUEUE_PRODUCER_RESET = 32'h00000000;
  localparam logic [31:0] QUEUE_PRODUCER_WRITE_MASK = 32'h00000000;

  // ---- VC pages: VC v at VC_PAGE_BASE + VC_PAGE_STRIDE * v (see the registers of these names) ----
  // RW: VC control.
  localparam logic [7:0] VC_CTRL_OFFSET = 8'h00;
  localparam logic [31:0] VC_CTRL_RESET = 32'h00000000;
  localparam logic [31:0] VC_CTRL_WRITE_MASK = 32'h00000001;
  localparam int VC_CTRL_ENABLE_LSB = 0;
  localparam int VC_CTRL_ENABLE_WIDTH = 1;
  localparam logic [31:0] VC_CTRL_ENABLE_MASK = 32'h00000001;

  // RO: VC state.
  localparam logic [7:0] VC_STATUS_OFFSET = 8'h04;
  localparam logic [31:0] VC_STATUS_RESET = 32'h00000000;
  localparam logic [31:0] VC_STATUS_WRITE_MASK = 32'h00000000;
  localparam int VC_STATUS_STATE_LSB = 0;
  localparam int VC_STATUS_STATE_WIDTH = 2;
  localparam logic [31:0] VC_STATUS_STATE_MASK = 32'h00000003;
  localparam int VC_STATUS_CAUSE_LSB = 8;
  localparam int VC_STATUS_CAUSE_WIDTH = 8;
  localparam logic [31:0] VC_STATUS_CAUSE_MASK = 32'h0000ff00;

  // RW: 802.1Q tag of the VC (as TCI: inserted on transmit, matched by vid on receive).
  localparam logic [7:0] VC_VLAN_OFFSET = 8'h08;
  localparam logic [31:0] VC_VLAN_RESET = 32'h00000000;
  localparam logic [31:0] VC_VLAN_WRITE_MASK = 32'h0000ffff;
  localparam int VC_VLAN_VID_LSB = 0;
  localparam int VC_VLAN_VID_WIDTH = 12;
  localparam logic [31:0] VC_VLAN_VID_MASK = 32'h00000fff;
  localparam int VC_VLAN_DEI_LSB = 12;
  localparam int VC_VLAN_DEI_WIDTH = 1;
  localparam logic [31:0] VC_VLAN_DEI_MASK = 32'h00001000;
  localparam int VC_VLAN_PCP_LSB = 13;
  localparam int VC_VLAN_PCP_WIDTH = 3;
  localparam logic [31:0] VC_VLAN_PCP_MASK = 32'h0000e000;

  // RW: TX queue of the VC.
  localparam logic [7:0] VC_TX_QUEUE_OFFSET = 8'h0c;
  localparam logic [31:0] VC_TX_QUEUE_RESET = 32'h00000000;
  localparam logic [31:0] VC_TX_QUEUE_WRITE_MASK = 32'h800007ff;
  localparam int VC_TX_QUEUE_QUEUE_LSB = 0;
  localparam int VC_TX_QUEUE_QUEUE_WIDTH = 11;
  localparam logic [31:0] VC_TX_QUEUE_QUEUE_MASK = 32'h000007ff;
  localparam int VC_TX_QUEUE_ENABLE_LSB = 31;
  localparam int VC_TX_QUEUE_ENABLE_WIDTH = 1;
  localparam logic [31:0] VC_TX_QUEUE_ENABLE_MASK = 32'h80000000;

  // RW: RX queue of the VC.
  localparam logic [7:0] VC_RX_QUEUE_OFFSET = 8'h10;
  localparam logic [31:0] VC_RX_QUEUE_RESET = 32'h00000000;
  localparam logic [31:0] VC_RX_QUEUE_WRITE_MASK = 32'h800007ff;
  localparam int VC_RX_QUEUE_QUEUE_LSB = 0;
  localparam int VC_RX_QUEUE_QUEUE_WIDTH = 11;
  localparam logic [31:0] VC_RX_QUEUE_QUEUE_MASK = 32'h000007ff;
  localparam int VC_RX_QUEUE_ENABLE_LSB = 31;
  localparam int VC_RX_QUEUE_ENABLE_WIDTH = 1;
  localparam logic [31:0] VC_RX_QUEUE_ENABLE_MASK = 32'h80000000;

  // RW: Longest frame of the VC on the wire, with tag and FCS; a bucket must hold as many octets before a frame starts.
  localparam logic [7:0] VC_MAX_FRAME_OFFSET = 8'h14;
  localparam logic [31:0] VC_MAX_FRAME_RESET = 32'h00000000;
  localparam logic [31:0] VC_MAX_FRAME_WRITE_MASK = 32'h0000ffff;
  localparam int VC_MAX_FRAME_OCTETS_LSB = 0;
  localparam int VC_MAX_FRAME_OCTETS_WIDTH = 16;
  localparam logic [31:0] VC_MAX_FRAME_OCTETS_MASK = 32'h0000ffff;

  // RW: Rate of the VC; 0: no limit.
  localparam logic [7:0] VC_INTERVAL_OFFSET = 8'h18;
  localparam logic [31:0] VC_INTERVAL_RESET = 32'h00000000;
  localparam logic [31:0] VC_INTERVAL_WRITE_MASK = 32'hffffffff;

  // RW: Depth of the bucket in octets, from MAX_FRAME on.
  localparam logic [7:0] VC_BURST_OFFSET = 8'h1c;
  localparam logic [31:0] VC_BURST_RESET = 32'h00000000;
  localparam logic [31:0] VC_BURST_WRITE_MASK = 32'h00ffffff;
  localparam int VC_BURST_OCTETS_LSB = 0;
  localparam int VC_BURST_OCTETS_WIDTH = 24;
  localparam logic [31:0] VC_BURST_OCTETS_MASK = 32'h00ffffff;

  // RW: Peak rate, a second bucket; 0: no limit.
  localparam logic [7:0] VC_PEAK_INTERVAL_OFFSET = 8'h20;
  localparam logic [31:0] VC_PEAK_INTERVAL_RESET = 32'h00000000;
  localparam logic [31:0] VC_PEAK_INTERVAL_WRITE_MASK = 32'hffffffff;

  // RW: Depth of the peak bucket in octets, from MAX_FRAME on.
  localparam logic [7:0] VC_PEAK_BURST_OFFSET = 8'h24;
  localparam logic [31:0] VC_PEAK_BURST_RESET = 32'h00000000;
  localparam logic [31:0] VC_PEAK_BURST_WRITE_MASK = 32'h00ffffff;
  localparam int VC_PEAK_BURST_OCTETS_LSB = 0;
  localparam int VC_PEAK_BURST_OCTETS_WIDTH = 24;
  localparam logic [31:0] VC_PEAK_BURST_OCTETS_MASK = 32'h00ffffff;

  // RW: The VC's share of the line.
  localparam logic [7:0] VC_SHARE_OFFSET = 8'h28;
  localparam logic [31:0] VC_SHARE_RESET = 32'h00000000;
  localparam logic [31:0] VC_SHARE_WRITE_MASK = 32'h8000ffff;
  localparam int VC_SHARE_QUANTUM_LSB = 0;
  localparam int VC_SHARE_QUANTUM_WIDTH = 16;
  localparam logic [31:0] VC_SHARE_QUANTUM_MASK = 32'h0000ffff;
  localparam int VC_SHARE_GUARANTEED_LSB = 31;
  localparam int VC_SHARE_GUARANTEED_WIDTH = 1;
  localparam logic [31:0] VC_SHARE_GUARANTEED_MASK = 32'h80000000;

  // ---- VC counters: counter i of a VC at VC_COUNTER_OFFSET + 8 * i in its page, low word first ----
  localparam logic [7:0] VC_COUNTER_OFFSET = 8'h40;
  localparam int VC_COUNTERS = 6;
  localparam int VC_COUNTER_TX_FRAMES = 0;
  localparam int VC_COUNTER_TX_OCTETS = 1;
  localparam int VC_COUNTER_RX_FRAMES = 2;
  localparam int VC_COUNTER_RX_OCTETS = 3;
  localparam int VC_COUNTER_RX_DROPS = 4;
  localparam int VC_COUNTER_TX_WAITS = 5;

  // ---- doorbells: queue q at + 4 * q ----
  // WO: Absolute producer index, at a frame boundary.
  localparam logic [23:0] TX_DOORBELL_OFFSET = 24'h200000;
  // WO: Absolute producer index, at a frame boundary.
  localparam logic [23:0] RX_DOORBELL_OFFSET = 24'h202000;
  // WO: Completion consumer index: unmasks the interrupt, fires at once when CPL_PRODUCED is ahead.
  localparam logic [23:0] TX_REARM_OFFSET = 24'h204000;
  // WO: Completion consumer index: unmasks the interrupt, fires at once when CPL_PRODUCED is ahead.
  localparam logic [23:0] RX_REARM_OFFSET = 24'h206000;

  // ---- tx counters: counter i at TX_COUNTER_OFFSET + 8 * i, low word first ----
  localparam logic [23:0] TX_COUNTER_OFFSET = 24'h000400;
  localparam int TX_COUNTERS = 20;
  // counters that add the wire octets or the data length of the event instead of one
  localparam logic [19:0] TX_WIRE_MASK = 20'h2;
  localparam logic [19:0] TX_LEN_MASK = 20'ha8;
  localparam int TX_COUNTER_FRAMES = 0;
  localparam int TX_COUNTER_OCTETS = 1;
  localparam int TX_COUNTER_UNICAST_FRAMES = 2;
  localparam int TX_COUNTER_UNICAST_OCTETS = 3;
  localparam int TX_COUNTER_MULTICAST_FRAMES = 4;
  localparam int TX_COUNTER_MULTICAST_OCTETS = 5;
  localparam int TX_COUNTER_BROADCAST_FRAMES = 6;
  localparam int TX_COUNTER_BROADCAST_OCTETS = 7;
  localparam int TX_COUNTER_DROP_MALFORMED = 8;
  localparam int TX_COUNTER_DROP_DMA = 9;
  localparam int TX_COUNTER_DROP_ABORT = 10;
  localparam int TX_COUNTER_DROP_FLUSHED = 11;
  localparam int TX_COUNTER_PKTS_64 = 12;
  localparam int TX_COUNTER_PKTS_65_127 = 13;
  localparam int TX_COUNTER_PKTS_128_255 = 14;
  localparam int TX_COUNTER_PKTS_256_511 = 15;
  localparam int TX_COUNTER_PKTS_512_1023 = 16;
  localparam int TX_COUNTER_PKTS_1024_1518 = 17;
  localparam int TX_COUNTER_PKTS_1519_MAX = 18;
  localparam int TX_COUNTER_LOOPBACK_FRAMES = 19;

  // ---- rx counters: counter i at RX_COUNTER_OFFSET + 8 * i, low word first ----
  localparam logic [23:0] RX_COUNTER_OFFSET = 24'h000600;
  localparam int RX_COUNTERS = 36;
  // counters that add the wire octets or the data length of the event instead of one
  localparam logic [35:0] RX_WIRE_MASK = 36'h2;
  localparam logic [35:0] RX_LEN_MASK = 36'h2a8;
  localparam int RX_COUNTER_WIRE_FRAMES = 0;
  localparam int RX_COUNTER_WIRE_OCTETS = 1;
  localparam int RX_COUNTER_DELIVERED_FRAMES = 2;
  localparam int RX_COUNTER_DELIVERED_OCTETS = 3;
  localparam int RX_COUNTER_UNICAST_FRAMES = 4;
  localparam int RX_COUNTER_UNICAST_OCTETS = 5;
  localparam int RX_COUNTER_MULTICAST_FRAMES = 6;
  localparam int RX_COUNTER_MULTICAST_OCTETS = 7;
  localparam int RX_COUNTER_BROADCAST_FRAMES = 8;
  localparam int RX_COUNTER_BROADCAST_OCTETS = 9;
  localparam int RX_COUNTER_DROP_FCS = 10;
  localparam int RX_COUNTER_DROP_RX_ER = 11;
  localparam int RX_COUNTER_DROP_RUNT = 12;
  localparam int RX_COUNTER_DROP_OVERSIZE = 13;
  localparam int RX_COUNTER_DROP_FILTERED = 14;
  localparam int RX_COUNTER_DROP_BUFFER_FULL = 15;
  localparam int RX_COUNTER_DROP_NO_DESCRIPTOR = 16;
  localparam int RX_COUNTER_DROP_QUEUE_OFF = 17;
  localparam int RX_COUNTER_DROP_DMA = 18;
  localparam int RX_COUNTER_DROP_DISABLED = 19;
  localparam int RX_COUNTER_FALSE_CARRIER = 20;
  localparam int RX_COUNTER_MISSING_SFD = 21;
  localparam int RX_COUNTER_IN_RANGE_LENGTH_ERRORS = 22;
  localparam int RX_COUNTER_OUT_OF_RANGE_LENGTH = 23;
  localparam int RX_COUNTER_UNDERSIZE = 24;
  localparam int RX_COUNTER_FRAGMENTS = 25;
  localparam int RX_COUNTER_JABBERS = 26;
  localparam int RX_COUNTER_OVERSIZE_GOOD = 27;
  localparam int RX_COUNTER_PKTS_64 = 28;
  localparam int RX_COUNTER_PKTS_65_127 = 29;
  localparam int RX_COUNTER_PKTS_128_255 = 30;
  localparam int RX_COUNTER_PKTS_256_511 = 31;
  localparam int RX_COUNTER_PKTS_512_1023 = 32;
  localparam int RX_COUNTER_PKTS_1024_1518 = 33;
  localparam int RX_COUNTER_PKTS_1519_MAX = 34;
  localparam int RX_COUNTER_CRC_ALIGN_ERRORS = 35;

  // ---- TX descriptor. bits of the 128-bit little-endian value ----
  localparam int TX_DESCRIPTOR_BYTES = 16;
  localparam logic [127:0] TX_DESCRIPTOR_RESERVED_MASK = 128'hffffffffff0c00000000000000000000;
  localparam int TX_DESCRIPTOR_ADDRESS_LSB = 0;
  localparam int TX_DESCRIPTOR_ADDRESS_WIDTH = 64;
  localparam int TX_DESCRIPTOR_LENGTH_LSB = 64;
  localparam int TX_DESCRIPTOR_LENGTH_WIDTH = 16;
  localparam int TX_DESCRIPTOR_SOP_LSB = 80;
  localparam int TX_DESCRIPTOR_SOP_WIDTH = 1;
  localparam int TX_DESCRIPTOR_EOP_LSB = 81;
  localparam int TX_DESCRIPTOR_EOP_WIDTH = 1;
  localparam int TX_DESCRIPTOR_KIND_LSB = 84;
  localparam int TX_DESCRIPTOR_KIND_WIDTH = 4;

  // ---- RX descriptor. bits of the 128-bit little-endian value ----
  localparam int RX_DESCRIPTOR_BYTES = 16;
  localparam logic [127:0] RX_DESCRIPTOR_RESERVED_MASK = 128'hffffffffffffffff0000000000000000;
  localparam int RX_DESCRIPTOR_ADDRESS_LSB = 0;
  localparam int RX_DESCRIPTOR_ADDRESS_WIDTH = 64;

  // ---- Completion, of either direction. bits of the 256-bit little-endian value ----
  localparam int COMPLETION_BYTES = 32;
  localparam logic [255:0] COMPLETION_RESERVED_MASK = 256'hffffffff0000fffe000000000000000000000000000000000000000000000000;
  localparam int COMPLETION_INDEX_LSB = 0;
  localparam int COMPLETION_INDEX_WIDTH = 32;
  localparam int COMPLETION_LENGTH_LSB = 32;
  localparam int COMPLETION_LENGTH_WIDTH = 16;
  localparam int COMPLETION_STATUS_LSB = 48;
  localparam int COMPLETION_STATUS_WIDTH = 8;
  localparam int COMPLETION_CAUSE_LSB = 56;
  localparam int COMPLETION_CAUSE_WIDTH = 8;
  localparam int COMPLETION_VLAN_LSB = 64;
  localparam int COMPLETION_VLAN_WIDTH = 16;
  localparam int COMPLETION_RSS_TYPE_LSB = 80;
  localparam int COMPLETION_RSS_TYPE_WIDTH = 8;
  localparam int COMPLETION_CHECKSUM_LSB = 88;
  localparam int COMPLETION_CHECKSUM_WIDTH = 8;
  localparam int COMPLETION_RSS_HASH_LSB = 96;
  localparam int COMPLETION_RSS_HASH_WIDTH = 32;
  localparam int COMPLETION_TIMESTAMP_LSB = 128;
  localparam int COMPLETION_TIMESTAMP_WIDTH = 64;
  localparam int COMPLETION_PHASE_LSB = 192;
  localparam int COMPLETION_PHASE_WIDTH = 1;
  localparam int COMPLETION_FRAME_LENGTH_LSB = 208;
  localparam int COMPLETION_FRAME_LENGTH_WIDTH = 16;

endpackage
/* verilator lint_on UNUSEDPARAM */
`default_nettype wire

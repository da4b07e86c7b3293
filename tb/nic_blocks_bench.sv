// SPDX-License-Identifier: Apache-2.0
// stats and rx_filter side by side in one clock, for tb/nic_blocks_tests.py. stats: counter 1 adds wire octets, 3 and 5 add lengths.
`default_nettype none

module nic_blocks_bench (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // stats
    input  wire logic        ev0_valid_i,
    output      logic        ev0_ready_o,
    input  wire logic [35:0] ev0_mask_i,
    input  wire logic [15:0] ev0_wire_i,
    input  wire logic [15:0] ev0_len_i,
    input  wire logic        ev1_valid_i,
    output      logic        ev1_ready_o,
    input  wire logic [35:0] ev1_mask_i,
    input  wire logic [15:0] ev1_wire_i,
    input  wire logic [15:0] ev1_len_i,
    input  wire logic        stats_clear_i,
    output      logic        stats_clear_busy_o,
    input  wire logic        csr_valid_i,
    input  wire logic        csr_write_i,
    input  wire logic [ 5:0] csr_index_i,
    input  wire logic        csr_high_i,
    input  wire logic [31:0] csr_wdata_i,
    output      logic        csr_ready_o,
    output      logic [31:0] csr_rdata_o,
    // rx_filter
    input  wire logic        da_valid_i,
    input  wire logic [47:0] da_i,
    output      logic        hit_valid_o,
    output      logic        hit_accept_o,
    output      logic [ 5:0] hit_queue_o,
    output      logic        hit_own_o,
    output      logic        hit_broadcast_o,
    output      logic        hit_multicast_o,
    input  wire logic        tbl_write_i,
    input  wire logic [ 4:0] tbl_index_i,
    input  wire logic        tbl_high_i,
    input  wire logic [31:0] tbl_data_i,
    output      logic [31:0] tbl_rdata_o,
    input  wire logic        filter_clear_i,
    input  wire logic [ 5:0] cfg_filter_i,
    input  wire logic [47:0] cfg_mac_i,
    input  wire logic [63:0] cfg_hash_i,
    input  wire logic [ 5:0] cfg_default_queue_i
);

  stats #(.NumCounters(36), .WireMask(36'h2), .LenMask(36'h28)) u_stats (
      .clk_i,
      .rst_ni,
      .ev0_valid_i,
      .ev0_ready_o,
      .ev0_mask_i,
      .ev0_wire_i,
      .ev0_len_i,
      .ev1_valid_i,
      .ev1_ready_o,
      .ev1_mask_i,
      .ev1_wire_i,
      .ev1_len_i,
      .clear_i(stats_clear_i),
      .clear_busy_o(stats_clear_busy_o),
      .csr_valid_i,
      .csr_write_i,
      .csr_index_i,
      .csr_high_i,
      .csr_wdata_i,
      .csr_ready_o,
      .csr_rdata_o
  );

  rx_filter u_rx_filter (
      .clk_i,
      .rst_ni,
      .da_valid_i,
      .da_i,
      .hit_valid_o,
      .hit_accept_o,
      .hit_queue_o,
      .hit_own_o,
      .hit_broadcast_o,
      .hit_multicast_o,
      .tbl_write_i,
      .tbl_index_i,
      .tbl_high_i,
      .tbl_data_i,
      .tbl_rdata_o,
      .clear_i(filter_clear_i),
      .cfg_filter_i,
      .cfg_mac_i,
      .cfg_hash_i,
      .cfg_default_queue_i
  );

endmodule

`default_nettype wire

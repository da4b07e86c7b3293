// SPDX-License-Identifier: Apache-2.0
// Decides on a destination address (docs/nic.md, section 6): da_valid_i starts a lookup, one at a time; hit_valid_o is a pulse 2
// cycles later for unicast and broadcast, up to 40 for multicast (the exact table is walked entry by entry, the hash takes a
// cycle per octet beside it). The hit_* answers stay until the next lookup. Table entries are written in two halves;
// clear_i returns them all to zero (invalid).
`default_nettype none

module rx_filter (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // rx_ingress
    input  wire logic        da_valid_i,
    input  wire logic [47:0] da_i, // octet 0 in bits 7:0
    output      logic        hit_valid_o,
    output      logic        hit_accept_o,
    output      logic [ 5:0] hit_queue_o,
    output      logic        hit_own_o,
    output      logic        hit_broadcast_o,
    output      logic        hit_multicast_o,
    // csr: exact table
    input  wire logic        tbl_write_i,
    input  wire logic [ 4:0] tbl_index_i,
    input  wire logic        tbl_high_i,
    input  wire logic [31:0] tbl_data_i,
    output      logic [31:0] tbl_rdata_o,
    input  wire logic        clear_i,
    // csr: configuration
    input  wire logic [ 5:0] cfg_filter_i,
    input  wire logic [47:0] cfg_mac_i,
    input  wire logic [63:0] cfg_hash_i,
    input  wire logic [ 5:0] cfg_default_queue_i
);

  localparam int OwnUnicast = 0, Broadcast = 1, Exact = 2, Hash = 3, AllMulticast = 4, Promiscuous = 5;

  typedef enum logic [1:0] {
    StIdle,  // waits for an address
    StClass, // own, broadcast, multicast or none of these
    StWalk   // looks for a multicast address in the exact table, and hashes it
  } state_t;

  state_t state_q, state_d;
  logic [47:0] da_q;
  logic [5:0] step_q;
  logic [31:0] crc_q, crc_next, low_known_q, high_known_q;
  logic [31:0] mem_low [32];  // octets 0 to 3
  logic [23:0] mem_high [32]; // valid, steer, queue, octets 4 and 5
  logic [55:0] entry_q;       // entry of the step before
  logic [23:0] table_high;
  logic moves, busy, own, broadcast, multicast, exact_on, match, hash_done, last_step, wanted, hashed;
  logic hit_valid_q, hit_accept_q, hit_own_q, hit_broadcast_q, hit_multicast_q;
  logic [5:0] hit_queue_q;

  assign own = da_q == cfg_mac_i;
  assign broadcast = da_q == '1;
  assign multicast = da_q[0] && !broadcast;
  assign exact_on = cfg_filter_i[Exact] && high_known_q != '0;

  // Step n loads entry n and looks at entry n - 1, and takes octet n (0 to 5) into the CRC.
  assign match = entry_q[55] && exact_on && entry_q[47:0] == da_q;
  assign hash_done = step_q >= 6'd6;
  assign last_step = exact_on ? step_q == 6'd32 : hash_done;
  // The upper six bits of the CRC register; the reflected form has them at the bottom, mirrored.
  assign hashed = cfg_filter_i[Hash] && cfg_hash_i[{crc_q[0], crc_q[1], crc_q[2], crc_q[3], crc_q[4], crc_q[5]}];
  assign wanted = match || hashed;

  crc32 u_crc (.crc_i(crc_q), .data_i(da_q[{step_q[2:0], 3'd0}+:8]), .crc_o(crc_next));

  always_comb begin
    state_d = state_q;
    case (state_q)
      StIdle: if (da_valid_i) state_d = StClass;
      StClass: begin
        if (multicast) state_d = StWalk;
        else state_d = StIdle;
      end
      StWalk: if (match || last_step) state_d = StIdle;
      default: state_d = StIdle;
    endcase
  end

  assign moves = state_q != state_d;
  assign busy = state_q != StIdle || da_valid_i || hit_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) state_q <= StIdle;
    else if (moves) state_q <= state_d;
  end

  // The lookup.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      da_q <= 48'd0;
      step_q <= 6'd0;
      crc_q <= '1;
      entry_q <= 56'd0;
    end else if (state_q == StWalk) begin
      step_q <= step_q + 6'd1;
      if (!hash_done) crc_q <= crc_next;
      entry_q[55:32] <= high_known_q[step_q[4:0]] ? mem_high[step_q[4:0]] : 24'd0;
      entry_q[31:0] <= low_known_q[step_q[4:0]] ? mem_low[step_q[4:0]] : 32'd0;
    end else if (da_valid_i) begin
      da_q <= da_i;
      step_q <= 6'd0;
      crc_q <= '1;
      entry_q <= 56'd0;
    end
  end

  // The answer.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      hit_valid_q <= 1'b0;
      hit_accept_q <= 1'b0;
      hit_queue_q <= 6'd0;
      hit_own_q <= 1'b0;
      hit_broadcast_q <= 1'b0;
      hit_multicast_q <= 1'b0;
    end else if (busy) begin
      hit_valid_q <= state_q != StIdle && state_d == StIdle;
      if (state_q == StClass) begin
        hit_accept_q <= cfg_filter_i[Promiscuous] || (own && cfg_filter_i[OwnUnicast])
            || (broadcast && cfg_filter_i[Broadcast]) || (multicast && cfg_filter_i[AllMulticast]);
        hit_queue_q <= cfg_default_queue_i;
        hit_own_q <= own;
        hit_broadcast_q <= broadcast;
        hit_multicast_q <= multicast;
      end else if (state_q == StWalk && state_d == StIdle) begin
        if (wanted) hit_accept_q <= 1'b1;
        if (match && entry_q[54]) hit_queue_q <= entry_q[53:48];
      end
    end
  end

  assign hit_valid_o = hit_valid_q;
  assign hit_accept_o = hit_accept_q;
  assign hit_queue_o = hit_queue_q;
  assign hit_own_o = hit_own_q;
  assign hit_broadcast_o = hit_broadcast_q;
  assign hit_multicast_o = hit_multicast_q;

  // The table. What was not written since reset reads as zero.
  always_ff @(posedge clk_i) begin
    if (tbl_write_i) begin
      if (tbl_high_i) mem_high[tbl_index_i] <= {tbl_data_i[31:30], tbl_data_i[21:0]};
      else mem_low[tbl_index_i] <= tbl_data_i;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      low_known_q <= '0;
      high_known_q <= '0;
    end else if (clear_i) begin
      low_known_q <= '0;
      high_known_q <= '0;
    end else if (tbl_write_i) begin
      if (tbl_high_i) high_known_q[tbl_index_i] <= 1'b1;
      else low_known_q[tbl_index_i] <= 1'b1;
    end
  end

  assign table_high = high_known_q[tbl_index_i] ? mem_high[tbl_index_i] : 24'd0;
  assign tbl_rdata_o = tbl_high_i ? {table_high[23:22], 8'd0, table_high[21:0]}
      : low_known_q[tbl_index_i] ? mem_low[tbl_index_i] : 32'd0;

endmodule

`default_nettype wire

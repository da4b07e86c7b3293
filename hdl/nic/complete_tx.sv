// SPDX-License-Identifier: Apache-2.0
// Joins TX records with the MAC's verdicts: one finished item per frame, in the order of the records. A record with verdict waits
// for the next one; while flush_i is high it ends at once with cause 10, and the verdict that comes for it later is discarded (they
// come in order, so counting is enough). Each frame makes one statistics event (docs/nic.md section 4). Latency: two cycles.
`default_nettype none
`include "check.svh"

module complete_tx #(
    parameter int Depth = 32 // records waiting
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // tx_assemble
    input  wire logic        rec_valid_i,
    output      logic        rec_ready_o,
    input  wire logic        rec_barrier_i,
    input  wire logic [10:0] rec_queue_i,
    input  wire logic [31:0] rec_index_i,
    input  wire logic [15:0] rec_length_i,
    input  wire logic [ 7:0] rec_cause_i,
    input  wire logic [ 1:0] rec_class_i,
    input  wire logic        rec_verdict_i,
    // loopback: verdicts
    input  wire logic        verdict_valid_i,
    output      logic        verdict_ready_o,
    input  wire logic        verdict_abort_i,
    input  wire logic        verdict_loopback_i,
    input  wire logic [15:0] verdict_length_i,
    // queue_ctrl
    input  wire logic        flush_i,
    // completer
    output      logic        item_valid_o,
    input  wire logic        item_ready_i,
    output      logic        item_barrier_o,
    output      logic [10:0] item_queue_o,
    output      logic [31:0] item_index_o,
    output      logic [15:0] item_length_o,
    output      logic [ 7:0] item_status_o,
    output      logic [ 7:0] item_cause_o,
    output      logic        idle_o,
    // stats
    output      logic        ev_valid_o,
    input  wire logic        ev_ready_i,
    output      logic [19:0] ev_mask_o,
    output      logic [15:0] ev_wire_o,
    output      logic [15:0] ev_len_o
);

  typedef struct packed {
    logic barrier;
    logic [10:0] ring;
    logic [31:0] index;
    logic [15:0] length;
    logic [7:0] cause;
    logic [1:0] class_;
    logic verdict;
  } record_t;
  localparam int RecordWidth = 71;

  record_t head_q, next; // the oldest record stands in registers
  logic head_valid_q, next_valid, load, take, take_verdict, take_flushed, discard;
  logic [7:0] cause;
  logic [15:0] discards_q; // verdicts still to come for flushed records
  logic owing_q; // there are some
  logic verdict_valid, verdict_ready, verdict_abort, verdict_loopback;
  logic [15:0] verdict_length;
  logic loopback_q; // of the frame at the output
  logic [1:0] class_q;
  logic [$clog2(Depth):0] unused_count;

  fifo #(
      .Width(RecordWidth),
      .Depth(Depth)
  ) u_records (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .wr_valid_i(rec_valid_i),
      .wr_ready_o(rec_ready_o),
      .wr_data_i({
        rec_barrier_i, rec_queue_i, rec_index_i, rec_length_i, rec_cause_i, rec_class_i, rec_verdict_i
      }),
      .rd_valid_o(next_valid),
      .rd_ready_i(load),
      .rd_data_o(next),
      .count_o(unused_count)
  );

  // the way of a verdict begins in another clock's FIFO and would lead back to it
  skid_buffer #(
      .Width(18)
  ) u_verdict (
      .clk_i,
      .rst_ni,
      .wr_valid_i(verdict_valid_i),
      .wr_ready_o(verdict_ready_o),
      .wr_data_i({verdict_abort_i, verdict_loopback_i, verdict_length_i}),
      .rd_valid_o(verdict_valid),
      .rd_ready_i(verdict_ready),
      .rd_data_o({verdict_abort, verdict_loopback, verdict_length})
  );

  assign load = next_valid && (!head_valid_q || take);
  assign discard = verdict_valid && owing_q;
  assign take = head_valid_q && !item_valid_o && !ev_valid_o && (!head_q.verdict || flush_i || (verdict_valid && !owing_q));
  assign take_verdict = take && head_q.verdict && verdict_valid && !owing_q;
  assign take_flushed = take && head_q.verdict && !take_verdict;
  assign verdict_ready = owing_q || take_verdict;
  assign idle_o = !next_valid && !head_valid_q && !item_valid_o && !ev_valid_o;

  always_comb begin
    cause = head_q.cause;
    if (take_flushed) cause = nic_1g_pkg::CAUSE_FLUSHED;
    else if (take_verdict && verdict_abort) cause = nic_1g_pkg::CAUSE_MAC_ABORT;
  end

  // ---- the frame's counters ----
  always_comb begin
    ev_mask_o = '0;
    unique case (item_cause_o)
      nic_1g_pkg::CAUSE_NONE:
      if (loopback_q) begin
        ev_mask_o[nic_1g_pkg::TX_COUNTER_LOOPBACK_FRAMES] = 1'b1;
      end else begin
        ev_mask_o[nic_1g_pkg::TX_COUNTER_FRAMES] = 1'b1;
        ev_mask_o[nic_1g_pkg::TX_COUNTER_OCTETS] = 1'b1;
        unique case (class_q)
          2'd1: ev_mask_o[nic_1g_pkg::TX_COUNTER_MULTICAST_FRAMES+:2] = 2'b11;
          2'd2: ev_mask_o[nic_1g_pkg::TX_COUNTER_BROADCAST_FRAMES+:2] = 2'b11;
          default: ev_mask_o[nic_1g_pkg::TX_COUNTER_UNICAST_FRAMES+:2] = 2'b11;
        endcase
        ev_mask_o[nic_1g_pkg::TX_COUNTER_PKTS_64] = ev_wire_o == 16'd64;
        ev_mask_o[nic_1g_pkg::TX_COUNTER_PKTS_65_127] = ev_wire_o > 16'd64 && ev_wire_o < 16'd128;
        ev_mask_o[nic_1g_pkg::TX_COUNTER_PKTS_128_255] = ev_wire_o[15:7] == 9'd1;
        ev_mask_o[nic_1g_pkg::TX_COUNTER_PKTS_256_511] = ev_wire_o[15:8] == 8'd1;
        ev_mask_o[nic_1g_pkg::TX_COUNTER_PKTS_512_1023] = ev_wire_o[15:9] == 7'd1;
        ev_mask_o[nic_1g_pkg::TX_COUNTER_PKTS_1024_1518] = ev_wire_o[15:10] != '0 && ev_wire_o < 16'd1519;
        ev_mask_o[nic_1g_pkg::TX_COUNTER_PKTS_1519_MAX] = ev_wire_o >= 16'd1519;
      end
      nic_1g_pkg::CAUSE_BUS_ERROR, nic_1g_pkg::CAUSE_FETCH_ERROR: ev_mask_o[nic_1g_pkg::TX_COUNTER_DROP_DMA] = 1'b1;
      nic_1g_pkg::CAUSE_MAC_ABORT: ev_mask_o[nic_1g_pkg::TX_COUNTER_DROP_ABORT] = 1'b1;
      nic_1g_pkg::CAUSE_FLUSHED: ev_mask_o[nic_1g_pkg::TX_COUNTER_DROP_FLUSHED] = 1'b1;
      default: ev_mask_o[nic_1g_pkg::TX_COUNTER_DROP_MALFORMED] = 1'b1;
    endcase
  end
  assign ev_len_o = item_length_o;
  assign item_status_o = nic_1g_pkg::COMPLETION_STATUS_SOP | nic_1g_pkg::COMPLETION_STATUS_EOP |
                         (item_cause_o == nic_1g_pkg::CAUSE_NONE ? nic_1g_pkg::COMPLETION_STATUS_OK
                                                                 : nic_1g_pkg::COMPLETION_STATUS_ERROR);

  // ---- registers ----
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      item_valid_o <= 1'b0;
      {item_barrier_o, item_queue_o, item_index_o, item_length_o, item_cause_o, class_q, loopback_q} <= '0;
      ev_valid_o <= 1'b0;
      ev_wire_o <= '0;
      discards_q <= '0;
      owing_q <= 1'b0;
      head_valid_q <= 1'b0;
      head_q <= '0;
    end else if (`AWAKE(load || take || item_valid_o || ev_valid_o || discard)) begin
      if (!head_valid_q || take) head_q <= next; // whether there is a next one, head_valid_q tells
      if (load || take) head_valid_q <= load;
      if (take_flushed != discard) discards_q <= discard ? discards_q - 16'd1 : discards_q + 16'd1;
      if (take_flushed) owing_q <= 1'b1;
      else if (discard && discards_q == 16'd1) owing_q <= 1'b0;
      if (take) begin
        item_valid_o <= 1'b1;
        item_barrier_o <= head_q.barrier;
        item_queue_o <= head_q.ring;
        item_index_o <= head_q.index;
        item_length_o <= head_q.length;
        item_cause_o <= cause;
        class_q <= head_q.class_;
        loopback_q <= verdict_loopback;
        ev_valid_o <= !head_q.barrier;
        ev_wire_o <= verdict_length;
      end else begin
        if (item_ready_i) item_valid_o <= 1'b0;
        if (ev_ready_i) ev_valid_o <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Writes the completions of both directions (docs/nic.md section 2) and tells irq of each that became visible. Finished items come
// from complete_tx and complete_rx, one at a time in turn; the ring position of each queue is a free-running index in RAM. Several
// completions may wait for their responses, which come in order. After a failed completion write its queue is dead: nothing more is
// written or made visible for it until its next start. A barrier passes through all of it and comes out when all before it is done.
//
//      cpl base ->  [ c-1 | c | ... ]   c = next index, entry c mod size, phase = 1 ^ bit log2(size) of c
`default_nettype none
`include "check.svh"

module completer #(
    parameter int NumTxQueues = 4,
    parameter int NumRxQueues = 4,
    parameter int MaxWrites   = 8
) (
    input  wire logic         clk_i,
    input  wire logic         rst_ni,
    // queue_ctrl: start of a queue, configuration, flush, what ended
    input  wire logic         start_valid_i,
    input  wire logic         start_dir_i,
    input  wire logic [ 10:0] start_queue_i,
    input  wire logic [ 31:0] start_cpl_index_i,
    output      logic         cfg_dir_o,
    output      logic [ 10:0] cfg_queue_o,
    input  wire logic [ 63:0] cfg_cpl_base_i,
    input  wire logic [  3:0] cfg_cpl_log2_i,
    input  wire logic         tx_flush_i,
    output      logic         err_valid_o,
    output      logic         err_dir_o,
    output      logic [ 10:0] err_queue_o,
    output      logic [ 31:0] err_index_o,
    output      logic         barrier_valid_o,
    output      logic         barrier_dir_o,
    output      logic [ 10:0] barrier_queue_o,
    output      logic         idle_o,
    // tx_assemble
    input  wire logic         tx_rec_valid_i,
    output      logic         tx_rec_ready_o,
    input  wire logic         tx_rec_barrier_i,
    input  wire logic [ 10:0] tx_rec_queue_i,
    input  wire logic [ 31:0] tx_rec_index_i,
    input  wire logic [ 15:0] tx_rec_length_i,
    input  wire logic [  7:0] tx_rec_cause_i,
    input  wire logic [  1:0] tx_rec_class_i,
    input  wire logic         tx_rec_verdict_i,
    // loopback: verdicts of the MAC or the loop
    input  wire logic         verdict_valid_i,
    output      logic         verdict_ready_o,
    input  wire logic         verdict_abort_i,
    input  wire logic         verdict_loopback_i,
    input  wire logic [ 15:0] verdict_length_i,
    // rx_path
    input  wire logic         rx_rec_valid_i,
    output      logic         rx_rec_ready_o,
    input  wire logic [131:0] rx_rec_data_i,
    // dma_write
    input  wire logic         ack_valid_i,
    input  wire logic         ack_err_i,
    output      logic         cpl_valid_o,
    input  wire logic         cpl_ready_i,
    output      logic [ 63:0] cpl_addr_o,
    output      logic [255:0] cpl_data_o,
    input  wire logic         resp_valid_i,
    input  wire logic         resp_err_i,
    // irq
    output      logic         vis_valid_o,
    input  wire logic         vis_ready_i,
    output      logic         vis_dir_o,
    output      logic [ 10:0] vis_queue_o,
    output      logic [ 31:0] vis_index_o,
    // stats
    output      logic         tx_ev_valid_o,
    input  wire logic         tx_ev_ready_i,
    output      logic [ 19:0] tx_ev_mask_o,
    output      logic [ 15:0] tx_ev_wire_o,
    output      logic [ 15:0] tx_ev_len_o,
    output      logic [ 10:0] tx_ev_queue_o,
    output      logic         rx_ev_valid_o,
    input  wire logic         rx_ev_ready_i,
    output      logic [ 35:0] rx_ev_mask_o,
    output      logic [ 15:0] rx_ev_wire_o,
    output      logic [ 15:0] rx_ev_len_o,
    output      logic [ 10:0] rx_ev_queue_o
);

  localparam int MostQueues = NumTxQueues > NumRxQueues ? NumTxQueues : NumRxQueues;
  localparam int QueueBits = MostQueues > 1 ? $clog2(MostQueues) : 1;
  localparam int Rings = 2 << QueueBits;
  localparam int PendingDepth = 2 << $clog2(MaxWrites);

  typedef enum logic [2:0] {
    StPick, // takes an item of either direction, or applies a start
    StRead, // registers the queue's configuration and ring position
    StPlace, // masks the ring position and moves it
    StAddress, // computes the address
    StWrite // offers the completion to dma_write
  } state_e;
  state_e state_q;

  logic tx_item_valid, tx_item_barrier, tx_idle, rx_item_valid, rx_item_barrier, rx_idle;
  logic [10:0] tx_item_queue, rx_item_queue;
  logic [31:0] tx_item_index, rx_item_index;
  logic [15:0] tx_item_length, rx_item_length, rx_item_frame_length, rx_item_vlan;
  logic [7:0] tx_item_status, tx_item_cause, rx_item_status, rx_item_cause;

  // ---- the completion at work ----
  logic pick, pick_rx, pick_barrier, prefer_rx_q, dead_q;
  logic [10:0] pick_queue;
  logic [31:0] index_q, cpl_index_q, cpl_index_next;
  logic [15:0] length_q, frame_length_q, vlan_q;
  logic [7:0] status_q, cause_q;
  logic [63:0] base_q, addr_q;
  logic [3:0] log2_q;
  logic phase_q;
  logic [14:0] entry_q;
  // ---- ring positions, one per queue and direction ----
  logic [31:0] next_index[Rings];
  logic [QueueBits:0] ring;
  logic start_q, start_apply;
  logic [QueueBits:0] start_ring_q;
  logic [31:0] start_index_q;
  logic push, pending_ready, dead, done_idle, unused;

  complete_tx u_tx (
      .clk_i,
      .rst_ni,
      .rec_valid_i(tx_rec_valid_i),
      .rec_ready_o(tx_rec_ready_o),
      .rec_barrier_i(tx_rec_barrier_i),
      .rec_queue_i(tx_rec_queue_i),
      .rec_index_i(tx_rec_index_i),
      .rec_length_i(tx_rec_length_i),
      .rec_cause_i(tx_rec_cause_i),
      .rec_class_i(tx_rec_class_i),
      .rec_verdict_i(tx_rec_verdict_i),
      .verdict_valid_i,
      .verdict_ready_o,
      .verdict_abort_i,
      .verdict_loopback_i,
      .verdict_length_i,
      .flush_i(tx_flush_i),
      .item_valid_o(tx_item_valid),
      .item_ready_i(pick && !pick_rx),
      .item_barrier_o(tx_item_barrier),
      .item_queue_o(tx_item_queue),
      .item_index_o(tx_item_index),
      .item_length_o(tx_item_length),
      .item_status_o(tx_item_status),
      .item_cause_o(tx_item_cause),
      .idle_o(tx_idle),
      .ev_valid_o(tx_ev_valid_o),
      .ev_ready_i(tx_ev_ready_i),
      .ev_mask_o(tx_ev_mask_o),
      .ev_wire_o(tx_ev_wire_o),
      .ev_len_o(tx_ev_len_o)
  );

  complete_rx u_rx (
      .clk_i,
      .rst_ni,
      .rec_valid_i(rx_rec_valid_i),
      .rec_ready_o(rx_rec_ready_o),
      .rec_data_i(rx_rec_data_i),
      .ack_valid_i,
      .ack_err_i,
      .item_valid_o(rx_item_valid),
      .item_ready_i(pick && pick_rx),
      .item_barrier_o(rx_item_barrier),
      .item_queue_o(rx_item_queue),
      .item_index_o(rx_item_index),
      .item_length_o(rx_item_length),
      .item_status_o(rx_item_status),
      .item_cause_o(rx_item_cause),
      .item_frame_length_o(rx_item_frame_length),
      .item_vlan_o(rx_item_vlan),
      .idle_o(rx_idle),
      .ev_valid_o(rx_ev_valid_o),
      .ev_ready_i(rx_ev_ready_i),
      .ev_mask_o(rx_ev_mask_o),
      .ev_len_o(rx_ev_len_o)
  );
  assign rx_ev_wire_o = '0; // wire octets are rx_ingress's
  // an item and its event are taken from the record together, and both are gone before the next
  assign tx_ev_queue_o = tx_item_queue;
  assign rx_ev_queue_o = rx_item_queue;

  assign unused = &{1'b0, start_queue_i};

  // ---- next state ----
  assign start_apply = state_q == StPick && start_q;
  assign pick = state_q == StPick && !start_q && pending_ready && (tx_item_valid || rx_item_valid);
  assign pick_rx = rx_item_valid && (prefer_rx_q || !tx_item_valid);
  assign pick_barrier = pick_rx ? rx_item_barrier : tx_item_barrier;
  assign pick_queue = pick_rx ? rx_item_queue : tx_item_queue;
  assign cpl_index_next = cpl_index_q + 32'd1;
  assign push = (pick && pick_barrier) || (state_q == StPlace && !dead_q);

  // ---- one completion ----
  assign ring = {cfg_dir_o, cfg_queue_o[QueueBits-1:0]};
  assign cpl_valid_o = state_q == StWrite;
  assign cpl_addr_o = addr_q;
  assign cpl_data_o = {
    32'd0, frame_length_q, 15'd0, phase_q, 64'd0, 48'd0, vlan_q, cause_q, status_q, length_q, index_q
  };

  // ---- what waits for its response ----
  complete_done #(
      .QueueBits(QueueBits),
      .Depth(PendingDepth)
  ) u_done (
      .clk_i,
      .rst_ni,
      .start_valid_i(start_apply),
      .start_ring_i(start_ring_q),
      .ring_i(ring),
      .dead_o(dead),
      .push_valid_i(push),
      .push_ready_o(pending_ready),
      .push_barrier_i(state_q != StPlace),
      .push_dir_i(state_q == StPlace ? cfg_dir_o : pick_rx),
      .push_queue_i(state_q == StPlace ? cfg_queue_o : pick_queue),
      .push_index_i(cpl_index_next),
      .resp_valid_i,
      .resp_err_i,
      .vis_valid_o,
      .vis_ready_i,
      .vis_dir_o,
      .vis_queue_o,
      .vis_index_o,
      .err_valid_o,
      .err_dir_o,
      .err_queue_o,
      .err_index_o,
      .barrier_valid_o,
      .barrier_dir_o,
      .barrier_queue_o,
      .idle_o(done_idle)
  );
  assign idle_o = tx_idle && rx_idle && state_q == StPick && done_idle;

  always_ff @(posedge clk_i) begin
    if (start_apply) next_index[start_ring_q] <= start_index_q;
    else if (state_q == StPlace) next_index[ring] <= cpl_index_next;
  end

  // ---- registers ----
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StPick;
      prefer_rx_q <= 1'b0;
      {cfg_dir_o, cfg_queue_o, index_q, length_q, frame_length_q, vlan_q, status_q, cause_q} <= '0;
      {base_q, log2_q, cpl_index_q, dead_q, entry_q, addr_q, phase_q} <= '0;
      {start_q, start_ring_q, start_index_q} <= '0;
    end else if (`AWAKE(state_q != StPick || pick || start_valid_i || start_q)) begin
      unique case (state_q)
        StPick: if (pick && !pick_barrier) state_q <= StRead;
        StRead: state_q <= StPlace;
        StPlace:
        if (dead_q) state_q <= StPick;
        else state_q <= StAddress;
        StAddress: state_q <= StWrite;
        StWrite: if (cpl_ready_i) state_q <= StPick;
        default: state_q <= StPick;
      endcase
      if (pick) begin
        prefer_rx_q <= !pick_rx;
        cfg_dir_o <= pick_rx;
        cfg_queue_o <= pick_queue;
        index_q <= pick_rx ? rx_item_index : tx_item_index;
        length_q <= pick_rx ? rx_item_length : tx_item_length;
        frame_length_q <= pick_rx ? rx_item_frame_length : tx_item_length;
        vlan_q <= pick_rx ? rx_item_vlan : '0;
        status_q <= pick_rx ? rx_item_status : tx_item_status;
        cause_q <= pick_rx ? rx_item_cause : tx_item_cause;
      end
      if (state_q == StRead) begin
        base_q <= cfg_cpl_base_i;
        log2_q <= cfg_cpl_log2_i;
        cpl_index_q <= next_index[ring];
        dead_q <= dead;
      end
      if (state_q == StPlace) begin
        entry_q <= cpl_index_q[14:0] & ~(15'h7fff << log2_q);
        phase_q <= !cpl_index_q[{1'b0, log2_q}];
      end
      if (state_q == StAddress) addr_q <= base_q + {44'd0, entry_q, 5'd0};
      if (start_valid_i) begin
        start_q <= 1'b1;
        start_ring_q <= {start_dir_i, start_queue_i[QueueBits-1:0]};
        start_index_q <= start_cpl_index_i;
      end else if (start_apply) begin
        start_q <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Chooses the next frame's queue when there are virtual connections (docs/nic.md sections 11.4, 11.5): surplus round robin over the
// queues with cached descriptors, guaranteed ones first; queues whose bucket is short wait aside and are looked at in turn while nothing
// else is to be done. A queue is in exactly one list from its first cached descriptor until it is found without one:
//
//   fill -> arrivals -> join --+--> rings[guaranteed, others] -> pick -> offer -> tx_frame -> end --+--> hold (goes on), its ring, or none
//                              +--> waiting <--(bucket)-- look ---------------------------------+
//
// One order at a time: 5 cycles each, 10 for the end of a VC's frame. What it costs does not depend on the number of queues or VCs.
`default_nettype none
`include "check.svh"

module tx_sched #(
    parameter int NumTxQueues = 4,
    parameter int VcBits      = 6,   // of a VC's number
    parameter int SysClkPs    = 8000
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // csr
    input  wire logic                   cfg_tx_enable_i,
    input  wire logic [           15:0] cfg_quantum_i,
    input  wire logic [            7:0] cfg_ifg_i,
    input  wire logic                   cfg_host_fcs_i,
    // queue_ctrl
    input  wire logic [NumTxQueues-1:0] start_ok_i,
    input  wire logic                   start_valid_i,   // pulse: the queue starts
    input  wire logic [           10:0] start_queue_i,
    // desc_fetch
    input  wire logic [NumTxQueues-1:0] ready_i,
    input  wire logic                   fill_valid_i,    // pulse: a descriptor of the queue was cached
    input  wire logic [           10:0] fill_queue_i,
    // vc_table
    input  wire logic [(1<<VcBits)-1:0] active_i,
    input  wire logic                   set_valid_i,     // held until ready; the rest stands
    output      logic                   set_ready_o,
    input  wire logic [   VcBits+173:0] set_data_i,      // {activation, it has the TX queue, VC, queue, TCI, and the contract's draft}
    // vc_count
    output      logic                   wait_valid_o,    // held until ready: a bucket made the VC wait
    output      logic [     VcBits-1:0] wait_vc_o,
    input  wire logic                   wait_ready_i,
    // tx_frame
    output      logic                   pick_valid_o,
    output      logic [           10:0] pick_queue_o,
    output      logic                   pick_tagged_o,
    output      logic [           15:0] pick_tci_o,
    output      logic [           15:0] pick_limit_o,    // tagged: longest frame on the wire
    input  wire logic                   take_i,
    input  wire logic                   end_valid_i,     // pulse: the frame that was taken is complete
    input  wire logic                   end_sent_i,      // it was not malformed
    input  wire logic [           15:0] end_bytes_i      // in memory
);

  localparam int QueueBits = NumTxQueues > 1 ? $clog2(NumTxQueues) : 1;

  typedef enum logic [2:0] {
    StIdle,  // takes the next order
    StRead,  // the queue's VC and account come out of their RAMs
    StLook,  // the VC's parameters and due time
    StCharge,// the buckets take a frame's octets, or another contract
    StJudge, // compares
    StPlace  // puts the queue where it belongs
  } state_e;

  typedef enum logic [2:0] {
    OpStart, // the queue was started: its account is 0, a VC that is not active loses it
    OpJoin,  // the queue has a descriptor
    OpLook,  // it waits for its bucket
    OpPick,  // it is its turn
    OpEnd,   // its frame is complete
    OpSet    // a VC is activated or changed
  } op_e;

  // ---- the order of vc_table ----
  logic set_new, set_tx, set_guaranteed;
  logic [VcBits-1:0] set_vc;
  logic [10:0] set_queue;
  logic [15:0] set_tci, set_frame, set_quantum;
  logic [31:0] set_interval, set_peak_interval;
  logic [23:0] set_burst, set_peak_burst;

  assign {set_new, set_tx, set_vc, set_queue, set_tci, set_frame, set_interval, set_burst, set_peak_interval, set_peak_burst,
          set_quantum, set_guaranteed} = set_data_i;

  state_e state_q;
  op_e op_q, op;
  logic begin_op;
  logic [QueueBits-1:0] queue, queue_q;

  // ---- per queue and per VC -------------------------------------------------------------------------------------------------------
  logic [VcBits-1:0] vc_mem [1 << QueueBits]; // of a bound queue
  logic [17:0] account_mem [1 << QueueBits];  // octets, signed
  logic [48:0] share_mem [1 << VcBits];            // guaranteed, quantum, longest frame, TCI
  logic [55:0] due_mem [1 << VcBits];              // both buckets allow a frame from then on
  logic [NumTxQueues-1:0] bound_q, listed_q;
  logic [VcBits-1:0] vc_q, vc;
  logic [17:0] account_q, balance_q, account_d; // as it was; after the frame; and its quantum
  logic [48:0] share_q;
  logic [55:0] due_q;
  logic bound, is_bound_q, able_q, due_later, wait_q, first_wait;
  logic [15:0] quantum;
  logic high; // class: guaranteed

  // ---- lists: each queue is in one of them, or served -------------------------------------------------------------------------------
  logic arrive_push, arrive_valid, arrive_pop, wait_valid, wait_pop, turn_valid, turn_pop, held, empty, placed;
  logic [QueueBits-1:0] arrive_queue, arrive_head, wait_head, turn_head;
  logic fill_q, start_q, kick_q;
  logic [QueueBits-1:0] fill_queue_q, start_queue_q;

  tx_lists #(.QueueBits(QueueBits)) u_lists (
      .clk_i, .rst_ni, .arrive_push_i(arrive_push), .arrive_queue_i(arrive_queue), .arrive_valid_o(arrive_valid),
      .arrive_queue_o(arrive_head), .arrive_pop_i(arrive_pop), .queue_i(queue_q), .high_i(high), .to_wait_i(placed && to_wait),
      .to_ring_i(placed && to_ring), .to_hold_i(placed && to_hold), .held_o(held), .empty_o(empty),
      .wait_valid_o(wait_valid), .wait_queue_o(wait_head), .wait_pop_i(wait_pop),
      .turn_valid_o(turn_valid), .turn_queue_o(turn_head), .turn_pop_i(turn_pop)
  );

  assign placed = state_q == StPlace;
  assign arrive_push = fill_q ? !listed_q[fill_queue_q] : kick_q && !listed_q[set_sel];
  assign arrive_queue = fill_q ? fill_queue_q : set_sel;

  // ---- the frame that is offered to tx_frame, or being fetched ------------------------------------------------------------------------
  logic offer_q, serving_q, ended_q, sent_q, serve_bound_q, serve_ok_q, serve_ok, withdraw;
  logic [QueueBits-1:0] serve_q;
  logic [VcBits-1:0] serve_vc_q;
  logic [15:0] bytes_q;
  logic [16:0] octets, bytes_tagged;
  logic open, set, complete, charged, shaped, unused;
  logic [55:0] due_new, depart;
  logic [QueueBits-1:0] set_sel;

  assign serve_ok = cfg_tx_enable_i && ready_i[serve_q] && start_ok_i[serve_q] && (!serve_bound_q || active_i[serve_vc_q]);
  assign pick_valid_o = offer_q && serve_ok_q;
  assign pick_queue_o = 11'(serve_q);
  assign pick_tagged_o = serve_bound_q;
  assign withdraw = offer_q && !serve_ok && !take_i;
  assign bytes_tagged = {1'b0, bytes_q} + (serve_bound_q ? 17'd4 : 17'd0);
  assign octets = cfg_host_fcs_i ? bytes_tagged : (bytes_tagged < 17'd60 ? 17'd60 : bytes_tagged) + 17'd4;
  assign set_sel = set_queue[QueueBits-1:0];
  assign unused = &{1'b0, start_queue_i, fill_queue_i, set_queue};

  assign set = state_q == StRead && op_q == OpSet;
  assign complete = state_q == StRead && op_q == OpEnd && sent_q;
  assign vc = op_q == OpSet ? set_vc : serve_vc_q;
  assign charged = shaped || !(op_q == OpSet || (sent_q && serve_bound_q));

  vc_contract #(.VcBits(VcBits), .SysClkPs(SysClkPs)) u_contract (
      .clk_i, .rst_ni, .cfg_ifg_i, .begin_i(take_i), .end_i(complete), .end_vc_i(serve_bound_q), .octets_i(octets),
      .set_i(set), .set_new_i(set_new), .frame_i(set_frame), .interval_i(set_interval), .burst_i(set_burst),
      .peak_interval_i(set_peak_interval), .peak_burst_i(set_peak_burst), .vc_i(vc), .done_o(shaped), .due_o(due_new),
      .depart_o(depart), .open_o(open)
  );

  // ---- which order ----------------------------------------------------------------------------------------------------------------
  always_comb begin
    op = OpLook;
    queue = wait_head;
    begin_op = state_q == StIdle && (set_valid_i || !wait_valid_o); // any other order may make another VC wait
    if (set_valid_i) begin // first: a register access waits for it
      op = OpSet;
      queue = set_sel;
    end else if (ended_q) begin
      op = OpEnd;
      queue = serve_q;
    end else if (start_q) begin
      op = OpStart;
      queue = start_queue_q;
    end else if (withdraw) begin
      op = OpPick;
      queue = serve_q;
    end else if (arrive_valid) begin
      op = OpJoin;
      queue = arrive_head;
    end else if (!offer_q && !serving_q && open && cfg_tx_enable_i && turn_valid) begin
      op = OpPick;
      queue = turn_head;
    end else if (!wait_valid) begin
      begin_op = 1'b0;
    end
  end

  assign arrive_pop = begin_op && op == OpJoin;
  assign wait_pop = begin_op && op == OpLook;
  assign turn_pop = begin_op && op == OpPick && !withdraw;

  // ---- judgement ------------------------------------------------------------------------------------------------------------------
  logic keeps, broke, to_offer, to_ring, to_hold, to_wait, idle_class, refill;
  logic [55:0] early;

  assign bound = bound_q[queue_q];
  assign high = is_bound_q && share_q[48];
  assign quantum = is_bound_q ? share_q[47:32] : cfg_quantum_i;
  assign early = (op_q == OpEnd && sent_q ? due_new : due_q) - depart;
  assign due_later = is_bound_q && !early[55] && early != 56'd0;
  assign keeps = able_q && op_q != OpStart && op_q != OpSet;
  assign broke = balance_q[17] || balance_q == 18'd0;
  assign refill = op_q == OpJoin || op_q == OpLook || broke;
  assign account_d = (refill && !broke ? 18'd0 : balance_q) + (refill ? {2'b00, quantum == 16'd0 ? 16'd1 : quantum} : 18'd0);
  assign idle_class = empty && !offer_q && !serving_q;
  assign to_wait = keeps && wait_q && op_q != OpPick;
  assign to_offer = keeps && op_q == OpPick && !broke && cfg_tx_enable_i;
  // a class holds one queue: another is held already when a contract has moved this one to the other class
  assign to_hold = keeps && !to_wait && !to_offer && !held && (op_q == OpJoin || op_q == OpLook ? idle_class : !broke);
  assign to_ring = keeps && !to_wait && !to_offer && !to_hold;
  assign first_wait = to_wait && op_q != OpLook;

  // ---- registers ------------------------------------------------------------------------------------------------------------------
  assign set_ready_o = state_q == StPlace && op_q == OpSet;

  always_ff @(posedge clk_i) begin
    if (`AWAKE(state_q != StIdle || begin_op)) begin
      if (state_q == StRead) begin
        vc_q <= vc_mem[queue_q];
        account_q <= account_mem[queue_q];
      end
      if (state_q == StLook) begin
        share_q <= share_mem[vc_q];
        due_q <= due_mem[vc_q];
      end
      if (state_q == StJudge) balance_q <= account_q - (op_q == OpEnd && sent_q ? {1'b0, octets} : 18'd0);
      if (set) begin
        if (set_new && set_tx) vc_mem[queue_q] <= set_vc;
        share_mem[set_vc] <= {set_guaranteed, set_quantum, set_frame, set_tci};
      end
      if (state_q == StCharge && shaped) due_mem[vc] <= due_new;
      if (state_q == StPlace && op_q != OpSet) account_mem[queue_q] <= op_q == OpStart ? 18'd0 : keeps ? account_d : balance_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      op_q <= OpStart;
      {queue_q, is_bound_q, able_q, wait_q} <= '0;
      {bound_q, listed_q} <= '0;
      {fill_q, fill_queue_q, start_q, start_queue_q, kick_q} <= '0;
      {offer_q, serving_q, ended_q, sent_q, serve_bound_q, serve_ok_q, serve_q, serve_vc_q, bytes_q} <= '0;
      {pick_tci_o, pick_limit_o, wait_valid_o, wait_vc_o} <= '0;
    end else begin
      // events
      fill_q <= fill_valid_i;
      if (fill_valid_i) fill_queue_q <= fill_queue_i[QueueBits-1:0];
      if (start_valid_i) begin
        start_q <= 1'b1;
        start_queue_q <= start_queue_i[QueueBits-1:0];
      end else if (begin_op && op == OpStart) begin
        start_q <= 1'b0;
      end
      if (set_ready_o) kick_q <= set_new && set_tx && ready_i[set_sel];
      else if (!fill_q) kick_q <= 1'b0;
      if (wait_ready_i) wait_valid_o <= 1'b0;
      // the frame
      serve_ok_q <= serve_ok;
      if (take_i) {offer_q, serving_q} <= 2'b01;
      if (end_valid_i) begin
        ended_q <= 1'b1;
        sent_q <= end_sent_i;
        bytes_q <= end_bytes_i;
      end
      // the order
      case (state_q)
        StIdle:
        if (begin_op) begin
          state_q <= StRead;
          op_q <= op;
          queue_q <= queue;
          if (op == OpPick) offer_q <= 1'b0; // when it is withdrawn; else there is none
        end
        StRead: begin
          state_q <= op_q == OpSet ? StCharge : StLook;
          is_bound_q <= bound;
          if (set && set_new && set_tx) bound_q[queue_q] <= 1'b1;
        end
        StLook: state_q <= op_q == OpEnd ? StCharge : StJudge;
        StCharge: if (charged) state_q <= op_q == OpSet ? StPlace : StJudge;
        StJudge: begin
          state_q <= StPlace;
          wait_q <= due_later;
          able_q <= ready_i[queue_q] && start_ok_i[queue_q] && (!is_bound_q || active_i[vc_q]);
        end
        StPlace: begin
          state_q <= StIdle;
          if (op_q == OpStart) bound_q[queue_q] <= is_bound_q && active_i[vc_q];
          else if (op_q != OpSet && !keeps) listed_q[queue_q] <= 1'b0;
          if (first_wait) begin
            wait_valid_o <= 1'b1;
            wait_vc_o <= vc_q;
          end
          if (op_q == OpEnd) {serving_q, ended_q} <= 2'b00;
          if (to_offer) begin
            offer_q <= 1'b1;
            serve_q <= queue_q;
            serve_vc_q <= vc_q;
            serve_bound_q <= is_bound_q;
            serve_ok_q <= 1'b1;
            pick_limit_o <= share_q[31:16];
            pick_tci_o <= share_q[15:0];
          end
        end
        default: state_q <= StIdle;
      endcase
      if (arrive_push) listed_q[arrive_queue] <= 1'b1;
    end
  end

endmodule

`default_nettype wire

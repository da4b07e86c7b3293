// SPDX-License-Identifier: Apache-2.0
// irq with two queues each way: no interrupt is lost, none comes without cause. One queue, any one, is followed from outside: its starts,
// re-arms, completions and messages; vector 1 is its own. CPL_PRODUCED only advances, and stays within 2^16 of a re-arm's index, two of
// the longest rings. There is no soft reset.
`default_nettype none

module irq_proof (
    input wire logic        clk_i,
    input wire logic        vis_valid_i,
    input wire logic        vis_dir_i,
    input wire logic        vis_queue_i,
    input wire logic [31:0] vis_index_i,
    input wire logic        start_valid_i,
    input wire logic        start_dir_i,
    input wire logic        start_queue_i,
    input wire logic [31:0] start_index_i,
    input wire logic        flush_valid_i,
    input wire logic        flush_dir_i,
    input wire logic        flush_queue_i,
    input wire logic        rearm_valid_i,
    input wire logic        rearm_dir_i,
    input wire logic        rearm_queue_i,
    input wire logic [31:0] rearm_index_i,
    input wire logic        misc_fire_i,
    input wire logic [ 7:0] count_i,
    input wire logic [15:0] ticks_i
);

  localparam logic [2:0] StClear = 3'd0, StPick = 3'd1, StRead = 3'd2, StCompare = 3'd3, StUpdate = 3'd4;
  localparam logic [2:0] EvStart = 3'd0, EvRearm = 3'd1, EvFlush = 3'd2, EvVisible = 3'd3, EvTimer = 3'd5;

  (* anyconst *) logic [1:0] followed; // {direction, queue}
  logic rst_nq = 1'b0;
  logic vis_ready, rearm_ready, flush_done, cfg_dir, busy;
  logic [10:0] cfg_queue;
  logic [1:0] irq, ring;
  logic [31:0] csr_index;
  // ---- the block's registers ----
  (* hierconn *) wire [2:0] \u_dut.state_q ;
  (* hierconn *) wire [2:0] \u_dut.event_q ;
  (* hierconn *) wire \u_dut.start_q ;
  (* hierconn *) wire \u_dut.start_dir_q ;
  (* hierconn *) wire [10:0] \u_dut.start_queue_q ;
  (* hierconn *) wire [31:0] \u_dut.start_index_q ;
  (* hierconn *) wire [31:0] \u_dut.index_q ;
  (* hierconn *) wire [26:0] \u_dut.ring_q ;
  (* hierconn *) wire [31:0] \u_dut.visible_q ;
  (* hierconn *) wire [31:0] \u_dut.consumer_q ;
  (* hierconn *) wire [26:0] \u_dut.ring_next_q ;
  (* hierconn *) wire [2:0] \u_dut.waiting_q ;
  (* hierconn *) wire [1:0] \u_dut.clear_ring_q ;
  (* hierconn *) wire [7:0] \u_dut.vector_q ;
  (* hierconn *) wire \u_dut.put_ring_q ;
  (* hierconn *) wire \u_dut.put_visible_q ;
  (* hierconn *) wire \u_dut.put_consumer_q ;
  (* hierconn *) wire \u_dut.more_q ;
  (* hierconn *) wire \u_dut.less_q ;
  (* hierconn *) wire \u_dut.behind ;
  (* hierconn *) wire \u_dut.behind_q ;
  (* hierconn *) wire \u_dut.clear_q ;
  (* hierconn *) wire [7:0] \u_dut.count_next_q ;
  (* hierconn *) wire [26:0] \u_dut.rings[0] ;
  (* hierconn *) wire [26:0] \u_dut.rings[1] ;
  (* hierconn *) wire [26:0] \u_dut.rings[2] ;
  (* hierconn *) wire [26:0] \u_dut.rings[3] ;
  (* hierconn *) wire [31:0] \u_dut.visible[0] ;
  (* hierconn *) wire [31:0] \u_dut.visible[1] ;
  (* hierconn *) wire [31:0] \u_dut.visible[2] ;
  (* hierconn *) wire [31:0] \u_dut.visible[3] ;
  (* hierconn *) wire [31:0] \u_dut.consumer[0] ;
  (* hierconn *) wire [31:0] \u_dut.consumer[1] ;
  (* hierconn *) wire [31:0] \u_dut.consumer[2] ;
  (* hierconn *) wire [31:0] \u_dut.consumer[3] ;

  irq #(.NumTxQueues(2), .NumRxQueues(2), .NumVectors(2)) u_dut (
      .clk_i, .rst_ni(rst_nq), .vis_valid_i, .vis_ready_o(vis_ready), .vis_dir_i, .vis_queue_i({10'd0, vis_queue_i}), .vis_index_i,
      .start_valid_i, .start_dir_i, .start_queue_i({10'd0, start_queue_i}), .start_cpl_index_i(start_index_i),
      .flush_valid_i, .flush_dir_i, .flush_queue_i({10'd0, flush_queue_i}), .flush_done_o(flush_done), .clear_i(1'b0), .busy_o(busy),
      .cfg_dir_o(cfg_dir), .cfg_queue_o(cfg_queue), .cfg_vector_i({7'd0, ring == followed}), .cfg_count_i(count_i), .cfg_ticks_i(ticks_i),
      .rearm_valid_i, .rearm_ready_o(rearm_ready), .rearm_dir_i, .rearm_queue_i({10'd0, rearm_queue_i}), .rearm_index_i, .misc_fire_i,
      .csr_dir_i(followed[1]), .csr_queue_i({10'd0, followed[0]}), .csr_index_o(csr_index), .irq_o(irq)
  );
  assign ring = {cfg_dir, cfg_queue[0]};

  // ---- what the followed queue has seen ----
  logic live_q, armed_q; // started; re-armed without a message since
  logic [31:0] visible_q, consumer_q, beyond;
  logic starts, rearms, shows, flushed, owed;
  assign starts = \u_dut.state_q == StPick && \u_dut.start_q && {\u_dut.start_dir_q , \u_dut.start_queue_q [0]} == followed;
  assign rearms = rearm_valid_i && rearm_ready && {rearm_dir_i, rearm_queue_i} == followed && live_q && !flushed;
  assign shows = vis_valid_i && vis_ready && {vis_dir_i, vis_queue_i} == followed;
  assign flushed = flush_done && {flush_dir_i, flush_queue_i} == followed;
  assign beyond = visible_q - consumer_q;
  assign owed = armed_q && !beyond[31] && beyond != 32'd0;

  function automatic logic near(input logic [31:0] difference);
    near = difference[31:17] == {15{difference[16]}};
  endfunction

  // ---- the block's state as its next event will read it ----
  function automatic logic [26:0] state_of(input logic [1:0] number);
    state_of = \u_dut.put_ring_q && ring == number ? \u_dut.ring_next_q : number[1] ? (number[0] ? \u_dut.rings[3] : \u_dut.rings[2] )
               : number[0] ? \u_dut.rings[1] : \u_dut.rings[0] ;
  endfunction
  function automatic logic waits(input logic [26:0] state);
    waits = state[25] && state[24:17] != 8'd0;
  endfunction
  logic [26:0] own, at_work;
  logic [31:0] stored_visible, stored_consumer, stored_beyond, advance, work_visible, work_consumer;
  logic working, own_work, clearing;
  logic [2:0] waiting;
  assign own = state_of(followed);
  assign at_work = ring[1] ? (ring[0] ? \u_dut.rings[3] : \u_dut.rings[2] ) : ring[0] ? \u_dut.rings[1] : \u_dut.rings[0] ;
  assign work_visible = ring[1] ? (ring[0] ? \u_dut.visible[3] : \u_dut.visible[2] ) : ring[0] ? \u_dut.visible[1] : \u_dut.visible[0] ;
  assign work_consumer = ring[1] ? (ring[0] ? \u_dut.consumer[3] : \u_dut.consumer[2] ) : ring[0] ? \u_dut.consumer[1] : \u_dut.consumer[0] ;
  assign stored_visible = followed[1] ? (followed[0] ? \u_dut.visible[3] : \u_dut.visible[2] ) : followed[0] ? \u_dut.visible[1] : \u_dut.visible[0] ;
  assign stored_consumer = followed[1] ? (followed[0] ? \u_dut.consumer[3] : \u_dut.consumer[2] ) : followed[0] ? \u_dut.consumer[1] : \u_dut.consumer[0] ;
  assign stored_beyond = (\u_dut.put_visible_q && ring == followed ? \u_dut.index_q : stored_visible)
                         - (\u_dut.put_consumer_q && ring == followed ? \u_dut.index_q : stored_consumer);
  assign advance = \u_dut.index_q - stored_visible;
  assign clearing = \u_dut.state_q == StClear;
  assign working = \u_dut.state_q != StPick && !clearing;
  assign own_work = working && ring == followed;
  assign waiting = \u_dut.waiting_q + 3'(\u_dut.more_q ) - 3'(\u_dut.less_q );

  logic flush_waits_q, flush_dir_q, flush_queue_q;

  always_ff @(posedge clk_i) begin
    rst_nq <= 1'b1;
    if (!rst_nq) begin
      {live_q, armed_q, flush_waits_q} <= 3'b000;
      {visible_q, consumer_q} <= 64'd0;
    end else begin
      // who asks for a flush asks until it is done; a start is not followed by another before its turn
      assume (!flush_waits_q || (flush_valid_i && {flush_dir_i, flush_queue_i} == {flush_dir_q, flush_queue_q}));
      assume (!(start_valid_i && \u_dut.start_q ));
      flush_waits_q <= flush_valid_i && !flush_done;
      {flush_dir_q, flush_queue_q} <= {flush_dir_i, flush_queue_i};
      if (starts) begin
        {live_q, armed_q} <= 2'b10;
        {visible_q, consumer_q} <= {2{\u_dut.start_index_q }};
      end else begin
        if (flushed) live_q <= 1'b0;
        if (rearms) begin
          assume (near(visible_q - rearm_index_i));
          armed_q <= 1'b1;
          consumer_q <= rearm_index_i;
        end else if (irq[1] || flushed) begin
          armed_q <= 1'b0;
        end
        if (shows) begin
          assume (near(vis_index_i - consumer_q) && near(vis_index_i - visible_q) && !(vis_index_i - visible_q >> 31) && vis_index_i != visible_q);
          visible_q <= vis_index_i;
        end
      end
    end
    if (rst_nq) begin
      no_lost: assert (!(owed && \u_dut.state_q == StPick && !irq[1] && !flushed) || (waits(own) && waiting != 3'd0));
      caused: assert (!irq[1] || owed);
      visible: assert (!(\u_dut.state_q == StPick && !\u_dut.put_visible_q && live_q) || csr_index == visible_q);
      inv_state: assert (\u_dut.state_q <= StUpdate && \u_dut.event_q <= EvTimer && !\u_dut.clear_q );
      inv_put: assert (\u_dut.state_q == StPick || !(\u_dut.put_ring_q || \u_dut.put_visible_q || \u_dut.put_consumer_q || \u_dut.more_q ||
                       \u_dut.less_q || flush_done || irq != 2'd0));
      inv_one: assert (!(\u_dut.more_q && \u_dut.less_q ));
      inv_clear: assert (!clearing || (!live_q && !armed_q && \u_dut.waiting_q == 3'd0));
      inv_cleared: assert (!clearing || ((\u_dut.clear_ring_q == 2'd0 || \u_dut.rings[0] == 27'd0) && (!\u_dut.clear_ring_q [1] || \u_dut.rings[1] == 27'd0)
                           && (\u_dut.clear_ring_q != 2'd3 || \u_dut.rings[2] == 27'd0)));
      inv_waiting: assert (clearing || waiting == 3'(waits(state_of(2'd0))) + 3'(waits(state_of(2'd1))) + 3'(waits(state_of(2'd2))) + 3'(waits(state_of(2'd3))));
      inv_read: assert (!(\u_dut.state_q == StCompare || \u_dut.state_q == StUpdate) ||
                        (\u_dut.ring_q == at_work && \u_dut.visible_q == work_visible && \u_dut.consumer_q == work_consumer));
      inv_vector: assert (!(\u_dut.state_q == StCompare || \u_dut.state_q == StUpdate) || \u_dut.vector_q == {7'd0, \u_dut.event_q != 3'd4 && ring == followed});
      inv_behind: assert (\u_dut.state_q != StUpdate || \u_dut.behind_q == \u_dut.behind );
      inv_count: assert (\u_dut.state_q != StUpdate || \u_dut.count_next_q != 8'd0);
      inv_flush: assert (!(working && \u_dut.event_q == EvFlush) || (flush_waits_q && ring == {flush_dir_q, flush_queue_q}));
      inv_flushed: assert (!flush_done || (flush_waits_q && ring == {flush_dir_q, flush_queue_q} && \u_dut.put_ring_q && \u_dut.ring_next_q == 27'd0));
      inv_live: assert (clearing || flushed || live_q == ((own_work && \u_dut.event_q == EvStart) || own[26]));
      inv_armed: assert (clearing || irq[1] || flushed ||
                         armed_q == (own_work && \u_dut.event_q == EvStart ? 1'b0 : own_work && \u_dut.event_q == EvRearm && own[26] ? 1'b1 : own[25]));
      inv_armed_live: assert (!armed_q || live_q);
      inv_own_live: assert (clearing || own[26] || own[25:17] == 9'd0);
      inv_visible: assert (clearing || !live_q || visible_q == ((own_work && (\u_dut.event_q == EvStart || \u_dut.event_q == EvVisible))
                           || (\u_dut.put_visible_q && ring == followed) ? \u_dut.index_q : stored_visible));
      inv_consumer: assert (clearing || !live_q || consumer_q == ((own_work && (\u_dut.event_q == EvStart || (\u_dut.event_q == EvRearm && own[26])))
                            || (\u_dut.put_consumer_q && ring == followed) ? \u_dut.index_q : stored_consumer));
      inv_owed: assert (clearing || waits(own) == (own[25] && !stored_beyond[31] && stored_beyond != 32'd0));
      inv_message: assert (!irq[1] || (\u_dut.put_ring_q && ring == followed && !own[25]));
      inv_advance: assert (!(own_work && \u_dut.event_q == EvVisible && live_q) || (near(advance) && !advance[31] && advance != 32'd0));
      inv_stored: assert (clearing || !own[26] || near(stored_beyond));
      inv_near: assert (!live_q || near(beyond));
      told: cover (irq[1] && beyond == 32'd2);
      twice: cover (armed_q && !owed && consumer_q != 32'd0 && irq[0]);
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Interrupt messages of all queues. Events (a queue starts, a re-arm, a flush, a completion became visible, misc, a look at a timer)
// are worked off one at a time in four cycles each, so none can fall between two others. A queue is armed by a re-arm and disarmed by
// the message it sends. While armed it counts visible completions beyond the re-arm's consumer index and sends when MOD_COUNT is
// reached, or MOD_TICKS after the first; a re-arm that is behind sends at once. Timers are looked at in a sweep over all queues: a
// timed message is at most 4 * 2 ^ (1 + log2 queues) cycles late, plus 4 per event in between. The sweep and the clock rest while no
// armed queue has anything to report.
`default_nettype none
`include "check.svh"

module irq #(
    parameter int NumTxQueues = 4,
    parameter int NumRxQueues = 4,
    parameter int NumVectors  = 8
) (
    input  wire logic                  clk_i,
    input  wire logic                  rst_ni,
    // completer: CPL_PRODUCED moved
    input  wire logic                  vis_valid_i,
    output      logic                  vis_ready_o,
    input  wire logic                  vis_dir_i,
    input  wire logic [          10:0] vis_queue_i,
    input  wire logic [          31:0] vis_index_i,
    // queue_ctrl
    input  wire logic                  start_valid_i,
    input  wire logic                  start_dir_i,
    input  wire logic [          10:0] start_queue_i,
    input  wire logic [          31:0] start_cpl_index_i,
    input  wire logic                  flush_valid_i,
    input  wire logic                  flush_dir_i,
    input  wire logic [          10:0] flush_queue_i,
    output      logic                  flush_done_o,
    input  wire logic                  clear_i,
    output      logic                  busy_o,
    output      logic                  cfg_dir_o,
    output      logic [          10:0] cfg_queue_o,
    input  wire logic [           7:0] cfg_vector_i,
    input  wire logic [           7:0] cfg_count_i,
    input  wire logic [          15:0] cfg_ticks_i,
    // csr
    input  wire logic                  rearm_valid_i,
    output      logic                  rearm_ready_o,
    input  wire logic                  rearm_dir_i,
    input  wire logic [          10:0] rearm_queue_i,
    input  wire logic [          31:0] rearm_index_i,
    input  wire logic                  misc_fire_i,
    input  wire logic                  csr_dir_i,
    input  wire logic [          10:0] csr_queue_i,
    output      logic [          31:0] csr_index_o,
    // interrupts
    output      logic [NumVectors-1:0] irq_o
);

  localparam int MostQueues = NumTxQueues > NumRxQueues ? NumTxQueues : NumRxQueues;
  localparam int QueueBits = MostQueues > 1 ? $clog2(MostQueues) : 1;
  localparam int Rings = 2 << QueueBits;

  typedef enum logic [2:0] {
    StClear, // forgets all queues, one per cycle
    StPick, // takes the next event
    StRead, // registers the queue's state and configuration
    StCompare, // computes what the update needs
    StUpdate // writes the state back, sends a message
  } state_e;
  state_e state_q;

  typedef enum logic [2:0] {
    EvStart,
    EvRearm,
    EvFlush,
    EvVisible,
    EvMisc,
    EvTimer
  } event_e;
  event_e event_q, event_d;

  typedef struct packed {
    logic live; // started and not flushed
    logic armed;
    logic [7:0] count; // completions to report since the re-arm
    logic [16:0] stamp; // when the first of them came
  } ring_t;

  // ---- state of the queues ----
  logic [31:0] visible[Rings]; // CPL_PRODUCED
  logic [31:0] consumer[Rings]; // index of the last re-arm
  logic [26:0] rings[Rings];
  ring_t ring_q, ring_d;
  logic [31:0] visible_q, consumer_q;
  // ---- the event at work ----
  logic pick, dir_d, start_q, start_dir_q, misc_q, clear_q;
  logic [10:0] queue_d, start_queue_q;
  logic [31:0] index_d, index_q, start_index_q;
  logic [QueueBits:0] ring, sweep_q, clear_ring_q;
  logic [7:0] vector_q, mod_count_q, count_next_q;
  logic [15:0] mod_ticks_q;
  logic reached_q, behind_q, due_q; // reached: with the completion of this event, the count sends
  logic [31:0] upper, lower, distance;
  logic behind, awake;
  logic fire, was_waiting, is_waiting, unused;
  // ---- time, running while a queue waits ----
  logic [16:0] now_q, elapsed;
  logic [QueueBits+1:0] waiting_q; // armed queues with something to report; counted a cycle after the update
  logic more_q, less_q;
  // ---- what the update writes, in the cycle after it ----
  ring_t ring_next_q;
  logic put_ring_q, put_visible_q, put_consumer_q;

  // ---- which event ----
  always_comb begin
    event_d = EvTimer;
    dir_d = sweep_q[QueueBits];
    queue_d = 11'(sweep_q[QueueBits-1:0]);
    index_d = vis_index_i;
    pick = state_q == StPick && !clear_q;
    if (start_q) begin
      event_d = EvStart;
      dir_d = start_dir_q;
      queue_d = start_queue_q;
      index_d = start_index_q;
    end else if (rearm_valid_i) begin
      event_d = EvRearm;
      dir_d = rearm_dir_i;
      queue_d = rearm_queue_i;
      index_d = rearm_index_i;
    end else if (flush_valid_i && !flush_done_o) begin
      event_d = EvFlush;
      dir_d = flush_dir_i;
      queue_d = flush_queue_i;
    end else if (vis_valid_i) begin
      event_d = EvVisible;
      dir_d = vis_dir_i;
      queue_d = vis_queue_i;
    end else if (misc_q) begin
      event_d = EvMisc;
    end else if (waiting_q == '0) begin
      pick = 1'b0;
    end
  end
  assign rearm_ready_o = (state_q == StPick && !clear_q && !start_q) || state_q == StClear; // clearing: no queue is started
  assign vis_ready_o = pick && event_d == EvVisible;
  assign busy_o = state_q == StClear;

  // ---- read and compare ----
  assign ring = {cfg_dir_o, cfg_queue_o[QueueBits-1:0]};
  assign unused = &{1'b0, csr_queue_i, distance};
  assign csr_index_o = visible[{csr_dir_i, csr_queue_i[QueueBits-1:0]}];
  // visible completions beyond the consumer's index: their number is positive
  assign upper = event_q == EvRearm ? visible_q : index_q;
  assign lower = event_q == EvRearm ? index_q : consumer_q;
  assign distance = upper - lower;
  assign behind = !distance[31] && upper != lower;
  assign elapsed = now_q - ring_q.stamp;

  // ---- the rules ----
  assign was_waiting = ring_q.armed && ring_q.count != '0;
  assign is_waiting = ring_d.armed && ring_d.count != '0;

  always_comb begin
    ring_d = ring_q;
    fire = 1'b0;
    unique case (event_q)
      EvStart: begin
        ring_d = '0;
        ring_d.live = 1'b1;
      end
      EvRearm:
      if (ring_q.live) begin
        fire = behind_q;
        ring_d.armed = !behind_q;
        ring_d.count = '0;
      end
      EvFlush: begin
        fire = was_waiting;
        ring_d = '0;
      end
      EvVisible:
      if (ring_q.armed && behind_q) begin
        fire = reached_q;
        ring_d.armed = !reached_q;
        ring_d.count = reached_q ? '0 : count_next_q;
        if (ring_q.count == '0) ring_d.stamp = now_q;
      end
      EvMisc: fire = 1'b1;
      EvTimer:
      if (was_waiting && (due_q || reached_q)) begin
        fire = 1'b1;
        ring_d.armed = 1'b0;
        ring_d.count = '0;
      end
      default: ;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (state_q == StClear) begin
      rings[clear_ring_q] <= '0;
      visible[clear_ring_q] <= '0;
      consumer[clear_ring_q] <= '0;
    end else begin
      if (put_ring_q) rings[ring] <= ring_next_q;
      if (put_visible_q) visible[ring] <= index_q;
      if (put_consumer_q) consumer[ring] <= index_q;
    end
  end

  // ---- registers; events that are pulses are kept until their turn ----
  assign awake = `AWAKE(state_q != StPick || pick || start_valid_i || misc_fire_i || clear_i || clear_q || irq_o != '0 || flush_done_o ||
                 waiting_q != '0 || more_q || put_ring_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StClear;
      {start_q, start_dir_q, start_queue_q, start_index_q} <= '0;
      misc_q <= 1'b0;
      clear_q <= 1'b0;
      clear_ring_q <= '0;
      sweep_q <= '0;
      event_q <= EvTimer;
      {cfg_dir_o, cfg_queue_o, index_q} <= '0;
      {ring_q, visible_q, consumer_q, vector_q, mod_count_q, mod_ticks_q} <= '0;
      {behind_q, due_q, reached_q, count_next_q} <= '0;
      irq_o <= '0;
      flush_done_o <= 1'b0;
      waiting_q <= '0;
      {more_q, less_q} <= 2'b00;
      {ring_next_q, put_ring_q, put_visible_q, put_consumer_q} <= '0;
      now_q <= '0;
    end else if (awake) begin
      unique case (state_q)
        StClear: if (clear_ring_q == '1) state_q <= StPick;
        StPick: if (clear_q) state_q <= StClear; else if (pick) state_q <= StRead;
        StRead: state_q <= StCompare;
        StCompare: state_q <= StUpdate;
        StUpdate: state_q <= StPick;
        default: state_q <= StPick;
      endcase
      if (start_valid_i) begin
        start_q <= 1'b1;
        start_dir_q <= start_dir_i;
        start_queue_q <= start_queue_i;
        start_index_q <= start_cpl_index_i;
      end else if (pick && event_d == EvStart) begin
        start_q <= 1'b0;
      end
      if (misc_fire_i) misc_q <= 1'b1;
      else if (pick && event_d == EvMisc) misc_q <= 1'b0;
      if (clear_i) clear_q <= 1'b1;
      else if (state_q == StClear) clear_q <= 1'b0;
      if (waiting_q != '0) now_q <= now_q + 1'b1;
      if (more_q || less_q) waiting_q <= more_q ? waiting_q + 1'b1 : waiting_q - 1'b1;
      {more_q, less_q} <= 2'b00;
      {put_ring_q, put_visible_q, put_consumer_q} <= 3'b000;
      irq_o <= state_q == StUpdate && fire ? NumVectors'(1) << vector_q : '0;
      flush_done_o <= state_q == StUpdate && event_q == EvFlush;
      unique case (state_q)
        StClear: begin
          clear_ring_q <= clear_ring_q + 1'b1;
          waiting_q <= '0;
        end
        StPick:
        if (pick) begin
          event_q <= event_d;
          cfg_dir_o <= dir_d;
          cfg_queue_o <= queue_d;
          index_q <= index_d;
          if (event_d == EvTimer) sweep_q <= sweep_q + 1'b1;
        end
        StRead: begin
          ring_q <= rings[ring];
          visible_q <= visible[ring];
          consumer_q <= consumer[ring];
          vector_q <= event_q == EvMisc ? '0 : cfg_vector_i;
          mod_count_q <= cfg_count_i;
          mod_ticks_q <= cfg_ticks_i;
        end
        StCompare: begin
          behind_q <= behind;
          due_q <= mod_ticks_q != '0 && elapsed >= {1'b0, mod_ticks_q};
          reached_q <= {1'b0, ring_q.count} + 9'(event_q == EvVisible) >= {1'b0, mod_count_q};
          count_next_q <= ring_q.count == '1 ? ring_q.count : ring_q.count + 1'b1;
        end
        StUpdate:
        if (event_q != EvMisc) begin
          {more_q, less_q} <= {is_waiting && !was_waiting, was_waiting && !is_waiting};
          ring_next_q <= ring_d;
          put_ring_q <= 1'b1;
          put_visible_q <= event_q == EvStart || event_q == EvVisible;
          put_consumer_q <= event_q == EvStart || (event_q == EvRearm && ring_q.live);
        end
        default: ;
      endcase
    end
  end

endmodule

`default_nettype wire

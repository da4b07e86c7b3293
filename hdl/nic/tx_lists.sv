// SPDX-License-Identifier: Apache-2.0
// The lists of tx_sched: arrivals, two rings (guaranteed queues and the others), one held queue per ring that goes on before it, and the queues
// that wait for their buckets. A queue is in one of them at most. The next turn is the held queue's, else the ring's head, of the
// guaranteed class as long as that has one.
`default_nettype none
`include "check.svh"

module tx_lists #(
    parameter int QueueBits = 7
) (
    input  wire logic                 clk_i,
    input  wire logic                 rst_ni,
    // arrivals
    input  wire logic                 arrive_push_i,
    input  wire logic [QueueBits-1:0] arrive_queue_i,
    output      logic                 arrive_valid_o,
    output      logic [QueueBits-1:0] arrive_queue_o,
    input  wire logic                 arrive_pop_i,
    // where queue_i goes (pulses), and its class
    input  wire logic [QueueBits-1:0] queue_i,
    input  wire logic                 high_i,       // guaranteed
    input  wire logic                 to_wait_i,
    input  wire logic                 to_ring_i,
    input  wire logic                 to_hold_i,    // only while held_o is low
    output      logic                 held_o,       // a queue of the class is held
    output      logic                 empty_o,      // nothing is in the class
    // waiting
    output      logic                 wait_valid_o,
    output      logic [QueueBits-1:0] wait_queue_o,
    input  wire logic                 wait_pop_i,
    // the next turn
    output      logic                 turn_valid_o,
    output      logic [QueueBits-1:0] turn_queue_o,
    input  wire logic                 turn_pop_i
);

  logic [1:0] ring_valid, ring_empty, hold_q;
  logic [QueueBits-1:0] ring_head [2];
  logic [QueueBits-1:0] held_q [2];
  logic turn, unused_arrive_empty, unused_wait_empty;

  assign turn = hold_q[1] || ring_valid[1]; // the class that is served: 1 guaranteed, 0 the others
  assign turn_valid_o = hold_q != 2'b00 || ring_valid != 2'b00;
  assign turn_queue_o = hold_q[turn] ? held_q[turn] : ring_head[turn];
  assign held_o = hold_q[high_i];
  assign empty_o = ring_empty[high_i] && !hold_q[high_i];

  queue_list #(.Depth(1 << QueueBits)) u_arrive (
      .clk_i, .rst_ni, .push_i(arrive_push_i), .queue_i(arrive_queue_i), .valid_o(arrive_valid_o), .queue_o(arrive_queue_o),
      .pop_i(arrive_pop_i), .empty_o(unused_arrive_empty)
  );
  queue_list #(.Depth(1 << QueueBits)) u_wait (
      .clk_i, .rst_ni, .push_i(to_wait_i), .queue_i, .valid_o(wait_valid_o), .queue_o(wait_queue_o), .pop_i(wait_pop_i),
      .empty_o(unused_wait_empty)
  );
  for (genvar c = 0; c < 2; c++) begin : g_ring
    queue_list #(.Depth(1 << QueueBits)) u_ring (
        .clk_i, .rst_ni, .push_i(to_ring_i && high_i == (c == 1)), .queue_i, .valid_o(ring_valid[c]), .queue_o(ring_head[c]),
        .pop_i(turn_pop_i && turn == (c == 1) && !hold_q[c]), .empty_o(ring_empty[c])
    );
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      hold_q <= 2'b00;
      held_q[0] <= '0;
      held_q[1] <= '0;
    end else if (`AWAKE(turn_pop_i || to_hold_i)) begin
      `CHECK("tx_lists_one_is_held", !to_hold_i || !hold_q[high_i])
      if (turn_pop_i) hold_q[turn] <= 1'b0;
      if (to_hold_i) begin
        hold_q[high_i] <= 1'b1;
        held_q[high_i] <= queue_i;
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// queue_pick over 16 queues, two groups: whoever asks is picked after at most 15 takes of others, and only who asked is.
`default_nettype none

module queue_pick_proof (
    input wire logic        clk_i,
    input wire logic [15:0] req_i,
    input wire logic        take_i
);

  (* anyconst *) logic [3:0] queue; // the queue that is watched
  logic rst_nq = 1'b0;
  logic valid, asks, picked;
  logic [10:0] picked_queue;
  logic [15:0] req_q; // a cycle ago
  logic [3:0] others_q, distance, from; // takes of others while it asks
  logic [2:0] empty_q; // cycles without a pick while it asks
  (* hierconn *) wire [2:0] \u_dut.group_q ;
  (* hierconn *) wire [7:0] \u_dut.allowed_q ;

  queue_pick #(.NumQueues(16)) u_dut (
      .clk_i, .rst_ni(rst_nq), .req_i, .valid_o(valid), .queue_o(picked_queue), .take_i(take_i && valid)
  );

  assign asks = req_i[queue];
  assign picked = valid && picked_queue == {7'd0, queue};

  // ---- where the search goes on: behind the picked queue, or at the first that the group still allows ----
  logic [2:0] first;
  assign first = \u_dut.allowed_q [0] ? 3'd0 : \u_dut.allowed_q [1] ? 3'd1 : \u_dut.allowed_q [2] ? 3'd2 : \u_dut.allowed_q [3] ? 3'd3 :
                 \u_dut.allowed_q [4] ? 3'd4 : \u_dut.allowed_q [5] ? 3'd5 : \u_dut.allowed_q [6] ? 3'd6 : 3'd7;
  assign from = {\u_dut.group_q [0], first} + 4'(\u_dut.allowed_q == 8'd0);
  assign distance = valid ? queue - picked_queue[3:0] - 4'd1 : queue - from;

  always_ff @(posedge clk_i) begin
    rst_nq <= 1'b1;
    req_q <= req_i;
    if (!rst_nq || !asks || picked) others_q <= 4'd0;
    else if (valid && take_i) others_q <= others_q + 4'd1;
    if (!rst_nq || !asks || valid) empty_q <= 3'd0;
    else empty_q <= empty_q + 3'd1;
    if (rst_nq) begin
      asked: assert (!valid || (picked_queue < 11'd16 && req_q[picked_queue[3:0]]));
      fair: assert (!(asks && valid && take_i && !picked) || others_q != 4'd15);
      prompt: assert (empty_q <= 3'd3);
      inv_group: assert (\u_dut.group_q <= 3'd1);
      inv_allowed: assert ((\u_dut.allowed_q | (\u_dut.allowed_q - 8'd1)) == 8'hff || \u_dut.allowed_q == 8'd0);
      inv_others: assert (!asks || picked || {1'b0, others_q} + {1'b0, distance} + 5'(valid) <= 5'd15);
      last: cover (asks && others_q == 4'd14 && picked);
    end
  end

endmodule

`default_nettype wire

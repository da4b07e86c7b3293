// SPDX-License-Identifier: Apache-2.0
// barrier_order against a list of whose barrier went in when. A user has one barrier under way at most, the two do not begin in the same
// cycle, and a barrier comes through only when one is inside.
`default_nettype none

module barrier_order_proof (
    input wire logic clk_i,
    input wire logic in0_i,
    input wire logic in1_i,
    input wire logic done_i
);

  logic rst_nq = 1'b0;
  logic done0, done1;
  logic [1:0] count_q, count; // barriers inside; without the one that comes through now
  logic head_q, second_q; // whose is the first, the second
  (* hierconn *) wire [1:0] \u_dut.inside_q ;
  (* hierconn *) wire \u_dut.first_q ;

  barrier_order u_dut (.clk_i, .rst_ni(rst_nq), .in0_i, .in1_i, .done_i, .done0_o(done0), .done1_o(done1));

  assign count = count_q - 2'(done_i);

  always_ff @(posedge clk_i) begin
    rst_nq <= 1'b1;
    if (!rst_nq) begin
      count_q <= 2'd0;
      assume (!done_i && !in0_i && !in1_i);
    end else begin
      assume (!done_i || count_q != 2'd0);
      assume (!(in0_i && in1_i) && !(in0_i && \u_dut.inside_q [0]) && !(in1_i && \u_dut.inside_q [1]));
      count_q <= count + 2'(in0_i || in1_i);
      if (done_i) head_q <= second_q;
      if ((in0_i || in1_i) && count == 2'd0) head_q <= in1_i;
      else if (in0_i || in1_i) second_q <= in1_i;
    end
    if (rst_nq) begin
      owner: assert (done0 == (done_i && !head_q) && done1 == (done_i && head_q));
      inv_count: assert (count_q == 2'(\u_dut.inside_q [0]) + 2'(\u_dut.inside_q [1]));
      inv_head: assert (count_q == 2'd0 || (\u_dut.inside_q [head_q] && (count_q == 2'd1 || (second_q != head_q && \u_dut.first_q == head_q))));
      overtaken: cover (done1 && count_q == 2'd2);
    end
  end

endmodule

`default_nettype wire

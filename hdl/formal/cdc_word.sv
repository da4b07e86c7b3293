// SPDX-License-Identifier: Apache-2.0
// cdc_word between two clocks of any frequency and phase: the destination never shows a value that the source did not show. The word
// stands still around the edge at which it is sampled, so that it cannot be torn.
`default_nettype none

module cdc_word_proof (
    input wire logic       src_clk_i,
    input wire logic       dst_clk_i,
    input wire logic [1:0] src_data_i
);

  (* anyconst *) logic [1:0] never; // a value that the source does not show
  logic rst_nq = 1'b0, idle;
  logic [1:0] dst_data, held_before_q = 2'd0;
  (* hierconn *) wire [1:0] \u_dut.held_q ;
  (* hierconn *) wire \u_dut.take ;
  (* hierconn *) wire \u_dut.arrives ;
  (* hierconn *) wire \u_dut.req_q ;
  (* hierconn *) wire \u_dut.ack_q ;
  (* hierconn *) wire [1:0] \u_dut.u_req.chain_q ;
  (* hierconn *) wire [1:0] \u_dut.u_ack.chain_q ;
  (* hierconn *) wire \u_dut.u_req.before_q ;
  (* hierconn *) wire \u_dut.u_ack.before_q ;

  cdc_word #(.Width(2), .ResetValue(2'd0)) u_dut (
      .src_clk_i, .src_rst_ni(rst_nq), .src_data_i, .dst_clk_i, .dst_rst_ni(rst_nq), .dst_data_o(dst_data)
  );

  // ---- the toggle on its way round: source, destination, source; at most one of these places differs from the one before ----
  logic [8:0] round;
  logic [7:0] edges;
  assign round = {\u_dut.req_q , \u_dut.u_req.before_q , \u_dut.u_req.chain_q [0], \u_dut.u_req.chain_q [1], \u_dut.ack_q ,
                  \u_dut.u_ack.before_q , \u_dut.u_ack.chain_q [0], \u_dut.u_ack.chain_q [1], 1'b0};
  assign edges = {round[8:2] ^ round[7:1], 1'b0};
  assign idle = edges == 8'd0;

  always @($global_clock) begin
    rst_nq <= 1'b1;
    held_before_q <= \u_dut.held_q ;
    if (rst_nq) begin
      assume (src_data_i != never && never != 2'd0);
      shown: assert (dst_data != never);
      still: assert (!\u_dut.arrives || \u_dut.held_q == held_before_q);
      last: assert (!idle || dst_data == \u_dut.held_q );
      inv_held: assert (\u_dut.held_q != never);
      inv_round: assert ((edges & (edges - 8'd1)) == 8'd0);
      inv_moved: assert (\u_dut.held_q == held_before_q || edges[7]);
      inv_arrived: assert (edges[7:4] != 4'd0 || dst_data == \u_dut.held_q );
      crossed: cover (idle && dst_data == 2'd3);
      twice: cover (\u_dut.arrives && dst_data == 2'd3 && \u_dut.held_q == 2'd1);
    end
  end

endmodule

`default_nettype wire

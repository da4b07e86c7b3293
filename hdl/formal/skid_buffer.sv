// SPDX-License-Identifier: Apache-2.0
// skid_buffer: two words at most, whole and in order; what is offered downstream stays until it is taken.
`default_nettype none

module skid_buffer_proof (
    input wire logic       clk_i,
    input wire logic       wr_valid_i,
    input wire logic [3:0] wr_data_i,
    input wire logic       rd_ready_i,
    input wire logic       mark_i
);

  logic rst_nq = 1'b0, waits_q = 1'b0;
  logic wr_ready, rd_valid, followed, due;
  logic [3:0] rd_data, word, offered_q;
  logic [1:0] inside, ahead;
  (* hierconn *) wire \u_dut.skid_valid_q ;
  (* hierconn *) wire [3:0] \u_dut.skid_data_q ;
  wire skid_valid = \u_dut.skid_valid_q ;
  wire [3:0] skid_data = \u_dut.skid_data_q ;

  skid_buffer #(.Width(4)) u_dut (
      .clk_i, .rst_ni(rst_nq), .wr_valid_i, .wr_ready_o(wr_ready), .wr_data_i, .rd_valid_o(rd_valid), .rd_ready_i,
      .rd_data_o(rd_data)
  );

  follow_word #(.Width(4), .Bits(2)) u_follow (
      .clk_i, .rst_ni(rst_nq), .clear_i(1'b0), .mark_i, .push_i(wr_valid_i && wr_ready), .data_i(wr_data_i),
      .pop_i(rd_valid && rd_ready_i), .inside_o(inside), .followed_o(followed), .ahead_o(ahead), .word_o(word), .due_o(due)
  );

  always_ff @(posedge clk_i) begin
    rst_nq <= 1'b1;
    waits_q <= rst_nq && rd_valid && !rd_ready_i;
    offered_q <= rd_data;
    if (rst_nq) begin
      order: assert (!(due && rd_valid) || rd_data == word);
      holds: assert (!waits_q || (rd_valid && rd_data == offered_q));
      room: assert (wr_ready == (inside != 2'd2) && rd_valid == (inside != 2'd0));
      inv_inside: assert (inside == {1'b0, rd_valid} + {1'b0, skid_valid} && (rd_valid || !skid_valid));
      inv_followed: assert (!followed || ahead < inside);
      inv_word: assert (!followed || word == (ahead == 2'd0 ? rd_data : skid_data));
      full: cover (inside == 2'd2 && followed && ahead == 2'd1);
      streams: cover (inside == 2'd1 && wr_valid_i && rd_ready_i);
    end
  end

endmodule

`default_nettype wire

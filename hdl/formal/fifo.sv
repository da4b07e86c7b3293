// SPDX-License-Identifier: Apache-2.0
// fifo: every word comes out once, whole and in order; count_o, wr_ready_o and rd_valid_o say how many are inside.
`default_nettype none

module fifo_proof (
    input wire logic       clk_i,
    input wire logic       clear_i,
    input wire logic       wr_valid_i,
    input wire logic [3:0] wr_data_i,
    input wire logic       rd_ready_i,
    input wire logic       mark_i
);

  logic rst_nq = 1'b0;
  logic wr_ready, rd_valid, followed, due, was_full_q;
  logic [3:0] rd_data, word;
  logic [2:0] inside, ahead, count;
  logic [1:0] place;
  logic [3:0] stored;
  (* hierconn *) wire [2:0] \u_dut.rd_ptr_q ;
  (* hierconn *) wire [3:0] \u_dut.mem[0] ;
  (* hierconn *) wire [3:0] \u_dut.mem[1] ;
  (* hierconn *) wire [3:0] \u_dut.mem[2] ;
  (* hierconn *) wire [3:0] \u_dut.mem[3] ;

  fifo #(.Width(4), .Depth(4)) u_dut (
      .clk_i, .rst_ni(rst_nq), .clear_i, .wr_valid_i, .wr_ready_o(wr_ready), .wr_data_i, .rd_valid_o(rd_valid), .rd_ready_i,
      .rd_data_o(rd_data), .count_o(count)
  );

  follow_word #(.Width(4), .Bits(3)) u_follow (
      .clk_i, .rst_ni(rst_nq), .clear_i, .mark_i, .push_i(wr_valid_i && wr_ready), .data_i(wr_data_i),
      .pop_i(rd_valid && rd_ready_i), .inside_o(inside), .followed_o(followed), .ahead_o(ahead), .word_o(word), .due_o(due)
  );

  assign place = \u_dut.rd_ptr_q [1:0] + ahead[1:0];
  assign stored = place[1] ? (place[0] ? \u_dut.mem[3] : \u_dut.mem[2] ) : place[0] ? \u_dut.mem[1] : \u_dut.mem[0] ;

  always_ff @(posedge clk_i) begin
    rst_nq <= 1'b1;
    was_full_q <= rst_nq && !wr_ready;
    if (rst_nq) begin
      order: assert (!(due && rd_valid) || rd_data == word);
      count_is: assert (count == inside && inside <= 3'd4);
      room: assert (wr_ready == (inside != 3'd4) && rd_valid == (inside != 3'd0));
      inv_followed: assert (!followed || ahead < inside);
      inv_stored: assert (!followed || stored == word);
      full: cover (inside == 3'd4 && followed && ahead == 3'd3);
      drained: cover (was_full_q && inside == 3'd3 && due);
    end
  end

endmodule

`default_nettype wire

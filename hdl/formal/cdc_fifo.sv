// SPDX-License-Identifier: Apache-2.0
// cdc_fifo between two clocks of any frequency and phase: every word comes out once, whole and in order.
`default_nettype none

module cdc_fifo_proof (
    input wire logic       wr_clk_i,
    input wire logic       rd_clk_i,
    input wire logic       wr_valid_i,
    input wire logic [1:0] wr_data_i,
    input wire logic       rd_ready_i
);

  (* anyconst *) logic [3:0] pick; // the number of the followed word, modulo 16
  logic rst_nq = 1'b0;
  logic wr_ready, rd_valid;
  logic [1:0] rd_data, word_q, stored;
  logic [3:0] wr_number_q, rd_number_q, inside; // of the next word, modulo 16
  logic [3:0] fetched; // the number of the next word that leaves the memory
  (* hierconn *) wire [2:0] \u_dut.wr_ptr_q ;
  (* hierconn *) wire [2:0] \u_dut.rd_ptr_q ;
  (* hierconn *) wire [2:0] \u_dut.wr_gray_q ;
  (* hierconn *) wire [2:0] \u_dut.rd_gray_q ;
  (* hierconn *) wire [5:0] \u_dut.u_wr_to_rd.chain_q ;
  (* hierconn *) wire [5:0] \u_dut.u_rd_to_wr.chain_q ;
  (* hierconn *) wire [2:0] \u_dut.u_wr_to_rd.before_q ;
  (* hierconn *) wire [2:0] \u_dut.u_rd_to_wr.before_q ;
  (* hierconn *) wire [1:0] \u_dut.mem[0] ;
  (* hierconn *) wire [1:0] \u_dut.mem[1] ;
  (* hierconn *) wire [1:0] \u_dut.mem[2] ;
  (* hierconn *) wire [1:0] \u_dut.mem[3] ;

  cdc_fifo #(.Width(2), .Depth(4)) u_dut (
      .wr_clk_i, .wr_rst_ni(rst_nq), .wr_valid_i, .wr_ready_o(wr_ready), .wr_data_i, .rd_clk_i, .rd_rst_ni(rst_nq),
      .rd_valid_o(rd_valid), .rd_ready_i, .rd_data_o(rd_data)
  );

  // ---- each side counts its words ----
  always_ff @(posedge wr_clk_i or negedge rst_nq) begin
    if (!rst_nq) wr_number_q <= 4'd0;
    else if (wr_valid_i && wr_ready) begin
      wr_number_q <= wr_number_q + 4'd1;
      if (wr_number_q == pick) word_q <= wr_data_i;
    end
  end

  always_ff @(posedge rd_clk_i or negedge rst_nq) begin
    if (!rst_nq) rd_number_q <= 4'd0;
    else if (rd_valid && rd_ready_i) rd_number_q <= rd_number_q + 4'd1;
  end

  assign inside = wr_number_q - rd_number_q;
  assign fetched = rd_number_q + 4'(rd_valid);
  assign stored = pick[1] ? (pick[0] ? \u_dut.mem[3] : \u_dut.mem[2] ) : pick[0] ? \u_dut.mem[1] : \u_dut.mem[0] ;

  // ---- the pointers, as distances from the oldest of them: the writer's last knowledge of the reader ----
  function automatic logic [2:0] distance(input logic [2:0] gray);
    distance = {gray[2], gray[2] ^ gray[1], gray[2] ^ gray[1] ^ gray[0]} - oldest;
  endfunction

  logic [2:0] oldest, rd_chain, rd_before, rd_now, wr_old, wr_chain, wr_before, wr_now;
  assign oldest = {\u_dut.u_rd_to_wr.chain_q [5], ^\u_dut.u_rd_to_wr.chain_q [5:4], ^\u_dut.u_rd_to_wr.chain_q [5:3]};
  assign rd_chain = distance(\u_dut.u_rd_to_wr.chain_q [2:0]);
  assign rd_before = distance(\u_dut.u_rd_to_wr.before_q );
  assign rd_now = distance(\u_dut.rd_gray_q );
  assign wr_old = distance(\u_dut.u_wr_to_rd.chain_q [5:3]);
  assign wr_chain = distance(\u_dut.u_wr_to_rd.chain_q [2:0]);
  assign wr_before = distance(\u_dut.u_wr_to_rd.before_q );
  assign wr_now = distance(\u_dut.wr_gray_q );

  function automatic logic one_bit(input logic [2:0] change);
    one_bit = (change & (change - 3'd1)) == 3'd0;
  endfunction

  always @($global_clock) begin
    rst_nq <= 1'b1;
    if (rst_nq) begin
      order: assert (!(rd_valid && rd_number_q == pick) || rd_data == word_q);
      fits: assert (inside <= 4'd5 && (!rd_valid || inside != 4'd0));
      gray: assert (one_bit(\u_dut.wr_gray_q ^ \u_dut.u_wr_to_rd.before_q ) && one_bit(\u_dut.rd_gray_q ^ \u_dut.u_rd_to_wr.before_q ));
      inv_number: assert (wr_number_q[2:0] == \u_dut.wr_ptr_q && fetched[2:0] == \u_dut.rd_ptr_q );
      inv_gray: assert (\u_dut.wr_gray_q == (\u_dut.wr_ptr_q ^ (\u_dut.wr_ptr_q >> 1)));
      inv_gray_rd: assert (\u_dut.rd_gray_q == (\u_dut.rd_ptr_q ^ (\u_dut.rd_ptr_q >> 1)));
      inv_rd_order: assert (rd_chain <= rd_before && rd_before <= rd_now && rd_now <= rd_before + 3'd1);
      inv_wr_order: assert (rd_now <= wr_old && wr_old <= wr_chain && wr_chain <= wr_before && wr_before <= wr_now);
      inv_wr_fits: assert (wr_now <= wr_before + 3'd1 && wr_now <= 3'd4);
      inv_stored: assert (!(4'(pick - fetched) < 4'(wr_number_q - fetched)) || stored == word_q);
      full: cover (!wr_ready && inside == 4'd5);
      second_round: cover (rd_valid && rd_number_q == 4'd6 && pick == 4'd6 && wr_number_q == 4'd8);
    end
  end

endmodule

`default_nettype wire

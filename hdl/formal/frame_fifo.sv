// SPDX-License-Identifier: Apache-2.0
// frame_fifo: what was committed comes out whole and in order, what was rolled back never does. The writer writes only when free_o is
// not zero, and does not commit and roll back at once.
`default_nettype none

module frame_fifo_proof (
    input wire logic       clk_i,
    input wire logic       clear_i,
    input wire logic       wr_valid_i,
    input wire logic [2:0] wr_data_i,
    input wire logic       wr_commit_i,
    input wire logic       wr_rollback_i,
    input wire logic       rd_ready_i,
    input wire logic       mark_i
);

  logic rst_nq = 1'b0, followed_q, rolled_back_q;
  logic rd_valid, pop, due;
  logic [2:0] free, rd_data, word_q, stored, in_ram, offset;
  logic [3:0] committed_q, ahead_q, committed_d; // words; words before the followed one
  logic [2:0] pending_q, pending_d;
  logic [1:0] waited_q, ahead_place, place;
  (* hierconn *) wire [2:0] \u_dut.wr_q ;
  (* hierconn *) wire [2:0] \u_dut.commit_q ;
  (* hierconn *) wire [2:0] \u_dut.rd_q ;
  (* hierconn *) wire [2:0] \u_dut.ram_q ;
  (* hierconn *) wire \u_dut.ram_valid_q ;
  (* hierconn *) wire [2:0] \u_dut.ahead ;
  (* hierconn *) wire [2:0] \u_dut.u_ahead.rd_ptr_q ;
  (* hierconn *) wire \u_dut.u_ahead.some_q ;
  (* hierconn *) wire [2:0] \u_dut.mem[0] ;
  (* hierconn *) wire [2:0] \u_dut.mem[1] ;
  (* hierconn *) wire [2:0] \u_dut.mem[2] ;
  (* hierconn *) wire [2:0] \u_dut.mem[3] ;
  (* hierconn *) wire [2:0] \u_dut.u_ahead.mem[0] ;
  (* hierconn *) wire [2:0] \u_dut.u_ahead.mem[1] ;
  (* hierconn *) wire [2:0] \u_dut.u_ahead.mem[2] ;
  (* hierconn *) wire [2:0] \u_dut.u_ahead.mem[3] ;

  frame_fifo #(.Width(3), .Depth(4)) u_dut (
      .clk_i, .rst_ni(rst_nq), .clear_i, .wr_valid_i, .wr_data_i, .wr_commit_i, .wr_rollback_i, .free_o(free),
      .rd_valid_o(rd_valid), .rd_ready_i, .rd_data_o(rd_data)
  );

  // ---- what is inside, by what went in and out ----
  assign pop = rd_valid && rd_ready_i;
  assign due = followed_q && ahead_q == 4'd0;
  assign pending_d = pending_q + 3'(wr_valid_i);
  assign committed_d = committed_q - 4'(pop) + (wr_commit_i ? {1'b0, pending_d} : 4'd0);

  // ---- where the followed word is: read ahead, in the RAM's output, in the RAM ----
  assign in_ram = \u_dut.wr_q - \u_dut.rd_q ;
  assign offset = ahead_q[2:0] - \u_dut.ahead - 3'(\u_dut.ram_valid_q );
  assign ahead_place = \u_dut.u_ahead.rd_ptr_q [1:0] + ahead_q[1:0];
  assign place = \u_dut.rd_q [1:0] + offset[1:0];
  always_comb begin
    if (ahead_q < {1'b0, \u_dut.ahead }) begin
      case (ahead_place)
        2'd0: stored = \u_dut.u_ahead.mem[0] ;
        2'd1: stored = \u_dut.u_ahead.mem[1] ;
        2'd2: stored = \u_dut.u_ahead.mem[2] ;
        default: stored = \u_dut.u_ahead.mem[3] ;
      endcase
    end else if (ahead_q == {1'b0, \u_dut.ahead } && \u_dut.ram_valid_q ) begin
      stored = \u_dut.ram_q ;
    end else begin
      case (place)
        2'd0: stored = \u_dut.mem[0] ;
        2'd1: stored = \u_dut.mem[1] ;
        2'd2: stored = \u_dut.mem[2] ;
        default: stored = \u_dut.mem[3] ;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    rst_nq <= 1'b1;
    rolled_back_q <= rst_nq && wr_rollback_i && pending_q == 3'd2;
    if (!rst_nq || clear_i) begin
      committed_q <= 4'd0;
      pending_q <= 3'd0;
      followed_q <= 1'b0;
      waited_q <= 2'd0;
    end else begin
      assume (!wr_valid_i || free != 3'd0);
      assume (!(wr_commit_i && wr_rollback_i));
      committed_q <= committed_d;
      pending_q <= wr_commit_i || wr_rollback_i ? 3'd0 : pending_d;
      if (!followed_q) begin
        followed_q <= wr_valid_i && !wr_rollback_i && mark_i;
        ahead_q <= committed_q + {1'b0, pending_q} - 4'(pop);
        word_q <= wr_data_i;
      end else if (wr_rollback_i && ahead_q >= committed_q) begin
        followed_q <= 1'b0;
      end else if (pop) begin
        followed_q <= !due;
        ahead_q <= ahead_q - 4'd1;
      end
      waited_q <= committed_q != 4'd0 && !rd_valid ? waited_q + 2'd1 : 2'd0;
    end
    if (rst_nq) begin
      order: assert (!(due && rd_valid) || rd_data == word_q);
      committed_only: assert (!rd_valid || committed_q != 4'd0);
      prompt: assert (!(waited_q == 2'd2) || rd_valid);
      free_is: assert (free == 3'd4 - in_ram && {1'b0, free} + committed_q + {1'b0, pending_q} >= 4'd4);
      inv_committed: assert (committed_q == {1'b0, \u_dut.ahead } + 4'(\u_dut.ram_valid_q ) + {1'b0, 3'(\u_dut.commit_q - \u_dut.rd_q )});
      inv_some: assert (\u_dut.u_ahead.some_q == (\u_dut.ahead != 3'd0));
      inv_pending: assert (pending_q == 3'(\u_dut.wr_q - \u_dut.commit_q ));
      inv_fits: assert (in_ram <= 3'd4 && pending_q <= in_ram && \u_dut.ahead + 3'(\u_dut.ram_valid_q ) <= 3'd4);
      inv_waited: assert (waited_q != 2'd3 && (waited_q == 2'd0 || rd_valid || (waited_q == 2'd1 && \u_dut.ram_valid_q )));
      inv_followed: assert (!followed_q || (ahead_q < committed_q + {1'b0, pending_q} && stored == word_q));
      full: cover (free == 3'd0 && committed_q == 4'd8);
      forgotten: cover (rolled_back_q && committed_q == 4'd1 && due);
    end
  end

endmodule

`default_nettype wire

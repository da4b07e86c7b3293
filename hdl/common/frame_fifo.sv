// SPDX-License-Identifier: Apache-2.0
// Store-and-forward frame buffer in block RAM. The writer looks at free_o before it writes; wr_commit_i (with or after the last
// word) makes everything written so far readable, wr_rollback_i (instead) forgets what was not committed, including a word
// written in the same cycle. Reads one word per cycle; a committed word is readable 3 cycles after the commit's edge. The RAM's output
// goes straight into a register of its own, because it comes late in the cycle, and from there into a FIFO of four words, so that
// rd_ready_i does not reach the RAM. free_o counts the words of the RAM: those that were read ahead have left it.
//
//        rd_q          commit_q       wr_q
//   ------|== readable ==|-- pending --|---- free ----
`default_nettype none
`include "check.svh"

module frame_fifo #(
    parameter int Width = 64,
    parameter int Depth = 4096 // power of two
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    input  wire logic                   clear_i,
    // writer
    input  wire logic                   wr_valid_i,
    input  wire logic [      Width-1:0] wr_data_i,
    input  wire logic                   wr_commit_i,
    input  wire logic                   wr_rollback_i,
    output      logic [$clog2(Depth):0] free_o,
    // reader
    output      logic                   rd_valid_o,
    input  wire logic                   rd_ready_i,
    output      logic [      Width-1:0] rd_data_o
);

  localparam int Bits = $clog2(Depth);

  (* no_rw_check *) logic [Width-1:0] mem [Depth]; // a word is read only in cycles after the one that wrote it
  logic [Bits:0] wr_q, wr_next, commit_q, rd_q;
  logic [Width-1:0] ram_q;
  logic [2:0] ahead;
  logic ram_valid_q, fetch, writes, awake, unused_ready;

  assign wr_next = wr_valid_i ? wr_q + 1'b1 : wr_q;
  assign free_o = {1'b1, {Bits{1'b0}}} - (wr_q - rd_q);
  assign fetch = rd_q != commit_q && {1'b0, ahead[1:0]} + {2'b00, ram_valid_q} != 3'd4 && !ahead[2] && !clear_i;

  fifo #(.Width(Width), .Depth(4)) u_ahead (
      .clk_i, .rst_ni, .clear_i, .wr_valid_i(ram_valid_q), .wr_ready_o(unused_ready), .wr_data_i(ram_q),
      .rd_valid_o, .rd_ready_i, .rd_data_o, .count_o(ahead)
  );

  assign writes = wr_valid_i || wr_commit_i || wr_rollback_i;
  assign awake = `AWAKE(writes || fetch || ram_valid_q || clear_i);

  always_ff @(posedge clk_i) begin
    if (wr_valid_i) mem[wr_q[Bits-1:0]] <= wr_data_i;
    if (fetch) ram_q <= mem[rd_q[Bits-1:0]];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_q <= '0;
      commit_q <= '0;
      rd_q <= '0;
      ram_valid_q <= 1'b0;
    end else if (awake) begin
      ram_valid_q <= fetch; // 0 while clear_i
      if (writes) begin
        `CHECK("frame_fifo_overflow", !wr_valid_i || wr_q != {!rd_q[Bits], rd_q[Bits-1:0]})
        `CHECK("frame_fifo_commit_or_rollback", !(wr_commit_i && wr_rollback_i))
        wr_q <= wr_rollback_i ? commit_q : wr_next;
        if (wr_commit_i) commit_q <= wr_next;
      end
      if (fetch) rd_q <= rd_q + 1'b1;
      if (clear_i) {wr_q, commit_q, rd_q} <= '0;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Depth < 2 || Depth != 1 << Bits) $fatal(1, "frame_fifo: Depth must be a power of two from 2");
  end
`endif

endmodule

`default_nettype wire

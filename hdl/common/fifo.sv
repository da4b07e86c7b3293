// SPDX-License-Identifier: Apache-2.0
// Synchronous FIFO, one word per cycle, first word falls through: readable the cycle after it was written. Memory with an
// asynchronous read port (distributed RAM): meant for up to some 64 words; deeper ones are frame_fifo's work. count_o counts the
// words inside; clear_i empties it.
`default_nettype none
`include "check.svh"

module fifo #(
    parameter int Width = 8,
    parameter int Depth = 16 // power of two
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    input  wire logic                   clear_i,
    // writer
    input  wire logic                   wr_valid_i,
    output      logic                   wr_ready_o,
    input  wire logic [      Width-1:0] wr_data_i,
    // reader
    output      logic                   rd_valid_o,
    input  wire logic                   rd_ready_i,
    output      logic [      Width-1:0] rd_data_o,
    output      logic [$clog2(Depth):0] count_o
);

  localparam int Bits = $clog2(Depth);

  logic [Width-1:0] mem [Depth];
  logic [Bits:0] wr_ptr_q, rd_ptr_q;
  logic some_q; // wr_ptr_q != rd_ptr_q, in a register: what waits for a word has its cycle for itself
  logic push, pop;

  assign count_o = wr_ptr_q - rd_ptr_q;
  assign wr_ready_o = wr_ptr_q != {!rd_ptr_q[Bits], rd_ptr_q[Bits-1:0]};
  assign rd_valid_o = some_q;
  assign rd_data_o = mem[rd_ptr_q[Bits-1:0]];
  assign push = wr_valid_i && wr_ready_o;
  assign pop = rd_valid_o && rd_ready_i;

  always_ff @(posedge clk_i) begin
    if (push) mem[wr_ptr_q[Bits-1:0]] <= wr_data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      some_q <= 1'b0;
    end else if (clear_i) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      some_q <= 1'b0;
    end else if (push || pop) begin
      if (push) wr_ptr_q <= wr_ptr_q + 1'b1;
      if (pop) rd_ptr_q <= rd_ptr_q + 1'b1;
      if (push) some_q <= 1'b1;
      else if (rd_ptr_q + 1'b1 == wr_ptr_q) some_q <= 1'b0;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Depth < 2 || Depth != 1 << Bits) $fatal(1, "fifo: Depth must be a power of two from 2");
  end
`endif

endmodule

`default_nettype wire

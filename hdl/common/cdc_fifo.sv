// SPDX-License-Identifier: Apache-2.0
// FIFO between two clocks. Gray pointers through cdc_sync; the memory is read asynchronously into an output register of the
// reading clock, so rd_data_o is valid with rd_valid_o and nothing leaves unregistered. One word per cycle of the slower side; a
// word is readable 4 (sometimes 5) reading edges after it was written. Holds Depth + 1 words. Both resets come from one source.
`default_nettype none
`include "check.svh"

module cdc_fifo #(
    parameter int Width = 8,
    parameter int Depth = 16 // power of two
) (
    // writer
    input  wire logic             wr_clk_i,
    input  wire logic             wr_rst_ni,
    input  wire logic             wr_valid_i,
    output      logic             wr_ready_o,
    input  wire logic [Width-1:0] wr_data_i,
    // reader
    input  wire logic             rd_clk_i,
    input  wire logic             rd_rst_ni,
    output      logic             rd_valid_o,
    input  wire logic             rd_ready_i,
    output      logic [Width-1:0] rd_data_o
);

  localparam int Bits = $clog2(Depth);

  logic [Width-1:0] mem [Depth];
  logic [Bits:0] wr_ptr_q, wr_gray_q, wr_gray_at_rd, wr_next;
  logic [Bits:0] rd_ptr_q, rd_gray_q, rd_gray_at_wr, rd_next;
  logic [Width-1:0] rd_data_q;
  logic rd_valid_q, push, filled, advance;

  // Full: the pointers differ in both top bits of the Gray code only.
  assign wr_ready_o = wr_gray_q != {~rd_gray_at_wr[Bits:Bits-1], rd_gray_at_wr[Bits-2:0]};
  assign push = wr_valid_i && wr_ready_o;
  assign filled = rd_gray_q != wr_gray_at_rd;
  assign advance = (filled && (!rd_valid_q || rd_ready_i)) || (rd_valid_q && rd_ready_i);
  assign wr_next = wr_ptr_q + 1'b1;
  assign rd_next = rd_ptr_q + 1'b1;
  assign rd_valid_o = rd_valid_q;
  assign rd_data_o = rd_data_q;

  always_ff @(posedge wr_clk_i or negedge wr_rst_ni) begin
    if (!wr_rst_ni) begin
      wr_ptr_q <= '0;
      wr_gray_q <= '0;
    end else if (push) begin
      wr_ptr_q <= wr_next;
      wr_gray_q <= wr_next ^ (wr_next >> 1);
    end
  end

  always_ff @(posedge wr_clk_i) begin
    if (push) mem[wr_ptr_q[Bits-1:0]] <= wr_data_i;
  end

  cdc_sync #(.Width(Bits + 1)) u_wr_to_rd (
      .clk_i(rd_clk_i), .rst_ni(rd_rst_ni), .d_i(wr_gray_q), .q_o(wr_gray_at_rd)
  );
  cdc_sync #(.Width(Bits + 1)) u_rd_to_wr (
      .clk_i(wr_clk_i), .rst_ni(wr_rst_ni), .d_i(rd_gray_q), .q_o(rd_gray_at_wr)
  );

  always_ff @(posedge rd_clk_i or negedge rd_rst_ni) begin
    if (!rd_rst_ni) begin
      rd_ptr_q <= '0;
      rd_gray_q <= '0;
      rd_valid_q <= 1'b0;
      rd_data_q <= '0;
    end else if (advance) begin
      rd_valid_q <= filled;
      if (filled) begin
        rd_ptr_q <= rd_next;
        rd_gray_q <= rd_next ^ (rd_next >> 1);
        rd_data_q <= mem[rd_ptr_q[Bits-1:0]];
      end
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Depth < 4 || Depth != 1 << Bits) $fatal(1, "cdc_fifo: Depth must be a power of two from 4");
  end
`endif

endmodule

`default_nettype wire

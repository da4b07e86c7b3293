// SPDX-License-Identifier: Apache-2.0
// A list of queue numbers, first in, first out, in block RAM. As deep as there are queues, and each is in it once at most: it is
// never full. An entry is at the head 2 cycles after it was pushed; the next one a cycle after the pop.
`default_nettype none
`include "check.svh"

module queue_list #(
    parameter int Depth = 128 // power of two
) (
    input  wire logic                     clk_i,
    input  wire logic                     rst_ni,
    input  wire logic                     push_i,
    input  wire logic [$clog2(Depth)-1:0] queue_i,
    output      logic                     valid_o,
    output      logic [$clog2(Depth)-1:0] queue_o,
    input  wire logic                     pop_i,
    output      logic                     empty_o // also nothing on its way to the head
);

  localparam int Bits = $clog2(Depth);

  (* no_rw_check *) logic [Bits-1:0] mem [Depth]; // an entry is read only in cycles after the one that wrote it
  logic [Bits:0] wr_q, rd_q;
  logic [Bits-1:0] head_q;
  logic valid_q, fetch;

  assign fetch = rd_q != wr_q && (!valid_q || pop_i);
  assign valid_o = valid_q;
  assign queue_o = head_q;
  assign empty_o = rd_q == wr_q && !valid_q;

  always_ff @(posedge clk_i) begin
    if (push_i) mem[wr_q[Bits-1:0]] <= queue_i;
    if (fetch) head_q <= mem[rd_q[Bits-1:0]];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_q <= '0;
      rd_q <= '0;
      valid_q <= 1'b0;
    end else if (`AWAKE(push_i || pop_i || fetch)) begin
      `CHECK("queue_list_overflow", !push_i || wr_q - rd_q != (Bits + 1)'(Depth))
      `CHECK("queue_list_pop", !pop_i || valid_q)
      if (push_i) wr_q <= wr_q + 1'b1;
      if (fetch) rd_q <= rd_q + 1'b1;
      if (fetch || pop_i) valid_q <= fetch;
    end
  end

endmodule

`default_nettype wire

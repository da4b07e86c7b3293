// SPDX-License-Identifier: Apache-2.0
// The wire towards the NIC's receiver: plays the symbols that the C library has ready (native/wire.c), up to six per call. It asks
// only while `due_i` says that a carrier waits, or in the middle of one.
`default_nettype none
`include "hostmem.svh"

module gmii_source #(
    parameter int Card = 0
) (
    input  wire logic       clk_i,
    input  wire logic       due_i,
    output      logic [7:0] gmii_d_o,
    output      logic       gmii_dv_o,
    output      logic       gmii_er_o
);

  logic [63:0] symbols;
  logic [59:0] rest_q;
  logic [3:0] left_q;
  logic busy_q;

  wire logic work = due_i || busy_q || left_q != 4'd0;

  initial begin
    gmii_d_o = 8'h00;
    gmii_dv_o = 1'b0;
    gmii_er_o = 1'b0;
    left_q = 4'd0;
    busy_q = 1'b0;
    rest_q = 60'd0;
  end

  always @(posedge clk_i) begin
    if (!work) begin
      // the usual cycle
    end else if (left_q != 4'd0) begin
      {gmii_er_o, gmii_dv_o, gmii_d_o} <= rest_q[9:0];
      rest_q <= rest_q >> 10;
      left_q <= left_q - 4'd1;
    end else begin
      symbols = `HM_SOURCE(Card);
      busy_q <= symbols[63:60] != 4'd0;
      {gmii_er_o, gmii_dv_o, gmii_d_o} <= symbols[63:60] != 4'd0 ? symbols[9:0] : 10'd0;
      rest_q <= symbols[59:0] >> 10;
      if (symbols[63:60] != 4'd0) left_q <= symbols[63:60] - 4'd1;
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Writes down what the NIC sends: hands the words of each carrier (gmii_words) to the C library, and its end.
`default_nettype none
`include "hostmem.svh"

module gmii_sink #(
    parameter int Card = 0
) (
    input wire logic        clk_i,
    input wire logic        valid_i,
    input wire logic        last_i,
    input wire logic        error_i,
    input wire logic [3:0]  count_i,
    input wire logic [63:0] octets_i,
    input wire logic [63:0] start_i
);

  logic [63:0] ignored;

  always @(posedge clk_i) begin
    if (valid_i) begin
      if (count_i != 4'd0) ignored = `HM_SINK(Card, octets_i, count_i);
      if (last_i) ignored = `HM_SINK_END(Card, error_i, start_i);
    end
  end

endmodule

`default_nettype wire

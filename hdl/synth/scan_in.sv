// SPDX-License-Identifier: Apache-2.0
// Scan register for synthesis runs: feeds Width inputs of a design from one pin, so that each of its input paths starts at a
// flip-flop and the device's pins suffice.
`default_nettype none

module scan_in #(
    parameter int Width = 2
) (
    input  wire logic             clk_i,
    input  wire logic             scan_i,
    output      logic [Width-1:0] data_o
);

  (* keep *) logic [Width-1:0] chain_q;

  always_ff @(posedge clk_i) chain_q <= {chain_q[Width-2:0], scan_i};

  assign data_o = chain_q;

endmodule

`default_nettype wire

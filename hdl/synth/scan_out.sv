// SPDX-License-Identifier: Apache-2.0
// Scan register for synthesis runs: each of Width outputs of a design ends in a flip-flop of its own; load_i copies them into a
// chain that shifts out through one pin.
`default_nettype none

module scan_out #(
    parameter int Width = 2
) (
    input  wire logic             clk_i,
    input  wire logic             load_i,
    input  wire logic [Width-1:0] data_i,
    output      logic             scan_o
);

  (* keep *) logic [Width-1:0] captured_q;
  logic [Width-1:0] chain_q;

  always_ff @(posedge clk_i) begin
    captured_q <= data_i;
    chain_q <= load_i ? captured_q : {chain_q[Width-2:0], 1'b0};
  end

  assign scan_o = chain_q[Width-1];

endmodule

`default_nettype wire

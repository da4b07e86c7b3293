// SPDX-License-Identifier: Apache-2.0
// cdc_sync as hardware allows it to be, in its place in proofs with free clocks: each bit that changes in the step before the clock's
// edge arrives with this edge or with the next one, every bit for itself. A word is safe only if one of its bits changes at a time.
`default_nettype none

module cdc_sync #(
    parameter int Width = 1,
    parameter int Stages = 2,
    parameter bit ResetValue = 1'b0
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    input  wire logic [Width-1:0] d_i,
    output      logic [Width-1:0] q_o
);

  (* anyseq *) logic [Width-1:0] late;
  logic [Width-1:0] before_q = {Width{ResetValue}}; // d_i a step ago
  logic [Stages*Width-1:0] chain_q;

  assign q_o = chain_q[(Stages-1)*Width+:Width];

  always @($global_clock) before_q <= d_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) chain_q <= {Stages * Width{ResetValue}};
    else chain_q <= {chain_q[(Stages-1)*Width-1:0], (late & before_q) | (~late & d_i)};
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Synchronizer: q_o follows d_i after Stages cycles of clk_i. Width above 1 is for values that change one bit at a time
// (Gray code). In simulation a change takes 0 or 1 cycle more, drawn per instance from plusarg +cdc_seed=N (default 1, 0: never
// more); the whole word waits, so that a value is always old or new. A reset begins the draw anew: runs do not depend on what
// was simulated before.
`default_nettype none
`include "check.svh"

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

  (* keep *) logic [Stages*Width-1:0] chain_q;

  assign q_o = chain_q[(Stages-1)*Width+:Width];

`ifdef SYNTHESIS
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) chain_q <= {Stages * Width{ResetValue}};
    else chain_q <= {chain_q[(Stages-1)*Width-1:0], d_i};
  end
`else
  logic [31:0] random_q, seed_q;
  logic held_q;
  logic changes;

  // The seed of an instance mixes the run's seed with the instance's own name.
  initial begin : gen_seed
    logic [8*128-1:0] name;
    integer seed;
    seed = 1;
    if ($value$plusargs("cdc_seed=%d", seed)) begin end
    $sformat(name, "%m");
    random_q = 32'(seed) * 32'h9E3779B1;
    for (int i = 0; i < 32; i++) random_q = (random_q ^ name[32*i+:32]) * 32'h01000193 + 32'h1;
    random_q[0] = 1'b1; // odd: the longest period
    if (seed == 0) random_q = 32'h0;
    seed_q = random_q;
    held_q = 1'b0;
  end

  assign changes = chain_q != {Stages{d_i}}; // a net: costs nothing while nothing changes

  // One draw for each new value: the top bit of a multiplicative generator, which stays at zero when the seed is zero.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      chain_q <= {Stages * Width{ResetValue}};
      held_q <= 1'b0;
      random_q <= seed_q;
    end else if (changes) begin
      if (held_q) begin
        held_q <= 1'b0;
        chain_q <= {chain_q[(Stages-1)*Width-1:0], d_i};
      end else if (d_i == chain_q[Width-1:0]) begin
        chain_q <= {chain_q[(Stages-1)*Width-1:0], d_i};
      end else begin
        random_q <= random_q * 32'd1664525;
        held_q <= random_q[31];
        chain_q <= {chain_q[(Stages-1)*Width-1:0], random_q[31] ? chain_q[Width-1:0] : d_i};
      end
    end
  end
`endif

endmodule

`default_nettype wire

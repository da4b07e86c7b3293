// SPDX-License-Identifier: Apache-2.0
// Interrupt messages: each cycle in which a line is high is one message to the CPU.
`default_nettype none
`include "hostmem.svh"

module irq_sink #(
    parameter int Card = 0,
    parameter int NumVectors = 8
) (
    input wire logic                  clk_i,
    input wire logic                  rst_ni,
    input wire logic [NumVectors-1:0] irq_i
);

  logic [63:0] ignored;

  always @(posedge clk_i) begin
    if (irq_i !== {NumVectors{1'b0}} && rst_ni) begin
      if (^irq_i === 1'bx) `BREACH(Card, "IRQ-01", "irq_o is unknown");
      for (int v = 0; v < NumVectors; v++) begin
        if (irq_i[v] === 1'b1) ignored = `HM_IRQ(Card, v);
      end
    end
  end

endmodule

`default_nettype wire

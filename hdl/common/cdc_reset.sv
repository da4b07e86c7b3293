// SPDX-License-Identifier: Apache-2.0
// Reset for one clock domain: rst_no falls with rst_ni at once and rises two edges of clk_i after it.
`default_nettype none

module cdc_reset (
    input  wire logic clk_i,
    input  wire logic rst_ni,
    output      logic rst_no
);

  (* keep *) logic first_q, second_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {second_q, first_q} <= 2'b00;
    else {second_q, first_q} <= {first_q, 1'b1};
  end

  assign rst_no = second_q;

endmodule

`default_nettype wire

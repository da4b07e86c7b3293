// SPDX-License-Identifier: Apache-2.0
// Cuts the combinational path of a valid/ready stream in both directions: wr_ready_o, rd_valid_o and rd_data_o are registers.
// One word per cycle, one cycle of latency, room for two words.
`default_nettype none
`include "check.svh"

module skid_buffer #(
    parameter int Width = 8
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    // upstream
    input  wire logic             wr_valid_i,
    output      logic             wr_ready_o,
    input  wire logic [Width-1:0] wr_data_i,
    // downstream
    output      logic             rd_valid_o,
    input  wire logic             rd_ready_i,
    output      logic [Width-1:0] rd_data_o
);

  logic rd_valid_q, skid_valid_q, awake;
  logic [Width-1:0] rd_data_q, skid_data_q;

  assign wr_ready_o = !skid_valid_q;
  assign rd_valid_o = rd_valid_q;
  assign rd_data_o = rd_data_q;
  assign awake = `AWAKE(wr_valid_i || rd_valid_q);

  // The output register is served from the skid register first, then from upstream. The skid register takes what upstream shows whenever
  // it is free, so that nothing of upstream's reaches its clock enable.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rd_valid_q <= 1'b0;
      rd_data_q <= '0;
      skid_valid_q <= 1'b0;
      skid_data_q <= '0;
    end else if (awake) begin
      if (!rd_valid_q || rd_ready_i) begin
        rd_valid_q <= wr_valid_i || skid_valid_q;
        rd_data_q <= skid_valid_q ? skid_data_q : wr_data_i;
        skid_valid_q <= 1'b0;
      end else if (wr_valid_i) begin
        skid_valid_q <= 1'b1;
      end
      if (!skid_valid_q) skid_data_q <= wr_data_i;
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Writes down what a transmitter sends: hands the octets of each carrier to the C library, eight per call, and its end.
`default_nettype none
`include "hostmem.svh"

module gmii_sink #(
    parameter int Card = 0
) (
    input wire logic       clk_i,
    input wire logic [7:0] gmii_d_i,
    input wire logic       gmii_en_i,
    input wire logic       gmii_er_i
);

  logic [63:0] octets_q, start_q, ignored;
  logic [2:0] count_q;
  logic en_q, error_q;

  initial begin
    en_q = 1'b0;
    count_q = 3'd0;
    error_q = 1'b0;
    octets_q = 64'd0;
    start_q = 64'd0;
  end

  always @(posedge clk_i) begin
    if (gmii_en_i) begin
      octets_q <= {gmii_d_i, octets_q[63:8]};
      count_q <= count_q + 3'd1;
      if (count_q == 3'd7) ignored = `HM_SINK(Card, {gmii_d_i, octets_q[63:8]}, 64'd8);
      if (gmii_er_i) error_q <= 1'b1;
      if (!en_q) begin
        en_q <= 1'b1;
        start_q <= 64'($time);
      end
    end else if (en_q) begin
      if (count_q != 3'd0) ignored = `HM_SINK(Card, octets_q >> (8 * (8 - {1'b0, count_q})), count_q);
      ignored = `HM_SINK_END(Card, error_q, start_q);
      en_q <= 1'b0;
      error_q <= 1'b0;
      count_q <= 3'd0;
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Quasi-static word: dst_data_o takes each value of src_data_i that stands still, whole, by a toggle handshake (about 3 cycles of
// each clock); short-lived values may be skipped, the last one never is. With a stopped destination clock it simply waits.
`default_nettype none

module cdc_word #(
    parameter int Width = 8,
    parameter logic [Width-1:0] ResetValue = '0
) (
    input  wire logic             src_clk_i,
    input  wire logic             src_rst_ni,
    input  wire logic [Width-1:0] src_data_i,
    input  wire logic             dst_clk_i,
    input  wire logic             dst_rst_ni,
    output      logic [Width-1:0] dst_data_o
);

  logic [Width-1:0] held_q, dst_data_q;
  logic req_q, req_at_dst, ack_q, ack_at_src, take, arrives;

  assign take = held_q != src_data_i && req_q == ack_at_src;
  assign arrives = ack_q != req_at_dst;

  // The word is held from the request until its acknowledgement.
  always_ff @(posedge src_clk_i or negedge src_rst_ni) begin
    if (!src_rst_ni) begin
      held_q <= ResetValue;
      req_q <= 1'b0;
    end else if (take) begin
      held_q <= src_data_i;
      req_q <= !req_q;
    end
  end

  cdc_sync u_req (.clk_i(dst_clk_i), .rst_ni(dst_rst_ni), .d_i(req_q), .q_o(req_at_dst));
  cdc_sync u_ack (.clk_i(src_clk_i), .rst_ni(src_rst_ni), .d_i(ack_q), .q_o(ack_at_src));

  always_ff @(posedge dst_clk_i or negedge dst_rst_ni) begin
    if (!dst_rst_ni) begin
      dst_data_q <= ResetValue;
      ack_q <= 1'b0;
    end else if (arrives) begin
      dst_data_q <= held_q;
      ack_q <= req_at_dst;
    end
  end

  assign dst_data_o = dst_data_q;

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Inserts an 802.1Q tag behind the source address of a VC's frames, between tx_assemble and the frame buffer. What to do with a frame is
// told when it is begun (frame_*), frames end in the same order. Words of other frames pass in the same cycle; of a tagged one every word
// from the second on takes the upper half of the one before, and its end may take one cycle and one word more: tx_assemble writes
// nothing in the 2 cycles after a frame's last word.
`default_nettype none
`include "check.svh"

module vlan_insert #(
    parameter int Frames = 32 // begun and not ended, power of two
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // tx_frame
    input  wire logic        frame_valid_i,
    input  wire logic        frame_tagged_i,
    input  wire logic [15:0] frame_tci_i,
    // tx_assemble: {last, valid bytes - 1, data}
    input  wire logic        in_valid_i,
    input  wire logic [67:0] in_data_i,
    input  wire logic        in_commit_i,
    input  wire logic        in_rollback_i,
    // frame_fifo
    output      logic        out_valid_o,
    output      logic [67:0] out_data_o,
    output      logic        out_commit_o,
    output      logic        out_rollback_o
);

  logic known, insert, room, last, over, more_q;
  logic [15:0] tci;
  logic [2:0] count, count_q; // valid bytes - 1 of the last word
  logic [1:0] number_q;       // 0, 1, then 2 for all others
  logic [31:0] upper_q;
  logic [63:0] word;
  logic [$clog2(Frames):0] unused_count;

  fifo #(.Width(17), .Depth(Frames)) u_frames (
      .clk_i, .rst_ni, .clear_i(1'b0), .wr_valid_i(frame_valid_i), .wr_ready_o(room), .wr_data_i({frame_tagged_i, frame_tci_i}),
      .rd_valid_o(known), .rd_ready_i(in_commit_i || in_rollback_i), .rd_data_o({insert, tci}), .count_o(unused_count)
  );

  assign last = in_data_i[67];
  assign count = in_data_i[66:64];
  assign over = last && count > 3'd3; // with the four octets before them they fill more than a word

  always_comb begin
    if (more_q) word = {32'd0, upper_q};
    else if (!insert || number_q == 2'd0) word = in_data_i[63:0];
    else if (number_q == 2'd1) word = {tci[7:0], tci[15:8], 16'h0081, in_data_i[31:0]};
    else word = {in_data_i[31:0], upper_q};
  end

  assign out_valid_o = in_valid_i || more_q;
  assign out_data_o = more_q ? {1'b1, count_q, word}
                    : insert && last ? {!over, over ? 3'd7 : count + 3'd4, word}
                    : {in_data_i[67:64], word};
  assign out_commit_o = more_q || (in_commit_i && !(insert && over));
  assign out_rollback_o = in_rollback_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      number_q <= 2'd0;
      more_q <= 1'b0;
      {upper_q, count_q} <= '0;
    end else if (`AWAKE(frame_valid_i || in_valid_i || in_commit_i || in_rollback_i || more_q)) begin
      `CHECK("vlan_insert_frame_known", known || !(in_valid_i || in_commit_i || in_rollback_i))
      `CHECK("vlan_insert_pause", !more_q || !in_valid_i)
      `CHECK("vlan_insert_room", room || !frame_valid_i)
      more_q <= in_commit_i && insert && over;
      count_q <= count - 3'd4;
      if (in_valid_i) upper_q <= in_data_i[63:32];
      if (in_commit_i || in_rollback_i) number_q <= 2'd0;
      else if (in_valid_i && number_q != 2'd2) number_q <= number_q + 2'd1;
    end
  end

endmodule

`default_nettype wire

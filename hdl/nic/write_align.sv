// SPDX-License-Identifier: Apache-2.0
// Puts the bytes of a frame on the lanes of their bus addresses. A frame enters as 64-bit words that start at its first byte; it
// leaves in segments (one per buffer) of any length at any lane, as words with byte strobes. Bytes of a word that two segments
// share are kept in last_q. One word per cycle; the first follows the start by three cycles. abort_i forgets a broken frame's rest.
//
//   source words      |w0 w1 w2 ...      out = lanes below rot from the older word, the others from the newer one
//   segment at lane 3 |...w0| w0w1| w1w2|            rot = (lane - offset in the source word) mod 8
`default_nettype none
`include "check.svh"

module write_align (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // dma_write: a segment begins (length 1 at least; last: the frame ends with it)
    input  wire logic        start_i,
    input  wire logic [ 2:0] start_lane_i,
    input  wire logic [15:0] start_len_i,
    input  wire logic        start_last_i,
    input  wire logic        abort_i,
    // the frame's words
    input  wire logic        word_valid_i,
    output      logic        word_ready_o,
    input  wire logic [63:0] word_data_i,
    // aligned words
    output      logic        out_valid_o,
    input  wire logic        out_ready_i,
    output      logic [63:0] out_data_o,
    output      logic [ 7:0] out_strb_o
);

  typedef enum logic [1:0] {
    StIdle, // waits for a segment
    StSize, // computes where the segment ends and how far to rotate
    StLook, // looks whether the first word needs another source word
    StShift // offers the words
  } state_e;
  state_e state_q, state_d;

  logic [63:0] last_q, next_q; // newest word in use, the word after it
  logic next_valid_q;
  logic reuse_q; // the segment's first bytes are in last_q, at or below their lane
  logic seg_last_q, ends_q, need_q; // this word ends the segment, needs a byte of next_q
  logic [2:0] offset_q, rot_q, lane_q, end_lane;
  logic [15:0] len_q;
  logic [16:0] end_q; // the segment's last byte, counted from lane 0 of the word at the output
  logic one_more, advance, take;
  logic [63:0] newer;

  // ---- next state ----
  assign out_valid_o = state_q == StShift && (next_valid_q || !need_q);
  assign advance = out_valid_o && out_ready_i;
  assign take = advance && need_q;
  assign word_ready_o = !next_valid_q || take;
  assign one_more = end_q[16:3] == 14'd1; // words after this one
  assign end_lane = ends_q ? end_q[2:0] : 3'd7;

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StIdle: if (start_i) state_d = StSize;
      StSize: state_d = StLook;
      StLook: state_d = StShift;
      StShift: if (advance && ends_q) state_d = StIdle;
      default: state_d = StIdle;
    endcase
    if (abort_i) state_d = StIdle;
  end

  // ---- data: the rotation is one 8:1 multiplexer ----
  assign newer = reuse_q ? last_q : next_q;
  assign out_strb_o = (8'hff << lane_q) & (8'hff >> (3'd7 - end_lane));

  always_comb begin
    unique case (rot_q)
      3'd1: out_data_o = {newer[55:0], last_q[63:56]};
      3'd2: out_data_o = {newer[47:0], last_q[63:48]};
      3'd3: out_data_o = {newer[39:0], last_q[63:40]};
      3'd4: out_data_o = {newer[31:0], last_q[63:32]};
      3'd5: out_data_o = {newer[23:0], last_q[63:24]};
      3'd6: out_data_o = {newer[15:0], last_q[63:16]};
      3'd7: out_data_o = {newer[7:0], last_q[63:8]};
      default: out_data_o = newer;
    endcase
  end

  // reset, so that lanes without strobe are never unknown
  // ---- registers ----
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      last_q <= '0; // known in simulation, also in lanes without strobe
      next_q <= '0;
      next_valid_q <= 1'b0;
      {seg_last_q, len_q, lane_q, offset_q, rot_q, end_q, ends_q, need_q, reuse_q} <= '0;
    end else if (`AWAKE(start_i || abort_i || word_valid_i || state_q != StIdle)) begin
      state_q <= state_d;
      if (word_ready_o && word_valid_i) next_q <= word_data_i;
      if (take) last_q <= next_q;
      if (abort_i) begin
        next_valid_q <= 1'b0;
        offset_q <= '0;
      end else if (word_ready_o) begin
        next_valid_q <= word_valid_i;
      end
      if (start_i) begin
        seg_last_q <= start_last_i;
        len_q <= start_len_i;
        lane_q <= start_lane_i;
      end
      unique case (state_q)
        StSize: begin
          reuse_q <= offset_q != '0 && offset_q <= lane_q;
          rot_q <= lane_q - offset_q;
          end_q <= {14'd0, lane_q} + {1'b0, len_q} - 17'd1;
          offset_q <= seg_last_q ? 3'd0 : offset_q + len_q[2:0];
        end
        StLook: begin
          ends_q <= end_q[16:3] == '0;
          need_q <= !reuse_q && (end_q[16:3] != '0 || end_q[2:0] >= rot_q);
        end
        StShift:
        if (advance) begin
          ends_q <= one_more;
          need_q <= !one_more || end_q[2:0] >= rot_q;
          reuse_q <= 1'b0;
          lane_q <= '0;
          end_q[16:3] <= end_q[16:3] - 1'b1;
        end
        default: ;
      endcase
    end
  end

endmodule

`default_nettype wire

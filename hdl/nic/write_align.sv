// SPDX-License-Identifier: Apache-2.0
// Puts the bytes of a frame on the lanes of their bus addresses. A frame enters as 64-bit words that start at its first byte; it
// leaves in segments (one per buffer) of any length at any lane, as words with byte strobes. Bytes of a word that two segments
// share are kept in last_q. One word per cycle; the first follows the start by one cycle. abort_i forgets a broken frame's rest.
//
//   source words      |w0 w1 w2 ...      out = lanes below rot from the older word, the others from the newer one
//   segment at lane 3 |...w0| w0w1| w1w2|            rot = (lane - offset in the source word) mod 8
`default_nettype none

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

  logic [63:0] last_q, next_q; // newest word in use, the word after it
  logic next_valid_q;
  logic active_q, reuse_q; // reuse: the segment's first bytes are in last_q, at or below their lane
  logic [2:0] offset_q, rot_q, lane_q, end_lane;
  logic [16:0] end_q; // the segment's last byte, counted from lane 0 of the word at the output
  logic ends, need_next, advance, take;
  logic [63:0] newer;

  // ---- what the word at the output needs ----
  assign ends = end_q[16:3] == '0;
  assign end_lane = ends ? end_q[2:0] : 3'd7;
  assign need_next = !reuse_q && end_lane >= rot_q;
  assign out_valid_o = active_q && (next_valid_q || !need_next);
  assign advance = out_valid_o && out_ready_i;
  assign take = advance && need_next;
  assign word_ready_o = !next_valid_q || take;

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
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      last_q <= '0; // known in simulation, also in lanes without strobe
      next_q <= '0;
      next_valid_q <= 1'b0;
      active_q <= 1'b0;
      reuse_q <= 1'b0;
      offset_q <= '0;
      rot_q <= '0;
      lane_q <= '0;
      end_q <= '0;
    end else if (abort_i) begin
      next_valid_q <= 1'b0;
      active_q <= 1'b0;
      offset_q <= '0;
    end else if (start_i || active_q || word_valid_i) begin
      if (word_ready_o) next_valid_q <= word_valid_i;
      if (word_ready_o && word_valid_i) next_q <= word_data_i;
      if (take) last_q <= next_q;
      if (start_i) begin
        active_q <= 1'b1;
        reuse_q <= offset_q != '0 && offset_q <= start_lane_i;
        rot_q <= start_lane_i - offset_q;
        lane_q <= start_lane_i;
        end_q <= {14'd0, start_lane_i} + {1'b0, start_len_i} - 17'd1;
        offset_q <= start_last_i ? 3'd0 : offset_q + start_len_i[2:0];
      end else if (advance) begin
        active_q <= !ends;
        reuse_q <= 1'b0;
        lane_q <= '0;
        end_q[16:3] <= end_q[16:3] - 1'b1;
      end
    end
  end

endmodule

`default_nettype wire

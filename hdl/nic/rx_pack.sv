// SPDX-License-Identifier: Apache-2.0
// 8 to 64 bits behind the MAC, in the receive clock. Octets fill a word from the lowest on (unused ones are zero); after a frame's
// words comes its status word (hdl/README.md, mac_port), for every carrier. The MAC cannot wait: a word that finds word_ready_i low
// is lost, the rest of its frame with it; the status then says rx_er and counts the octets that did pass. A status word waits;
// frames that end while it still does vanish whole.
`default_nettype none

module rx_pack (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // MAC, beats
    input  wire logic [ 7:0] s_axis_tdata,
    input  wire logic        s_axis_tvalid,
    input  wire logic        s_axis_tlast,
    // MAC, status: fcs_bad, rx_er, runt, oversize, false_carrier, missing_sfd, length_mismatch, length_range, tagged from bit 0
    input  wire logic        status_valid_i,
    input  wire logic [15:0] status_octets_i,
    input  wire logic [ 8:0] status_flags_i,
    // words
    output      logic        word_valid_o,
    input  wire logic        word_ready_i,
    output      logic [63:0] word_data_o,
    output      logic        word_status_o
);

  logic [63:0] word_q;
  logic [40:0] status_q;
  logic [15:0] length_q, passed_q;
  logic word_full_q, status_full_q, lost_q, ended_q, losing, active;

  assign word_valid_o = status_full_q || (word_full_q && !lost_q);
  assign word_status_o = status_full_q;
  assign word_data_o = status_full_q ? {23'd0, status_q} : word_q;
  assign active = s_axis_tvalid || word_full_q || status_valid_i || ended_q || status_full_q;
  assign losing = lost_q || (word_full_q && (status_full_q || !word_ready_i));

  // A complete data word has this one cycle to go. ended_q comes with a frame's last word, its status one cycle later.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q <= 64'd0;
      length_q <= 16'd0;
      passed_q <= 16'd0;
      word_full_q <= 1'b0;
      lost_q <= 1'b0;
      ended_q <= 1'b0;
      status_q <= 41'd0;
      status_full_q <= 1'b0;
    end else if (active) begin
      word_full_q <= s_axis_tvalid && (s_axis_tlast || length_q[2:0] == 3'd7);
      if (s_axis_tvalid) begin
        if (length_q[2:0] == 3'd0) word_q <= {56'd0, s_axis_tdata};
        else word_q[{length_q[2:0], 3'd0}+:8] <= s_axis_tdata;
        length_q <= length_q + 16'd1;
      end
      if (word_full_q) begin
        if (losing) lost_q <= 1'b1;
        else passed_q <= length_q;
      end
      ended_q <= status_valid_i;
      if (status_full_q && word_ready_i) status_full_q <= 1'b0;
      if (ended_q) begin
        length_q <= 16'd0;
        passed_q <= 16'd0;
        lost_q <= 1'b0;
        if (!status_full_q || word_ready_i) begin
          status_full_q <= 1'b1;
          status_q <= {status_flags_i | {7'd0, losing, 1'b0}, status_octets_i, losing ? passed_q : length_q};
        end
      end
    end
  end

endmodule

`default_nettype wire

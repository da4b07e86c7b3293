// SPDX-License-Identifier: Apache-2.0
// 64 to 8 bits on the way to the MAC, in the transmit clock: the octets of each word, lowest first; the last word holds
// word_count_i + 1 of them. Words wait in front until they are used up, nothing is stored here. A frame starts only when
// start_ok_i says that its verdict will find room.
`default_nettype none

module tx_unpack (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // words
    input  wire logic        word_valid_i,
    output      logic        word_ready_o,
    input  wire logic [63:0] word_data_i,
    input  wire logic        word_last_i,
    input  wire logic [ 2:0] word_count_i,
    // verdicts
    input  wire logic        start_ok_i,
    // MAC
    output      logic [ 7:0] m_axis_tdata,
    output      logic        m_axis_tvalid,
    input  wire logic        m_axis_tready,
    output      logic        m_axis_tlast
);

  logic [2:0] octet_q;
  logic inside_q, at_end, accept;

  assign at_end = octet_q == (word_last_i ? word_count_i : 3'd7);
  assign m_axis_tdata = word_data_i[{octet_q, 3'd0}+:8];
  assign m_axis_tvalid = word_valid_i && (inside_q || start_ok_i);
  assign m_axis_tlast = word_last_i && at_end;
  assign accept = m_axis_tvalid && m_axis_tready;
  assign word_ready_o = accept && at_end;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      octet_q <= 3'd0;
      inside_q <= 1'b0;
    end else if (accept) begin
      octet_q <= at_end ? 3'd0 : octet_q + 3'd1;
      inside_q <= !m_axis_tlast;
    end
  end

endmodule

`default_nettype wire

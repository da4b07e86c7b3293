// SPDX-License-Identifier: Apache-2.0
// One of each block of hdl/common between two clocks, a_* and b_*, for tb/common_tests.py. Streams: `<block>_wr_*` in, `<block>_rd_*` out.
`default_nettype none

module common_bench (
    input  wire logic        a_clk_i,
    input  wire logic        a_rst_ni,
    input  wire logic        b_clk_i,
    input  wire logic        b_rst_ni,
    // crossings from a to b
    input  wire logic        cdc_wr_valid_i,
    output      logic        cdc_wr_ready_o,
    input  wire logic [15:0] cdc_wr_data_i,
    output      logic        cdc_rd_valid_o,
    input  wire logic        cdc_rd_ready_i,
    output      logic [15:0] cdc_rd_data_o,
    input  wire logic        sync_d_i,
    output      logic        sync_q_o,
    input  wire logic        pulse_i,
    output      logic        pulse_o,
    input  wire logic [15:0] word_i,
    output      logic [15:0] word_o,
    output      logic        a_alive_o, // seen from b
    output      logic        a_rst_no,  // a_rst_ni for b's clock
    // in clock a
    input  wire logic        clear_i,
    input  wire logic        fifo_wr_valid_i,
    output      logic        fifo_wr_ready_o,
    input  wire logic [15:0] fifo_wr_data_i,
    output      logic        fifo_rd_valid_o,
    input  wire logic        fifo_rd_ready_i,
    output      logic [15:0] fifo_rd_data_o,
    output      logic [ 3:0] fifo_count_o,
    input  wire logic        skid_wr_valid_i,
    output      logic        skid_wr_ready_o,
    input  wire logic [15:0] skid_wr_data_i,
    output      logic        skid_rd_valid_o,
    input  wire logic        skid_rd_ready_i,
    output      logic [15:0] skid_rd_data_o,
    input  wire logic        frame_wr_valid_i,
    input  wire logic [15:0] frame_wr_data_i,
    input  wire logic        frame_wr_commit_i,
    input  wire logic        frame_wr_rollback_i,
    output      logic [ 5:0] frame_free_o,
    output      logic        frame_rd_valid_o,
    input  wire logic        frame_rd_ready_i,
    output      logic [15:0] frame_rd_data_o
);

  cdc_fifo #(.Width(16), .Depth(8)) u_cdc_fifo (
      .wr_clk_i(a_clk_i),
      .wr_rst_ni(a_rst_ni),
      .wr_valid_i(cdc_wr_valid_i),
      .wr_ready_o(cdc_wr_ready_o),
      .wr_data_i(cdc_wr_data_i),
      .rd_clk_i(b_clk_i),
      .rd_rst_ni(b_rst_ni),
      .rd_valid_o(cdc_rd_valid_o),
      .rd_ready_i(cdc_rd_ready_i),
      .rd_data_o(cdc_rd_data_o)
  );

  cdc_sync u_sync (.clk_i(b_clk_i), .rst_ni(b_rst_ni), .d_i(sync_d_i), .q_o(sync_q_o));

  cdc_pulse u_pulse (
      .src_clk_i(a_clk_i),
      .src_rst_ni(a_rst_ni),
      .src_pulse_i(pulse_i),
      .dst_clk_i(b_clk_i),
      .dst_rst_ni(b_rst_ni),
      .dst_pulse_o(pulse_o)
  );

  cdc_word #(.Width(16), .ResetValue(16'h1234)) u_word (
      .src_clk_i(a_clk_i),
      .src_rst_ni(a_rst_ni),
      .src_data_i(word_i),
      .dst_clk_i(b_clk_i),
      .dst_rst_ni(b_rst_ni),
      .dst_data_o(word_o)
  );

  logic [4:0] age_q;

  always_ff @(posedge b_clk_i or negedge b_rst_ni) begin
    if (!b_rst_ni) age_q <= 5'd0;
    else age_q <= age_q + 5'd1;
  end

  cdc_alive u_alive (
      .watched_clk_i(a_clk_i),
      .watched_rst_ni(a_rst_ni),
      .clk_i(b_clk_i),
      .rst_ni(b_rst_ni),
      .tick_i(age_q == '1),
      .alive_o(a_alive_o)
  );

  cdc_reset u_reset (.clk_i(b_clk_i), .rst_ni(a_rst_ni), .rst_no(a_rst_no));

  fifo #(.Width(16), .Depth(8)) u_fifo (
      .clk_i(a_clk_i),
      .rst_ni(a_rst_ni),
      .clear_i,
      .wr_valid_i(fifo_wr_valid_i),
      .wr_ready_o(fifo_wr_ready_o),
      .wr_data_i(fifo_wr_data_i),
      .rd_valid_o(fifo_rd_valid_o),
      .rd_ready_i(fifo_rd_ready_i),
      .rd_data_o(fifo_rd_data_o),
      .count_o(fifo_count_o)
  );

  skid_buffer #(.Width(16)) u_skid (
      .clk_i(a_clk_i),
      .rst_ni(a_rst_ni),
      .wr_valid_i(skid_wr_valid_i),
      .wr_ready_o(skid_wr_ready_o),
      .wr_data_i(skid_wr_data_i),
      .rd_valid_o(skid_rd_valid_o),
      .rd_ready_i(skid_rd_ready_i),
      .rd_data_o(skid_rd_data_o)
  );

  frame_fifo #(.Width(16), .Depth(32)) u_frame_fifo (
      .clk_i(a_clk_i),
      .rst_ni(a_rst_ni),
      .clear_i,
      .wr_valid_i(frame_wr_valid_i),
      .wr_data_i(frame_wr_data_i),
      .wr_commit_i(frame_wr_commit_i),
      .wr_rollback_i(frame_wr_rollback_i),
      .free_o(frame_free_o),
      .rd_valid_o(frame_rd_valid_o),
      .rd_ready_i(frame_rd_ready_i),
      .rd_data_o(frame_rd_data_o)
  );

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// The MAC as the rest of the NIC sees it, in the system clock: 64-bit words both ways, one verdict per transmitted frame, one
// status word per received carrier (hdl/README.md), configuration words, and whether the two MAC clocks run. Holds eth_mac_1g,
// the width conversions in the MAC's clocks and every crossing between the three clocks. tx words of one frame must follow each
// other fast enough (a word per 8 MAC cycles), otherwise the frame ends as an underrun.
`default_nettype none

module mac_port (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // frames to send
    input  wire logic        tx_valid_i,
    output      logic        tx_ready_o,
    input  wire logic [63:0] tx_data_i,
    input  wire logic        tx_last_i,
    input  wire logic [ 2:0] tx_count_i,
    // verdicts
    output      logic        verdict_valid_o,
    input  wire logic        verdict_ready_i,
    output      logic        verdict_abort_o,
    output      logic [15:0] verdict_length_o,
    // received frames
    output      logic        rx_valid_o,
    input  wire logic        rx_ready_i,
    output      logic [63:0] rx_data_o,
    output      logic        rx_status_o,
    // csr
    input  wire logic [ 7:0] cfg_ifg_i,
    input  wire logic [15:0] cfg_max_frame_i,
    input  wire logic        cfg_keep_fcs_i,
    input  wire logic        cfg_host_fcs_i,
    output      logic        tx_clk_alive_o,
    output      logic        rx_clk_alive_o,
    // PHY
    input  wire logic        gmii_tx_clk_i,
    output      logic [ 7:0] gmii_txd_o,
    output      logic        gmii_tx_en_o,
    output      logic        gmii_tx_er_o,
    input  wire logic        gmii_rx_clk_i,
    input  wire logic [ 7:0] gmii_rxd_i,
    input  wire logic        gmii_rx_dv_i,
    input  wire logic        gmii_rx_er_i
);

  logic tx_rst_n, rx_rst_n;

  cdc_reset u_tx_reset (.clk_i(gmii_tx_clk_i), .rst_ni, .rst_no(tx_rst_n));
  cdc_reset u_rx_reset (.clk_i(gmii_rx_clk_i), .rst_ni, .rst_no(rx_rst_n));

  // The tick of the clock watchers, every 32 cycles.
  logic [4:0] age_q;
  logic tick_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {tick_q, age_q} <= 6'd0;
    else {tick_q, age_q} <= age_q + 6'd1;
  end

  cdc_alive u_tx_alive (
      .watched_clk_i(gmii_tx_clk_i), .watched_rst_ni(tx_rst_n), .clk_i, .rst_ni, .tick_i(tick_q), .alive_o(tx_clk_alive_o)
  );
  cdc_alive u_rx_alive (
      .watched_clk_i(gmii_rx_clk_i), .watched_rst_ni(rx_rst_n), .clk_i, .rst_ni, .tick_i(tick_q), .alive_o(rx_clk_alive_o)
  );

  // Configuration into the MAC's clocks.
  logic [7:0] ifg;
  logic host_fcs, keep_fcs;
  logic [15:0] max_frame;

  cdc_word #(.Width(9), .ResetValue({1'b0, 8'd12})) u_tx_config (
      .src_clk_i(clk_i), .src_rst_ni(rst_ni), .src_data_i({cfg_host_fcs_i, cfg_ifg_i}),
      .dst_clk_i(gmii_tx_clk_i), .dst_rst_ni(tx_rst_n), .dst_data_o({host_fcs, ifg})
  );
  cdc_word #(.Width(17), .ResetValue({1'b0, 16'd1518})) u_rx_config (
      .src_clk_i(clk_i), .src_rst_ni(rst_ni), .src_data_i({cfg_keep_fcs_i, cfg_max_frame_i}),
      .dst_clk_i(gmii_rx_clk_i), .dst_rst_ni(rx_rst_n), .dst_data_o({keep_fcs, max_frame})
  );

  // Transmit: words -> octets -> MAC -> verdicts.
  logic txw_valid, txw_ready, txw_last, verdict_room, verdict_room_q, tx_done, tx_abort;
  logic [63:0] txw_data;
  logic [2:0] txw_count;
  logic [15:0] tx_octets;
  logic [7:0] tx_tdata;
  logic tx_tvalid, tx_tready, tx_tlast;

  cdc_fifo #(.Width(68), .Depth(16)) u_tx_words (
      .wr_clk_i(clk_i), .wr_rst_ni(rst_ni), .wr_valid_i(tx_valid_i), .wr_ready_o(tx_ready_o),
      .wr_data_i({tx_last_i, tx_count_i, tx_data_i}),
      .rd_clk_i(gmii_tx_clk_i), .rd_rst_ni(tx_rst_n), .rd_valid_o(txw_valid), .rd_ready_i(txw_ready),
      .rd_data_o({txw_last, txw_count, txw_data})
  );

  // a frame begins at least the gap after the verdict of the one before it
  always_ff @(posedge gmii_tx_clk_i or negedge tx_rst_n) begin
    if (!tx_rst_n) verdict_room_q <= 1'b0;
    else if (verdict_room_q != verdict_room) verdict_room_q <= verdict_room;
  end

  tx_unpack u_tx_unpack (
      .clk_i(gmii_tx_clk_i),
      .rst_ni(tx_rst_n),
      .word_valid_i(txw_valid),
      .word_ready_o(txw_ready),
      .word_data_i(txw_data),
      .word_last_i(txw_last),
      .word_count_i(txw_count),
      .start_ok_i(verdict_room_q),
      .m_axis_tdata(tx_tdata),
      .m_axis_tvalid(tx_tvalid),
      .m_axis_tready(tx_tready),
      .m_axis_tlast(tx_tlast)
  );

  cdc_fifo #(.Width(17), .Depth(16)) u_verdicts (
      .wr_clk_i(gmii_tx_clk_i), .wr_rst_ni(tx_rst_n), .wr_valid_i(tx_done), .wr_ready_o(verdict_room),
      .wr_data_i({tx_abort, tx_octets}),
      .rd_clk_i(clk_i), .rd_rst_ni(rst_ni), .rd_valid_o(verdict_valid_o), .rd_ready_i(verdict_ready_i),
      .rd_data_o({verdict_abort_o, verdict_length_o})
  );

  // Receive: MAC -> words and status.
  logic [7:0] rx_tdata;
  logic rx_tvalid, rx_tlast, unused_tuser, status_valid, rxw_valid, rxw_ready, rxw_status;
  logic [15:0] status_octets;
  logic [8:0] status_flags;
  logic [63:0] rxw_data;

  rx_pack u_rx_pack (
      .clk_i(gmii_rx_clk_i),
      .rst_ni(rx_rst_n),
      .s_axis_tdata(rx_tdata),
      .s_axis_tvalid(rx_tvalid),
      .s_axis_tlast(rx_tlast),
      .status_valid_i(status_valid),
      .status_octets_i(status_octets),
      .status_flags_i(status_flags),
      .word_valid_o(rxw_valid),
      .word_ready_i(rxw_ready),
      .word_data_o(rxw_data),
      .word_status_o(rxw_status)
  );

  cdc_fifo #(.Width(65), .Depth(32)) u_rx_words (
      .wr_clk_i(gmii_rx_clk_i), .wr_rst_ni(rx_rst_n), .wr_valid_i(rxw_valid), .wr_ready_o(rxw_ready),
      .wr_data_i({rxw_status, rxw_data}),
      .rd_clk_i(clk_i), .rd_rst_ni(rst_ni), .rd_valid_o(rx_valid_o), .rd_ready_i(rx_ready_i),
      .rd_data_o({rx_status_o, rx_data_o})
  );

  eth_mac_1g u_mac (
      .tx_clk_i(gmii_tx_clk_i),
      .tx_rst_ni(tx_rst_n),
      .s_axis_tx_tdata(tx_tdata),
      .s_axis_tx_tvalid(tx_tvalid),
      .s_axis_tx_tready(tx_tready),
      .s_axis_tx_tlast(tx_tlast),
      .s_axis_tx_tuser(1'b0),
      .gmii_txd_o,
      .gmii_tx_en_o,
      .gmii_tx_er_o,
      .cfg_ifg_i(ifg),
      .cfg_host_fcs_i(host_fcs),
      .tx_done_o(tx_done),
      .tx_abort_o(tx_abort),
      .tx_octets_o(tx_octets),
      .rx_clk_i(gmii_rx_clk_i),
      .rx_rst_ni(rx_rst_n),
      .gmii_rxd_i,
      .gmii_rx_dv_i,
      .gmii_rx_er_i,
      .m_axis_rx_tdata(rx_tdata),
      .m_axis_rx_tvalid(rx_tvalid),
      .m_axis_rx_tlast(rx_tlast),
      .m_axis_rx_tuser(unused_tuser),
      .cfg_max_frame_i(max_frame),
      .cfg_keep_fcs_i(keep_fcs),
      .rx_valid_o(status_valid),
      .rx_octets_o(status_octets),
      .rx_fcs_bad_o(status_flags[0]),
      .rx_er_o(status_flags[1]),
      .rx_runt_o(status_flags[2]),
      .rx_oversize_o(status_flags[3]),
      .rx_false_carrier_o(status_flags[4]),
      .rx_missing_sfd_o(status_flags[5]),
      .rx_length_mismatch_o(status_flags[6]),
      .rx_length_range_o(status_flags[7]),
      .rx_tagged_o(status_flags[8])
  );

endmodule

`default_nettype wire

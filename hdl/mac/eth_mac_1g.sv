// SPDX-License-Identifier: Apache-2.0
// Gigabit Ethernet MAC, full duplex, GMII: eth_mac_1g_tx and eth_mac_1g_rx side by side, each in its own clock. Knows no DMA and
// no CSR and may be used with another vendor's NIC: AXI-Stream of octets from the destination address on; tuser means abort on
// transmit and bad frame (with tlast) on receive; the receive side cannot push back. Resets are synchronous to their clocks on
// release; configuration must be in its clock too.
`default_nettype none

module eth_mac_1g (
    // transmit clock domain
    input  wire logic        tx_clk_i,
    input  wire logic        tx_rst_ni,
    input  wire logic [ 7:0] s_axis_tx_tdata,
    input  wire logic        s_axis_tx_tvalid,
    output      logic        s_axis_tx_tready,
    input  wire logic        s_axis_tx_tlast,
    input  wire logic        s_axis_tx_tuser,
    output      logic [ 7:0] gmii_txd_o,
    output      logic        gmii_tx_en_o,
    output      logic        gmii_tx_er_o,
    input  wire logic [ 7:0] cfg_ifg_i,
    input  wire logic        cfg_host_fcs_i,
    output      logic        tx_done_o,
    output      logic        tx_abort_o,
    output      logic [15:0] tx_octets_o,
    // receive clock domain
    input  wire logic        rx_clk_i,
    input  wire logic        rx_rst_ni,
    input  wire logic [ 7:0] gmii_rxd_i,
    input  wire logic        gmii_rx_dv_i,
    input  wire logic        gmii_rx_er_i,
    output      logic [ 7:0] m_axis_rx_tdata,
    output      logic        m_axis_rx_tvalid,
    output      logic        m_axis_rx_tlast,
    output      logic        m_axis_rx_tuser,
    input  wire logic [15:0] cfg_max_frame_i,
    input  wire logic        cfg_keep_fcs_i,
    output      logic        rx_valid_o,
    output      logic [15:0] rx_octets_o,
    output      logic        rx_fcs_bad_o,
    output      logic        rx_er_o,
    output      logic        rx_runt_o,
    output      logic        rx_oversize_o,
    output      logic        rx_false_carrier_o,
    output      logic        rx_missing_sfd_o,
    output      logic        rx_length_mismatch_o,
    output      logic        rx_length_range_o,
    output      logic        rx_tagged_o
);

  eth_mac_1g_tx u_tx (
      .clk_i(tx_clk_i),
      .rst_ni(tx_rst_ni),
      .s_axis_tx_tdata,
      .s_axis_tx_tvalid,
      .s_axis_tx_tready,
      .s_axis_tx_tlast,
      .s_axis_tx_tuser,
      .gmii_txd_o,
      .gmii_tx_en_o,
      .gmii_tx_er_o,
      .cfg_ifg_i,
      .cfg_host_fcs_i,
      .tx_done_o,
      .tx_abort_o,
      .tx_octets_o
  );

  eth_mac_1g_rx u_rx (
      .clk_i(rx_clk_i),
      .rst_ni(rx_rst_ni),
      .gmii_rxd_i,
      .gmii_rx_dv_i,
      .gmii_rx_er_i,
      .m_axis_rx_tdata,
      .m_axis_rx_tvalid,
      .m_axis_rx_tlast,
      .m_axis_rx_tuser,
      .cfg_max_frame_i,
      .cfg_keep_fcs_i,
      .rx_valid_o,
      .rx_octets_o,
      .rx_fcs_bad_o,
      .rx_er_o,
      .rx_runt_o,
      .rx_oversize_o,
      .rx_false_carrier_o,
      .rx_missing_sfd_o,
      .rx_length_mismatch_o,
      .rx_length_range_o,
      .rx_tagged_o
  );

endmodule

`default_nettype wire

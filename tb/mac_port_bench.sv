// SPDX-License-Identifier: Apache-2.0
// mac_port with its transmit pins tied to its receive pins, for tb/mac_port_tests.py.
`default_nettype none

module mac_port_bench (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        gmii_clk_i,
    input  wire logic        tx_valid_i,
    output      logic        tx_ready_o,
    input  wire logic [63:0] tx_data_i,
    input  wire logic        tx_last_i,
    input  wire logic [ 2:0] tx_count_i,
    output      logic        verdict_valid_o,
    input  wire logic        verdict_ready_i,
    output      logic        verdict_abort_o,
    output      logic [15:0] verdict_length_o,
    output      logic        rx_valid_o,
    input  wire logic        rx_ready_i,
    output      logic [63:0] rx_data_o,
    output      logic        rx_status_o,
    input  wire logic [ 7:0] cfg_ifg_i,
    input  wire logic [15:0] cfg_max_frame_i,
    input  wire logic        cfg_keep_fcs_i,
    input  wire logic        cfg_host_fcs_i,
    output      logic        tx_clk_alive_o,
    output      logic        rx_clk_alive_o,
    output      logic        tx_en_o
);

  logic [7:0] line;
  logic line_en, line_er;

  assign tx_en_o = line_en;

  mac_port u_mac_port (
      .clk_i,
      .rst_ni,
      .tx_valid_i,
      .tx_ready_o,
      .tx_data_i,
      .tx_last_i,
      .tx_count_i,
      .verdict_valid_o,
      .verdict_ready_i,
      .verdict_abort_o,
      .verdict_length_o,
      .rx_valid_o,
      .rx_ready_i,
      .rx_data_o,
      .rx_status_o,
      .cfg_ifg_i,
      .cfg_max_frame_i,
      .cfg_keep_fcs_i,
      .cfg_host_fcs_i,
      .tx_clk_alive_o,
      .rx_clk_alive_o,
      .gmii_tx_clk_i(gmii_clk_i),
      .gmii_txd_o(line),
      .gmii_tx_en_o(line_en),
      .gmii_tx_er_o(line_er),
      .gmii_rx_clk_i(gmii_clk_i),
      .gmii_rxd_i(line),
      .gmii_rx_dv_i(line_en),
      .gmii_rx_er_i(line_er)
  );

endmodule

`default_nettype wire

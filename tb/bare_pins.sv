// SPDX-License-Identifier: Apache-2.0
// Where cocotbext-axi and cocotbext-eth attach (Ends=1): inputs are what they sample, variables without _o what they drive, by
// AMBA prefix. They work at clk_i, end_clk_i and tx_clk_i; the NIC's clocks (late_*) come 1 ps later and what the models drive
// arrives 2 ps later, so that the models sample before the edge and the NIC sees their answer after it, in both simulators.
`default_nettype none

module bare_pins (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        tx_clk_i,
    input  wire logic        end_clk_i,
    output      logic        late_clk_o,
    output      logic        late_tx_clk_o,
    // -> NIC's AXI4-Lite slave
    output wire logic [23:0] awaddr_o,
    output wire logic [2:0]  awprot_o,
    output wire logic        awvalid_o,
    output wire logic [31:0] wdata_o,
    output wire logic [3:0]  wstrb_o,
    output wire logic        wvalid_o,
    output wire logic        bready_o,
    output wire logic [23:0] araddr_o,
    output wire logic [2:0]  arprot_o,
    output wire logic        arvalid_o,
    output wire logic        rready_o,
    input  wire logic        s_axil_awready,
    input  wire logic        s_axil_wready,
    input  wire logic [1:0]  s_axil_bresp,
    input  wire logic        s_axil_bvalid,
    input  wire logic        s_axil_arready,
    input  wire logic [31:0] s_axil_rdata,
    input  wire logic [1:0]  s_axil_rresp,
    input  wire logic        s_axil_rvalid,
    // -> NIC's AXI4 master
    input  wire logic [3:0]  m_axi_awid,
    input  wire logic [63:0] m_axi_awaddr,
    input  wire logic [7:0]  m_axi_awlen,
    input  wire logic [2:0]  m_axi_awsize,
    input  wire logic [1:0]  m_axi_awburst,
    input  wire logic [3:0]  m_axi_awcache,
    input  wire logic [2:0]  m_axi_awprot,
    input  wire logic        m_axi_awvalid,
    input  wire logic [63:0] m_axi_wdata,
    input  wire logic [7:0]  m_axi_wstrb,
    input  wire logic        m_axi_wlast,
    input  wire logic        m_axi_wvalid,
    input  wire logic        m_axi_bready,
    input  wire logic [3:0]  m_axi_arid,
    input  wire logic [63:0] m_axi_araddr,
    input  wire logic [7:0]  m_axi_arlen,
    input  wire logic [2:0]  m_axi_arsize,
    input  wire logic [1:0]  m_axi_arburst,
    input  wire logic [3:0]  m_axi_arcache,
    input  wire logic [2:0]  m_axi_arprot,
    input  wire logic        m_axi_arvalid,
    input  wire logic        m_axi_rready,
    output wire logic        m_awready_o,
    output wire logic        m_wready_o,
    output wire logic [3:0]  m_bid_o,
    output wire logic [1:0]  m_bresp_o,
    output wire logic        m_bvalid_o,
    output wire logic        m_arready_o,
    output wire logic [3:0]  m_rid_o,
    output wire logic [63:0] m_rdata_o,
    output wire logic [1:0]  m_rresp_o,
    output wire logic        m_rlast_o,
    output wire logic        m_rvalid_o,
    // GMII
    input  wire logic [7:0]  gmii_txd,
    input  wire logic        gmii_tx_en,
    input  wire logic        gmii_tx_er,
    output wire logic [9:0]  end_o // {er, dv, octet}
);

  logic [23:0] s_axil_awaddr, s_axil_araddr;
  logic [31:0] s_axil_wdata;
  logic [3:0] s_axil_wstrb, m_axi_bid, m_axi_rid;
  logic [2:0] s_axil_awprot, s_axil_arprot;
  logic s_axil_awvalid, s_axil_wvalid, s_axil_bready, s_axil_arvalid, s_axil_rready;
  logic [63:0] m_axi_rdata;
  logic [1:0] m_axi_bresp, m_axi_rresp;
  logic m_axi_awready, m_axi_wready, m_axi_bvalid, m_axi_arready, m_axi_rlast, m_axi_rvalid;
  logic [7:0] gmii_rxd;
  logic gmii_rx_dv, gmii_rx_er;

  initial begin
    {s_axil_awaddr, s_axil_araddr, s_axil_wdata, s_axil_wstrb, s_axil_awprot, s_axil_arprot} = 90'd0;
    {s_axil_awvalid, s_axil_wvalid, s_axil_bready, s_axil_arvalid, s_axil_rready} = 5'd0;
    {m_axi_rdata, m_axi_bid, m_axi_rid, m_axi_bresp, m_axi_rresp} = 76'd0;
    {m_axi_awready, m_axi_wready, m_axi_bvalid, m_axi_arready, m_axi_rlast, m_axi_rvalid} = 6'd0;
    {gmii_rxd, gmii_rx_dv, gmii_rx_er} = 10'd0;
    late_clk_o = 1'b0;
    late_tx_clk_o = 1'b0;
  end

  always @(clk_i) late_clk_o <= #1 clk_i;
  always @(tx_clk_i) late_tx_clk_o <= #1 tx_clk_i;

  assign #2 awaddr_o = s_axil_awaddr;
  assign #2 awprot_o = s_axil_awprot;
  assign #2 awvalid_o = s_axil_awvalid;
  assign #2 wdata_o = s_axil_wdata;
  assign #2 wstrb_o = s_axil_wstrb;
  assign #2 wvalid_o = s_axil_wvalid;
  assign #2 bready_o = s_axil_bready;
  assign #2 araddr_o = s_axil_araddr;
  assign #2 arprot_o = s_axil_arprot;
  assign #2 arvalid_o = s_axil_arvalid;
  assign #2 rready_o = s_axil_rready;
  assign #2 m_awready_o = m_axi_awready;
  assign #2 m_wready_o = m_axi_wready;
  assign #2 m_bid_o = m_axi_bid;
  assign #2 m_bresp_o = m_axi_bresp;
  assign #2 m_bvalid_o = m_axi_bvalid;
  assign #2 m_arready_o = m_axi_arready;
  assign #2 m_rid_o = m_axi_rid;
  assign #2 m_rdata_o = m_axi_rdata;
  assign #2 m_rresp_o = m_axi_rresp;
  assign #2 m_rlast_o = m_axi_rlast;
  assign #2 m_rvalid_o = m_axi_rvalid;
  assign #2 end_o = {gmii_rx_er, gmii_rx_dv, gmii_rxd};

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// One NIC in its harness: host memory and register bus (or, with Ends=1, the bare pins for cocotbext-axi and -eth), the wire, and
// all checkers. Once per system clock it lets the C library advance and keeps its control word. The wire is, by setting: the GMII
// ends, a loop of the NIC's own transmitter, or the other card.
`default_nettype none
`include "hostmem.svh"

module card #(
    parameter int Card = 0,
    parameter int Ends = 0, // 0: transactors, 1: cocotbext
    parameter int Streams = 1, // 0: u_nic is a netlist, without the MAC's streams by name
    parameter int NumTxQueues = 4,
    parameter int NumRxQueues = 4,
    parameter int NumVectors = 8,
    parameter int MaxReads = 16,
    parameter int MaxWrites = 8,
    parameter int MaxBurstBytes = 256,
    parameter int TxBufBytes = 32768,
    parameter int RxBufBytes = 32768,
    parameter int CacheDepth = 32,
    parameter int SysClkPs = 8000,
    parameter int NumVcs = 0
) (
    input  wire logic       clk_i,        // system clock
    input  wire logic       end_clk_i,    // of the GMII end that sends to this NIC
    input  wire logic       tx_clk_i,
    output      logic       wake_o,       // changes when Python has to look
    output      logic       reload_o,     // the clocks' settings have changed
    // -> the other card
    output wire logic [9:0] wire_o,       // {er, en, octet} of this NIC, in tx_clk_i
    input  wire logic       other_clk_i,
    input  wire logic [9:0] other_i
);

  wire logic clk, tx_clk; // the NIC's clocks; with Ends=1 a moment later than the models'
  logic [63:0] word;
  logic [12:0] ctl_q;
  wire logic rst_n = ctl_q[`CTL_RESET_N];

  initial begin
    ctl_q = 13'd0;
    wake_o = 1'b0;
    reload_o = 1'b0;
  end

  always @(posedge clk) begin
    word = `HM_CYCLE(Card);
    if (ctl_q != word[12:0]) ctl_q <= word[12:0];
    if (word[`CTL_WAKE]) wake_o <= !wake_o;
    if (reload_o != word[`CTL_RELOAD]) reload_o <= word[`CTL_RELOAD];
  end

  // ---- host side ----
  logic [63:0] m_axi_awaddr, m_axi_wdata, m_axi_araddr, m_axi_rdata;
  logic [7:0] m_axi_awlen, m_axi_arlen, m_axi_wstrb;
  logic [3:0] m_axi_awid, m_axi_arid, m_axi_bid, m_axi_rid, m_axi_awcache, m_axi_arcache;
  logic [2:0] m_axi_awsize, m_axi_arsize, m_axi_awprot, m_axi_arprot;
  logic [1:0] m_axi_awburst, m_axi_arburst, m_axi_bresp, m_axi_rresp;
  logic m_axi_awvalid, m_axi_awready, m_axi_wlast, m_axi_wvalid, m_axi_wready, m_axi_bvalid, m_axi_bready;
  logic m_axi_arvalid, m_axi_arready, m_axi_rlast, m_axi_rvalid, m_axi_rready;
  logic [31:0] s_axil_wdata, s_axil_rdata;
  logic [23:0] s_axil_awaddr, s_axil_araddr;
  logic [3:0] s_axil_wstrb;
  logic [2:0] s_axil_awprot, s_axil_arprot;
  logic [1:0] s_axil_bresp, s_axil_rresp;
  logic s_axil_awvalid, s_axil_awready, s_axil_wvalid, s_axil_wready, s_axil_bvalid, s_axil_bready;
  logic s_axil_arvalid, s_axil_arready, s_axil_rvalid, s_axil_rready;
  logic [NumVectors-1:0] irq;

  // ---- wire ----
  logic [7:0] end_d, rxd_q, gmii_txd;
  logic end_dv, end_er, rx_dv_q, rx_er_q, gmii_tx_en, gmii_tx_er;
  wire logic [1:0] mode = ctl_q[`CTL_WIRE];
  wire logic rx_clk = mode == 2'd0 ? end_clk_i : mode == 2'd1 ? tx_clk : other_clk_i;
  wire logic [9:0] line = mode == 2'd0 ? {end_er, end_dv, end_d} : mode == 2'd1 ? wire_o : other_i;
  wire logic line_changes = line != {rx_er_q, rx_dv_q, rxd_q};
  assign wire_o = {gmii_tx_er, gmii_tx_en, gmii_txd};

  // The pins change in the middle of the sender's cycle, as on a board: no race between the two NICs' clocks.
  initial {rx_er_q, rx_dv_q, rxd_q} = 10'd0;
  always @(negedge rx_clk) begin
    if (line_changes) {rx_er_q, rx_dv_q, rxd_q} <= line;
  end

  nic_1g #(
      .NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .NumVectors(NumVectors), .MaxReads(MaxReads),
      .MaxWrites(MaxWrites), .MaxBurstBytes(MaxBurstBytes), .TxBufBytes(TxBufBytes), .RxBufBytes(RxBufBytes),
      .CacheDepth(CacheDepth), .SysClkPs(SysClkPs), .NumVcs(NumVcs)
  ) u_nic (
      .clk_i(clk), .rst_ni(rst_n),
      .s_axil_awaddr(s_axil_awaddr), .s_axil_awprot(s_axil_awprot), .s_axil_awvalid(s_axil_awvalid),
      .s_axil_awready(s_axil_awready), .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb),
      .s_axil_wvalid(s_axil_wvalid), .s_axil_wready(s_axil_wready), .s_axil_bresp(s_axil_bresp),
      .s_axil_bvalid(s_axil_bvalid), .s_axil_bready(s_axil_bready), .s_axil_araddr(s_axil_araddr),
      .s_axil_arprot(s_axil_arprot), .s_axil_arvalid(s_axil_arvalid), .s_axil_arready(s_axil_arready),
      .s_axil_rdata(s_axil_rdata), .s_axil_rresp(s_axil_rresp), .s_axil_rvalid(s_axil_rvalid),
      .s_axil_rready(s_axil_rready),
      .m_axi_awid(m_axi_awid), .m_axi_awaddr(m_axi_awaddr), .m_axi_awlen(m_axi_awlen), .m_axi_awsize(m_axi_awsize),
      .m_axi_awburst(m_axi_awburst), .m_axi_awcache(m_axi_awcache), .m_axi_awprot(m_axi_awprot),
      .m_axi_awvalid(m_axi_awvalid), .m_axi_awready(m_axi_awready), .m_axi_wdata(m_axi_wdata),
      .m_axi_wstrb(m_axi_wstrb), .m_axi_wlast(m_axi_wlast), .m_axi_wvalid(m_axi_wvalid), .m_axi_wready(m_axi_wready),
      .m_axi_bid(m_axi_bid), .m_axi_bresp(m_axi_bresp), .m_axi_bvalid(m_axi_bvalid), .m_axi_bready(m_axi_bready),
      .m_axi_arid(m_axi_arid), .m_axi_araddr(m_axi_araddr), .m_axi_arlen(m_axi_arlen), .m_axi_arsize(m_axi_arsize),
      .m_axi_arburst(m_axi_arburst), .m_axi_arcache(m_axi_arcache), .m_axi_arprot(m_axi_arprot),
      .m_axi_arvalid(m_axi_arvalid), .m_axi_arready(m_axi_arready), .m_axi_rid(m_axi_rid), .m_axi_rdata(m_axi_rdata),
      .m_axi_rresp(m_axi_rresp), .m_axi_rlast(m_axi_rlast), .m_axi_rvalid(m_axi_rvalid), .m_axi_rready(m_axi_rready),
      .irq_o(irq),
      .gmii_rx_clk_i(rx_clk), .gmii_rxd_i(rxd_q), .gmii_rx_dv_i(rx_dv_q), .gmii_rx_er_i(rx_er_q),
      .gmii_tx_clk_i(tx_clk), .gmii_txd_o(gmii_txd), .gmii_tx_en_o(gmii_tx_en), .gmii_tx_er_o(gmii_tx_er),
      .link_up_i(ctl_q[`CTL_LINK])
  );

  // ---- the far ends ----
  generate
    if (Ends == 0) begin : gen_hdl
      assign clk = clk_i;
      assign tx_clk = tx_clk_i;
      axi_slave_mem #(.Card(Card)) u_memory (
          .clk_i(clk), .rst_ni(rst_n), .ctl_i(ctl_q),
          .s_axi_awid(m_axi_awid), .s_axi_awaddr(m_axi_awaddr), .s_axi_awlen(m_axi_awlen), .s_axi_awvalid(m_axi_awvalid),
          .s_axi_awready(m_axi_awready), .s_axi_wdata(m_axi_wdata), .s_axi_wstrb(m_axi_wstrb), .s_axi_wlast(m_axi_wlast),
          .s_axi_wvalid(m_axi_wvalid), .s_axi_wready(m_axi_wready), .s_axi_bid(m_axi_bid), .s_axi_bresp(m_axi_bresp),
          .s_axi_bvalid(m_axi_bvalid), .s_axi_bready(m_axi_bready), .s_axi_arid(m_axi_arid), .s_axi_araddr(m_axi_araddr),
          .s_axi_arlen(m_axi_arlen), .s_axi_arvalid(m_axi_arvalid), .s_axi_arready(m_axi_arready), .s_axi_rid(m_axi_rid),
          .s_axi_rdata(m_axi_rdata), .s_axi_rresp(m_axi_rresp), .s_axi_rlast(m_axi_rlast), .s_axi_rvalid(m_axi_rvalid),
          .s_axi_rready(m_axi_rready)
      );
      axil_master #(.Card(Card)) u_cpu (
          .clk_i(clk), .rst_ni(rst_n), .ctl_i(ctl_q),
          .m_axil_awaddr(s_axil_awaddr), .m_axil_awvalid(s_axil_awvalid), .m_axil_awready(s_axil_awready),
          .m_axil_wdata(s_axil_wdata), .m_axil_wvalid(s_axil_wvalid), .m_axil_wready(s_axil_wready),
          .m_axil_bresp(s_axil_bresp), .m_axil_bvalid(s_axil_bvalid), .m_axil_bready(s_axil_bready),
          .m_axil_araddr(s_axil_araddr), .m_axil_arvalid(s_axil_arvalid), .m_axil_arready(s_axil_arready),
          .m_axil_rdata(s_axil_rdata), .m_axil_rresp(s_axil_rresp), .m_axil_rvalid(s_axil_rvalid),
          .m_axil_rready(s_axil_rready)
      );
      assign s_axil_awprot = 3'd0;
      assign s_axil_arprot = 3'd0;
      assign s_axil_wstrb = 4'hF;
      gmii_source #(.Card(Card)) u_source (
          .clk_i(end_clk_i), .due_i(ctl_q[`CTL_SOURCE]), .gmii_d_o(end_d), .gmii_dv_o(end_dv), .gmii_er_o(end_er)
      );
    end else begin : gen_bare
      bare_pins u_pins (
          .clk_i(clk_i), .rst_ni(rst_n), .tx_clk_i(tx_clk_i), .end_clk_i(end_clk_i), .late_clk_o(clk), .late_tx_clk_o(tx_clk),
          .awaddr_o(s_axil_awaddr), .awprot_o(s_axil_awprot), .awvalid_o(s_axil_awvalid), .wdata_o(s_axil_wdata),
          .wstrb_o(s_axil_wstrb), .wvalid_o(s_axil_wvalid), .bready_o(s_axil_bready), .araddr_o(s_axil_araddr),
          .arprot_o(s_axil_arprot), .arvalid_o(s_axil_arvalid), .rready_o(s_axil_rready),
          .s_axil_awready(s_axil_awready), .s_axil_wready(s_axil_wready), .s_axil_bresp(s_axil_bresp),
          .s_axil_bvalid(s_axil_bvalid), .s_axil_arready(s_axil_arready), .s_axil_rdata(s_axil_rdata),
          .s_axil_rresp(s_axil_rresp), .s_axil_rvalid(s_axil_rvalid),
          .m_axi_awid(m_axi_awid), .m_axi_awaddr(m_axi_awaddr), .m_axi_awlen(m_axi_awlen), .m_axi_awsize(m_axi_awsize),
          .m_axi_awburst(m_axi_awburst), .m_axi_awcache(m_axi_awcache), .m_axi_awprot(m_axi_awprot),
          .m_axi_awvalid(m_axi_awvalid), .m_axi_wdata(m_axi_wdata), .m_axi_wstrb(m_axi_wstrb), .m_axi_wlast(m_axi_wlast),
          .m_axi_wvalid(m_axi_wvalid), .m_axi_bready(m_axi_bready), .m_axi_arid(m_axi_arid), .m_axi_araddr(m_axi_araddr),
          .m_axi_arlen(m_axi_arlen), .m_axi_arsize(m_axi_arsize), .m_axi_arburst(m_axi_arburst),
          .m_axi_arcache(m_axi_arcache), .m_axi_arprot(m_axi_arprot), .m_axi_arvalid(m_axi_arvalid),
          .m_axi_rready(m_axi_rready), .m_awready_o(m_axi_awready), .m_wready_o(m_axi_wready), .m_bid_o(m_axi_bid),
          .m_bresp_o(m_axi_bresp), .m_bvalid_o(m_axi_bvalid), .m_arready_o(m_axi_arready), .m_rid_o(m_axi_rid),
          .m_rdata_o(m_axi_rdata), .m_rresp_o(m_axi_rresp), .m_rlast_o(m_axi_rlast), .m_rvalid_o(m_axi_rvalid),
          .gmii_txd(gmii_txd), .gmii_tx_en(gmii_tx_en), .gmii_tx_er(gmii_tx_er), .end_o({end_er, end_dv, end_d})
      );
    end
  endgenerate

  irq_sink #(.Card(Card), .NumVectors(NumVectors)) u_irq (.clk_i(clk), .rst_ni(rst_n), .irq_i(irq));

  logic word_valid, word_first, word_last, word_error;
  logic [3:0] word_count;
  logic [5:0] word_gap;
  logic [63:0] word_octets, word_start;
  gmii_words u_words (
      .clk_i(tx_clk), .gmii_d_i(gmii_txd), .gmii_en_i(gmii_tx_en), .gmii_er_i(gmii_tx_er),
      .valid_o(word_valid), .first_o(word_first), .last_o(word_last), .error_o(word_error), .count_o(word_count),
      .octets_o(word_octets), .start_o(word_start), .gap_o(word_gap)
  );
  gmii_sink #(.Card(Card)) u_sink (
      .clk_i(tx_clk), .valid_i(word_valid), .last_i(word_last), .error_i(word_error), .count_i(word_count),
      .octets_i(word_octets), .start_i(word_start)
  );

  // ---- checkers ----
  check_gmii #(.Card(Card)) u_check_gmii (
      .clk_i(tx_clk), .rst_ni(rst_n), .gmii_en_i(gmii_tx_en), .gmii_er_i(gmii_tx_er), .valid_i(word_valid),
      .first_i(word_first), .last_i(word_last), .error_i(word_error), .count_i(word_count), .octets_i(word_octets),
      .gap_i(word_gap)
  );
  check_axi4 #(.Card(Card), .MaxReads(MaxReads), .MaxWrites(MaxWrites), .MaxBurstBytes(MaxBurstBytes)) u_check_axi4 (
      .clk_i(clk), .rst_ni(rst_n), .awid(m_axi_awid), .awaddr(m_axi_awaddr), .awlen(m_axi_awlen), .awsize(m_axi_awsize),
      .awburst(m_axi_awburst), .awcache(m_axi_awcache), .awvalid(m_axi_awvalid), .awready(m_axi_awready),
      .wdata(m_axi_wdata), .wstrb(m_axi_wstrb), .wlast(m_axi_wlast), .wvalid(m_axi_wvalid), .wready(m_axi_wready),
      .bvalid(m_axi_bvalid), .bready(m_axi_bready), .arid(m_axi_arid), .araddr(m_axi_araddr), .arlen(m_axi_arlen),
      .arsize(m_axi_arsize), .arburst(m_axi_arburst), .arcache(m_axi_arcache), .arvalid(m_axi_arvalid),
      .arready(m_axi_arready), .rvalid(m_axi_rvalid), .rlast(m_axi_rlast), .rready(m_axi_rready)
  );
  generate
    if (Streams == 1) begin : gen_streams
      check_axis #(.Card(Card)) u_check_axis_tx (
          .clk_i(tx_clk), .rst_ni(u_nic.u_mac_port.u_mac.tx_rst_ni), .tdata(u_nic.u_mac_port.u_mac.s_axis_tx_tdata),
          .tvalid(u_nic.u_mac_port.u_mac.s_axis_tx_tvalid), .tready(u_nic.u_mac_port.u_mac.s_axis_tx_tready),
          .tlast(u_nic.u_mac_port.u_mac.s_axis_tx_tlast), .tuser(u_nic.u_mac_port.u_mac.s_axis_tx_tuser)
      );
      check_axis #(.Card(Card)) u_check_axis_rx (
          .clk_i(rx_clk), .rst_ni(u_nic.u_mac_port.u_mac.rx_rst_ni), .tdata(u_nic.u_mac_port.u_mac.m_axis_rx_tdata),
          .tvalid(u_nic.u_mac_port.u_mac.m_axis_rx_tvalid), .tready(1'b1),
          .tlast(u_nic.u_mac_port.u_mac.m_axis_rx_tlast), .tuser(u_nic.u_mac_port.u_mac.m_axis_rx_tuser)
      );
    end
  endgenerate
  check_axil #(.Card(Card)) u_check_axil (
      .clk_i(clk), .rst_ni(rst_n), .awaddr(s_axil_awaddr), .awvalid(s_axil_awvalid), .awready(s_axil_awready),
      .wdata(s_axil_wdata), .wvalid(s_axil_wvalid), .wready(s_axil_wready), .bresp(s_axil_bresp), .bvalid(s_axil_bvalid),
      .bready(s_axil_bready), .araddr(s_axil_araddr), .arvalid(s_axil_arvalid), .arready(s_axil_arready),
      .rdata(s_axil_rdata), .rresp(s_axil_rresp), .rvalid(s_axil_rvalid), .rready(s_axil_rready)
  );

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// The host memory at the end of the NIC's AXI4 master. Moves beats; latency, order, errors, permissions and the bytes are in the C
// library (native/bus.c). `ctl_i` is HM_CYCLE's word of the last cycle: the ready lines, and whether an answer may be due.
`default_nettype none
`include "hostmem.svh"

module axi_slave_mem #(
    parameter int Card = 0
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic [12:0] ctl_i,
    // -> NIC's AXI4 master
    input  wire logic [3:0]  s_axi_awid,
    input  wire logic [63:0] s_axi_awaddr,
    input  wire logic [7:0]  s_axi_awlen,
    input  wire logic        s_axi_awvalid,
    output      logic        s_axi_awready,
    input  wire logic [63:0] s_axi_wdata,
    input  wire logic [7:0]  s_axi_wstrb,
    input  wire logic        s_axi_wlast,
    input  wire logic        s_axi_wvalid,
    output      logic        s_axi_wready,
    output      logic [3:0]  s_axi_bid,
    output      logic [1:0]  s_axi_bresp,
    output      logic        s_axi_bvalid,
    input  wire logic        s_axi_bready,
    input  wire logic [3:0]  s_axi_arid,
    input  wire logic [63:0] s_axi_araddr,
    input  wire logic [7:0]  s_axi_arlen,
    input  wire logic        s_axi_arvalid,
    output      logic        s_axi_arready,
    output      logic [3:0]  s_axi_rid,
    output      logic [63:0] s_axi_rdata,
    output      logic [1:0]  s_axi_rresp,
    output      logic        s_axi_rlast,
    output      logic        s_axi_rvalid,
    input  wire logic        s_axi_rready
);

  logic [63:0] answer, ignored;

  assign s_axi_arready = ctl_i[`CTL_ARREADY];
  assign s_axi_awready = ctl_i[`CTL_AWREADY];
  assign s_axi_wready = ctl_i[`CTL_WREADY];

  wire logic work = s_axi_arvalid || s_axi_awvalid || s_axi_wvalid || s_axi_rvalid || s_axi_bvalid || ctl_i[`CTL_R] || ctl_i[`CTL_B];

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s_axi_rvalid <= 1'b0;
      s_axi_bvalid <= 1'b0;
    end else if (work) begin
      if (s_axi_arvalid && s_axi_arready) ignored = `HM_AR(Card, s_axi_arid, s_axi_araddr, {1'b0, s_axi_arlen} + 9'd1);
      if (s_axi_awvalid && s_axi_awready) ignored = `HM_AW(Card, s_axi_awid, s_axi_awaddr, {1'b0, s_axi_awlen} + 9'd1);
      if (s_axi_wvalid && s_axi_wready) ignored = `HM_W(Card, s_axi_wdata, s_axi_wstrb, s_axi_wlast);
      if (!s_axi_rvalid || s_axi_rready) begin
        answer = ctl_i[`CTL_R] ? `HM_R(Card) : 64'd0;
        if (answer[0]) begin
          s_axi_rvalid <= 1'b1;
          s_axi_rid <= answer[7:4];
          s_axi_rresp <= answer[3:2];
          s_axi_rlast <= answer[1];
          s_axi_rdata <= `HM_RDATA(Card);
        end else if (s_axi_rvalid) begin
          s_axi_rvalid <= 1'b0;
        end
      end
      if (!s_axi_bvalid || s_axi_bready) begin
        answer = ctl_i[`CTL_B] ? `HM_B(Card) : 64'd0;
        if (answer[0]) begin
          s_axi_bvalid <= 1'b1;
          s_axi_bid <= answer[7:4];
          s_axi_bresp <= answer[3:2];
        end else if (s_axi_bvalid) begin
          s_axi_bvalid <= 1'b0;
        end
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// csr: every AXI4-Lite access is answered, once and in time, when the blocks behind it answer within the 40 cycles that they promise.
`default_nettype none

module csr_proof (
    input wire logic        clk_i,
    input wire logic [23:0] awaddr_i,
    input wire logic        awvalid_i,
    input wire logic [ 3:0] wstrb_i,
    input wire logic        wvalid_i,
    input wire logic        bready_i,
    input wire logic [23:0] araddr_i,
    input wire logic        arvalid_i,
    input wire logic        rready_i,
    input wire logic        qbus_ready_i,
    input wire logic        qbus_err_i,
    input wire logic        tx_stat_ready_i,
    input wire logic        rx_stat_ready_i,
    input wire logic [31:0] answer_i
);

  localparam logic [5:0] Promised = 6'd40;

  logic rst_nq = 1'b0;
  logic awready, wready, bvalid, arready, rvalid, qbus, vbus, tx_stat, rx_stat, asks, ready;
  logic [1:0] bresp, rresp, bresp_q, rresp_q;
  logic [31:0] rdata, rdata_q;
  logic writes_q, reads_q, waits_q; // an access is under way; its answer was offered in the cycle before
  logic [6:0] age_q; // cycles since it was taken
  logic [5:0] asked_q; // cycles that a block has been asked, of this access
  (* hierconn *) wire [2:0] \u_dut.state_q ;
  (* hierconn *) wire [2:0] \u_dut.target_q ;
  (* hierconn *) wire [1:0] \u_dut.settle_q ;
  (* hierconn *) wire \u_dut.write_q ;
  localparam logic [2:0] StIdle = 3'd0, StDecode = 3'd1, StRoute = 3'd2, StGlobal = 3'd3, StTable = 3'd4, StWait = 3'd5, StAnswer = 3'd6;
  localparam logic [2:0] ToQueue = 3'd5, ToVc = 3'd6;

  csr #(.NumVcs(0)) u_dut (
      .clk_i, .rst_ni(rst_nq), .s_axil_awaddr(awaddr_i), .s_axil_awvalid(awvalid_i), .s_axil_awready(awready), .s_axil_wdata(answer_i),
      .s_axil_wstrb(wstrb_i), .s_axil_wvalid(wvalid_i), .s_axil_wready(wready), .s_axil_bresp(bresp), .s_axil_bvalid(bvalid),
      .s_axil_bready(bready_i), .s_axil_araddr(araddr_i), .s_axil_arvalid(arvalid_i), .s_axil_arready(arready), .s_axil_rdata(rdata),
      .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(rready_i),
      .qbus_valid_o(qbus), .qbus_ready_i, .qbus_rdata_i(answer_i), .qbus_err_i,
      .vbus_valid_o(vbus), .vbus_ready_i(1'b0), .vbus_rdata_i(answer_i), .vbus_err_i(1'b0), .vc_off_i(1'b0),
      .reset_busy_i(1'b0), .tx_error_i(1'b0), .rx_error_i(1'b0), .tbl_rdata_i(answer_i),
      .tx_stat_valid_o(tx_stat), .rx_stat_valid_o(rx_stat), .tx_stat_ready_i, .tx_stat_rdata_i(answer_i), .rx_stat_ready_i,
      .rx_stat_rdata_i(answer_i), .stats_busy_i(1'b0), .link_up_i(1'b1), .dma_idle_i(1'b1), .tx_clk_alive_i(1'b1), .rx_clk_alive_i(1'b1)
  );

  assign asks = qbus || vbus || tx_stat || rx_stat;
  assign ready = (qbus && qbus_ready_i) || (tx_stat && tx_stat_ready_i) || (rx_stat && rx_stat_ready_i);

  always_ff @(posedge clk_i) begin
    rst_nq <= 1'b1;
    {bresp_q, rresp_q, rdata_q} <= {bresp, rresp, rdata};
    if (!rst_nq) begin
      {writes_q, reads_q, waits_q} <= 3'b000;
      asked_q <= 6'd0;
    end else begin
      assume (asked_q != Promised || ready || !asks);
      if (awvalid_i && awready) writes_q <= 1'b1;
      else if (bvalid && bready_i) writes_q <= 1'b0;
      if (arvalid_i && arready) reads_q <= 1'b1;
      else if (rvalid && rready_i) reads_q <= 1'b0;
      if ((awvalid_i && awready) || (arvalid_i && arready)) age_q <= 7'd1;
      else if (!bvalid && !rvalid) age_q <= age_q + 7'd1;
      waits_q <= (bvalid && !bready_i) || (rvalid && !rready_i);
      if ((awvalid_i && awready) || (arvalid_i && arready)) asked_q <= 6'd0;
      else if (asks && !ready) asked_q <= asked_q + 6'd1;
    end
    if (rst_nq) begin
      taken: assert (awready == wready && !(awready && arready) && ((writes_q || reads_q) ? !awready && !arready
                     : awready == (awvalid_i && wvalid_i) && arready == (arvalid_i && !awready)));
      in_time: assert (!(writes_q || reads_q) || bvalid || rvalid || (age_q < 7'd64 && age_q <= 7'd5 + {1'b0, asked_q}));
      once: assert ((!bvalid || writes_q) && (!rvalid || reads_q) && !(writes_q && reads_q));
      holds: assert (!waits_q || ((bvalid || rvalid) && {bresp, rresp, rdata} == {bresp_q, rresp_q, rdata_q}));
      inv_way: assert ((writes_q || reads_q) == (\u_dut.state_q != StIdle) && (writes_q == \u_dut.write_q || !writes_q && !reads_q));
      inv_state: assert (\u_dut.state_q <= StAnswer && (bvalid || rvalid) == (\u_dut.state_q == StAnswer));
      inv_target: assert (\u_dut.state_q != StRoute || (\u_dut.target_q != ToQueue && \u_dut.target_q != ToVc));
      inv_asks: assert (asks == (\u_dut.state_q == StWait) && !vbus && 2'(qbus) + 2'(tx_stat) + 2'(rx_stat) <= 2'd1);
      inv_asked: assert (asked_q <= Promised && (\u_dut.state_q == StWait || \u_dut.state_q == StAnswer || \u_dut.state_q == StIdle || asked_q == 6'd0));
      inv_settle: assert (\u_dut.state_q == StGlobal || \u_dut.state_q == StTable ? \u_dut.settle_q <= 2'd2
                          : \u_dut.settle_q == 2'd0 || (\u_dut.state_q == StAnswer && \u_dut.settle_q == 2'd3));
      inv_waits: assert (!waits_q || \u_dut.state_q == StAnswer);
      inv_age: assert (\u_dut.state_q == StIdle || \u_dut.state_q == StAnswer || age_q <= 7'd3 + {1'b0, asked_q} + 7'(\u_dut.settle_q ));
      inv_decode: assert (\u_dut.state_q != StDecode || age_q == 7'd1);
      inv_route: assert (\u_dut.state_q != StRoute || age_q == 7'd2);
      late: cover (age_q == 7'd10 && rvalid && rresp == 2'b00);
      refused: cover (bvalid && bresp == 2'b10 && waits_q);
    end
  end

endmodule

`default_nettype wire

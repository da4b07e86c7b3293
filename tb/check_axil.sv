// SPDX-License-Identifier: Apache-2.0
// Rules of the register bus, AXI4-Lite (AMBA IHI0022 and docs/nic.md); the master is the harness, the slave the NIC.
// AXIL-01 B and R stay until accepted   AXIL-02 no response without a request   AXIL-03 an access is answered within 64 cycles
// AXIL-04 handshakes and answers known  AXIL-05 responses are OKAY or SLVERR     AXIL-06 the master's AW, W, AR stay until accepted
`default_nettype none
`include "hostmem.svh"

module check_axil #(
    parameter int Card = 0
) (
    input wire logic        clk_i,
    input wire logic        rst_ni,
    input wire logic [23:0] awaddr,
    input wire logic        awvalid,
    input wire logic        awready,
    input wire logic [31:0] wdata,
    input wire logic        wvalid,
    input wire logic        wready,
    input wire logic [1:0]  bresp,
    input wire logic        bvalid,
    input wire logic        bready,
    input wire logic [23:0] araddr,
    input wire logic        arvalid,
    input wire logic        arready,
    input wire logic [31:0] rdata,
    input wire logic [1:0]  rresp,
    input wire logic        rvalid,
    input wire logic        rready
);

  logic [33:0] r_q;
  logic [31:0] w_q;
  logic [23:0] aw_q, ar_q;
  logic [6:0] age_q;
  logic [1:0] b_q;
  logic b_wait_q, r_wait_q, aw_wait_q, w_wait_q, ar_wait_q, aw_done_q, w_done_q, ar_done_q;

  wire logic busy = awvalid || wvalid || arvalid || aw_done_q || w_done_q || ar_done_q;

  wire logic look = busy || bvalid || rvalid || age_q != 7'd0;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {b_wait_q, r_wait_q, aw_wait_q, w_wait_q, ar_wait_q, aw_done_q, w_done_q, ar_done_q} <= 8'd0;
      age_q <= 7'd0;
    end else if (look !== 1'b0) begin
      if (^{awready, wready, arready, bvalid, rvalid} === 1'bx)
        `BREACH(Card, "AXIL-04", "a valid or ready of s_axil is unknown");
      else begin
        // the NIC's answers
        if (b_wait_q && (!bvalid || bresp !== b_q)) `BREACH(Card, "AXIL-01", "s_axil_b* changed before s_axil_bready");
        if (r_wait_q && (!rvalid || {rdata, rresp} !== r_q)) `BREACH(Card, "AXIL-01", "s_axil_r* changed before s_axil_rready");
        if (bvalid && !(aw_done_q && w_done_q)) `BREACH(Card, "AXIL-02", "s_axil_bvalid without a write");
        if (rvalid && !ar_done_q) `BREACH(Card, "AXIL-02", "s_axil_rvalid without a read");
        if (bvalid && (^bresp === 1'bx)) `BREACH(Card, "AXIL-04", "s_axil_bresp is unknown");
        if (rvalid && (^{rresp, rdata} === 1'bx)) `BREACH(Card, "AXIL-04", "s_axil_rresp or s_axil_rdata is unknown");
        if ((bvalid && bresp[0]) || (rvalid && rresp[0])) `BREACH(Card, "AXIL-05", "a response is neither OKAY nor SLVERR");
        if (age_q == 7'd64) `BREACH(Card, "AXIL-03", "no answer within 64 cycles");
        // the harness's requests
        if (aw_wait_q && (!awvalid || awaddr !== aw_q)) `BREACH(Card, "AXIL-06", "s_axil_aw* changed before s_axil_awready");
        if (w_wait_q && (!wvalid || wdata !== w_q)) `BREACH(Card, "AXIL-06", "s_axil_w* changed before s_axil_wready");
        if (ar_wait_q && (!arvalid || araddr !== ar_q)) `BREACH(Card, "AXIL-06", "s_axil_ar* changed before s_axil_arready");
        b_q <= bresp;
        r_q <= {rdata, rresp};
        aw_q <= awaddr;
        ar_q <= araddr;
        w_q <= wdata;
        b_wait_q <= bvalid && !bready;
        r_wait_q <= rvalid && !rready;
        aw_wait_q <= awvalid && !awready;
        w_wait_q <= wvalid && !wready;
        ar_wait_q <= arvalid && !arready;
        if (awvalid && awready) aw_done_q <= 1'b1;
        if (wvalid && wready) w_done_q <= 1'b1;
        if (arvalid && arready) ar_done_q <= 1'b1;
        if (bvalid && bready) begin
          aw_done_q <= 1'b0;
          w_done_q <= 1'b0;
        end
        if (rvalid && rready) ar_done_q <= 1'b0;
        // counts while everything that the master owes has been offered and nothing has been answered
        if (bvalid || rvalid || !busy) age_q <= 7'd0;
        else if (((awvalid || aw_done_q) && (wvalid || w_done_q)) || arvalid || ar_done_q) age_q <= age_q + 7'd1;
      end
    end
  end

endmodule

`default_nettype wire

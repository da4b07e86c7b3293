// SPDX-License-Identifier: Apache-2.0
// Rules of the NIC's AXI4 master (AMBA IHI0022 and docs/nic.md). AXI-08 (wlast), AXI-12 to 14 are judged in native/bus.c.
// AXI-01 AR, AXI-02 AW, AXI-03 W: valid and payload stay until accepted   AXI-04 payload and handshakes known
// AXI-05 no burst crosses 4 KiB   AXI-06 INCR bursts of whole 64-bit words, AxCACHE 0011   AXI-07 at most MaxBurstBytes
// AXI-09 strobes: contiguous, and full between the first and last beat    AXI-10 at most MaxReads, MaxWrites outstanding
// AXI-11 only the ids of docs/nic.md                                      AXI-15 nothing valid in reset
`default_nettype none
`include "hostmem.svh"

module check_axi4 #(
    parameter int Card = 0,
    parameter int MaxReads = 16,
    parameter int MaxWrites = 8,
    parameter int MaxBurstBytes = 256
) (
    input wire logic        clk_i,
    input wire logic        rst_ni,
    input wire logic [3:0]  awid,
    input wire logic [63:0] awaddr,
    input wire logic [7:0]  awlen,
    input wire logic [2:0]  awsize,
    input wire logic [1:0]  awburst,
    input wire logic [3:0]  awcache,
    input wire logic        awvalid,
    input wire logic        awready,
    input wire logic [63:0] wdata,
    input wire logic [7:0]  wstrb,
    input wire logic        wlast,
    input wire logic        wvalid,
    input wire logic        wready,
    input wire logic        bvalid,
    input wire logic        bready,
    input wire logic [3:0]  arid,
    input wire logic [63:0] araddr,
    input wire logic [7:0]  arlen,
    input wire logic [2:0]  arsize,
    input wire logic [1:0]  arburst,
    input wire logic [3:0]  arcache,
    input wire logic        arvalid,
    input wire logic        arready,
    input wire logic        rvalid,
    input wire logic        rlast,
    input wire logic        rready
);

  logic [84:0] ar_q, aw_q;  // what waits for ready, under ar_wait_q and aw_wait_q
  logic [72:0] w_q;
  logic ar_wait_q, aw_wait_q, w_wait_q, w_first_q, reset_seen_q;
  logic [7:0] reads_q, writes_q;

  // Nets cost the simulator nothing while they stand; the clocked block looks at them.
  wire logic ar_look = arvalid || ar_wait_q;
  wire logic aw_look = awvalid || aw_wait_q;
  wire logic w_look = wvalid || w_wait_q;
  wire logic look = ar_look || aw_look || w_look || rvalid || bvalid;
  wire logic parity = ^{arvalid, awvalid, wvalid, bready, rready}; // unknown when one of them is
  wire logic [84:0] ar = {arid, araddr, arlen, arsize, arburst, arcache};
  wire logic [84:0] aw = {awid, awaddr, awlen, awsize, awburst, awcache};
  wire logic ar_taken = arvalid && arready;
  wire logic aw_taken = awvalid && awready;
  wire logic w_taken = wvalid && wready;
  wire logic r_ends = rvalid && rready && rlast;
  wire logic b_taken = bvalid && bready;

  // From the address to the last byte of the burst's words in one 4 KiB page: 512 words.
  function automatic logic crosses(input logic [63:0] address, input logic [7:0] len);
    return {1'b0, address[11:3]} + {2'b00, len} > 10'd511;
  endfunction

  // Set bits without a hole between them.
  function automatic logic contiguous(input logic [7:0] strobe);
    logic [7:0] filled;
    filled = strobe | (strobe - 8'd1); // fill below the lowest set bit
    return strobe == 8'h00 || (filled & (filled + 8'd1)) == 8'h00;
  endfunction

  initial begin
    ar_wait_q = 1'b0;
    aw_wait_q = 1'b0;
    w_wait_q = 1'b0;
    w_first_q = 1'b1;
    reads_q = 8'd0;
    writes_q = 8'd0;
    reset_seen_q = 1'b0;
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ar_wait_q <= 1'b0;
      aw_wait_q <= 1'b0;
      w_wait_q <= 1'b0;
      w_first_q <= 1'b1;
      reads_q <= 8'd0;
      writes_q <= 8'd0;
    end else if (look !== 1'b0) begin
      if (parity === 1'bx) `BREACH(Card, "AXI-04", "a valid or ready of m_axi is unknown");
      // what was offered and not taken has to be there still
      if (ar_look) begin
        if (ar_wait_q && (!arvalid || ar !== ar_q)) `BREACH(Card, "AXI-01", "m_axi_ar* changed before m_axi_arready");
        ar_wait_q <= arvalid && !arready;
        ar_q <= ar;
      end
      if (aw_look) begin
        if (aw_wait_q && (!awvalid || aw !== aw_q)) `BREACH(Card, "AXI-02", "m_axi_aw* changed before m_axi_awready");
        aw_wait_q <= awvalid && !awready;
        aw_q <= aw;
      end
      if (w_look) begin
        if (w_wait_q && (!wvalid || {wdata, wstrb, wlast} !== w_q)) `BREACH(Card, "AXI-03", "m_axi_w* changed before m_axi_wready");
        w_wait_q <= wvalid && !wready;
        if (!w_taken) w_q <= {wdata, wstrb, wlast};
      end
      // addresses
      if (ar_taken) begin
        if (^ar === 1'bx) `BREACH(Card, "AXI-04", "m_axi_ar* is unknown");
        if (crosses(araddr, arlen)) `BREACH(Card, "AXI-05", "m_axi_araddr, m_axi_arlen: the burst crosses 4 KiB");
        if (arsize != 3'd3 || arburst != 2'b01 || arcache != 4'b0011)
          `BREACH(Card, "AXI-06", "m_axi_arsize, arburst or arcache");
        if ({21'd0, arlen, 3'd0} >= MaxBurstBytes) `BREACH(Card, "AXI-07", "m_axi_arlen: longer than MaxBurstBytes");
        if (arid > 4'd2) `BREACH(Card, "AXI-11", "m_axi_arid is none of docs/nic.md");
        if (reads_q >= 8'(MaxReads)) `BREACH(Card, "AXI-10", "m_axi_arvalid: more than MaxReads outstanding");
      end
      if (aw_taken) begin
        if (^aw === 1'bx) `BREACH(Card, "AXI-04", "m_axi_aw* is unknown");
        if (crosses(awaddr, awlen)) `BREACH(Card, "AXI-05", "m_axi_awaddr, m_axi_awlen: the burst crosses 4 KiB");
        if (awsize != 3'd3 || awburst != 2'b01 || awcache != 4'b0011)
          `BREACH(Card, "AXI-06", "m_axi_awsize, awburst or awcache");
        if ({21'd0, awlen, 3'd0} >= MaxBurstBytes) `BREACH(Card, "AXI-07", "m_axi_awlen: longer than MaxBurstBytes");
        if (awid > 4'd1) `BREACH(Card, "AXI-11", "m_axi_awid is none of docs/nic.md");
        if (writes_q >= 8'(MaxWrites)) `BREACH(Card, "AXI-10", "m_axi_awvalid: more than MaxWrites outstanding");
      end
      if (w_taken) begin
        w_first_q <= wlast;
        if (^{wstrb, wlast} === 1'bx) `BREACH(Card, "AXI-04", "m_axi_wstrb or m_axi_wlast is unknown");
        // full strobes have no hole
        if (wstrb != 8'hFF && (!contiguous(wstrb) || (!wlast && !wstrb[7]) || (!w_first_q && !wstrb[0])))
          `BREACH(Card, "AXI-09", "m_axi_wstrb has a hole");
      end
      // outstanding
      if (ar_taken != r_ends) reads_q <= ar_taken ? reads_q + 8'd1 : reads_q - 8'd1;
      if (aw_taken != b_taken) writes_q <= aw_taken ? writes_q + 8'd1 : writes_q - 8'd1;
    end
  end

  // Reset asserts asynchronously; a cycle later nothing may be valid.
  wire logic in_reset = !rst_ni || reset_seen_q;

  always @(posedge clk_i) begin
    if (in_reset !== 1'b0) begin
      if (!rst_ni && reset_seen_q && (arvalid !== 1'b0 || awvalid !== 1'b0 || wvalid !== 1'b0))
        `BREACH(Card, "AXI-15", "m_axi_arvalid, awvalid or wvalid in reset");
      reset_seen_q <= !rst_ni;
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// dma_write with bursts of 64 bytes and 2 outstanding, on the address channel: a segment of any address and length is cut into bursts that
// follow one another, never cross a boundary of 64 bytes (hence of 4 KiB), and have as many beats as awlen says. Completions are aligned to
// their 32 bytes.
`default_nettype none

module dma_write_proof (
    input wire logic        clk_i,
    input wire logic        seg_valid_i,
    input wire logic [63:0] seg_addr_i,
    input wire logic [15:0] seg_len_i,
    input wire logic        seg_last_i,
    input wire logic        word_valid_i,
    input wire logic        cpl_valid_i,
    input wire logic [58:0] cpl_addr_i,
    input wire logic        awready_i,
    input wire logic        wready_i,
    input wire logic        bvalid_i,
    input wire logic        bid_i
);

  localparam logic [1:0] StPick = 2'd0;

  logic rst_nq = 1'b0;
  logic seg_ready, word_ready, ack, resp, cpl_ready, awvalid, wvalid, wlast, bready, idle;
  logic [3:0] awid, awid_q;
  logic [63:0] awaddr, awaddr_q, wdata, wdata_q;
  logic [7:0] awlen, awlen_q, wstrb, wstrb_q;
  logic wlast_q, aw_waits_q, w_waits_q, data, begins, open;
  logic [60:0] next_q; // bus word that the segment goes on with
  logic [13:0] left_q; // its words from there on
  logic [16:0] end_byte;
  logic [8:0] beats_q; // of the last burst, that have not been loaded
  logic cpl_waits_q;
  logic [58:0] cpl_addr_q;
  (* hierconn *) wire [1:0] \u_dut.state_q ;
  (* hierconn *) wire \u_dut.seg_valid_q ;
  (* hierconn *) wire \u_dut.seg_sized_q ;
  (* hierconn *) wire \u_dut.seg_empty_q ;
  (* hierconn *) wire [63:0] \u_dut.seg_addr_q ;
  (* hierconn *) wire [15:0] \u_dut.seg_len_m1_q ;
  (* hierconn *) wire [16:0] \u_dut.end_q ;
  (* hierconn *) wire [7:0] \u_dut.beats_q ;
  (* hierconn *) wire \u_dut.w_load ;
  (* hierconn *) wire \u_dut.w_last ;

  dma_write #(.MaxWrites(2), .MaxBurstBytes(64)) u_dut (
      .clk_i, .rst_ni(rst_nq), .seg_valid_i, .seg_ready_o(seg_ready), .seg_addr_i, .seg_len_i, .seg_last_i, .word_valid_i,
      .word_ready_o(word_ready), .word_data_i(64'd0), .ack_valid_o(ack), .cpl_valid_i, .cpl_ready_o(cpl_ready),
      .cpl_addr_i({cpl_addr_i, 5'd0}), .cpl_data_i(256'd0), .resp_valid_o(resp), .idle_o(idle), .m_axi_awid(awid), .m_axi_awaddr(awaddr),
      .m_axi_awlen(awlen), .m_axi_awvalid(awvalid), .m_axi_awready(awready_i), .m_axi_wdata(wdata), .m_axi_wstrb(wstrb),
      .m_axi_wlast(wlast), .m_axi_wvalid(wvalid), .m_axi_wready(wready_i), .m_axi_bid({3'd0, bid_i}), .m_axi_bresp(2'd0),
      .m_axi_bvalid(bvalid_i), .m_axi_bready(bready)
  );

  logic [60:0] aw_from;
  assign aw_from = awaddr[63:3];
  assign data = awid == nic_1g_pkg::AXI_WRITE_ID_RX_DATA;
  assign begins = awvalid && !aw_waits_q;
  assign end_byte = {14'd0, seg_addr_i[2:0]} + {1'b0, seg_len_i} - 17'd1;

  // words of the segment that no burst has been made for
  logic [13:0] rest;
  logic [16:0] end_now;
  assign end_now = \u_dut.seg_sized_q ? \u_dut.end_q : {11'd0, \u_dut.seg_addr_q [5:0]} + {1'b0, \u_dut.seg_len_m1_q };
  assign open = \u_dut.seg_valid_q && !\u_dut.seg_empty_q ;
  assign rest = open ? end_now[16:3] - {11'd0, \u_dut.seg_addr_q [5:3]} + 14'd1 : 14'd0;

  always_ff @(posedge clk_i) begin
    rst_nq <= 1'b1;
    {awid_q, awaddr_q, awlen_q} <= {awid, awaddr, awlen};
    {wdata_q, wstrb_q, wlast_q} <= {wdata, wstrb, wlast};
    cpl_addr_q <= cpl_addr_i;
    if (!rst_nq) begin
      {aw_waits_q, w_waits_q, cpl_waits_q} <= 3'b000;
      left_q <= 14'd0;
      beats_q <= 9'd0;
      assume (!seg_valid_i && !cpl_valid_i);
    end else begin
      assume (!seg_valid_i || seg_len_i != 16'd0 || seg_last_i);
      assume (!cpl_waits_q || (cpl_valid_i && cpl_addr_i == cpl_addr_q));
      cpl_waits_q <= cpl_valid_i && !cpl_ready;
      aw_waits_q <= awvalid && !awready_i;
      w_waits_q <= wvalid && !wready_i;
      if (seg_valid_i && seg_ready) begin
        next_q <= seg_addr_i[63:3];
        left_q <= seg_len_i == 16'd0 ? 14'd0 : end_byte[16:3] + 14'd1;
      end else if (begins && data) begin
        next_q <= next_q + {53'd0, awlen} + 61'd1;
        left_q <= left_q - {6'd0, awlen} - 14'd1;
      end
      if (begins) beats_q <= {1'b0, awlen} + 9'd1 - 9'(\u_dut.w_load );
      else if (\u_dut.w_load ) beats_q <= beats_q - 9'd1;
    end
    if (rst_nq) begin
      in_block: assert (!awvalid || {1'b0, awaddr[5:3]} + awlen[3:0] <= 4'd7 && awlen[7:4] == 4'd0);
      follows: assert (!(begins && data) || (aw_from == next_q && {6'd0, awlen} < left_q));
      whole: assert (!(seg_valid_i && seg_ready) || left_q == (begins && data ? {6'd0, awlen} + 14'd1 : 14'd0));
      aw_holds: assert (!aw_waits_q || (awvalid && {awid, awaddr, awlen} == {awid_q, awaddr_q, awlen_q}));
      w_holds: assert (!w_waits_q || (wvalid && {wdata, wstrb, wlast} == {wdata_q, wstrb_q, wlast_q}));
      beats: assert (!\u_dut.w_load || \u_dut.w_last == ((begins ? {1'b0, awlen} + 9'd1 : beats_q) == 9'd1));
      inv_state: assert (\u_dut.state_q != 2'd3 && (\u_dut.seg_valid_q || !\u_dut.seg_sized_q ));
      inv_left: assert (left_q == rest + (begins && data ? {6'd0, awlen} + 14'd1 : 14'd0));
      inv_next: assert (!open || \u_dut.seg_addr_q [63:3] == next_q + (begins && data ? {53'd0, awlen} + 61'd1 : 61'd0));
      inv_from: assert (!(begins && data) || aw_from == next_q);
      inv_end: assert (!open || (end_now[16:3] >= {11'd0, \u_dut.seg_addr_q [5:3]} && end_now <= 17'h1003e));
      inv_beats: assert ((begins ? {1'b0, awlen} + 9'd1 : beats_q) == (\u_dut.state_q == StPick ? 9'd0 : {1'b0, \u_dut.beats_q } + 9'd1));
      crosses: cover (begins && data && left_q == 14'd2 && awlen == 8'd1 && awaddr[11:0] == 12'd0);
      last: cover (wvalid && wlast && wready_i && awlen == 8'd2);
    end
  end

endmodule

`default_nettype wire

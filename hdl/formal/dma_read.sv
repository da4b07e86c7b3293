// SPDX-License-Identifier: Apache-2.0
// dma_read with bursts of 64 bytes and 2 outstanding: the bursts of a request, of any address and length, cover its bus words once and in
// order, never cross a boundary of 64 bytes (hence of 4 KiB), and every source gets its turn.
`default_nettype none

module dma_read_proof (
    input wire logic        clk_i,
    input wire logic        td_valid_i,
    input wire logic        rd_valid_i,
    input wire logic        tx_valid_i,
    input wire logic [63:0] addr_i,
    input wire logic [15:0] len_i,
    input wire logic        txd_ready_i,
    input wire logic        arready_i,
    input wire logic [ 1:0] rid_i,
    input wire logic        rlast_i,
    input wire logic        rvalid_i
);

  localparam logic [1:0] StPick = 2'd0, StSize = 2'd1, StSend = 2'd2;

  (* anyconst *) logic [1:0] source; // the one that is followed
  logic rst_nq = 1'b0;
  logic td_ready, rd_ready, tx_ready, arvalid, rready, idle, accept, open, begins;
  logic [3:0] arid, arid_q;
  logic [63:0] araddr, araddr_q;
  logic [7:0] arlen, arlen_q;
  logic waits_q; // an address was offered in the cycle before, and not taken
  logic [60:0] next_q; // bus word that is asked for next
  logic [13:0] left_q; // words of the request after it, and itself
  logic [16:0] end_byte;
  logic [1:0] under_way_q; // bursts
  logic [1:0] others_q, turn; // bursts of others that began while the source had something to ask for; how many may still begin
  (* hierconn *) wire [1:0] \u_dut.state_q ;
  (* hierconn *) wire [2:0] \u_dut.open_q ;
  (* hierconn *) wire [1:0] \u_dut.sel_q ;
  (* hierconn *) wire [1:0] \u_dut.last_q ;
  (* hierconn *) wire [6:0] \u_dut.reads_q ;
  (* hierconn *) wire [63:0] \u_dut.addr0_q ;
  (* hierconn *) wire [63:0] \u_dut.addr1_q ;
  (* hierconn *) wire [63:0] \u_dut.addr2_q ;
  (* hierconn *) wire [16:0] \u_dut.end0_q ;
  (* hierconn *) wire [16:0] \u_dut.end1_q ;
  (* hierconn *) wire [16:0] \u_dut.end2_q ;

  dma_read #(.MaxReads(2), .MaxBurstBytes(64)) u_dut (
      .clk_i, .rst_ni(rst_nq), .idle_o(idle), .td_valid_i, .td_ready_o(td_ready), .td_addr_i(addr_i), .td_len_i(len_i),
      .rd_valid_i, .rd_ready_o(rd_ready), .rd_addr_i(addr_i), .rd_len_i(len_i), .tx_valid_i, .tx_ready_o(tx_ready),
      .tx_addr_i(addr_i), .tx_len_i(len_i), .txd_ready_i, .m_axi_arid(arid), .m_axi_araddr(araddr), .m_axi_arlen(arlen),
      .m_axi_arvalid(arvalid), .m_axi_arready(arready_i), .m_axi_rid({2'd0, rid_i}), .m_axi_rdata(64'd0), .m_axi_rresp(2'd0),
      .m_axi_rlast(rlast_i), .m_axi_rvalid(rvalid_i), .m_axi_rready(rready)
  );

  // ---- the followed source ----
  logic [63:0] own_addr;
  logic [16:0] own_end;
  assign accept = source == 2'd0 ? td_valid_i && td_ready : source == 2'd1 ? rd_valid_i && rd_ready : tx_valid_i && tx_ready;
  assign open = \u_dut.open_q [source];
  assign own_addr = source == 2'd0 ? \u_dut.addr0_q : source == 2'd1 ? \u_dut.addr1_q : \u_dut.addr2_q ;
  assign own_end = source == 2'd0 ? \u_dut.end0_q : source == 2'd1 ? \u_dut.end1_q : \u_dut.end2_q ;
  assign begins = arvalid && !waits_q && arid[1:0] == source;
  assign end_byte = {14'd0, addr_i[2:0]} + {1'b0, len_i} - 17'd1;

  function automatic logic [1:0] after(input logic [1:0] last); // sources whose turn comes before that of the followed one
    case ({last, source})
      4'b0001, 4'b0110, 4'b1000: after = 2'd0;
      4'b0010, 4'b0100, 4'b1001: after = 2'd1;
      default: after = 2'd2;
    endcase
  endfunction
  assign turn = \u_dut.state_q == StSize ? (\u_dut.sel_q == source ? 2'd0 : 2'd1 + after(\u_dut.sel_q )) : after(\u_dut.last_q );

  always_ff @(posedge clk_i) begin
    rst_nq <= 1'b1;
    {arid_q, araddr_q, arlen_q} <= {arid, araddr, arlen};
    assume (source != 2'd3);
    if (!rst_nq) begin
      waits_q <= 1'b0;
      left_q <= 14'd0;
      under_way_q <= 2'd0;
      others_q <= 2'd0;
    end else begin
      assume (len_i != 16'd0);
      assume (!rvalid_i || (under_way_q != 2'd0 && rid_i != 2'd3));
      waits_q <= arvalid && !arready_i;
      under_way_q <= under_way_q + 2'(arvalid && arready_i) - 2'(rvalid_i && rready && rlast_i);
      if (accept) begin
        next_q <= addr_i[63:3];
        left_q <= end_byte[16:3] + 14'd1;
      end else if (begins) begin
        next_q <= next_q + {53'd0, arlen} + 61'd1;
        left_q <= left_q - {6'd0, arlen} - 14'd1;
      end
      if (!open || (\u_dut.state_q == StSize && \u_dut.sel_q == source)) others_q <= 2'd0;
      else if (\u_dut.state_q == StSize) others_q <= others_q + 2'd1;
    end
    if (rst_nq) begin
      in_block: assert (!arvalid || arid[1:0] != source || {1'b0, araddr[5:3]} + arlen[3:0] <= 4'd7 && arlen[7:4] == 4'd0 && araddr[2:0] == 3'd0);
      covers: assert (!begins || (araddr[63:3] == next_q && {6'd0, arlen} < left_q));
      whole: assert (!accept || (left_q == {6'd0, arlen} + 14'd1 && begins) || left_q == 14'd0);
      holds: assert (!waits_q || (arvalid && {arid, araddr, arlen} == {arid_q, araddr_q, arlen_q}));
      at_most: assert (under_way_q <= 2'd2 && (!idle || under_way_q == 2'd0));
      turns: assert (others_q != 2'd3);
      inv_reads: assert (\u_dut.reads_q == {5'd0, under_way_q} + 7'(arvalid) && \u_dut.reads_q <= 7'd2);
      inv_size: assert (\u_dut.state_q != 2'd3 && (\u_dut.state_q != StSize || (\u_dut.open_q [\u_dut.sel_q ] && \u_dut.reads_q <= 7'd1)));
      inv_sel: assert (\u_dut.sel_q != 2'd3 && \u_dut.last_q != 2'd3 && arid[3:2] == 2'd0);
      inv_left: assert (left_q == (begins ? {6'd0, arlen} + 14'd1 : 14'd0) + (open ? own_end[16:3] - {11'd0, own_addr[5:3]} + 14'd1 : 14'd0));
      inv_end: assert (!open || (own_end[16:3] >= {11'd0, own_addr[5:3]} && own_end <= 17'h1003e));
      inv_next: assert (!open || own_addr[63:3] == next_q + (begins ? {53'd0, arlen} + 61'd1 : 61'd0));
      inv_begins: assert (!begins || araddr[63:3] == next_q);
      inv_turns: assert (!open || {1'b0, others_q} + {1'b0, turn} <= 3'd2);
      crosses: cover (begins && left_q == 14'd2 && arlen == 8'd1 && araddr[11:0] == 12'd0);
      full: cover (under_way_q == 2'd2 && others_q == 2'd2);
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// The read half of the AXI4 master. Takes one request of bytes (any address, any length from 1) per source and cuts it into INCR
// bursts of whole bus words that end at MaxBurstBytes boundaries, hence never cross 4 KiB; sources take turns per burst; at most
// MaxReads bursts are outstanding. Source = AXI id: 0 TX descriptors, 1 RX descriptors, 2 TX data. Beats go back in the order of
// each id's requests: those of descriptors one cycle later and always taken, those of TX data in the same cycle when txd_ready_i.
// A request keeps the place of its last byte, counted from the burst boundary before its first: what is above it tells how many
// boundaries it crosses. 2 cycles from a request to arvalid. A response other than OKAY marks its beat with err.
`default_nettype none
`include "check.svh"

module dma_read #(
    parameter int MaxReads      = 16,
    parameter int MaxBurstBytes = 256
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    output      logic        idle_o,
    // desc_fetch TX
    input  wire logic        td_valid_i,
    output      logic        td_ready_o,
    input  wire logic [63:0] td_addr_i,
    input  wire logic [15:0] td_len_i,
    output      logic        td_rvalid_o,
    // desc_fetch RX
    input  wire logic        rd_valid_i,
    output      logic        rd_ready_o,
    input  wire logic [63:0] rd_addr_i,
    input  wire logic [15:0] rd_len_i,
    output      logic        rd_rvalid_o,
    // both desc_fetch: the beat that td_rvalid_o or rd_rvalid_o announces
    output      logic [63:0] desc_rdata_o,
    output      logic        desc_rerr_o,
    // tx_frame
    input  wire logic        tx_valid_i,
    output      logic        tx_ready_o,
    input  wire logic [63:0] tx_addr_i,
    input  wire logic [15:0] tx_len_i,
    // tx_assemble
    output      logic        txd_valid_o,
    input  wire logic        txd_ready_i,
    output      logic [63:0] txd_data_o,
    output      logic        txd_err_o,
    // AXI4
    output      logic [ 3:0] m_axi_arid,
    output      logic [63:0] m_axi_araddr,
    output      logic [ 7:0] m_axi_arlen,
    output      logic [ 2:0] m_axi_arsize,
    output      logic [ 1:0] m_axi_arburst,
    output      logic [ 3:0] m_axi_arcache,
    output      logic [ 2:0] m_axi_arprot,
    output      logic        m_axi_arvalid,
    input  wire logic        m_axi_arready,
    input  wire logic [ 3:0] m_axi_rid,
    input  wire logic [63:0] m_axi_rdata,
    input  wire logic [ 1:0] m_axi_rresp,
    input  wire logic        m_axi_rlast,
    input  wire logic        m_axi_rvalid,
    output      logic        m_axi_rready
);

  localparam int BurstBits = $clog2(MaxBurstBytes);

  typedef enum logic [1:0] {
    StPick, // waits for a request and a free place among the outstanding bursts
    StSize, // cuts the next burst off the picked request
    StSend  // arvalid until arready
  } state_e;

  // ---- the requests that are being cut ---------------------------------------------------------------------------------------
  state_e state_q;
  logic [2:0] open_q;              // request i has bytes left to ask for
  logic [2:0] wants;               // or has just come
  logic [63:0] addr0_q, addr1_q, addr2_q, cur_addr;
  logic [16:0] end0_q, end1_q, end2_q, cur_end; // the last byte, from the boundary before the next one
  logic [1:0] sel_q, pick, last_q;
  logic [6:0] reads_q;
  logic begun, ended, may_read, crosses;
  logic [BurstBits-4:0] last_word;

  assign td_ready_o = !open_q[0];
  assign rd_ready_o = !open_q[1];
  assign tx_ready_o = !open_q[2];
  assign may_read = reads_q < 7'(MaxReads);
  assign wants = open_q | {tx_valid_i, rd_valid_i, td_valid_i};
  // the one behind the last, or the one behind that, or the same again
  assign pick = last_q == 2'd0 ? (wants[1] ? 2'd1 : wants[2] ? 2'd2 : 2'd0)
              : last_q == 2'd1 ? (wants[2] ? 2'd2 : wants[0] ? 2'd0 : 2'd1)
              : (wants[0] ? 2'd0 : wants[1] ? 2'd1 : 2'd2);
  assign cur_addr = sel_q[1] ? addr2_q : sel_q[0] ? addr1_q : addr0_q;
  assign cur_end = sel_q[1] ? end2_q : sel_q[0] ? end1_q : end0_q;
  assign crosses = cur_end[16:BurstBits] != '0;
  assign last_word = crosses ? ~cur_addr[BurstBits-1:3] : cur_end[BurstBits-1:3] - cur_addr[BurstBits-1:3];

  function automatic logic [16:0] last_byte(input logic [BurstBits-1:0] offset, input logic [15:0] len);
    last_byte = {{(17 - BurstBits) {1'b0}}, offset} + {1'b0, len} - 17'd1;
  endfunction

  // ---- address channel ---------------------------------------------------------------------------------------------------------
  logic [3:0] arid_q;
  logic [63:0] araddr_q;
  logic [7:0] arlen_q;

  assign m_axi_arvalid = state_q == StSend;
  assign m_axi_arid = arid_q;
  assign m_axi_araddr = araddr_q;
  assign m_axi_arlen = arlen_q;
  assign m_axi_arsize = 3'b011;
  assign m_axi_arburst = 2'b01;
  assign m_axi_arcache = 4'b0011;
  assign m_axi_arprot = 3'b000;

  // ---- data channel ------------------------------------------------------------------------------------------------------------
  logic is_data, td_rvalid_q, rd_rvalid_q, desc_rerr_q, unused;
  logic [63:0] desc_rdata_q;

  assign is_data = m_axi_rid[1];
  assign txd_valid_o = m_axi_rvalid && is_data;
  assign txd_data_o = m_axi_rdata;
  assign txd_err_o = m_axi_rresp[1];
  assign m_axi_rready = !(m_axi_rvalid && is_data && !txd_ready_i);
  assign begun = state_q == StSize;
  assign ended = m_axi_rvalid && m_axi_rready && m_axi_rlast;
  assign unused = &{1'b0, m_axi_rresp[0], cur_end[2:0], cur_addr[2:0]}; // EXOKAY counts as OKAY
  assign idle_o = reads_q == 7'd0 && open_q == 3'd0;
  assign td_rvalid_o = td_rvalid_q;
  assign rd_rvalid_o = rd_rvalid_q;
  assign desc_rdata_o = desc_rdata_q;
  assign desc_rerr_o = desc_rerr_q;

  // ---- registers ---------------------------------------------------------------------------------------------------------------
  logic awake;

  assign awake = `AWAKE(td_valid_i || rd_valid_i || tx_valid_i || open_q != 3'd0 || state_q != StPick || m_axi_rvalid || td_rvalid_q ||
                 rd_rvalid_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StPick;
      open_q <= 3'd0;
      {last_q, sel_q} <= 4'd0;
      {addr0_q, addr1_q, addr2_q} <= 192'd0;
      {end0_q, end1_q, end2_q} <= 51'd0;
      arid_q <= 4'd0;
      araddr_q <= 64'd0;
      arlen_q <= 8'd0;
      reads_q <= 7'd0;
      {td_rvalid_q, rd_rvalid_q, desc_rerr_q} <= 3'd0;
      desc_rdata_q <= 64'd0;
    end else if (awake) begin
      // requests
      if (td_valid_i && !open_q[0]) begin
        open_q[0] <= 1'b1;
        addr0_q <= td_addr_i;
        end0_q <= last_byte(td_addr_i[BurstBits-1:0], td_len_i);
      end
      if (rd_valid_i && !open_q[1]) begin
        open_q[1] <= 1'b1;
        addr1_q <= rd_addr_i;
        end1_q <= last_byte(rd_addr_i[BurstBits-1:0], rd_len_i);
      end
      if (tx_valid_i && !open_q[2]) begin
        open_q[2] <= 1'b1;
        addr2_q <= tx_addr_i;
        end2_q <= last_byte(tx_addr_i[BurstBits-1:0], tx_len_i);
      end
      // bursts
      unique case (state_q)
        StPick: if (wants != 3'd0 && may_read) state_q <= StSize;
        StSize: state_q <= StSend;
        StSend: if (m_axi_arready) state_q <= StPick;
        default: state_q <= StPick;
      endcase
      if (state_q == StPick) sel_q <= pick;
      if (begun) begin
        last_q <= sel_q;
        arid_q <= {2'd0, sel_q};
        araddr_q <= {cur_addr[63:3], 3'd0};
        arlen_q <= 8'(last_word);
        // a burst either ends the request or ends at a boundary, from which the request goes on
        case (sel_q)
          2'd0: begin
            open_q[0] <= crosses;
            addr0_q <= {addr0_q[63:BurstBits] + 1'b1, {BurstBits{1'b0}}};
            end0_q[16:BurstBits] <= end0_q[16:BurstBits] - 1'b1;
          end
          2'd1: begin
            open_q[1] <= crosses;
            addr1_q <= {addr1_q[63:BurstBits] + 1'b1, {BurstBits{1'b0}}};
            end1_q[16:BurstBits] <= end1_q[16:BurstBits] - 1'b1;
          end
          default: begin
            open_q[2] <= crosses;
            addr2_q <= {addr2_q[63:BurstBits] + 1'b1, {BurstBits{1'b0}}};
            end2_q[16:BurstBits] <= end2_q[16:BurstBits] - 1'b1;
          end
        endcase
      end
      if (begun != ended) reads_q <= begun ? reads_q + 7'd1 : reads_q - 7'd1;
      // beats
      td_rvalid_q <= m_axi_rvalid && m_axi_rid[1:0] == 2'd0;
      rd_rvalid_q <= m_axi_rvalid && m_axi_rid[1:0] == 2'd1;
      if (m_axi_rvalid) begin
        `CHECK("read_beat_expected", reads_q != 7'd0 && m_axi_rid < 4'd3)
        desc_rdata_q <= m_axi_rdata;
        desc_rerr_q <= m_axi_rresp[1];
      end
    end
  end

endmodule

`default_nettype wire

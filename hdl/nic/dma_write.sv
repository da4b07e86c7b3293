// SPDX-License-Identifier: Apache-2.0
// The AXI4 write master: received data under id 0, completions under id 1. A segment (address, length, its bytes as a word stream)
// is cut at MaxBurstBytes boundaries, hence never crosses 4 KiB; a completion is one burst of four words and goes first whenever
// a burst ends. At most MaxWrites bursts wait for their responses. ack_* tells, per frame and in order, that all its data is written
// (err: a response was bad); resp_* the same per completion. A segment of length 0 with last ends a frame whose buffers ran out.
// AW of a burst leaves with or before its first W beat; bready is high but for one cycle per broken frame.
`default_nettype none
`include "check.svh"

module dma_write #(
    parameter int MaxWrites     = 8,   // bursts outstanding, 2 to 64
    parameter int MaxBurstBytes = 256  // power of two, 64 to 2048
) (
    input  wire logic         clk_i,
    input  wire logic         rst_ni,
    // rx_path: segments and the frame's words
    input  wire logic         seg_valid_i,
    output      logic         seg_ready_o,
    input  wire logic [ 63:0] seg_addr_i,
    input  wire logic [ 15:0] seg_len_i,
    input  wire logic         seg_last_i,
    input  wire logic         word_valid_i,
    output      logic         word_ready_o,
    input  wire logic [ 63:0] word_data_i,
    // completer
    output      logic         ack_valid_o,
    output      logic         ack_err_o,
    input  wire logic         cpl_valid_i,
    output      logic         cpl_ready_o,
    input  wire logic [ 63:0] cpl_addr_i,
    input  wire logic [255:0] cpl_data_i,
    output      logic         resp_valid_o,
    output      logic         resp_err_o,
    output      logic         idle_o,
    // host memory
    output      logic [  3:0] m_axi_awid,
    output      logic [ 63:0] m_axi_awaddr,
    output      logic [  7:0] m_axi_awlen,
    output      logic [  2:0] m_axi_awsize,
    output      logic [  1:0] m_axi_awburst,
    output      logic [  3:0] m_axi_awcache,
    output      logic [  2:0] m_axi_awprot,
    output      logic         m_axi_awvalid,
    input  wire logic         m_axi_awready,
    output      logic [ 63:0] m_axi_wdata,
    output      logic [  7:0] m_axi_wstrb,
    output      logic         m_axi_wlast,
    output      logic         m_axi_wvalid,
    input  wire logic         m_axi_wready,
    input  wire logic [  3:0] m_axi_bid,
    input  wire logic [  1:0] m_axi_bresp,
    input  wire logic         m_axi_bvalid,
    output      logic         m_axi_bready
);

  localparam int Lg = $clog2(MaxBurstBytes);
  localparam int SlotBits = $clog2(MaxWrites);
  localparam int Slots = 1 << SlotBits;

  typedef enum logic [1:0] {
    StPick, // chooses the next burst: a completion, else the rest of the segment
    StData, // hands the beats of a data burst to the W channel
    StCpl // hands the four words of a completion to the W channel
  } state_e;
  state_e state_q, state_d;

  // ---- the segment at work ----
  logic seg_valid_q, seg_sized_q, seg_last_q, seg_empty_q;
  logic [63:0] seg_addr_q;
  logic [15:0] seg_len_m1_q; // bytes of the segment, less one
  logic seg_accept, crosses, burst_last;
  logic [16:0] end_q; // its last byte, from the start of the MaxBurstBytes block of seg_addr_q; known a cycle after the segment
  logic [Lg-4:0] last_word;

  // ---- AW, W, and the bursts that wait for responses ----
  logic load_cpl, load_data, load_fence, aw_free, w_free, w_load, w_last, slot_free, slot_free_q;
  logic [7:0] beats_q; // beats of this burst after the next one
  logic align_valid, word_valid, word_ready, word_room;
  logic [63:0] align_data, cpl_word, word_data;
  logic [2:0] unused_words;
  logic [7:0] align_strb, w_strb;
  logic [SlotBits:0] outstanding_q;
  logic [Slots-1:0] slot_last_q, slot_fence_q; // data bursts and fences in order
  logic [SlotBits-1:0] slot_wr_q, slot_rd_q;
  logic [SlotBits:0] slot_count_q; // of data bursts and fences
  logic fence_head, b_data, b_cpl, begins, ends, slot_push, slot_pop, slot_pop_last, acc_err_q, awake, unused;

  assign seg_ready_o = !seg_valid_q && state_q != StData; // the bytes of the segment before have left write_align
  assign seg_accept = seg_valid_i && seg_ready_o;
  assign crosses = end_q[16:Lg] != '0;
  assign last_word = (crosses ? {(Lg - 3) {1'b1}} : end_q[Lg-1:3]) - seg_addr_q[Lg-1:3];
  assign burst_last = !crosses && seg_last_q;

  assign aw_free = !m_axi_awvalid || m_axi_awready;
  assign slot_free = outstanding_q != (SlotBits + 1)'(MaxWrites);
  assign w_last = beats_q == '0;

  // ---- next state ----
  always_comb begin
    state_d = state_q;
    load_cpl = 1'b0;
    load_data = 1'b0;
    load_fence = 1'b0;
    w_load = 1'b0;
    unique case (state_q)
      StPick:
      if (slot_free_q && aw_free) begin
        if (cpl_valid_i) begin
          load_cpl = 1'b1;
          state_d = StCpl;
        end else if (seg_sized_q && seg_empty_q) begin
          load_fence = 1'b1;
        end else if (seg_sized_q) begin
          load_data = 1'b1;
          state_d = StData;
        end
      end
      StData: begin
        w_load = w_free && align_valid;
        if (w_load && w_last) state_d = StPick;
      end
      StCpl: begin
        w_load = w_free;
        if (w_load && w_last) state_d = StPick;
      end
      default: state_d = StPick;
    endcase
  end

  // The frame's words wait here, so that wready does not reach the receive buffer; while a fence waits, what comes is another frame's.
  fifo #(
      .Width(64),
      .Depth(4)
  ) u_words (
      .clk_i,
      .rst_ni,
      .clear_i(load_fence),
      .wr_valid_i(word_valid_i && word_ready_o),
      .wr_ready_o(word_room),
      .wr_data_i(word_data_i),
      .rd_valid_o(word_valid),
      .rd_ready_i(word_ready),
      .rd_data_o(word_data),
      .count_o(unused_words)
  );
  assign word_ready_o = word_room && !(seg_valid_q && seg_empty_q);

  write_align u_align (
      .clk_i,
      .rst_ni,
      .start_i(seg_accept && seg_len_i != '0),
      .start_lane_i(seg_addr_i[2:0]),
      .start_len_i(seg_len_i),
      .start_last_i(seg_last_i),
      .abort_i(load_fence),
      .word_valid_i(word_valid),
      .word_ready_o(word_ready),
      .word_data_i(word_data),
      .out_valid_o(align_valid),
      .out_ready_i(state_q == StData && w_free),
      .out_data_o(align_data),
      .out_strb_o(align_strb)
  );

  // ---- AW and W ----
  assign w_strb = state_q == StCpl ? 8'hff : align_strb;

  skid_buffer #(
      .Width(73)
  ) u_w (
      .clk_i,
      .rst_ni,
      .wr_valid_i(w_load),
      .wr_ready_o(w_free),
      .wr_data_i({w_last, w_strb, state_q == StCpl ? cpl_word : align_data}),
      .rd_valid_o(m_axi_wvalid),
      .rd_ready_i(m_axi_wready),
      .rd_data_o({m_axi_wlast, m_axi_wstrb, m_axi_wdata})
  );

  assign m_axi_awsize = 3'd3;
  assign m_axi_awburst = 2'b01; // INCR
  assign m_axi_awcache = 4'b0011; // bufferable, modifiable
  assign m_axi_awprot = 3'b000;
  assign cpl_ready_o = state_q == StCpl && w_load && w_last;

  always_comb begin
    unique case (beats_q[1:0])
      2'd3: cpl_word = cpl_data_i[63:0];
      2'd2: cpl_word = cpl_data_i[127:64];
      2'd1: cpl_word = cpl_data_i[191:128];
      default: cpl_word = cpl_data_i[255:192];
    endcase
  end

  // ---- responses ----
  assign fence_head = slot_count_q != '0 && slot_fence_q[slot_rd_q];
  assign m_axi_bready = !fence_head;
  assign b_data = m_axi_bvalid && m_axi_bready && m_axi_bid == nic_1g_pkg::AXI_WRITE_ID_RX_DATA;
  assign b_cpl = m_axi_bvalid && m_axi_bready && m_axi_bid == nic_1g_pkg::AXI_WRITE_ID_COMPLETIONS;
  assign unused = &{1'b0, m_axi_bresp[0], end_q[2:0]}; // EXOKAY is never asked for
  assign slot_push = load_data || load_fence;
  assign slot_pop = b_data || fence_head;
  assign begins = slot_push || load_cpl;
  assign ends = slot_pop || b_cpl;
  assign slot_pop_last = slot_pop && slot_last_q[slot_rd_q];
  assign idle_o = outstanding_q == '0 && !seg_valid_q && !cpl_valid_i && state_q == StPick;

  // ---- registers ----
  assign awake = `AWAKE(state_q != StPick || seg_valid_i || seg_valid_q || cpl_valid_i || m_axi_awvalid || m_axi_wvalid ||
                        outstanding_q != '0 || ack_valid_o || resp_valid_o);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StPick;
      seg_valid_q <= 1'b0;
      seg_sized_q <= 1'b0;
      seg_last_q <= 1'b0;
      seg_empty_q <= 1'b0;
      seg_addr_q <= '0;
      seg_len_m1_q <= '0;
      end_q <= '0;
      m_axi_awvalid <= 1'b0;
      m_axi_awid <= '0;
      m_axi_awaddr <= '0;
      m_axi_awlen <= '0;
      slot_free_q <= 1'b1;
      beats_q <= '0;
      outstanding_q <= '0;
      slot_last_q <= '0;
      slot_fence_q <= '0;
      slot_wr_q <= '0;
      slot_rd_q <= '0;
      slot_count_q <= '0;
      acc_err_q <= 1'b0;
      ack_valid_o <= 1'b0;
      ack_err_o <= 1'b0;
      resp_valid_o <= 1'b0;
      resp_err_o <= 1'b0;
    end else if (awake) begin
      state_q <= state_d;
      // the segment
      if (seg_accept) begin
        `CHECK("dma_write_empty_segment_ends_frame", seg_len_i != '0 || seg_last_i)
        seg_valid_q <= 1'b1;
        seg_last_q <= seg_last_i;
        seg_empty_q <= seg_len_i == '0;
        seg_addr_q <= seg_addr_i;
        seg_len_m1_q <= seg_len_i - 16'd1;
      end else if (seg_valid_q && !seg_sized_q) begin
        seg_sized_q <= 1'b1;
        end_q <= {{(17 - Lg) {1'b0}}, seg_addr_q[Lg-1:0]} + {1'b0, seg_len_m1_q};
      end else if (load_fence) begin
        {seg_valid_q, seg_sized_q} <= 2'b00;
      end else if (load_data) begin
        {seg_valid_q, seg_sized_q} <= {2{crosses}};
        seg_addr_q <= {seg_addr_q[63:Lg] + 1'b1, {Lg{1'b0}}};
        end_q[16:Lg] <= end_q[16:Lg] - 1'b1;
      end
      // AW
      if (load_cpl || load_data) begin
        m_axi_awvalid <= 1'b1;
        m_axi_awid <= load_cpl ? nic_1g_pkg::AXI_WRITE_ID_COMPLETIONS : nic_1g_pkg::AXI_WRITE_ID_RX_DATA;
        m_axi_awaddr <= load_cpl ? cpl_addr_i : seg_addr_q;
        m_axi_awlen <= load_cpl ? 8'd3 : {{(11 - Lg) {1'b0}}, last_word};
        beats_q <= load_cpl ? 8'd3 : {{(11 - Lg) {1'b0}}, last_word};
      end else begin
        if (m_axi_awready) m_axi_awvalid <= 1'b0;
        if (w_load) beats_q <= beats_q - 1'b1;
      end
      // a burst takes a cycle at least, so that what begins now is counted when the next is chosen; a fence does not
      slot_free_q <= slot_free && !load_fence;
      // B; at most one burst begins and at most one ends in a cycle
      if (begins != ends) outstanding_q <= ends ? outstanding_q - 1'b1 : outstanding_q + 1'b1;
      if (slot_push != slot_pop) slot_count_q <= slot_pop ? slot_count_q - 1'b1 : slot_count_q + 1'b1;
      if (slot_push) begin
        slot_last_q[slot_wr_q] <= load_fence || burst_last;
        slot_fence_q[slot_wr_q] <= load_fence;
        slot_wr_q <= slot_wr_q + 1'b1;
      end
      ack_valid_o <= slot_pop_last;
      resp_valid_o <= b_cpl;
      if (ends) begin
        `CHECK("dma_write_response_expected", !b_data || slot_count_q != '0)
        `CHECK("dma_write_response_expected", !b_cpl || outstanding_q != slot_count_q)
        if (slot_pop) slot_rd_q <= slot_rd_q + 1'b1;
        if (slot_pop) acc_err_q <= !slot_pop_last && (acc_err_q || (b_data && m_axi_bresp[1]));
        if (slot_pop) ack_err_o <= acc_err_q || (b_data && m_axi_bresp[1]);
        if (b_cpl) resp_err_o <= m_axi_bresp[1];
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// queue_pages: the configuration of one direction's queues, in RAM indexed by queue. A page that was not written since reset reads
// as zero (fresh_q), and its first write zeroes the other fields, so no RAM needs clearing. Whoever writes has checked that the page may
// be written. good_o tells, four cycles after queue_i or a write changed, whether the page's configuration may be enabled; keep_i then
// stores the ring sizes as powers of two for the engines.
`default_nettype none
`include "check.svh"

module queue_pages #(
    parameter int NumQueues  = 4,
    parameter int NumVectors = 8,
    parameter bit IsRx       = 1'b0
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // queue_side
    input  wire logic [10:0] queue_i,
    input  wire logic [7:0]  offset_i,
    input  wire logic        write_i,     // pulse, of a configuration register; acts a cycle later, queue_i to wdata_i still stand
    input  wire logic [31:0] wdata_i,
    input  wire logic        read_i,      // pulse
    output      logic [31:0] rdata_o,     // the cycle after; zero for other registers
    input  wire logic        forget_i,    // pulse: every page back to its reset value
    output      logic        good_o,
    input  wire logic        keep_i,
    output      logic [31:0] init_index_o,
    output      logic [31:0] cpl_init_index_o,
    // desc_fetch, completer, irq, rx_writer (combinational)
    input  wire logic [10:0] ring_queue_i,
    output      logic [63:0] ring_base_o,
    output      logic [3:0]  ring_log2_o,
    input  wire logic [10:0] cpl_queue_i,
    output      logic [63:0] cpl_base_o,
    output      logic [3:0]  cpl_log2_o,
    input  wire logic [10:0] irq_queue_i,
    output      logic [7:0]  vector_o,
    output      logic [7:0]  mod_count_o,
    output      logic [15:0] mod_ticks_o,
    input  wire logic [10:0] buf_queue_i,
    output      logic [14:0] buf_size_o
);

  localparam int QueueBits = NumQueues > 1 ? $clog2(NumQueues) : 1;
  localparam logic [10:0] QueueMask = 11'((1 << QueueBits) - 1);

  logic [31:0] ring_lo_mem [1 << QueueBits];
  logic [31:0] ring_hi_mem [1 << QueueBits];
  logic [16:0] ring_size_mem [1 << QueueBits];
  logic [31:0] cpl_lo_mem [1 << QueueBits];
  logic [31:0] cpl_hi_mem [1 << QueueBits];
  logic [16:0] cpl_size_mem [1 << QueueBits];
  logic [31:0] init_mem [1 << QueueBits];
  logic [31:0] cpl_init_mem [1 << QueueBits];
  logic [7:0]  vector_mem [1 << QueueBits];
  logic [7:0]  mod_count_mem [1 << QueueBits];
  logic [15:0] mod_ticks_mem [1 << QueueBits];
  logic [14:0] buf_size_mem [1 << QueueBits];
  logic [3:0]  ring_log2_mem [1 << QueueBits];
  logic [3:0]  cpl_log2_mem [1 << QueueBits];

  logic [(1 << QueueBits)-1:0] fresh_q;
  logic [QueueBits-1:0] page, ring_sel, cpl_sel, irq_sel, buf_sel;
  logic fresh, write_q;

  assign page = QueueBits'(queue_i & QueueMask);
  assign ring_sel = QueueBits'(ring_queue_i & QueueMask);
  assign cpl_sel = QueueBits'(cpl_queue_i & QueueMask);
  assign irq_sel = QueueBits'(irq_queue_i & QueueMask);
  assign buf_sel = QueueBits'(buf_queue_i & QueueMask);
  assign fresh = fresh_q[page];

  assign ring_base_o = {ring_hi_mem[ring_sel], ring_lo_mem[ring_sel]};
  assign ring_log2_o = ring_log2_mem[ring_sel];
  assign cpl_base_o = {cpl_hi_mem[cpl_sel], cpl_lo_mem[cpl_sel]};
  assign cpl_log2_o = cpl_log2_mem[cpl_sel];
  assign vector_o = vector_mem[irq_sel];
  assign mod_count_o = mod_count_mem[irq_sel];
  assign mod_ticks_o = mod_ticks_mem[irq_sel];
  assign buf_size_o = buf_size_mem[buf_sel];
  assign init_index_o = init_mem[page];
  assign cpl_init_index_o = cpl_init_mem[page];

  // ---- may this configuration be enabled? read, judge parts, judge all ----
  function automatic logic [3:0] log2_of(input logic [16:0] size);
    log2_of = 4'd0;
    for (int bit_index = 1; bit_index < 16; bit_index++) if (size[bit_index]) log2_of = 4'(bit_index);
  endfunction

  logic [16:0] ring_size_q, cpl_size_q;
  logic        aligned_q, vector_good_q, buffer_good_q, ring_good_q, cpl_good_q;
  logic [3:0]  ring_log2_q, cpl_log2_q;
  logic [10:0] check_queue_q;
  logic [1:0]  check_age_q;
  logic        recheck, awake, ram_awake;

  assign recheck = check_queue_q != queue_i || write_q;
  assign awake = `AWAKE(write_i || recheck || check_age_q != 2'd3 || forget_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fresh_q <= '1;
      check_queue_q <= 11'd0;
      check_age_q <= 2'd0;
      write_q <= 1'b0;
    end else if (awake) begin
      write_q <= write_i;
      check_queue_q <= queue_i;
      if (recheck) check_age_q <= 2'd0;
      else if (check_age_q != 2'd3) check_age_q <= check_age_q + 2'd1;
      if (forget_i) fresh_q <= '1;
      else if (write_q) fresh_q[page] <= 1'b0;
    end
  end

  // ---- the RAMs: judged, written, read ----
  assign ram_awake = `AWAKE(write_q || read_i || keep_i || check_age_q != 2'd3);

  always_ff @(posedge clk_i) begin
    if (ram_awake) begin
      if (check_age_q != 2'd3) begin
        ring_size_q <= ring_size_mem[page];
        cpl_size_q <= cpl_size_mem[page];
        aligned_q <= ring_lo_mem[page][5:0] == 6'h0 && cpl_lo_mem[page][5:0] == 6'h0;
        vector_good_q <= 32'(vector_mem[page]) < NumVectors;
        buffer_good_q <= !IsRx || 32'(buf_size_mem[page]) >= nic_1g_pkg::SMALLEST_BUFFER &&
                                  32'(buf_size_mem[page]) <= nic_1g_pkg::LARGEST_BUFFER;
        ring_good_q <= !ring_size_q[16] && !ring_size_q[0] && ring_size_q != 17'h0 && (ring_size_q & ring_size_q - 17'h1) == 17'h0;
        cpl_good_q <= !cpl_size_q[16] && !cpl_size_q[0] && cpl_size_q >= ring_size_q && (cpl_size_q & cpl_size_q - 17'h1) == 17'h0;
        ring_log2_q <= log2_of(ring_size_q);
        cpl_log2_q <= log2_of(cpl_size_q);
        good_o <= !fresh && aligned_q && vector_good_q && buffer_good_q && ring_good_q && cpl_good_q;
      end
      if (keep_i) begin
        ring_log2_mem[page] <= ring_log2_q;
        cpl_log2_mem[page] <= cpl_log2_q;
      end
      if (write_q) begin
        if (fresh || offset_i == nic_1g_pkg::QUEUE_RING_LO_OFFSET)
          ring_lo_mem[page] <= offset_i == nic_1g_pkg::QUEUE_RING_LO_OFFSET ? wdata_i : 32'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_RING_HI_OFFSET)
          ring_hi_mem[page] <= offset_i == nic_1g_pkg::QUEUE_RING_HI_OFFSET ? wdata_i : 32'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_RING_SIZE_OFFSET)
          ring_size_mem[page] <= offset_i == nic_1g_pkg::QUEUE_RING_SIZE_OFFSET ? wdata_i[16:0] : 17'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_CPL_LO_OFFSET)
          cpl_lo_mem[page] <= offset_i == nic_1g_pkg::QUEUE_CPL_LO_OFFSET ? wdata_i : 32'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_CPL_HI_OFFSET)
          cpl_hi_mem[page] <= offset_i == nic_1g_pkg::QUEUE_CPL_HI_OFFSET ? wdata_i : 32'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_CPL_SIZE_OFFSET)
          cpl_size_mem[page] <= offset_i == nic_1g_pkg::QUEUE_CPL_SIZE_OFFSET ? wdata_i[16:0] : 17'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_INIT_INDEX_OFFSET)
          init_mem[page] <= offset_i == nic_1g_pkg::QUEUE_INIT_INDEX_OFFSET ? wdata_i : 32'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_CPL_INIT_INDEX_OFFSET)
          cpl_init_mem[page] <= offset_i == nic_1g_pkg::QUEUE_CPL_INIT_INDEX_OFFSET ? wdata_i : 32'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_VECTOR_OFFSET)
          vector_mem[page] <= offset_i == nic_1g_pkg::QUEUE_VECTOR_OFFSET ? wdata_i[7:0] : 8'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_MOD_COUNT_OFFSET)
          mod_count_mem[page] <= offset_i == nic_1g_pkg::QUEUE_MOD_COUNT_OFFSET ? wdata_i[7:0] : 8'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_MOD_TICKS_OFFSET)
          mod_ticks_mem[page] <= offset_i == nic_1g_pkg::QUEUE_MOD_TICKS_OFFSET ? wdata_i[15:0] : 16'h0;
        if (fresh || offset_i == nic_1g_pkg::QUEUE_BUF_SIZE_OFFSET)
          buf_size_mem[page] <= offset_i == nic_1g_pkg::QUEUE_BUF_SIZE_OFFSET && IsRx ? wdata_i[14:0] : 15'h0;
      end
      if (read_i) begin
        rdata_o <= 32'h0;
        if (!fresh) begin
          case (offset_i)
            nic_1g_pkg::QUEUE_RING_LO_OFFSET: rdata_o <= ring_lo_mem[page];
            nic_1g_pkg::QUEUE_RING_HI_OFFSET: rdata_o <= ring_hi_mem[page];
            nic_1g_pkg::QUEUE_RING_SIZE_OFFSET: rdata_o <= 32'(ring_size_mem[page]);
            nic_1g_pkg::QUEUE_CPL_LO_OFFSET: rdata_o <= cpl_lo_mem[page];
            nic_1g_pkg::QUEUE_CPL_HI_OFFSET: rdata_o <= cpl_hi_mem[page];
            nic_1g_pkg::QUEUE_CPL_SIZE_OFFSET: rdata_o <= 32'(cpl_size_mem[page]);
            nic_1g_pkg::QUEUE_INIT_INDEX_OFFSET: rdata_o <= init_mem[page];
            nic_1g_pkg::QUEUE_CPL_INIT_INDEX_OFFSET: rdata_o <= cpl_init_mem[page];
            nic_1g_pkg::QUEUE_VECTOR_OFFSET: rdata_o <= 32'(vector_mem[page]);
            nic_1g_pkg::QUEUE_MOD_COUNT_OFFSET: rdata_o <= 32'(mod_count_mem[page]);
            nic_1g_pkg::QUEUE_MOD_TICKS_OFFSET: rdata_o <= 32'(mod_ticks_mem[page]);
            nic_1g_pkg::QUEUE_BUF_SIZE_OFFSET: rdata_o <= 32'(buf_size_mem[page]);
            default: ;
          endcase
        end
      end
    end
  end

endmodule

`default_nettype wire

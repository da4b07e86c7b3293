// SPDX-License-Identifier: Apache-2.0
// queue_side: the queues of one direction: their pages (queue_pages) and their states, disabled -> enabled -> disabling -> disabled
// and enabled -> error -> disabling. A queue that is disabling is drained here: a barrier follows its last frame through the engine
// and the completer, then fetching stops, then the interrupt is flushed, then it is disabled.
`default_nettype none
`include "check.svh"

module queue_side #(
    parameter int NumQueues  = 4,
    parameter int NumVectors = 8,
    parameter bit IsRx       = 1'b0
) (
    input  wire logic                 clk_i,
    input  wire logic                 rst_ni,
    // queue_ctrl: one page access at a time
    input  wire logic [10:0]          page_queue_i,
    input  wire logic [7:0]           page_offset_i,
    input  wire logic                 page_write_i,   // pulse; ignored where the page is locked or read only
    input  wire logic [31:0]          page_wdata_i,
    input  wire logic                 page_read_i,    // pulse
    output      logic [31:0]          page_rdata_o,   // the cycle after
    output      logic                 page_known_o,   // the offset is mapped
    output      logic                 page_disabled_o,
    output      logic                 page_enabled_o,
    output      logic                 page_error_o,
    output      logic                 good_o,         // configuration may be enabled; 5 cycles after page_queue_i
    output      logic [31:0]          init_index_o,
    output      logic [31:0]          cpl_init_index_o,
    // queue_ctrl: what happens to page_queue_i (pulses)
    input  wire logic                 enable_i,       // disabled -> enabled
    input  wire logic                 refuse_i,       // disabled -> error, bad configuration
    input  wire logic                 disable_i,      // enabled or error -> disabling, a cycle later
    // queue_ctrl: soft reset
    input  wire logic                 stop_all_i,     // pulse: every queue that is not disabled -> disabling
    input  wire logic                 forget_i,       // pulse: every page back to its reset value
    output      logic                 quiet_o,        // every queue is disabled
    output      logic                 ending_any_o,   // some queue is disabling
    output      logic                 error_o,        // pulse: a queue entered error by itself
    // engines
    output      logic [NumQueues-1:0] enabled_o,
    output      logic [NumQueues-1:0] on_o,           // fetching allowed
    output      logic [NumQueues-1:0] ending_o,       // not enabled
    input  wire logic [NumQueues-1:0] outstanding_i,
    output      logic                 barrier_valid_o,
    output      logic [10:0]          barrier_queue_o,
    input  wire logic                 barrier_ready_i,
    input  wire logic                 barrier_done_i, // pulse: the barrier of barrier_queue_o came through
    output      logic                 flush_valid_o,  // held until flush_done_i
    output      logic [10:0]          flush_queue_o,
    input  wire logic                 flush_done_i,
    // errors (pulses)
    input  wire logic                 fetch_err_valid_i,
    input  wire logic [10:0]          fetch_err_queue_i,
    input  wire logic [7:0]           fetch_err_cause_i,
    input  wire logic [31:0]          fetch_err_index_i,
    input  wire logic                 cpl_err_valid_i,
    input  wire logic [10:0]          cpl_err_queue_i,
    input  wire logic [31:0]          cpl_err_index_i,
    // indices kept elsewhere
    input  wire logic [31:0]          producer_i,
    input  wire logic [31:0]          consumer_i,
    input  wire logic [31:0]          cpl_produced_i,
    // configuration for desc_fetch, completer, irq, rx_writer (combinational)
    input  wire logic [10:0]          ring_queue_i,
    output      logic [63:0]          ring_base_o,
    output      logic [3:0]           ring_log2_o,
    input  wire logic [10:0]          cpl_queue_i,
    output      logic [63:0]          cpl_base_o,
    output      logic [3:0]           cpl_log2_o,
    input  wire logic [10:0]          irq_queue_i,
    output      logic [7:0]           vector_o,
    output      logic [7:0]           mod_count_o,
    output      logic [15:0]          mod_ticks_o,
    input  wire logic [10:0]          buf_queue_i,
    output      logic [14:0]          buf_size_o
);

  localparam int QueueBits = NumQueues > 1 ? $clog2(NumQueues) : 1;
  localparam logic [10:0] QueueMask = 11'((1 << QueueBits) - 1);

  typedef enum logic [2:0] {
    StIdle,     // waits for a queue that is disabling
    StBarrier,  // asks the engine to pass the barrier behind the queue's last frame
    StDrain,    // waits until the barrier has come through the completer
    StStop,     // fetching is off; lets a fetch that was just being planned show up
    StFetched,  // waits for the queue's last fetch
    StFlush     // the interrupt is sent or forgotten, then the queue is disabled
  } state_e;

  // ---- page accesses ----
  logic [NumQueues-1:0] enabled_q, error_q, disabling_q, on_q, started_q, noted_q;
  logic [7:0]           cause_mem [1 << QueueBits];
  logic [31:0]          error_index_mem [1 << QueueBits];
  logic [QueueBits-1:0] page, job;
  logic                 is_moderation, is_config, config_write;
  logic [31:0]          config_rdata;

  assign page = QueueBits'(page_queue_i & QueueMask);
  assign page_disabled_o = !enabled_q[page] && !error_q[page] && !disabling_q[page];
  assign page_enabled_o = enabled_q[page];
  assign page_error_o = error_q[page];
  assign is_moderation = page_offset_i == nic_1g_pkg::QUEUE_MOD_COUNT_OFFSET || page_offset_i == nic_1g_pkg::QUEUE_MOD_TICKS_OFFSET;
  assign is_config = page_offset_i >= nic_1g_pkg::QUEUE_RING_LO_OFFSET && page_offset_i <= nic_1g_pkg::QUEUE_BUF_SIZE_OFFSET;
  assign config_write = page_write_i && is_config && (page_disabled_o || is_moderation);

  queue_pages #(.NumQueues(NumQueues), .NumVectors(NumVectors), .IsRx(IsRx)) u_pages (
      .clk_i, .rst_ni,
      .queue_i(page_queue_i), .offset_i(page_offset_i), .write_i(config_write), .wdata_i(page_wdata_i),
      .read_i(page_read_i), .rdata_o(config_rdata), .forget_i, .good_o, .keep_i(enable_i), .init_index_o, .cpl_init_index_o,
      .ring_queue_i, .ring_base_o, .ring_log2_o, .cpl_queue_i, .cpl_base_o, .cpl_log2_o,
      .irq_queue_i, .vector_o, .mod_count_o, .mod_ticks_o, .buf_queue_i, .buf_size_o
  );

  // ---- errors: cause and index have one writer per cycle; the completer's report waits for the fetcher's, a refusal for both ----
  logic                 cpl_err_q, refuse_q, disable_q, note, note_new, note_write, by_itself, awake, ram_awake;
  logic [10:0]          cpl_err_queue_q;
  logic [31:0]          cpl_err_index_q, note_index;
  logic [7:0]           note_cause;
  logic [QueueBits-1:0] note_sel;

  assign note = by_itself || refuse_q;
  assign note_sel = fetch_err_valid_i ? QueueBits'(fetch_err_queue_i & QueueMask) : cpl_err_q ? QueueBits'(cpl_err_queue_q & QueueMask) : page;
  assign note_cause = fetch_err_valid_i ? fetch_err_cause_i : cpl_err_q ? nic_1g_pkg::CAUSE_COMPLETION_ERROR :
                      nic_1g_pkg::CAUSE_BAD_CONFIG;
  assign note_index = fetch_err_valid_i ? fetch_err_index_i : cpl_err_q ? cpl_err_index_q : 32'h0;
  assign by_itself = fetch_err_valid_i || cpl_err_q;
  assign note_new = !by_itself || enabled_q[note_sel];
  assign note_write = note && note_new;

  // ---- draining a queue that is disabling ----
  state_e     state_q;
  logic [10:0] job_q, pick_queue;
  logic       pick_valid, ended;
  logic [2:0] settle_q;

  assign job = QueueBits'(job_q & QueueMask);

  queue_pick #(.NumQueues(NumQueues)) u_pick (
      .clk_i, .rst_ni, .req_i(disabling_q), .valid_o(pick_valid), .queue_o(pick_queue), .take_i(ended)
  );

  assign ended = state_q == StFlush && flush_done_i;
  assign barrier_valid_o = state_q == StBarrier;
  assign barrier_queue_o = job_q;
  assign flush_valid_o = state_q == StFlush;
  assign flush_queue_o = job_q;

  // ---- states of the queues ----
  assign awake = `AWAKE(state_q != StIdle || pick_valid || note || cpl_err_valid_i || refuse_i || error_o || enable_i || disable_i || disable_q || stop_all_i || forget_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      job_q <= 11'd0;
      settle_q <= 3'd0;
      {cpl_err_q, refuse_q, disable_q} <= 3'b000;
      cpl_err_queue_q <= 11'd0;
      cpl_err_index_q <= 32'd0;
      error_o <= 1'b0;
      {enabled_q, error_q, disabling_q} <= '0;
      {on_q, started_q, noted_q} <= '0;
    end else if (awake) begin
      // draining
      unique case (state_q)
        StIdle: if (pick_valid) state_q <= StBarrier;
        StBarrier: if (barrier_ready_i) state_q <= StDrain;
        StDrain: if (barrier_done_i) state_q <= StStop;
        StStop: if (settle_q == 3'd7) state_q <= StFetched;
        StFetched: if (!outstanding_i[job]) state_q <= StFlush;
        StFlush: if (flush_done_i) state_q <= StIdle;
        default: state_q <= StIdle;
      endcase
      if (state_q == StIdle && pick_valid) job_q <= pick_queue;
      settle_q <= state_q == StStop ? settle_q + 3'd1 : 3'd0;
      disable_q <= disable_i;
      // errors
      refuse_q <= refuse_i || (refuse_q && by_itself);
      if (cpl_err_valid_i) begin
        cpl_err_q <= 1'b1;
        cpl_err_queue_q <= cpl_err_queue_i;
        cpl_err_index_q <= cpl_err_index_i;
      end else if (!fetch_err_valid_i) begin
        cpl_err_q <= 1'b0;
      end
      error_o <= by_itself && note_new;
      // states; what comes later wins
      if (enable_i) begin
        enabled_q[page] <= 1'b1;
        on_q[page] <= 1'b1;
        started_q[page] <= 1'b1;
        noted_q[page] <= 1'b0;
      end
      if (note_write) begin
        enabled_q[note_sel] <= 1'b0;
        error_q[note_sel] <= 1'b1;
        noted_q[note_sel] <= 1'b1;
      end
      if (disable_q) begin
        enabled_q[page] <= 1'b0;
        error_q[page] <= 1'b0;
        disabling_q[page] <= 1'b1;
      end
      if (stop_all_i) begin
        enabled_q <= '0;
        error_q <= '0;
        disabling_q <= disabling_q | enabled_q | error_q;
      end
      if (state_q == StDrain && barrier_done_i) on_q[job] <= 1'b0;
      if (ended) disabling_q[job] <= 1'b0;
      if (forget_i) {started_q, noted_q} <= '0;
    end
  end

  assign enabled_o = enabled_q;
  assign on_o = on_q;
  assign ending_o = ~enabled_q;
  assign quiet_o = ~|(enabled_q | error_q | disabling_q);
  assign ending_any_o = |disabling_q;

  // ---- reading a page: state registers here, configuration in queue_pages ----
  logic [31:0] state_rdata_q;
  logic [2:0]  page_state;

  assign page_state = enabled_q[page] ? nic_1g_pkg::QUEUE_STATE_ENABLED : error_q[page] ? nic_1g_pkg::QUEUE_STATE_ERROR :
                      disabling_q[page] ? nic_1g_pkg::QUEUE_STATE_DISABLING : nic_1g_pkg::QUEUE_STATE_DISABLED;

  assign page_rdata_o = state_rdata_q | config_rdata;
  assign page_known_o = page_offset_i <= nic_1g_pkg::QUEUE_PRODUCER_OFFSET;

  assign ram_awake = `AWAKE(page_read_i || note_write);

  always_ff @(posedge clk_i) begin
    if (ram_awake) begin
      if (note_write) begin
        cause_mem[note_sel] <= note_cause;
        error_index_mem[note_sel] <= note_index;
      end
      if (page_read_i) begin
        state_rdata_q <= 32'h0;
        case (page_offset_i)
          nic_1g_pkg::QUEUE_CTRL_OFFSET: state_rdata_q <= 32'(enabled_q[page] | error_q[page]);
          nic_1g_pkg::QUEUE_STATUS_OFFSET:
            state_rdata_q <= 32'(noted_q[page] ? cause_mem[page] : nic_1g_pkg::CAUSE_NONE) << nic_1g_pkg::QUEUE_STATUS_CAUSE_LSB
                | 32'(page_state);
          nic_1g_pkg::QUEUE_CONSUMED_OFFSET:     if (started_q[page]) state_rdata_q <= consumer_i;
          nic_1g_pkg::QUEUE_CPL_PRODUCED_OFFSET: if (started_q[page]) state_rdata_q <= cpl_produced_i;
          nic_1g_pkg::QUEUE_ERROR_INDEX_OFFSET:  if (noted_q[page]) state_rdata_q <= error_index_mem[page];
          nic_1g_pkg::QUEUE_PRODUCER_OFFSET:     if (started_q[page]) state_rdata_q <= producer_i;
          default: ;
        endcase
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// queue_ctrl: what software does with queues. Answers the queue bus (pages and doorbells, at most 40 cycles), checks and starts a
// queue when CTRL.enable is written, hands doorbells and re-arms of enabled queues on, and runs the soft reset: every queue is
// disabled as by software while the receive buffer is emptied; when nothing is outstanding, all pages forget what they held.
`default_nettype none
`include "check.svh"

module queue_ctrl #(
    parameter int NumTxQueues = 4,
    parameter int NumRxQueues = 4,
    parameter int NumVectors  = 8
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // csr
    input  wire logic                   qbus_look_i,      // the cycle before qbus_valid_i
    input  wire logic                   qbus_valid_i,
    input  wire logic                   qbus_write_i,
    input  wire logic [21:0]            qbus_addr_i,
    input  wire logic [31:0]            qbus_wdata_i,
    output      logic                   qbus_ready_o,     // one cycle
    output      logic [31:0]            qbus_rdata_o,
    output      logic                   qbus_err_o,
    input  wire logic                   soft_reset_i,     // pulse
    output      logic                   reset_busy_o,
    output      logic                   tx_error_o,       // pulse
    output      logic                   rx_error_o,
    // soft reset
    output      logic                   rx_flush_o,       // level: receive frames are dropped
    input  wire logic                   idle_i,           // no frame, record, completion or burst is under way
    output      logic                   clear_o,          // pulse: irq and rx_filter forget
    input  wire logic                   clear_busy_i,
    input  wire logic                   vc_quiet_i,       // every VC is off
    input  wire logic                   vc_ending_i,      // a VC drains
    input  wire logic                   tx_clk_alive_i,
    output      logic                   tx_flush_o,       // level: a TX queue or a VC is ending and the transmit clock stands
    // doorbells and re-arms
    output      logic                   tx_db_valid_o,    // pulse
    output      logic                   rx_db_valid_o,
    output      logic                   rearm_valid_o,    // held until ready
    input  wire logic                   rearm_ready_i,
    output      logic                   bell_dir_o,
    output      logic [10:0]            bell_queue_o,
    output      logic [31:0]            bell_index_o,
    // start of a queue (pulse)
    output      logic                   start_valid_o,
    output      logic                   start_dir_o,
    output      logic [10:0]            start_queue_o,
    output      logic [31:0]            start_index_o,
    output      logic [31:0]            start_cpl_index_o,
    // irq: flush of an ending queue; both directions
    output      logic                   flush_valid_o,
    output      logic                   flush_dir_o,
    output      logic [10:0]            flush_queue_o,
    input  wire logic                   flush_done_i,
    // completer
    input  wire logic                   barrier_done_i,   // pulse
    input  wire logic                   barrier_done_dir_i,
    input  wire logic                   cpl_err_valid_i,
    input  wire logic                   cpl_err_dir_i,
    input  wire logic [10:0]            cpl_err_queue_i,
    input  wire logic [31:0]            cpl_err_index_i,
    input  wire logic                   cpl_cfg_dir_i,
    input  wire logic [10:0]            cpl_cfg_queue_i,
    output      logic [63:0]            cpl_base_o,
    output      logic [3:0]             cpl_log2_o,
    // irq: configuration and CPL_PRODUCED
    input  wire logic                   irq_cfg_dir_i,
    input  wire logic [10:0]            irq_cfg_queue_i,
    output      logic [7:0]             irq_vector_o,
    output      logic [7:0]             irq_count_o,
    output      logic [15:0]            irq_ticks_o,
    output      logic                   page_dir_o,       // queue whose indices are being read
    output      logic [10:0]            page_queue_o,
    input  wire logic [31:0]            cpl_produced_i,
    // transmit: desc_fetch, tx_frame
    output      logic [NumTxQueues-1:0] tx_enabled_o,
    output      logic [NumTxQueues-1:0] tx_on_o,
    output      logic [NumTxQueues-1:0] tx_ending_o,
    input  wire logic [NumTxQueues-1:0] tx_outstanding_i,
    output      logic                   tx_barrier_valid_o,
    output      logic [10:0]            tx_barrier_queue_o,
    input  wire logic                   tx_barrier_ready_i,
    input  wire logic                   tx_err_valid_i,
    input  wire logic [10:0]            tx_err_queue_i,
    input  wire logic [7:0]             tx_err_cause_i,
    input  wire logic [31:0]            tx_err_index_i,
    input  wire logic [10:0]            tx_ring_queue_i,
    output      logic [63:0]            tx_ring_base_o,
    output      logic [3:0]             tx_ring_log2_o,
    input  wire logic [31:0]            tx_producer_i,
    input  wire logic [31:0]            tx_consumer_i,
    // receive: desc_fetch, rx_writer
    output      logic [NumRxQueues-1:0] rx_enabled_o,
    output      logic [NumRxQueues-1:0] rx_on_o,
    output      logic [NumRxQueues-1:0] rx_ending_o,
    input  wire logic [NumRxQueues-1:0] rx_outstanding_i,
    output      logic                   rx_barrier_valid_o,
    output      logic [10:0]            rx_barrier_queue_o,
    input  wire logic                   rx_barrier_ready_i,
    input  wire logic                   rx_err_valid_i,
    input  wire logic [10:0]            rx_err_queue_i,
    input  wire logic [7:0]             rx_err_cause_i,
    input  wire logic [31:0]            rx_err_index_i,
    input  wire logic [10:0]            rx_ring_queue_i,
    output      logic [63:0]            rx_ring_base_o,
    output      logic [3:0]             rx_ring_log2_o,
    input  wire logic [31:0]            rx_producer_i,
    input  wire logic [31:0]            rx_consumer_i,
    input  wire logic [10:0]            rx_buf_queue_i,
    output      logic [14:0]            rx_buf_size_o
);

  localparam logic [4:0] StartCycles = 5'd24;  // desc_fetch, completer and irq have taken the start by then

  typedef enum logic [2:0] {
    StIdle,   // waits for an access
    StLook,   // the page is addressed; the configuration check settles, then the page is read
    StAct,    // the access happens
    StStart,  // a queue was started; its state becomes enabled when all blocks know it
    StRearm,  // a re-arm waits for irq
    StAck     // one cycle of qbus_ready_o
  } state_e;

  state_e state_q;
  logic [4:0] count_q;
  logic new_dir, new_bell;
  logic [10:0] new_queue, queue_q;
  logic [7:0] offset_q;
  logic is_page_q, is_bell_q, is_rearm_q, is_ctrl_q, dir_q, write_q, mapped_q, known_q, act, bell, read, wants_enable, wants_disable;
  logic tx_known, rx_known, tx_disabled, rx_disabled, tx_enabled, rx_enabled, tx_errored, rx_errored, tx_good, rx_good;
  logic disabled_q, enabled_q, errored_q, good_q, refuse, enable, unused;
  logic [31:0] wdata_q, tx_rdata, rx_rdata, tx_init, rx_init, tx_cpl_init, rx_cpl_init;

  // ---- decoding: csr passes pages (TX, then RX) and, above them, doorbells ----
  assign new_bell = qbus_addr_i[21];
  assign new_dir = new_bell ? qbus_addr_i[13] : qbus_addr_i[19];
  assign new_queue = new_bell ? qbus_addr_i[12:2] : qbus_addr_i[18:8];

  assign unused = &{1'b0, qbus_addr_i[20]};

  assign wants_enable = is_ctrl_q && wdata_q[0] && disabled_q;
  assign wants_disable = is_ctrl_q && !wdata_q[0] && (enabled_q || errored_q);

  // ---- the access ----
  assign act = state_q == StAct && known_q && write_q && !reset_busy_o;
  assign bell = act && is_bell_q && enabled_q;
  assign read = state_q == StLook && count_q == 5'd5;
  assign refuse = act && wants_enable && !good_q;
  assign enable = state_q == StStart && count_q == StartCycles;

  assign qbus_ready_o = state_q == StAck;
  assign tx_db_valid_o = bell && !is_rearm_q && !dir_q;
  assign rx_db_valid_o = bell && !is_rearm_q && dir_q;
  assign rearm_valid_o = state_q == StRearm;
  assign {bell_dir_o, bell_queue_o} = {dir_q, queue_q};
  assign bell_index_o = wdata_q;
  assign {page_dir_o, page_queue_o} = {dir_q, queue_q};
  assign start_valid_o = state_q == StStart && count_q == 5'd0;
  assign {start_dir_o, start_queue_o} = {dir_q, queue_q};
  assign start_index_o = dir_q ? rx_init : tx_init;
  assign start_cpl_index_o = dir_q ? rx_cpl_init : tx_cpl_init;

  // ---- soft reset ----
  typedef enum logic [1:0] {
    StRun,      // no reset
    StQuiesce,  // queues are being disabled, the receive buffer is being emptied
    StClear     // everything is idle; irq and rx_filter forget
  } reset_e;

  reset_e     reset_q;
  logic [3:0] calm_q;
  logic       clear_q, stop_all, forget, tx_quiet, rx_quiet, enabling;

  assign enabling = state_q == StStart;
  assign reset_busy_o = reset_q != StRun;
  assign rx_flush_o = reset_q == StQuiesce;
  assign stop_all = reset_q == StQuiesce && !enabling;
  assign forget = reset_q == StQuiesce && calm_q == 4'd15;
  assign clear_o = forget;

  // ---- the two directions; their interrupt flushes take turns ----
  logic tx_flush_valid, rx_flush_valid, flush_rx_q, flush_rx_d, tx_flush_d, tx_ending_any, awake;
  logic [10:0] tx_flush_queue, rx_flush_queue;
  logic [63:0] tx_cpl_base, rx_cpl_base;
  logic [15:0] tx_ticks, rx_ticks;
  logic [7:0] tx_vector, rx_vector, tx_count, rx_count;
  logic [3:0] tx_cpl_log2, rx_cpl_log2;
  logic [14:0] unused_tx_buf_size;  // transmit queues have none
  logic unused_rx_ending_any;       // only the transmit clock's flush asks

  assign flush_valid_o = flush_rx_q ? rx_flush_valid : tx_flush_valid;
  assign flush_dir_o = flush_rx_q;
  assign flush_queue_o = flush_rx_q ? rx_flush_queue : tx_flush_queue;
  assign cpl_base_o = cpl_cfg_dir_i ? rx_cpl_base : tx_cpl_base;
  assign cpl_log2_o = cpl_cfg_dir_i ? rx_cpl_log2 : tx_cpl_log2;
  assign irq_vector_o = irq_cfg_dir_i ? rx_vector : tx_vector;
  assign irq_count_o = irq_cfg_dir_i ? rx_count : tx_count;
  assign irq_ticks_o = irq_cfg_dir_i ? rx_ticks : tx_ticks;

  // ---- registers ----
  assign flush_rx_d = !flush_done_i && (flush_rx_q || (rx_flush_valid && !tx_flush_valid));
  assign tx_flush_d = (tx_ending_any || vc_ending_i) && !tx_clk_alive_i;
  assign awake = `AWAKE(state_q != StIdle || qbus_look_i || qbus_valid_i || soft_reset_i || reset_q != StRun || clear_q || flush_rx_q != flush_rx_d ||
                 tx_flush_o != tx_flush_d);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      count_q <= 5'd0;
      {is_page_q, is_bell_q, is_rearm_q, is_ctrl_q, dir_q, write_q, mapped_q} <= 7'd0;
      {queue_q, offset_q, wdata_q} <= 51'd0;
      {qbus_rdata_o, qbus_err_o} <= 33'd0;
      {known_q, disabled_q, enabled_q, errored_q, good_q} <= 5'd0;
      reset_q <= StRun;
      calm_q <= 4'd0;
      {clear_q, flush_rx_q, tx_flush_o} <= 3'b000;
    end else if (awake) begin
      unique case (state_q)
        StIdle: if (qbus_valid_i && is_bell_q) state_q <= StAct; // on the data path, and nothing has to settle
                else if (qbus_valid_i) state_q <= StLook;
        StLook: if (count_q == 5'd6) state_q <= StAct;
        StAct: begin
          if (act && wants_enable && good_q) state_q <= StStart;
          else if (bell && is_rearm_q) state_q <= StRearm;
          else state_q <= StAck;
        end
        StStart: if (count_q == StartCycles) state_q <= StAck;
        StRearm: if (rearm_ready_i) state_q <= StAck;
        StAck: state_q <= StIdle;
        default: state_q <= StIdle;
      endcase
      if (state_q == StIdle || state_q == StAct) count_q <= 5'd0;
      else if (state_q == StLook || state_q == StStart) count_q <= count_q + 5'd1;
      if (qbus_look_i) begin
        is_page_q <= !new_bell;
        is_bell_q <= new_bell;
        is_rearm_q <= new_bell && qbus_addr_i[14];
        is_ctrl_q <= !new_bell && qbus_addr_i[7:0] == nic_1g_pkg::QUEUE_CTRL_OFFSET;
        dir_q <= new_dir;
        queue_q <= new_queue;
        offset_q <= qbus_addr_i[7:0];
        write_q <= qbus_write_i;
        wdata_q <= qbus_wdata_i;
        mapped_q <= new_dir ? 32'(new_queue) < NumRxQueues : 32'(new_queue) < NumTxQueues;
      end
      // of the page, one cycle old
      known_q <= mapped_q && (is_bell_q || (dir_q ? rx_known : tx_known));
      disabled_q <= dir_q ? rx_disabled : tx_disabled;
      enabled_q <= dir_q ? rx_enabled : tx_enabled;
      errored_q <= dir_q ? rx_errored : tx_errored;
      good_q <= dir_q ? rx_good : tx_good;
      if (state_q == StAct) begin
        qbus_rdata_o <= is_page_q ? (dir_q ? rx_rdata : tx_rdata) : 32'h0;
        qbus_err_o <= !known_q;
      end
      flush_rx_q <= flush_rx_d;
      tx_flush_o <= tx_flush_d;
      clear_q <= clear_o;
      // idle for 16 cycles in a row: longer than any hand-over between two blocks
      calm_q <= tx_quiet && rx_quiet && vc_quiet_i && !enabling && idle_i && reset_q == StQuiesce ? calm_q + 4'd1 : 4'd0;
      case (reset_q)
        StRun: if (soft_reset_i) reset_q <= StQuiesce;
        StQuiesce: if (forget) reset_q <= StClear;
        default: if (!clear_busy_i && calm_q == 4'd0 && !clear_q) reset_q <= StRun;
      endcase
    end
  end

  queue_side #(.NumQueues(NumTxQueues), .NumVectors(NumVectors), .IsRx(1'b0)) u_tx (
      .clk_i, .rst_ni,
      .page_queue_i(queue_q), .page_offset_i(offset_q), .page_write_i(act && is_page_q && !dir_q), .page_wdata_i(wdata_q),
      .page_read_i(read && !dir_q), .page_rdata_o(tx_rdata), .page_known_o(tx_known), .page_disabled_o(tx_disabled),
      .page_enabled_o(tx_enabled), .page_error_o(tx_errored), .good_o(tx_good), .init_index_o(tx_init), .cpl_init_index_o(tx_cpl_init),
      .enable_i(enable && !dir_q), .refuse_i(refuse && !dir_q), .disable_i(act && wants_disable && !dir_q),
      .stop_all_i(stop_all), .forget_i(forget), .quiet_o(tx_quiet), .ending_any_o(tx_ending_any), .error_o(tx_error_o),
      .enabled_o(tx_enabled_o), .on_o(tx_on_o), .ending_o(tx_ending_o), .outstanding_i(tx_outstanding_i),
      .barrier_valid_o(tx_barrier_valid_o), .barrier_queue_o(tx_barrier_queue_o), .barrier_ready_i(tx_barrier_ready_i),
      .barrier_done_i(barrier_done_i && !barrier_done_dir_i),
      .flush_valid_o(tx_flush_valid), .flush_queue_o(tx_flush_queue), .flush_done_i(flush_done_i && !flush_rx_q),
      .fetch_err_valid_i(tx_err_valid_i), .fetch_err_queue_i(tx_err_queue_i), .fetch_err_cause_i(tx_err_cause_i),
      .fetch_err_index_i(tx_err_index_i),
      .cpl_err_valid_i(cpl_err_valid_i && !cpl_err_dir_i), .cpl_err_queue_i, .cpl_err_index_i,
      .producer_i(tx_producer_i), .consumer_i(tx_consumer_i), .cpl_produced_i,
      .ring_queue_i(tx_ring_queue_i), .ring_base_o(tx_ring_base_o), .ring_log2_o(tx_ring_log2_o),
      .cpl_queue_i(cpl_cfg_queue_i), .cpl_base_o(tx_cpl_base), .cpl_log2_o(tx_cpl_log2),
      .irq_queue_i(irq_cfg_queue_i), .vector_o(tx_vector), .mod_count_o(tx_count), .mod_ticks_o(tx_ticks),
      .buf_queue_i(11'd0), .buf_size_o(unused_tx_buf_size)
  );

  queue_side #(.NumQueues(NumRxQueues), .NumVectors(NumVectors), .IsRx(1'b1)) u_rx (
      .clk_i, .rst_ni,
      .page_queue_i(queue_q), .page_offset_i(offset_q), .page_write_i(act && is_page_q && dir_q), .page_wdata_i(wdata_q),
      .page_read_i(read && dir_q), .page_rdata_o(rx_rdata), .page_known_o(rx_known), .page_disabled_o(rx_disabled),
      .page_enabled_o(rx_enabled), .page_error_o(rx_errored), .good_o(rx_good), .init_index_o(rx_init), .cpl_init_index_o(rx_cpl_init),
      .enable_i(enable && dir_q), .refuse_i(refuse && dir_q), .disable_i(act && wants_disable && dir_q),
      .stop_all_i(stop_all), .forget_i(forget), .quiet_o(rx_quiet), .ending_any_o(unused_rx_ending_any), .error_o(rx_error_o),
      .enabled_o(rx_enabled_o), .on_o(rx_on_o), .ending_o(rx_ending_o), .outstanding_i(rx_outstanding_i),
      .barrier_valid_o(rx_barrier_valid_o), .barrier_queue_o(rx_barrier_queue_o), .barrier_ready_i(rx_barrier_ready_i),
      .barrier_done_i(barrier_done_i && barrier_done_dir_i),
      .flush_valid_o(rx_flush_valid), .flush_queue_o(rx_flush_queue), .flush_done_i(flush_done_i && flush_rx_q),
      .fetch_err_valid_i(rx_err_valid_i), .fetch_err_queue_i(rx_err_queue_i), .fetch_err_cause_i(rx_err_cause_i),
      .fetch_err_index_i(rx_err_index_i),
      .cpl_err_valid_i(cpl_err_valid_i && cpl_err_dir_i), .cpl_err_queue_i, .cpl_err_index_i,
      .producer_i(rx_producer_i), .consumer_i(rx_consumer_i), .cpl_produced_i,
      .ring_queue_i(rx_ring_queue_i), .ring_base_o(rx_ring_base_o), .ring_log2_o(rx_ring_log2_o),
      .cpl_queue_i(cpl_cfg_queue_i), .cpl_base_o(rx_cpl_base), .cpl_log2_o(rx_cpl_log2),
      .irq_queue_i(irq_cfg_queue_i), .vector_o(rx_vector), .mod_count_o(rx_count), .mod_ticks_o(rx_ticks),
      .buf_queue_i(rx_buf_queue_i), .buf_size_o(rx_buf_size_o)
  );

endmodule

`default_nettype wire

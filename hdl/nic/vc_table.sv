// SPDX-License-Identifier: Apache-2.0
// The table of virtual connections (docs/nic.md section 11): pages, orders, who has what, counters, and the barriers that it shares with
// queue_ctrl. Scheduling and shaping are tx_sched's, classification rx_classify's.
`default_nettype none

module vc_table #(
    parameter int NumTxQueues = 4,
    parameter int NumRxQueues = 4,
    parameter int VcBits      = 6
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // csr
    input  wire logic                   bus_valid_i,
    input  wire logic                   bus_write_i,
    input  wire logic [           17:0] bus_addr_i,
    input  wire logic [           31:0] bus_wdata_i,
    output      logic                   bus_ready_o,
    output      logic [           31:0] bus_rdata_o,
    output      logic                   bus_err_o,
    output      logic                   off_o,
    // queue_ctrl
    input  wire logic [NumTxQueues-1:0] tx_enabled_i,
    input  wire logic [NumRxQueues-1:0] rx_enabled_i,
    input  wire logic                   reset_busy_i,
    input  wire logic                   forget_i,
    output      logic                   ending_any_o,
    output      logic                   quiet_o,
    // tx_sched
    output      logic [(1<<VcBits)-1:0] active_o,
    output      logic                   set_valid_o,
    input  wire logic                   set_ready_i,
    output      logic [   VcBits+173:0] set_data_o,
    input  wire logic                   wait_valid_i,
    input  wire logic [     VcBits-1:0] wait_vc_i,
    output      logic                   wait_ready_o,
    // rx_path
    input  wire logic                   look_valid_i,
    input  wire logic [           11:0] look_vid_i,
    output      logic                   look_done_o,
    output      logic                   look_hit_o,
    output      logic [     VcBits-1:0] look_vc_o,
    output      logic [           10:0] look_queue_o,
    input  wire logic                   drop_valid_i,
    input  wire logic [     VcBits-1:0] drop_vc_i,
    output      logic                   mark_valid_o,
    input  wire logic                   mark_ready_i,
    input  wire logic                   mark_i,
    output      logic                   hurry_o,
    // completer: events that stats takes too (valid and ready)
    input  wire logic                   tx_count_valid_i,
    output      logic                   tx_count_ready_o,
    input  wire logic [           10:0] tx_count_queue_i,
    input  wire logic [           15:0] tx_count_octets_i,
    input  wire logic                   rx_count_valid_i,
    output      logic                   rx_count_ready_o,
    input  wire logic [           10:0] rx_count_queue_i,
    input  wire logic                   rx_count_good_i,
    input  wire logic [           15:0] rx_count_octets_i,
    // barriers: queue_ctrl's, tx_path, completer
    input  wire logic                   queue_barrier_valid_i,
    input  wire logic [           10:0] queue_barrier_queue_i,
    output      logic                   queue_barrier_ready_o,
    output      logic                   tx_barrier_valid_o,
    output      logic [           10:0] tx_barrier_queue_o,
    input  wire logic                   tx_barrier_ready_i,
    input  wire logic                   rx_barrier_i,      // pulse: a receive queue's barrier went in
    input  wire logic                   barrier_done_i,
    input  wire logic                   barrier_done_dir_i,
    output      logic                   queue_barrier_done_o
);

  logic [(1<<VcBits)-1:0] draining;
  logic order_valid, order_on, order_ready, cause_valid, count_valid, count_high, count_ready, zero_valid, zero_ready;
  logic [VcBits-1:0] order_vc, hit_vc;
  logic [7:0] cause;
  logic [3:0] word_index;
  logic [31:0] word, count_data;
  logic [2:0] count_index;
  logic find_valid, find_ready, find_done, hit, put_valid, ask_valid, ask_rx, ask_ready, ask_done;
  logic [1:0] find_kind;
  logic [11:0] find_key;
  logic [10:0] ask_queue;
  logic [35:0] hit_data, put_data;
  logic barrier_valid, barrier_ready, sent, marked, mine, mine_q, busy_q, tx_queue_done, rx_queue_done;

  vc_pages #(.VcBits(VcBits)) u_pages (
      .clk_i, .rst_ni, .valid_i(bus_valid_i), .write_i(bus_write_i), .addr_i(bus_addr_i), .wdata_i(bus_wdata_i), .ready_o(bus_ready_o),
      .rdata_o(bus_rdata_o), .err_o(bus_err_o), .forget_i, .active_i(active_o), .draining_i(draining),
      .order_valid_o(order_valid), .order_on_o(order_on), .order_vc_o(order_vc), .order_ready_i(order_ready), .cause_valid_i(cause_valid),
      .cause_i(cause), .word_i(word_index), .word_o(word),
      .count_valid_o(count_valid), .count_index_o(count_index), .count_high_o(count_high), .count_ready_i(count_ready),
      .count_data_i(count_data)
  );

  vc_orders #(.NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .VcBits(VcBits)) u_orders (
      .clk_i, .rst_ni, .active_o, .draining_o(draining), .tx_enabled_i, .rx_enabled_i, .stop_all_i(reset_busy_i), .ending_any_o, .quiet_o,
      .off_o, .order_valid_i(order_valid), .order_on_i(order_on), .order_vc_i(order_vc), .order_ready_o(order_ready),
      .cause_valid_o(cause_valid), .cause_o(cause), .word_o(word_index), .word_i(word),
      .find_valid_o(find_valid), .find_kind_o(find_kind), .find_key_o(find_key), .find_ready_i(find_ready), .find_done_i(find_done),
      .find_hit_i(hit), .find_vc_i(hit_vc), .find_data_i(hit_data), .put_valid_o(put_valid), .put_data_o(put_data),
      .set_valid_o, .set_ready_i, .set_data_o, .zero_valid_o(zero_valid), .zero_ready_i(zero_ready),
      .barrier_valid_o(barrier_valid), .barrier_ready_i(barrier_ready), .barrier_done_i(sent),
      .mark_valid_o, .mark_ready_i, .mark_done_i(marked), .hurry_o
  );

  vc_find #(.NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .VcBits(VcBits)) u_find (
      .clk_i, .rst_ni, .active_i(active_o), .used_i(active_o | draining), .put_valid_i(put_valid), .put_vc_i(order_vc),
      .put_data_i(put_data), .look_valid_i, .look_vid_i, .look_done_o,
      .ord_valid_i(find_valid), .ord_kind_i(find_kind), .ord_key_i(find_key), .ord_ready_o(find_ready), .ord_done_o(find_done),
      .cnt_valid_i(ask_valid), .cnt_rx_i(ask_rx), .cnt_queue_i(ask_queue), .cnt_ready_o(ask_ready), .cnt_done_o(ask_done),
      .hit_o(hit), .vc_o(hit_vc), .data_o(hit_data)
  );

  vc_count #(.VcBits(VcBits)) u_count (
      .clk_i, .rst_ni, .tx_valid_i(tx_count_valid_i), .tx_ready_o(tx_count_ready_o), .tx_queue_i(tx_count_queue_i),
      .tx_octets_i(tx_count_octets_i), .rx_valid_i(rx_count_valid_i), .rx_ready_o(rx_count_ready_o), .rx_queue_i(rx_count_queue_i),
      .rx_good_i(rx_count_good_i), .rx_octets_i(rx_count_octets_i), .drop_valid_i, .drop_vc_i,
      .wait_valid_i, .wait_vc_i, .wait_ready_o, .zero_valid_i(zero_valid), .zero_vc_i(order_vc), .zero_ready_o(zero_ready),
      .find_valid_o(ask_valid), .find_rx_o(ask_rx), .find_queue_o(ask_queue), .find_ready_i(ask_ready), .find_done_i(ask_done),
      .find_hit_i(hit), .find_vc_i(hit_vc), .read_valid_i(count_valid), .read_vc_i(order_vc), .read_index_i(count_index),
      .read_high_i(count_high), .read_ready_o(count_ready), .read_data_o(count_data)
  );

  assign look_hit_o = hit;
  assign look_vc_o = hit_vc;
  assign look_queue_o = hit_data[10:0];

  // ---- transmit barriers of queues and VCs take turns at the door ----
  assign mine = busy_q ? mine_q : !queue_barrier_valid_i;
  assign tx_barrier_valid_o = queue_barrier_valid_i || barrier_valid;
  assign tx_barrier_queue_o = queue_barrier_queue_i;
  assign barrier_ready = tx_barrier_ready_i && mine;
  assign queue_barrier_ready_o = tx_barrier_ready_i && !mine;
  assign queue_barrier_done_o = tx_queue_done || rx_queue_done;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {mine_q, busy_q} <= 2'b00;
    else begin
      mine_q <= mine;
      busy_q <= tx_barrier_valid_o && !tx_barrier_ready_i;
    end
  end

  barrier_order u_tx_barriers (
      .clk_i, .rst_ni, .in0_i(queue_barrier_valid_i && queue_barrier_ready_o), .in1_i(barrier_valid && barrier_ready),
      .done_i(barrier_done_i && !barrier_done_dir_i), .done0_o(tx_queue_done), .done1_o(sent)
  );
  barrier_order u_rx_barriers (
      .clk_i, .rst_ni, .in0_i(rx_barrier_i), .in1_i(mark_i), .done_i(barrier_done_i && barrier_done_dir_i), .done0_o(rx_queue_done),
      .done1_o(marked)
  );

endmodule

`default_nettype wire

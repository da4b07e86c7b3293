// SPDX-License-Identifier: Apache-2.0
// Descriptor cache of one direction, its state in RAM indexed by queue. Doorbells move the producer (checked against the ring
// size); whenever a queue has posted descriptors and room in its cache, up to 16 of them are fetched in one request, one request
// per queue at a time; the consumer pops them in order. Never asks for a descriptor at or past the producer. A failed fetch stops
// its queue (cause 33) after the good descriptors before it; a doorbell beyond the ring size reports cause 32. A descriptor is
// ready to pop 2 cycles after its last beat. Indices run freely and are masked at use:
//
//        consumer          filled        fetched          producer
//   ---------|== cached =====|-- coming ----|-- posted --------|---------   producer - consumer <= ring size
//            |<------------ CacheDepth at most                            fetched - consumer <= CacheDepth
`default_nettype none
`include "check.svh"

module desc_fetch #(
    parameter int NumQueues  = 4,
    parameter int CacheDepth = 32, // descriptors per queue, power of two from 16
    parameter bit IsRx       = 1'b0
) (
    input  wire logic                 clk_i,
    input  wire logic                 rst_ni,
    // csr: doorbell (pulse)
    input  wire logic                 db_valid_i,
    input  wire logic [         10:0] db_queue_i,
    input  wire logic [         31:0] db_index_i,
    // queue_ctrl
    input  wire logic                 start_valid_i,
    input  wire logic [         10:0] start_queue_i,
    input  wire logic [         31:0] start_index_i,
    input  wire logic [NumQueues-1:0] on_i,
    input  wire logic [NumQueues-1:0] ending_i,
    output      logic [NumQueues-1:0] outstanding_o,
    output      logic [         10:0] cfg_queue_o,
    input  wire logic [         63:0] cfg_ring_base_i,
    input  wire logic [          3:0] cfg_ring_log2_i,
    output      logic                 err_valid_o,
    output      logic [         10:0] err_queue_o,
    output      logic [          7:0] err_cause_o,
    output      logic [         31:0] err_index_o,
    input  wire logic [         10:0] csr_queue_i,
    output      logic [         31:0] csr_producer_o,
    output      logic [         31:0] csr_consumer_o,
    // dma_read
    output      logic                 rd_valid_o,
    input  wire logic                 rd_ready_i,
    output      logic [         63:0] rd_addr_o,
    output      logic [         15:0] rd_len_o,
    input  wire logic                 rdata_valid_i,
    input  wire logic [         63:0] rdata_i,
    input  wire logic                 rdata_err_i,
    // tx_sched: a descriptor of the queue is cached from the next cycle on (pulse)
    output      logic                 fill_valid_o,
    output      logic [         10:0] fill_queue_o,
    // tx_frame or rx_writer
    output      logic [NumQueues-1:0] ready_o,
    input  wire logic                 pop_valid_i,
    input  wire logic [         10:0] pop_queue_i,
    output      logic                 pop_ready_o,
    output      logic [        127:0] pop_desc_o,
    output      logic [         31:0] pop_index_o,
    output      logic [          3:0] pop_ring_log2_o,
    output      logic                 pop_err_o,
    output      logic                 pop_failed_o,
    input  wire logic [         10:0] avail_queue_i,
    output      logic [         31:0] avail_count_o
);

  localparam int QueueBits = NumQueues > 1 ? $clog2(NumQueues) : 1;
  localparam int SlotBits = $clog2(CacheDepth);

  // Per queue: indices, and bits that make the choice of a queue cheap.
  logic [31:0] producer_mem [1 << QueueBits];
  logic [31:0] consumer_mem [1 << QueueBits];
  logic [31:0] fetched_mem [1 << QueueBits];
  logic [SlotBits:0] filled_mem [1 << QueueBits];
  logic [3:0] ring_log2_mem [1 << QueueBits]; // as of the last doorbell
  logic [127:0] cache_mem [1 << (QueueBits + SlotBits)];
  logic [NumQueues-1:0] ready_q;  // a descriptor is cached
  logic [NumQueues-1:0] more_q;   // posted descriptors may be left to fetch
  logic [NumQueues-1:0] full_q;   // too little room in the cache; ends at the next pop
  logic [NumQueues-1:0] busy_q;   // being looked at, or a fetch is under way
  logic [NumQueues-1:0] failed_q; // a fetch failed since the start

  // ---- start ------------------------------------------------------------------------------------------------------------
  logic start_q, start_go, pop_hit_q, fill_go, fill_err, db_commit, fetch_go, plan_all;
  logic [10:0] start_queue_q;
  logic [31:0] start_index_q;
  logic [QueueBits-1:0] start_sel;

  assign start_sel = start_queue_q[QueueBits-1:0];
  assign start_go = start_q && !pop_hit_q && !(rdata_valid_i && half_q) && !db_commit; // with none of the other writers

  // ---- doorbells ----------------------------------------------------------------------------------------------------------
  logic db_reading, db_good, db_err;
  logic [3:0] db_ring_log2;
  logic [10:0] db_read_queue, db_queue, db_err_queue;
  logic [31:0] db_index, db_err_index;

  doorbell_check u_doorbell (
      .clk_i, .rst_ni, .db_valid_i, .db_queue_i, .db_index_i,
      .read_valid_o(db_reading), .read_queue_o(db_read_queue),
      .consumer_i(consumer_mem[db_read_queue[QueueBits-1:0]]), .cfg_ring_log2_i,
      .valid_o(db_commit), .queue_o(db_queue), .index_o(db_index), .ring_log2_o(db_ring_log2),
      .ending_i(ending_i[db_queue[QueueBits-1:0]]), .good_o(db_good),
      .err_valid_o(db_err), .err_ready_i(!fill_err), .err_queue_o(db_err_queue), .err_index_o(db_err_index)
  );
  // ---- the next fetch -----------------------------------------------------------------------------------------------------
  logic plan_begin, plan_drop, plan_tight, plan_touched, order_valid;
  logic [10:0] plan_queue;
  logic [QueueBits-1:0] plan_sel;
  logic [31:0] plan_first;
  logic [4:0] plan_count;
  logic [3:0] order_count;
  logic unused_order_ready, unused;

  desc_plan #(.NumQueues(NumQueues), .CacheDepth(CacheDepth)) u_plan (
      .clk_i, .rst_ni,
      .want_i(more_q & ~full_q & ~busy_q & ~failed_q & on_i), .on_i,
      .queue_o(plan_queue), .begin_o(plan_begin), .touched_i(plan_touched), .drop_o(plan_drop), .tight_o(plan_tight),
      .read_hold_i(db_reading), .producer_i(producer_mem[plan_sel]), .consumer_i(consumer_mem[plan_sel]), .fetched_i(fetched_mem[plan_sel]),
      .cfg_ring_base_i, .cfg_ring_log2_i,
      .ask_hold_i(order_count[3]), .commit_hold_i(start_go), .commit_o(fetch_go), .first_o(plan_first), .count_o(plan_count),
      .all_o(plan_all), .rd_valid_o, .rd_ready_i, .rd_addr_o, .rd_len_o
  );

  assign plan_sel = plan_queue[QueueBits-1:0];
  assign cfg_queue_o = db_reading ? db_read_queue : plan_queue;
  // any doorbell casts doubt, also one that turns out bad: the verdict comes late in the cycle
  assign plan_touched = (db_commit && db_queue == plan_queue) || (pop_hit_q && pop_queue_i == plan_queue);

  // ---- fetches under way, in order; beats into the cache --------------------------------------------------------------------
  logic fill_last, half_q, fill_bad_q, half_err_q;
  logic [47:0] order;
  logic [10:0] fill_queue;
  logic [4:0] fill_total, filled_q;
  logic [31:0] fill_first, fill_index;
  logic [63:0] half_data_q;
  logic [QueueBits-1:0] fill_sel;

  fifo #(.Width(48), .Depth(8)) u_order (
      .clk_i, .rst_ni, .clear_i(1'b0),
      .wr_valid_i(fetch_go), .wr_ready_o(unused_order_ready), .wr_data_i({plan_queue, plan_count, plan_first}),
      .rd_valid_o(order_valid), .rd_ready_i(fill_last), .rd_data_o(order), .count_o(order_count)
  );

  assign {fill_queue, fill_total, fill_first} = order;
  assign fill_sel = fill_queue[QueueBits-1:0];
  assign fill_index = fill_first + {27'd0, filled_q};
  assign fill_last = rdata_valid_i && half_q && filled_q + 5'd1 == fill_total;
  assign fill_err = rdata_valid_i && half_q && !fill_bad_q && (rdata_err_i || half_err_q);
  assign fill_go = rdata_valid_i && half_q && !fill_bad_q && !rdata_err_i && !half_err_q;

  // ---- pop: look (read the RAM), hand over -------------------------------------------------------------------------------
  logic [QueueBits-1:0] pop_sel;
  logic [SlotBits-1:0] pop_slot;
  logic [31:0] pop_index_q, pop_next;
  logic [127:0] pop_desc_q;
  logic pop_err_q, pop_failed_q, pop_look, pop_lost, pop_empties;

  assign pop_sel = pop_queue_i[QueueBits-1:0];
  assign pop_look = pop_valid_i && !pop_hit_q && !pop_err_q && ready_q[pop_sel] && !start_q;
  assign pop_lost = pop_valid_i && !pop_hit_q && !pop_err_q && !ready_q[pop_sel] && !busy_q[pop_sel] &&
                    (failed_q[pop_sel] || !on_i[pop_sel] || (ending_i[pop_sel] && !more_q[pop_sel]));
  assign pop_ready_o = pop_hit_q || pop_err_q;
  assign pop_desc_o = pop_desc_q;
  assign pop_index_o = pop_index_q;
  assign pop_ring_log2_o = ring_log2_mem[pop_sel];
  assign pop_err_o = pop_err_q;
  assign pop_failed_o = pop_failed_q;
  assign pop_next = pop_index_q + 32'd1;
  assign pop_empties = pop_hit_q && filled_mem[pop_sel] == pop_next[SlotBits:0] && !(fill_go && fill_sel == pop_sel);
  assign ready_o = ready_q;
  assign fill_valid_o = fill_go;
  assign fill_queue_o = fill_queue;

  assign pop_slot = SlotBits'(consumer_mem[pop_sel]);

  // ---- the RAMs ------------------------------------------------------------------------------------------------------------
  logic ram_awake, awake, settle_q;
  logic [10:0] avail_queue_q;
  logic [31:0] avail_q;

  assign ram_awake = `AWAKE(start_go || db_good || pop_hit_q || pop_look || fetch_go || fill_go);

  always_ff @(posedge clk_i) begin
    if (ram_awake) begin
      if (pop_look) pop_desc_q <= cache_mem[{pop_sel, pop_slot}];
      if (fill_go) cache_mem[{fill_sel, fill_index[SlotBits-1:0]}] <= {rdata_i, half_data_q};
      if (start_go) begin
        producer_mem[start_sel] <= start_index_q;
        consumer_mem[start_sel] <= start_index_q;
        fetched_mem[start_sel] <= start_index_q;
        filled_mem[start_sel] <= start_index_q[SlotBits:0];
      end else begin
        if (db_good) begin
          producer_mem[db_queue[QueueBits-1:0]] <= db_index;
          ring_log2_mem[db_queue[QueueBits-1:0]] <= db_ring_log2;
        end
        if (pop_hit_q) consumer_mem[pop_sel] <= pop_next;
        if (fetch_go) fetched_mem[plan_sel] <= plan_first + {27'd0, plan_count};
        if (fill_go) filled_mem[fill_sel] <= fill_index[SlotBits:0] + 1'b1;
      end
    end
  end

  // ---- everything else: awake while something happens, and one cycle longer for avail_count_o --------------------------------
  assign awake = `AWAKE(start_valid_i || start_q || rdata_valid_i || pop_valid_i || pop_hit_q || pop_err_q || db_good || plan_begin ||
                 plan_drop || fetch_go || db_err || err_valid_o || settle_q || (IsRx && avail_queue_q != avail_queue_i));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      start_q <= 1'b0;
      start_queue_q <= 11'd0;
      start_index_q <= 32'd0;
      {half_q, half_err_q, fill_bad_q} <= 3'd0;
      filled_q <= 5'd0;
      half_data_q <= 64'd0;
      {pop_hit_q, pop_err_q, pop_failed_q} <= 3'd0;
      pop_index_q <= 32'd0;
      {ready_q, more_q, full_q} <= '0;
      {busy_q, failed_q} <= '0;
      settle_q <= 1'b0;
      {err_valid_o, err_queue_o, err_cause_o, err_index_o} <= '0;
      avail_queue_q <= 11'd0;
      avail_q <= 32'd0;
    end else if (awake) begin
      // start
      if (start_valid_i) begin
        start_q <= 1'b1;
        start_queue_q <= start_queue_i;
        start_index_q <= start_index_i;
      end else if (start_go) begin
        start_q <= 1'b0;
      end
      // beats
      if (rdata_valid_i) begin
        `CHECK("descriptor_beat_expected", order_valid)
        half_q <= !half_q;
        if (!half_q) begin
          half_err_q <= rdata_err_i;
          half_data_q <= rdata_i;
        end else if (fill_last) begin
          fill_bad_q <= 1'b0;
          filled_q <= 5'd0;
        end else begin
          if (fill_err) fill_bad_q <= 1'b1;
          filled_q <= filled_q + 5'd1;
        end
      end
      // pop
      pop_hit_q <= pop_look;
      pop_err_q <= pop_lost;
      if (pop_lost) pop_failed_q <= failed_q[pop_sel];
      if (pop_look) pop_index_q <= consumer_mem[pop_sel];
      // bits per queue: what comes later wins
      if (plan_begin) busy_q[plan_sel] <= 1'b1;
      if (plan_drop) busy_q[plan_sel] <= 1'b0;
      if ((plan_drop || fetch_go) && plan_all) more_q[plan_sel] <= 1'b0;
      if (plan_tight) full_q[plan_sel] <= 1'b1;
      if (fill_last) busy_q[fill_sel] <= 1'b0;
      if (fill_err) failed_q[fill_sel] <= 1'b1;
      if (pop_hit_q) full_q[pop_sel] <= 1'b0;
      if (pop_empties) ready_q[pop_sel] <= 1'b0;
      if (fill_go) ready_q[fill_sel] <= 1'b1;
      if (db_good) more_q[db_queue[QueueBits-1:0]] <= 1'b1;
      if (start_go) begin
        ready_q[start_sel] <= 1'b0;
        more_q[start_sel] <= 1'b0;
        full_q[start_sel] <= 1'b0;
        failed_q[start_sel] <= 1'b0;
      end
      // reports; an error of a fetch goes before one of a doorbell
      err_valid_o <= fill_err || db_err;
      if (fill_err || db_err) begin
        err_queue_o <= fill_err ? fill_queue : db_err_queue;
        err_cause_o <= fill_err ? nic_1g_pkg::CAUSE_FETCH_ERROR : nic_1g_pkg::CAUSE_PRODUCER_RANGE;
        err_index_o <= fill_err ? fill_index : db_err_index;
      end
      // avail
      settle_q <= start_go || db_good || pop_hit_q;
      avail_queue_q <= avail_queue_i;
      if (IsRx) avail_q <= producer_mem[avail_queue_i[QueueBits-1:0]] - consumer_mem[avail_queue_i[QueueBits-1:0]];
    end
  end

  // ---- indices for the registers -----------------------------------------------------------------------------------------------------------
  assign outstanding_o = busy_q;
  assign avail_count_o = avail_q;
  assign csr_producer_o = producer_mem[csr_queue_i[QueueBits-1:0]];
  assign csr_consumer_o = consumer_mem[csr_queue_i[QueueBits-1:0]];

  assign unused = &{1'b0, unused_order_ready, order_count, csr_queue_i, avail_queue_i, start_queue_q};

endmodule

`default_nettype wire

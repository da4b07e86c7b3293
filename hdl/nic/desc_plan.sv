// SPDX-License-Identifier: Apache-2.0
// Plans the fetches of desc_fetch: picks the next queue that wants one, reads its indices, and asks dma_read for as many
// descriptors as are posted, have room in the cache, and lie before the ring's end, at most 16. A nearly full cache waits for a
// quarter of its depth, so that fetches stay large. 5 cycles from want_i to the request. Each begin_o ends in exactly one of drop_o
// and commit_o. With them come tight_o (the cache must be popped first) and all_o (nothing posted is left): facts that a doorbell
// or a pop of the queue in the meantime (touched_i) turns into doubt, so then they stay low.
`default_nettype none
`include "check.svh"

module desc_plan #(
    parameter int NumQueues  = 4,
    parameter int CacheDepth = 32
) (
    input  wire logic                 clk_i,
    input  wire logic                 rst_ni,
    // desc_fetch: choice
    input  wire logic [NumQueues-1:0] want_i,
    input  wire logic [NumQueues-1:0] on_i,
    output      logic [         10:0] queue_o,
    output      logic                 begin_o,
    input  wire logic                 touched_i, // doorbell or pop of queue_o
    output      logic                 drop_o,
    output      logic                 tight_o,
    // desc_fetch: the queue's indices and configuration
    input  wire logic                 read_hold_i,
    input  wire logic [         31:0] producer_i,
    input  wire logic [         31:0] consumer_i,
    input  wire logic [         31:0] fetched_i,
    input  wire logic [         63:0] cfg_ring_base_i,
    input  wire logic [          3:0] cfg_ring_log2_i,
    // desc_fetch: the fetch is asked for
    input  wire logic                 ask_hold_i,
    input  wire logic                 commit_hold_i,
    output      logic                 commit_o,
    output      logic [         31:0] first_o,
    output      logic [          4:0] count_o,
    output      logic                 all_o,
    // dma_read
    output      logic                 rd_valid_o,
    input  wire logic                 rd_ready_i,
    output      logic [         63:0] rd_addr_o,
    output      logic [         15:0] rd_len_o
);

  localparam int SlotBits = $clog2(CacheDepth);

  typedef enum logic [2:0] {
    StIdle,   // waits for a queue that wants a fetch
    StRead,   // marks it busy, reads its indices and configuration
    StCount,  // subtracts the indices
    StClip,   // cuts the differences to 16, forms the address
    StMin,    // takes the smaller of what is posted and what lies before the ring's end
    StRoom,   // takes the smallest of all, or finds nothing to do
    StAsk,    // offers the request to dma_read
    StCommit  // lets desc_fetch move `fetched`
  } state_e;

  state_e state_q;
  logic pick_valid, touched_q, all, dry, tight, end_here;
  logic [10:0] pick_queue, queue_q;
  logic [31:0] producer_q, consumer_q, fetched_q, posted_q;
  logic [63:0] base_q, addr_q;
  logic [3:0] log2_q;
  logic [15:0] size_q, offset_q, to_wrap;
  logic [SlotBits:0] room_q;
  logic [4:0] posted16_q, room16_q, wrap16_q, smaller_q, count_q;
  logic on, awake, unused;

  queue_pick #(.NumQueues(NumQueues)) u_pick (
      .clk_i, .rst_ni, .req_i(want_i), .valid_o(pick_valid), .queue_o(pick_queue), .take_i(state_q == StIdle)
  );

  assign to_wrap = size_q - offset_q;
  assign on = on_i[queue_q[(NumQueues > 1 ? $clog2(NumQueues) : 1)-1:0]];
  assign dry = posted16_q == 5'd0 || !on;
  assign tight = !dry && room16_q < smaller_q && room16_q < 5'(CacheDepth / 4);
  assign end_here = state_q == StRoom && (dry || tight);
  assign all = state_q == StRoom ? posted16_q == 5'd0 : posted_q == {27'd0, count_q};

  assign awake = `AWAKE(state_q != StIdle || pick_valid);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      queue_q <= 11'd0;
      touched_q <= 1'b0;
      {producer_q, consumer_q, fetched_q, posted_q} <= 128'd0;
      {base_q, addr_q} <= 128'd0;
      {log2_q, size_q, offset_q} <= 36'd0;
      room_q <= '0;
      {posted16_q, room16_q, wrap16_q, smaller_q, count_q} <= 25'd0;
    end else if (awake) begin
      unique case (state_q)
        StIdle: if (pick_valid) state_q <= StRead;
        StRead: if (!read_hold_i) state_q <= StCount;
        StCount: state_q <= StClip;
        StClip: state_q <= StMin;
        StMin: state_q <= StRoom;
        StRoom: if (end_here) state_q <= StIdle;
                else if (!ask_hold_i) state_q <= StAsk;
        StAsk: if (rd_ready_i) state_q <= StCommit;
        StCommit: if (!commit_hold_i) state_q <= StIdle;
        default: state_q <= StIdle;
      endcase
      if (state_q == StIdle && pick_valid) queue_q <= pick_queue;
      touched_q <= state_q != StIdle && (touched_i || touched_q);
      case (state_q)
        StRead: begin
          producer_q <= producer_i;
          consumer_q <= consumer_i;
          fetched_q <= fetched_i;
          base_q <= cfg_ring_base_i;
          log2_q <= cfg_ring_log2_i;
        end
        StCount: begin
          posted_q <= producer_q - fetched_q;
          room_q <= (SlotBits + 1)'(CacheDepth) - (fetched_q[SlotBits:0] - consumer_q[SlotBits:0]);
          size_q <= 16'd1 << log2_q;
          offset_q <= fetched_q[15:0] & ~(16'hffff << log2_q);
        end
        StClip: begin
          // a producer that went back behind `fetched` has nothing more to fetch
          posted16_q <= posted_q[31:16] != 16'd0 ? 5'd0 : posted_q[15:4] != 12'd0 ? 5'd16 : {1'b0, posted_q[3:0]};
          room16_q <= room_q > (SlotBits + 1)'(16) ? 5'd16 : 5'(room_q);
          wrap16_q <= to_wrap > 16'd16 ? 5'd16 : to_wrap[4:0];
          addr_q <= base_q + {44'd0, offset_q, 4'd0};
        end
        StMin: smaller_q <= posted16_q < wrap16_q ? posted16_q : wrap16_q;
        StRoom: count_q <= room16_q < smaller_q ? room16_q : smaller_q;
        default: ;
      endcase
    end
  end

  assign unused = &{1'b0, consumer_q, queue_q};
  assign queue_o = queue_q;
  assign begin_o = state_q == StRead;
  assign drop_o = end_here;
  assign tight_o = end_here && tight && !touched_q && !touched_i;
  assign all_o = all && !touched_q && !touched_i;
  assign commit_o = state_q == StCommit && !commit_hold_i;
  assign first_o = fetched_q;
  assign count_o = count_q;
  assign rd_valid_o = state_q == StAsk;
  assign rd_addr_o = addr_q;
  assign rd_len_o = {7'd0, count_q, 4'd0};

endmodule

`default_nettype wire

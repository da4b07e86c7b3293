// SPDX-License-Identifier: Apache-2.0
// Writes the frame at the head of the buffer into posted descriptors of its queue. A frame is begun only when enough descriptors for
// all of it are posted; until then it waits, and is dropped whole when its queue goes off, when the buffer has no room for a longest
// frame (room_i low), or at soft reset; frames of VCs do not wait. Bytes go to dma_write as one segment per descriptor; then one record goes to complete_rx.
// When a descriptor fetch fails in mid-frame an empty last segment ends the frame, and the buffers taken come back with cause 33.
// A barrier is answered between frames, also while a frame waits for descriptors, and follows the records before it.
//
// Drop codes of a record: 0 none, 1 no descriptor, 2 queue off, 3 disabled, 4 descriptor fetch failed.
`default_nettype none
`include "check.svh"

module rx_writer #(
    parameter int NumRxQueues = 4,
    parameter int QueueBits   = 6 // of a header's queue
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // frame buffer and header buffer
    input  wire logic                   hdr_valid_i,
    output      logic                   hdr_ready_o,
    input  wire logic [ QueueBits+27:0] hdr_data_i, // {loopback, cause[7:0], multicast, broadcast, own, length[15:0], queue}
    input  wire logic                   hdr_mark_i, // no frame: a barrier of vc_orders
    input  wire logic                   hdr_vc_i,   // of a VC
    input  wire logic [           15:0] hdr_vlan_i,
    input  wire logic                   buf_valid_i,
    output      logic                   buf_ready_o,
    input  wire logic [           63:0] buf_data_i,
    // rx_ingress
    input  wire logic                   room_i,
    // csr, vc_orders
    input  wire logic                   cfg_no_wait_i,  // no frame waits for descriptors
    input  wire logic                   hurry_i,        // now none does
    // queue_ctrl
    input  wire logic                   flush_i,
    input  wire logic [NumRxQueues-1:0] on_i,
    output      logic [           10:0] cfg_queue_o,
    input  wire logic [           14:0] cfg_buf_size_i,
    input  wire logic                   barrier_valid_i,
    input  wire logic [           10:0] barrier_queue_i,
    output      logic                   barrier_ready_o,
    output      logic                   mark_o,         // pulse: a mark follows the records before it
    output      logic                   idle_o,
    // desc_fetch
    output      logic [           10:0] avail_queue_o,
    input  wire logic [           31:0] avail_count_i,
    output      logic                   pop_valid_o,
    output      logic [           10:0] pop_queue_o,
    input  wire logic                   pop_ready_i,
    input  wire logic [           63:0] pop_addr_i,
    input  wire logic [           31:0] pop_index_i,
    input  wire logic                   pop_err_i,
    // dma_write
    output      logic                   seg_valid_o,
    input  wire logic                   seg_ready_i,
    output      logic [           63:0] seg_addr_o,
    output      logic [           15:0] seg_len_o,
    output      logic                   seg_last_o,
    output      logic                   word_valid_o,
    input  wire logic                   word_ready_i,
    output      logic [           63:0] word_data_o,
    // completer
    output      logic                   rec_valid_o,
    input  wire logic                   rec_ready_i,
    output      logic [          131:0] rec_data_o
);

  typedef enum logic [3:0] {
    StHead, // takes the next header, once the words of the frame before have left
    StSize, // looks up the queue's state and buffer size
    StNeed, // counts the descriptors the frame needs
    StWait, // waits until they are posted, or for a reason to drop the frame
    StPop, // takes a descriptor
    StSegment, // asks for its bytes to be written
    StFence, // tells dma_write that the broken frame ends here
    StDrop, // throws away what is left of the frame's words
    StRecord, // hands over the frame's record
    StBarrier // hands over a barrier
  } state_e;
  state_e state_q;

  localparam logic [2:0] DropNone = 3'd0, DropNoDescriptor = 3'd1, DropQueueOff = 3'd2, DropDisabled = 3'd3, DropFetch = 3'd4;

  // ---- the frame at the head ----
  logic held_q; // a header was taken and its frame not begun
  logic loopback_q, multicast_q, broadcast_q, own_q, on_q;
  logic some_q, offer_q; // words of the frame are left in the buffer; they go to dma_write
  logic [7:0] cause_q;
  logic [15:0] length_q, vlan_q;
  logic vc_q, mark_q, mark_take, no_wait_q;
  logic [QueueBits-1:0] queue_q;
  logic [2:0] drop_q;
  logic [14:0] buf_size_q;
  logic [15:0] rest_q; // while counting: bytes not covered yet; in the end those of the last buffer
  logic [10:0] need_q, taken_q; // descriptors
  logic [13:0] words_q; // words still in the buffer
  logic [31:0] first_q; // index past the first descriptor
  logic [63:0] addr_q;
  // ----
  logic more_q; // they do not fit into one buffer
  logic head_take, give_up, enough, enough_q, popped, word_taken, last_segment_q;
  logic [2:0] give_up_code;
  logic [(1 << QueueBits)-1:0] on_all;

  assign on_all = (1 << QueueBits)'(on_i);
  assign head_take = state_q == StHead && !barrier_valid_i && hdr_valid_i && !hdr_mark_i && !some_q;
  assign mark_take = state_q == StHead && !barrier_valid_i && hdr_valid_i && hdr_mark_i;
  assign enough = avail_count_i >= {21'd0, need_q}; // need_q is final in the last cycle of StNeed
  assign popped = state_q == StPop && pop_ready_i && !pop_err_i;

  always_comb begin
    give_up = 1'b0;
    give_up_code = DropNone;
    if (state_q == StNeed || state_q == StWait) begin
      if (flush_i) begin
        give_up = 1'b1;
        give_up_code = DropDisabled;
      end else if (!on_q) begin
        give_up = 1'b1;
        give_up_code = DropQueueOff;
      end else if (state_q == StWait && !enough_q && (!room_i || no_wait_q)) begin
        give_up = 1'b1;
        give_up_code = DropNoDescriptor;
      end
    end
  end

  // ---- headers and words ----
  assign hdr_ready_o = head_take || mark_take;
  assign word_valid_o = buf_valid_i && offer_q && some_q;
  assign word_data_o = buf_data_i;
  assign word_taken = buf_valid_i && buf_ready_o;
  assign buf_ready_o = some_q && (state_q == StDrop || (offer_q && word_ready_i));
  assign idle_o = state_q == StHead && !some_q;

  // ---- descriptors ----
  assign cfg_queue_o = 11'(queue_q);
  assign avail_queue_o = 11'(queue_q);
  assign pop_queue_o = 11'(queue_q);
  assign pop_valid_o = state_q == StPop;

  // ---- segments, records ----
  assign seg_valid_o = state_q == StSegment || state_q == StFence;
  assign seg_addr_o = addr_q;
  assign seg_last_o = state_q == StFence || last_segment_q;

  always_comb begin
    if (state_q == StFence) seg_len_o = '0;
    else if (last_segment_q) seg_len_o = rest_q;
    else seg_len_o = {1'b0, buf_size_q};
  end

  assign rec_valid_o = state_q == StRecord || state_q == StBarrier;
  assign barrier_ready_o = state_q == StBarrier && rec_ready_i && !mark_q;
  assign mark_o = state_q == StBarrier && rec_ready_i && mark_q;
  assign rec_data_o = {
    state_q == StBarrier,
    state_q == StBarrier ? barrier_queue_i : cfg_queue_o,
    first_q,
    taken_q,
    buf_size_q,
    drop_q == DropFetch ? buf_size_q : rest_q[14:0],
    length_q,
    vlan_q,
    drop_q == DropFetch ? nic_1g_pkg::CAUSE_FETCH_ERROR : cause_q,
    loopback_q,
    multicast_q,
    broadcast_q,
    own_q,
    drop_q
  };

  // ---- registers ----
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StHead;
      {loopback_q, cause_q, multicast_q, broadcast_q, own_q, length_q, queue_q} <= '0;
      {vlan_q, vc_q, mark_q, no_wait_q} <= '0;
      words_q <= '0;
      some_q <= 1'b0;
      more_q <= 1'b0;
      offer_q <= 1'b0;
      held_q <= 1'b0;
      on_q <= 1'b0;
      enough_q <= 1'b0;
      last_segment_q <= 1'b0;
      drop_q <= DropNone;
      need_q <= '0;
      taken_q <= '0;
      buf_size_q <= '0;
      rest_q <= '0;
      addr_q <= '0;
      first_q <= '0;
    end else if (`AWAKE(state_q != StHead || hdr_valid_i || barrier_valid_i || some_q)) begin
      unique case (state_q)
        StHead:
        if (barrier_valid_i || mark_take) state_q <= StBarrier;
        else if (head_take) state_q <= StSize;
        StSize: state_q <= StNeed;
        StNeed:
        if (give_up) state_q <= StDrop;
        else if (!more_q && enough) state_q <= StPop;
        else if (!more_q) state_q <= StWait;
        StWait:
        if (give_up) state_q <= StDrop;
        else if (enough_q) state_q <= StPop;
        else if (barrier_valid_i) state_q <= StBarrier;
        StPop:
        if (pop_ready_i && pop_err_i) state_q <= StFence;
        else if (pop_ready_i) state_q <= StSegment;
        StSegment:
        if (seg_ready_i && last_segment_q) state_q <= StRecord;
        else if (seg_ready_i) state_q <= StPop;
        StFence: if (seg_ready_i) state_q <= StDrop;
        StDrop: if (!some_q) state_q <= StRecord;
        StRecord: if (rec_ready_i) state_q <= StHead;
        StBarrier:
        if (rec_ready_i && held_q) state_q <= StWait;
        else if (rec_ready_i) state_q <= StHead;
        default: state_q <= StHead;
      endcase
      if (head_take) begin
        `CHECK("rx_writer_empty_frame", hdr_data_i[QueueBits+:16] != '0)
        {loopback_q, cause_q, multicast_q, broadcast_q, own_q, length_q, queue_q} <= hdr_data_i;
        {vc_q, vlan_q} <= {hdr_vc_i, hdr_vlan_i};
        offer_q <= 1'b0;
        held_q <= 1'b1;
        drop_q <= DropNone;
        need_q <= 11'd1;
        taken_q <= '0;
      end
      if (state_q != StBarrier) mark_q <= mark_take;
      no_wait_q <= vc_q || cfg_no_wait_i || hurry_i;
      on_q <= on_all[queue_q];
      enough_q <= enough;
      if (word_taken) begin
        words_q <= words_q - 1'b1;
        some_q <= words_q != 14'd1;
      end
      if (state_q == StSize) begin
        words_q <= {1'b0, length_q[15:3]} + {13'd0, length_q[2:0] != '0};
        some_q <= 1'b1;
        buf_size_q <= cfg_buf_size_i;
        rest_q <= length_q;
        more_q <= length_q > {1'b0, cfg_buf_size_i};
      end
      if (state_q == StNeed && more_q) begin
        need_q <= need_q + 1'b1;
        rest_q <= rest_q - {1'b0, buf_size_q};
        more_q <= rest_q > {buf_size_q, 1'b0}; // what is left now, of more than one buffer
      end
      if (give_up) drop_q <= give_up_code;
      if (popped) begin
        addr_q <= pop_addr_i;
        if (taken_q == '0) first_q <= pop_index_i + 32'd1;
        offer_q <= 1'b1;
        taken_q <= taken_q + 1'b1;
        last_segment_q <= taken_q + 1'b1 == need_q;
      end
      if (state_q == StPop || state_q == StDrop) held_q <= 1'b0;
      if (state_q == StFence) begin
        drop_q <= DropFetch;
        if (seg_ready_i) offer_q <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire

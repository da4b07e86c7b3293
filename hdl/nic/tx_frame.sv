// SPDX-License-Identifier: Apache-2.0
// Takes frames from the transmit queues, one at a time, each from the queue that it is offered. Each descriptor is popped and checked (docs/nic.md
// sections 2 and 8); each good fragment first gets room in the frame buffer, then a place in tx_assemble's order, then its read is asked
// for, 4 cycles after the pop. A frame ends at EOP, after ring-size descriptors, or when its queue stops; it always ends with one end
// command that carries its cause. The next descriptor is popped while the one before it is at work: 4 cycles per fragment. tx_frame
// never waits for data. A frame or a barrier starts only when it has a place among the records. Malformed frames fetch nothing further.
`default_nettype none
`include "check.svh"

module tx_frame #(
    parameter int BufWords    = 4096, // frame buffer, 64-bit words
    parameter int Records     = 32    // frames and barriers between start and the completer
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // csr
    input  wire logic [           15:0] cfg_max_frame_i,
    input  wire logic                   cfg_host_fcs_i,
    // queue_ctrl
    input  wire logic                   flush_i,
    input  wire logic                   barrier_valid_i,
    input  wire logic [           10:0] barrier_queue_i,
    output      logic                   barrier_ready_o,
    // the next frame's queue
    input  wire logic                   pick_valid_i,
    input  wire logic [           10:0] pick_queue_i,
    input  wire logic                   pick_tagged_i, // the frame gets a tag of four octets
    input  wire logic [           15:0] pick_limit_i,  // tagged: longest frame on the wire
    output      logic                   take_o,
    output      logic                   end_valid_o,   // pulse: the frame is complete
    output      logic                   end_sent_o,    // it was not malformed
    output      logic [           15:0] end_bytes_o,
    // desc_fetch
    output      logic                   pop_valid_o,
    output      logic [           10:0] pop_queue_o,
    input  wire logic                   pop_ready_i,
    input  wire logic [          127:0] pop_desc_i,
    input  wire logic [           31:0] pop_index_i,
    input  wire logic [            3:0] pop_ring_log2_i,
    input  wire logic                   pop_err_i,
    input  wire logic                   pop_failed_i,
    // dma_read
    output      logic                   rd_valid_o,
    input  wire logic                   rd_ready_i,
    output      logic [           63:0] rd_addr_o,
    output      logic [           15:0] rd_len_o,
    // tx_assemble: commands in order
    output      logic                   cmd_valid_o,
    input  wire logic                   cmd_ready_i,
    output      logic [            1:0] cmd_kind_o,    // 0 fragment, 1 end of frame, 2 barrier
    output      logic [            2:0] cmd_offset_o,  // fragment: first byte's lane
    output      logic [           15:0] cmd_length_o,  // fragment or frame, bytes
    output      logic [           10:0] cmd_queue_o,
    output      logic [           31:0] cmd_index_o,   // one past the frame's last descriptor
    output      logic [            7:0] cmd_cause_o,
    output      logic                   cmd_over_o,    // too long unless tagged
    output      logic [           13:0] cmd_words_o,   // reserved for the frame
    // what comes back: room and places
    input  wire logic                   word_read_i,   // one word has left the frame buffer
    input  wire logic                   release_valid_i,
    input  wire logic [           13:0] release_words_i,
    input  wire logic                   rec_taken_i
);

  localparam int Longest = 8 * BufWords > 65536 ? 65000 : 8 * BufWords - 16;
  localparam int ResLsb = 82; // descriptor bits 83:82 and 127:88 are reserved

  typedef enum logic [3:0] {
    StIdle,    // waits for a barrier or a queue with a frame
    StPop,     // waits for the frame's first descriptor, or for one that was not there in time
    StCheck,   // judges it, adds its length
    StLimit,   // compares the length so far, computes the words it needs
    StRoom,    // waits for room in the frame buffer
    StAsk,     // hands the fragment to tx_assemble and dma_read
    StNext,    // decides the cause; or the next descriptor is not there
    StEnd,     // hands the end to tx_assemble
    StBarrier  // hands the barrier to tx_assemble
  } state_e;

  state_e state_q;
  logic go, barrier_go, place_q, tagged_q;
  logic [10:0] queue_q;
  logic [15:0] vc_limit_q;

  assign take_o = go;

  // ---- places among the records, room in the buffer ---------------------------------------------------------------------------
  logic [6:0] places_q;
  logic [13:0] room_q, room_then_q, need_q, returned_words_q; // room_then: room as it was, without what the frame has taken
  logic take_place, take_room, room_ok_q, returning, returned_q, rec_taken_q, word_read_q;

  assign barrier_go = state_q == StIdle && barrier_valid_i && place_q;
  assign go = state_q == StIdle && !barrier_valid_i && pick_valid_i && place_q;
  assign take_place = go || barrier_go;
  assign returning = rec_taken_i || release_valid_i || word_read_q;
  assign take_room = state_q == StRoom && !skip && room_ok_q;

  // ---- longest frame without its FCS, untagged; never more than the buffer takes ------------------------------------------------
  logic [16:0] max_frame, max_frame_q, limit_mac, limit_vc, limit_d;
  logic host_fcs_q;

  assign max_frame = {1'b0, cfg_max_frame_i} < 17'(Longest) ? {1'b0, cfg_max_frame_i} : 17'(Longest);
  assign limit_mac = host_fcs_q ? max_frame_q : max_frame_q < 17'd4 ? 17'd0 : max_frame_q - 17'd4;
  assign limit_vc = {1'b0, vc_limit_q} - (host_fcs_q ? 17'd4 : 17'd8); // without tag and FCS
  assign limit_d = tagged_q && limit_vc < limit_mac ? limit_vc : limit_mac;

  // ---- the frame so far -------------------------------------------------------------------------------------------------------
  logic [127:0] desc_q;
  logic [31:0] index_q;
  logic [16:0] total_q, total_d;
  logic [15:0] taken_q, ring_size_q;
  logic [13:0] words_q, words_now;
  logic [16:0] limit_q;
  logic [7:0] cause_q, bad, end_cause;
  logic first_q, over_q, far_over_q, short_q, flushed_q, eop, ends, ends_q, skip, awake;
  logic want_q, have_q, have_err_q, got, got_good, take_desc; // the pop of the next descriptor: asked for, answered, answered by its end

  assign eop = desc_q[nic_1g_pkg::TX_DESCRIPTOR_EOP_LSB];
  assign bad = desc_q[nic_1g_pkg::TX_DESCRIPTOR_LENGTH_LSB +: 16] == 16'd0 ? nic_1g_pkg::CAUSE_ZERO_LENGTH
             : (desc_q[ResLsb +: 2] != 2'd0 || desc_q[127:88] != 40'd0) ? nic_1g_pkg::CAUSE_RESERVED_BITS
             : desc_q[nic_1g_pkg::TX_DESCRIPTOR_KIND_LSB +: 4] != nic_1g_pkg::DESCRIPTOR_KIND_DATA ? nic_1g_pkg::CAUSE_BAD_KIND
             : desc_q[nic_1g_pkg::TX_DESCRIPTOR_SOP_LSB] != first_q ? nic_1g_pkg::CAUSE_BAD_SOP
             : nic_1g_pkg::CAUSE_NONE;
  // once far over the limit the length does not matter any more
  assign total_d = total_q[16] ? total_q : total_q + {1'b0, desc_q[nic_1g_pkg::TX_DESCRIPTOR_LENGTH_LSB +: 16]};
  assign words_now = 14'((total_q + (tagged_q ? 17'd11 : 17'd7)) >> 3);
  assign skip = cause_q != 8'd0 || far_over_q || flushed_q;
  assign ends = eop || taken_q == ring_size_q;
  assign end_cause = cause_q != 8'd0 ? cause_q
                   : !eop ? nic_1g_pkg::CAUSE_NO_EOP
                   : short_q ? nic_1g_pkg::CAUSE_TOO_SHORT
                   : far_over_q ? nic_1g_pkg::CAUSE_TOO_LONG
                   : flushed_q ? nic_1g_pkg::CAUSE_FLUSHED
                   : nic_1g_pkg::CAUSE_NONE;

  assign got = pop_ready_i || have_q;
  assign got_good = pop_ready_i ? !pop_err_i : have_q && !have_err_q;
  assign take_desc = got_good && (state_q == StPop || (state_q == StAsk && cmd_ready_i && rd_ready_i && !ends_q));

  assign awake = `AWAKE(state_q != StIdle || take_place || returning || word_read_i || returned_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      places_q <= 7'(Records);
      room_q <= 14'(BufWords);
      {need_q, words_q, returned_words_q, room_then_q} <= 56'd0;
      {place_q, room_ok_q, returned_q, rec_taken_q, word_read_q} <= 5'b10000;
      queue_q <= 11'd0;
      {tagged_q, vc_limit_q} <= 17'd0;
      desc_q <= 128'd0;
      index_q <= 32'd0;
      {total_q, limit_q, max_frame_q, host_fcs_q} <= 52'd0;
      {taken_q, ring_size_q} <= 32'd0;
      cause_q <= 8'd0;
      {first_q, over_q, far_over_q, short_q, flushed_q} <= 5'd0;
      {want_q, have_q, have_err_q, ends_q} <= 4'd0;
    end else if (awake) begin
      unique case (state_q)
        StIdle: if (barrier_go) state_q <= StBarrier;
                else if (go) state_q <= StPop;
        StPop: if (take_desc) state_q <= StCheck;
               else if (got) state_q <= StEnd;
        StCheck: state_q <= StLimit;
        StLimit: state_q <= StRoom;
        StRoom: if (skip) state_q <= StNext;
                else if (room_ok_q) state_q <= StAsk;
        StAsk: if (take_desc) state_q <= StCheck;
               else if (cmd_ready_i && rd_ready_i) state_q <= StNext;
        StNext: if (ends_q) state_q <= StEnd;
                else state_q <= StPop;
        StEnd: if (cmd_ready_i) state_q <= StIdle;
        StBarrier: if (cmd_ready_i) state_q <= StIdle;
        default: state_q <= StIdle;
      endcase
      // what comes back counts a cycle later (a word read, two); the comparison is a cycle old, and room only grows while it is waited for
      returned_q <= returning;
      rec_taken_q <= rec_taken_i;
      word_read_q <= word_read_i;
      returned_words_q <= (release_valid_i ? release_words_i : 14'd0) + {13'd0, word_read_q};
      room_then_q <= room_q + words_q;
      room_ok_q <= state_q == StLimit ? words_now <= room_then_q : room_q >= need_q;
      if (pop_ready_i) {want_q, have_q, have_err_q} <= {1'b0, !take_desc, pop_err_i};
      else if (take_desc) have_q <= 1'b0;
      if (take_desc) begin
        desc_q <= pop_desc_i; // stands until the next pop
        index_q <= pop_index_i + 32'd1;
        taken_q <= taken_q + 16'd1;
      end
      if (take_place != rec_taken_q) begin
        places_q <= take_place ? places_q - 7'd1 : places_q + 7'd1;
        place_q <= !take_place || places_q != 7'd1;
      end
      if (`AWAKE(take_room || returned_q)) begin
        `CHECK("tx_room_returned_once", room_q <= 14'(BufWords) && places_q <= 7'(Records))
        room_q <= room_q - (take_room ? need_q : 14'd0) + returned_words_q;
      end
      case (state_q)
        StIdle: if (take_place) begin
          queue_q <= barrier_valid_i ? barrier_queue_i : pick_queue_i;
          first_q <= 1'b1;
          tagged_q <= pick_tagged_i && !barrier_valid_i;
          vc_limit_q <= pick_limit_i;
          {total_q, taken_q, words_q} <= 47'd0;
          cause_q <= nic_1g_pkg::CAUSE_NONE;
          want_q <= !barrier_valid_i;
          have_q <= 1'b0;
          {over_q, far_over_q, short_q, flushed_q} <= 4'd0;
          max_frame_q <= max_frame;
          host_fcs_q <= cfg_host_fcs_i;
        end
        StPop: begin
          limit_q <= limit_d;
          ring_size_q <= 16'd1 << pop_ring_log2_i;
          if (got && !got_good && cause_q == nic_1g_pkg::CAUSE_NONE) begin
            cause_q <= pop_failed_i ? nic_1g_pkg::CAUSE_FETCH_ERROR : nic_1g_pkg::CAUSE_NO_EOP;
          end
        end
        StCheck: begin
          if (cause_q == nic_1g_pkg::CAUSE_NONE) cause_q <= bad;
          total_q <= total_d;
          want_q <= !ends;
          ends_q <= ends;
          first_q <= 1'b0;
        end
        StLimit: begin
          over_q <= total_q > limit_q;
          far_over_q <= total_q > limit_q + (tagged_q ? 17'd0 : 17'd4);
          short_q <= total_q < 17'd14;
          need_q <= words_now - words_q;
        end
        StRoom: begin
          if (flush_i && !room_ok_q) flushed_q <= 1'b1;
          if (take_room) words_q <= words_now;
        end
        StNext: if (ends_q) cause_q <= end_cause;
        default: ;
      endcase
    end
  end

  // ---- to the neighbours --------------------------------------------------------------------------------------------------------
  assign end_valid_o = state_q == StEnd && cmd_ready_i;
  assign end_sent_o = cause_q == nic_1g_pkg::CAUSE_NONE;
  assign end_bytes_o = total_q[15:0];
  assign barrier_ready_o = state_q == StBarrier && cmd_ready_i;
  assign pop_valid_o = want_q;
  assign pop_queue_o = queue_q;
  assign rd_valid_o = state_q == StAsk && cmd_ready_i;
  assign rd_addr_o = desc_q[63:0];
  assign rd_len_o = desc_q[nic_1g_pkg::TX_DESCRIPTOR_LENGTH_LSB +: 16];
  assign cmd_valid_o = (state_q == StAsk && rd_ready_i) || state_q == StEnd || state_q == StBarrier;
  assign cmd_kind_o = state_q == StAsk ? 2'd0 : state_q == StEnd ? 2'd1 : 2'd2;
  assign cmd_offset_o = desc_q[2:0];
  assign cmd_length_o = state_q == StAsk ? desc_q[nic_1g_pkg::TX_DESCRIPTOR_LENGTH_LSB +: 16] : total_q[15:0];
  assign cmd_queue_o = queue_q;
  assign cmd_index_o = index_q;
  assign cmd_cause_o = cause_q;
  assign cmd_over_o = over_q;
  assign cmd_words_o = words_q;

endmodule

`default_nettype wire

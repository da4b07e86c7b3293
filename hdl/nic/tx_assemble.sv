// SPDX-License-Identifier: Apache-2.0
// Turns the fragments' read data into frames. Commands come in order from tx_frame; a fragment takes its beats from dma_read, drops
// the bytes before and behind it and appends the rest to the frame's words for the frame buffer: one beat per cycle; a command that is
// there in time costs none. The end command writes the last word (marked, with its byte count) and commits, or rolls the frame back when it has a
// cause, met a bus error or is too long without a tag; either way one record leaves, in order, without ever waiting: tx_frame gave it
// its place. Data appears in the frame buffer 3 cycles after its beat: the merged word stands in registers of its own before it.
`default_nettype none
`include "check.svh"

module tx_assemble #(
    parameter int Records = 32 // power of two
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // tx_frame
    input  wire logic        cmd_valid_i,
    output      logic        cmd_ready_o,
    input  wire logic [ 1:0] cmd_kind_i, // 0 fragment, 1 end of frame, 2 barrier
    input  wire logic [ 2:0] cmd_offset_i,
    input  wire logic [15:0] cmd_length_i,
    input  wire logic [10:0] cmd_queue_i,
    input  wire logic [31:0] cmd_index_i,
    input  wire logic [ 7:0] cmd_cause_i,
    input  wire logic        cmd_over_i,
    input  wire logic [13:0] cmd_words_i,
    output      logic        release_valid_o,
    output      logic [13:0] release_words_o,
    // dma_read
    input  wire logic        txd_valid_i,
    output      logic        txd_ready_o,
    input  wire logic [63:0] txd_data_i,
    input  wire logic        txd_err_i,
    // frame_fifo: {last, valid bytes - 1, data}
    output      logic        wr_valid_o,
    output      logic [67:0] wr_data_o,
    output      logic        wr_commit_o,
    output      logic        wr_rollback_o,
    // completer
    output      logic        rec_valid_o,
    input  wire logic        rec_ready_i,
    output      logic        rec_barrier_o,
    output      logic [10:0] rec_queue_o,
    output      logic [31:0] rec_index_o,
    output      logic [15:0] rec_length_o,
    output      logic [ 7:0] rec_cause_o,
    output      logic [ 1:0] rec_class_o,
    output      logic        rec_verdict_o
);

  typedef enum logic [1:0] {
    StCommand, // waits for a command and loads it
    StBeats,   // takes the fragment's beats
    StDrain,   // lets the last beat pass the shifter; a frame that may be too long has shown its type long before
    StEnd      // commits or rolls back, pushes the record
  } state_e;

  // ---- commands -----------------------------------------------------------------------------------------------------------------
  state_e state_q;
  logic cmd_valid, cmd_ready, load, swap, beat, last_q, ends, over, over_q, too_long, few;
  logic [1:0] kind, kind_q;
  logic [2:0] offset;
  logic [15:0] length, length_q;
  logic [10:0] queue, queue_q;
  logic [31:0] index, index_q;
  logic [7:0] cause, cause_q;
  logic [13:0] words, words_q;
  logic [5:0] commands;
  logic unused_ready;

  fifo #(.Width(87), .Depth(32)) u_commands (
      .clk_i, .rst_ni, .clear_i(1'b0),
      .wr_valid_i(cmd_valid_i && cmd_ready_o), .wr_ready_o(unused_ready),
      .wr_data_i({cmd_kind_i, cmd_offset_i, cmd_length_i, cmd_queue_i, cmd_index_i, cmd_cause_i, cmd_over_i, cmd_words_i}),
      .rd_valid_o(cmd_valid), .rd_ready_i(cmd_ready), .rd_data_o({kind, offset, length, queue, index, cause, over, words}),
      .count_o(commands)
  );

  assign few = commands < 6'd30; // tx_frame hands over a command every other cycle at most
  assign ends = beat && last_q;
  assign load = cmd_valid && (state_q == StCommand || ends);
  assign cmd_ready = load;
  assign swap = state_q == StCommand || (last_q && cmd_valid); // a beat or a command that comes now begins a fragment or ends the frame

  // ---- beats: how many bytes count, where they go ---------------------------------------------------------------------------------
  logic beat_q, emits, emits_q, failed_q, awake;
  logic [2:0] offset_q, turn_q; // turn_q: lanes by which the next beat is turned up
  logic [3:0] lanes, bytes, held_q, held_at_q; // bytes of the word that is being filled: 0 to 8
  logic [4:0] sum;
  logic [15:0] left_q, left_next;
  logic [63:0] data_q; // the beat, turned

  assign txd_ready_o = state_q == StBeats;
  assign beat = state_q == StBeats && txd_valid_i;
  assign lanes = 4'd8 - {1'b0, offset_q};
  assign left_next = left_q - {12'd0, bytes};
  assign bytes = last_q ? left_q[3:0] : lanes;
  assign sum = {1'b0, held_q} + {1'b0, bytes};
  assign emits = sum > 5'd8;

  // ---- shifter: turns the beat as it comes, by an amount that is known a cycle before; a cycle later the turned beat completes the held
  // word, and what is over becomes the held word: the turn and the merge with its way to the frame buffer's RAM have a cycle each ----
  logic [63:0] merged, word_q;

  function automatic logic [63:0] turn(input logic [63:0] data, input logic [2:0] lanes_up);
    unique case (lanes_up)
      3'd1: turn = {data[55:0], data[63:56]};
      3'd2: turn = {data[47:0], data[63:48]};
      3'd3: turn = {data[39:0], data[63:40]};
      3'd4: turn = {data[31:0], data[63:32]};
      3'd5: turn = {data[23:0], data[63:24]};
      3'd6: turn = {data[15:0], data[63:16]};
      3'd7: turn = {data[7:0], data[63:8]};
      default: turn = data;
    endcase
  endfunction

  function automatic logic [63:0] merge(input logic [63:0] above, input logic [63:0] below, input logic [3:0] below_bytes);
    unique case (below_bytes)
      4'd1: merge = {above[63:8], below[7:0]};
      4'd2: merge = {above[63:16], below[15:0]};
      4'd3: merge = {above[63:24], below[23:0]};
      4'd4: merge = {above[63:32], below[31:0]};
      4'd5: merge = {above[63:40], below[39:0]};
      4'd6: merge = {above[63:48], below[47:0]};
      4'd7: merge = {above[63:56], below[55:0]};
      4'd8: merge = below;
      default: merge = above;
    endcase
  endfunction

  assign merged = merge(data_q, word_q, held_at_q);

  // ---- what the frame shows: destination class in word 0, VLAN tag in word 1 --------------------------------------------------------
  logic [47:0] address_q;
  logic [15:0] type_q;
  logic [1:0] word_number_q; // 0, 1, then 2 for all others

  // ---- frame buffer and record --------------------------------------------------------------------------------------------------
  logic ending, good_q, record_ready;
  logic [$clog2(Records):0] unused_records;

  assign ending = state_q == StEnd && kind_q == 2'd1;
  assign too_long = over_q && type_q != 16'h0081 && type_q != 16'ha888;
  assign release_valid_o = ending && !good_q;
  assign release_words_o = words_q;

  fifo #(.Width(71), .Depth(Records)) u_records (
      .clk_i, .rst_ni, .clear_i(1'b0),
      .wr_valid_i(state_q == StEnd), .wr_ready_o(record_ready),
      .wr_data_i({kind_q == 2'd2, queue_q, index_q, length_q, cause_q, address_q == '1 ? 2'd2 : {1'b0, address_q[0]}, kind_q == 2'd1 && good_q}),
      .rd_valid_o(rec_valid_o), .rd_ready_i(rec_ready_i),
      .rd_data_o({rec_barrier_o, rec_queue_o, rec_index_o, rec_length_o, rec_cause_o, rec_class_o, rec_verdict_o}),
      .count_o(unused_records)
  );

  // ---- registers ----------------------------------------------------------------------------------------------------------------
  assign awake = `AWAKE(state_q != StCommand || cmd_valid || beat_q || wr_valid_o || wr_rollback_o || cmd_ready_o != few);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StCommand;
      {beat_q, emits_q, failed_q} <= 3'd0;
      {held_q, held_at_q} <= 8'd0;
      {turn_q, offset_q} <= 6'd0;
      left_q <= 16'd0;
      last_q <= 1'b0;
      {data_q, word_q} <= 128'd0;
      {address_q, type_q} <= 64'd0;
      {over_q, good_q} <= 2'd0;
      cmd_ready_o <= 1'b0;
      {kind_q, length_q, queue_q, index_q, cause_q, words_q} <= '0;
      word_number_q <= 2'd0;
      {wr_valid_o, wr_data_o, wr_commit_o, wr_rollback_o} <= '0;
    end else if (awake) begin
      unique case (state_q)
        StCommand: if (cmd_valid && kind == 2'd0) state_q <= StBeats;
                   else if (cmd_valid) state_q <= StDrain;
        StBeats: if (ends && !cmd_valid) state_q <= StCommand;
                 else if (ends && kind != 2'd0) state_q <= StDrain;
        StDrain: state_q <= StEnd;
        StEnd: state_q <= StCommand;
        default: state_q <= StCommand;
      endcase
      cmd_ready_o <= few;
      beat_q <= beat;
      if (state_q == StBeats) begin // of a beat, if there is one: beat_q tells
        data_q <= turn(txd_data_i, turn_q);
        held_at_q <= held_q;
        emits_q <= emits;
      end
      if (beat) begin
        held_q <= emits ? sum[3:0] - 4'd8 : sum[3:0];
        if (txd_err_i) failed_q <= 1'b1;
      end
      if (beat || load) begin // of the next beat
        turn_q <= (state_q == StCommand ? held_q[2:0] : sum[2:0]) - (swap ? offset : 3'd0);
        offset_q <= swap ? offset : 3'd0;
        left_q <= swap ? length : left_next;
        last_q <= swap ? length <= 16'd8 - {13'd0, offset} : left_q <= 16'd8 + {12'd0, lanes};
      end
      if (beat_q) begin
        word_q <= emits_q ? data_q : merged;
        if (emits_q && word_number_q != 2'd2) begin
          word_number_q <= word_number_q + 2'd1;
          if (word_number_q == 2'd0) begin
            address_q <= merged[47:0];
          end else begin
            type_q <= merged[47:32];
          end
        end
      end
      if (cmd_valid && (state_q == StCommand || state_q == StBeats)) begin // what the command after the last beat says stays
        {kind_q, length_q, queue_q, index_q, cause_q, over_q, words_q} <= {kind, length, queue, index, cause, over, words};
      end
      wr_valid_o <= (beat_q && emits_q) || (ending && good_q);
      wr_data_o <= ending ? {1'b1, 3'(held_q - 4'd1), word_q} : {1'b0, 3'd7, merged};
      wr_commit_o <= ending && good_q;
      wr_rollback_o <= ending && !good_q;
      case (state_q)
        StDrain: begin
          good_q <= cause_q == 8'd0 && !too_long && !failed_q;
          if (cause_q == 8'd0) cause_q <= too_long ? nic_1g_pkg::CAUSE_TOO_LONG : failed_q ? nic_1g_pkg::CAUSE_BUS_ERROR : 8'd0;
        end
        StEnd: begin
          `CHECK("tx_record_place", record_ready)
          held_q <= 4'd0;
          failed_q <= 1'b0;
          word_number_q <= 2'd0;
          type_q <= 16'd0;
        end
        default: ;
      endcase
    end
  end

endmodule

`default_nettype wire

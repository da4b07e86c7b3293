// SPDX-License-Identifier: Apache-2.0
// The transmit half between the descriptor cache and the MAC: tx_frame (takes frames, reserves), tx_assemble (joins fragments) and the
// frame buffer. Descriptors and read data enter, whole good frames leave as 64-bit words, and one record per frame or barrier leaves
// in order. It stalls no neighbour but tx_frame's own choice of the next frame.
`default_nettype none

module tx_path #(
    parameter int NumTxQueues = 4,
    parameter int TxBufBytes  = 32768 // power of two, to 65536
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // csr
    input  wire logic                   cfg_tx_enable_i,
    input  wire logic [           15:0] cfg_max_frame_i,
    input  wire logic                   cfg_host_fcs_i,
    // queue_ctrl
    input  wire logic [NumTxQueues-1:0] start_ok_i,
    input  wire logic                   flush_i,
    input  wire logic                   barrier_valid_i,
    input  wire logic [           10:0] barrier_queue_i,
    output      logic                   barrier_ready_o,
    // desc_fetch
    input  wire logic [NumTxQueues-1:0] ready_i,
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
    input  wire logic                   txd_valid_i,
    output      logic                   txd_ready_o,
    input  wire logic [           63:0] txd_data_i,
    input  wire logic                   txd_err_i,
    // loopback: frames
    output      logic                   tx_valid_o,
    input  wire logic                   tx_ready_i,
    output      logic [           63:0] tx_data_o,
    output      logic                   tx_last_o,
    output      logic [            2:0] tx_count_o,
    // completer: records
    output      logic                   rec_valid_o,
    input  wire logic                   rec_ready_i,
    output      logic                   rec_barrier_o,
    output      logic [           10:0] rec_queue_o,
    output      logic [           31:0] rec_index_o,
    output      logic [           15:0] rec_length_o,
    output      logic [            7:0] rec_cause_o,
    output      logic [            1:0] rec_class_o,
    output      logic                   rec_verdict_o
);

  localparam int BufWords = TxBufBytes / 8;
  localparam int Records = 32;

  logic cmd_valid, cmd_ready, cmd_over, release_valid, wr_valid, wr_commit, wr_rollback;
  logic [1:0] cmd_kind;
  logic [2:0] cmd_offset;
  logic [10:0] cmd_queue;
  logic [7:0] cmd_cause;
  logic [13:0] cmd_words, release_words;
  logic [15:0] cmd_length;
  logic [31:0] cmd_index;
  logic [67:0] wr_data;
  logic [$clog2(BufWords):0] unused_free;

  tx_frame #(.NumTxQueues(NumTxQueues), .BufWords(BufWords), .Records(Records)) u_frame (
      .clk_i, .rst_ni, .cfg_tx_enable_i, .cfg_max_frame_i, .cfg_host_fcs_i,
      .start_ok_i, .flush_i, .barrier_valid_i, .barrier_queue_i, .barrier_ready_o,
      .ready_i, .pop_valid_o, .pop_queue_o, .pop_ready_i, .pop_desc_i, .pop_index_i, .pop_ring_log2_i, .pop_err_i, .pop_failed_i,
      .rd_valid_o, .rd_ready_i, .rd_addr_o, .rd_len_o,
      .cmd_valid_o(cmd_valid), .cmd_ready_i(cmd_ready), .cmd_kind_o(cmd_kind), .cmd_offset_o(cmd_offset), .cmd_length_o(cmd_length),
      .cmd_queue_o(cmd_queue), .cmd_index_o(cmd_index), .cmd_cause_o(cmd_cause), .cmd_over_o(cmd_over), .cmd_words_o(cmd_words),
      .word_read_i(tx_valid_o && tx_ready_i), .release_valid_i(release_valid), .release_words_i(release_words),
      .rec_taken_i(rec_valid_o && rec_ready_i)
  );

  tx_assemble #(.Records(Records)) u_assemble (
      .clk_i, .rst_ni,
      .cmd_valid_i(cmd_valid), .cmd_ready_o(cmd_ready), .cmd_kind_i(cmd_kind), .cmd_offset_i(cmd_offset), .cmd_length_i(cmd_length),
      .cmd_queue_i(cmd_queue), .cmd_index_i(cmd_index), .cmd_cause_i(cmd_cause), .cmd_over_i(cmd_over), .cmd_words_i(cmd_words),
      .release_valid_o(release_valid), .release_words_o(release_words),
      .txd_valid_i, .txd_ready_o, .txd_data_i, .txd_err_i,
      .wr_valid_o(wr_valid), .wr_data_o(wr_data), .wr_commit_o(wr_commit), .wr_rollback_o(wr_rollback),
      .rec_valid_o, .rec_ready_i, .rec_barrier_o, .rec_queue_o, .rec_index_o, .rec_length_o, .rec_cause_o, .rec_class_o, .rec_verdict_o
  );

  frame_fifo #(.Width(68), .Depth(BufWords)) u_buffer (
      .clk_i, .rst_ni, .clear_i(1'b0), .wr_valid_i(wr_valid), .wr_data_i(wr_data), .wr_commit_i(wr_commit), .wr_rollback_i(wr_rollback),
      .free_o(unused_free), .rd_valid_o(tx_valid_o), .rd_ready_i(tx_ready_i), .rd_data_o({tx_last_o, tx_count_o, tx_data_o})
  );

endmodule

`default_nettype wire

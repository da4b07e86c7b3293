// SPDX-License-Identifier: Apache-2.0
// The transmit half between the descriptor cache and the MAC: the choice of a queue (queue_pick, or tx_sched when there are virtual
// connections), tx_frame (takes frames, reserves), tx_assemble (joins fragments), vlan_insert and the frame buffer. Descriptors and read data enter, whole good frames leave as 64-bit words, and one record per frame or barrier leaves
// in order. It stalls no neighbour but tx_frame's own choice of the next frame.
`default_nettype none

module tx_path #(
    parameter int NumTxQueues = 4,
    parameter int TxBufBytes  = 32768, // power of two, to 65536
    parameter int NumVcs      = 0,     // virtual connections: none, or a power of two from 2
    parameter int VcBits      = 1,     // of a VC's number
    parameter int SysClkPs    = 8000
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // csr
    input  wire logic                   cfg_tx_enable_i,
    input  wire logic [           15:0] cfg_max_frame_i,
    input  wire logic                   cfg_host_fcs_i,
    input  wire logic [            7:0] cfg_ifg_i,
    input  wire logic [           15:0] cfg_quantum_i,
    // queue_ctrl
    input  wire logic [NumTxQueues-1:0] start_ok_i,
    input  wire logic                   start_valid_i,
    input  wire logic [           10:0] start_queue_i,
    input  wire logic                   flush_i,
    input  wire logic                   barrier_valid_i,
    input  wire logic [           10:0] barrier_queue_i,
    output      logic                   barrier_ready_o,
    // desc_fetch
    input  wire logic [NumTxQueues-1:0] ready_i,
    input  wire logic                   fill_valid_i,
    input  wire logic [           10:0] fill_queue_i,
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
    // vc_table, vc_count
    input  wire logic [(1<<VcBits)-1:0] vc_active_i,
    input  wire logic                   vc_set_valid_i,
    output      logic                   vc_set_ready_o,
    input  wire logic [   VcBits+173:0] vc_set_data_i,
    output      logic                   vc_wait_valid_o,
    output      logic [     VcBits-1:0] vc_wait_vc_o,
    input  wire logic                   vc_wait_ready_i,
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
  logic [67:0] wr_data, buf_data;
  logic buf_valid, buf_commit, buf_rollback;
  logic pick_valid, pick_tagged, take, end_valid, end_sent;
  logic [10:0] pick_queue;
  logic [15:0] pick_limit, end_bytes;
  logic [$clog2(BufWords):0] unused_free;

  if (NumVcs > 0) begin : g_vcs
    logic [15:0] pick_tci;

    tx_sched #(.NumTxQueues(NumTxQueues), .VcBits(VcBits), .SysClkPs(SysClkPs)) u_sched (
        .clk_i, .rst_ni, .cfg_tx_enable_i, .cfg_quantum_i, .cfg_ifg_i, .cfg_host_fcs_i, .start_ok_i, .start_valid_i, .start_queue_i,
        .ready_i, .fill_valid_i, .fill_queue_i,
        .active_i(vc_active_i), .set_valid_i(vc_set_valid_i), .set_ready_o(vc_set_ready_o), .set_data_i(vc_set_data_i),
        .wait_valid_o(vc_wait_valid_o), .wait_vc_o(vc_wait_vc_o), .wait_ready_i(vc_wait_ready_i),
        .pick_valid_o(pick_valid), .pick_queue_o(pick_queue), .pick_tagged_o(pick_tagged), .pick_tci_o(pick_tci), .pick_limit_o(pick_limit),
        .take_i(take), .end_valid_i(end_valid), .end_sent_i(end_sent), .end_bytes_i(end_bytes)
    );

    vlan_insert #(.Frames(Records)) u_insert (
        .clk_i, .rst_ni, .frame_valid_i(take), .frame_tagged_i(pick_tagged), .frame_tci_i(pick_tci),
        .in_valid_i(wr_valid), .in_data_i(wr_data), .in_commit_i(wr_commit), .in_rollback_i(wr_rollback),
        .out_valid_o(buf_valid), .out_data_o(buf_data), .out_commit_o(buf_commit), .out_rollback_o(buf_rollback)
    );
  end else begin : g_no_vcs
    logic unused;

    queue_pick #(.NumQueues(NumTxQueues)) u_pick (
        .clk_i, .rst_ni, .req_i(ready_i & start_ok_i & {NumTxQueues{cfg_tx_enable_i}}),
        .valid_o(pick_valid), .queue_o(pick_queue), .take_i(take)
    );
    assign {pick_tagged, pick_limit} = 17'd0;
    assign buf_valid = wr_valid;
    assign buf_data = wr_data;
    assign buf_commit = wr_commit;
    assign buf_rollback = wr_rollback;
    assign vc_set_ready_o = 1'b0;
    assign {vc_wait_valid_o, vc_wait_vc_o} = '0;
    assign unused = &{1'b0, cfg_ifg_i, cfg_quantum_i, start_valid_i, start_queue_i, fill_valid_i, fill_queue_i, vc_active_i,
                      vc_set_valid_i, vc_set_data_i, vc_wait_ready_i, end_valid, end_sent, end_bytes};
  end

  tx_frame #(.BufWords(BufWords), .Records(Records)) u_frame (
      .clk_i, .rst_ni, .cfg_max_frame_i, .cfg_host_fcs_i,
      .flush_i, .barrier_valid_i, .barrier_queue_i, .barrier_ready_o,
      .pick_valid_i(pick_valid), .pick_queue_i(pick_queue), .pick_tagged_i(pick_tagged), .pick_limit_i(pick_limit), .take_o(take),
      .end_valid_o(end_valid), .end_sent_o(end_sent), .end_bytes_o(end_bytes),
      .pop_valid_o, .pop_queue_o, .pop_ready_i, .pop_desc_i, .pop_index_i, .pop_ring_log2_i, .pop_err_i, .pop_failed_i,
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
      .clk_i, .rst_ni, .clear_i(1'b0), .wr_valid_i(buf_valid), .wr_data_i(buf_data), .wr_commit_i(buf_commit), .wr_rollback_i(buf_rollback),
      .free_o(unused_free), .rd_valid_o(tx_valid_o), .rd_ready_i(tx_ready_i), .rd_data_o({tx_last_o, tx_count_o, tx_data_o})
  );

endmodule

`default_nettype wire

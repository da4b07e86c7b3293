// SPDX-License-Identifier: Apache-2.0
// The receive buffer between wire and host: rx_ingress decides and stores, rx_writer takes the frames out into posted buffers.
// One buffer of RxBufBytes serves all queues, in order of arrival; headers wait beside it.
`default_nettype none

module rx_path #(
    parameter int NumRxQueues = 4,
    parameter int RxBufBytes  = 32768, // power of two
    parameter int NumVcs      = 0,     // virtual connections: none, or a power of two from 2
    parameter int VcBits      = 1      // of a VC's number
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // loopback
    input  wire logic                   rx_valid_i,
    output      logic                   rx_ready_o,
    input  wire logic [           63:0] rx_data_i,
    input  wire logic                   rx_status_i,
    input  wire logic                   rx_loopback_i,
    input  wire logic                   rx_discard_i,
    input  wire logic                   rx_abandon_i,
    output      logic                   room_o,
    // rx_filter
    output      logic                   da_valid_o,
    output      logic [           47:0] da_o,
    input  wire logic                   hit_valid_i,
    input  wire logic                   hit_accept_i,
    input  wire logic [            5:0] hit_queue_i,
    input  wire logic                   hit_own_i,
    input  wire logic                   hit_broadcast_i,
    input  wire logic                   hit_multicast_i,
    // vc_find, vc_count, vc_orders
    output      logic                   look_valid_o,
    output      logic [           11:0] look_vid_o,
    input  wire logic                   look_done_i,
    input  wire logic                   look_hit_i,
    input  wire logic [     VcBits-1:0] look_vc_i,
    input  wire logic [           10:0] look_queue_i,
    output      logic                   drop_valid_o,
    output      logic [     VcBits-1:0] drop_vc_o,
    input  wire logic                   mark_valid_i,
    output      logic                   mark_ready_o,
    output      logic                   mark_o,
    input  wire logic                   hurry_i,
    // csr
    input  wire logic                   cfg_no_wait_i,
    input  wire logic                   cfg_rx_enable_i,
    input  wire logic                   cfg_pass_bad_i,
    input  wire logic [           15:0] cfg_max_frame_i,
    // queue_ctrl
    input  wire logic                   flush_i,
    input  wire logic [NumRxQueues-1:0] on_i,
    output      logic [           10:0] cfg_queue_o,
    input  wire logic [           14:0] cfg_buf_size_i,
    input  wire logic                   barrier_valid_i,
    input  wire logic [           10:0] barrier_queue_i,
    output      logic                   barrier_ready_o,
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
    output      logic [          131:0] rec_data_o,
    // stats
    output      logic                   ev_valid_o,
    input  wire logic                   ev_ready_i,
    output      logic [           35:0] ev_mask_o,
    output      logic [           15:0] ev_wire_o
);

  localparam int BufWords = RxBufBytes / 8;
  localparam int Headers = RxBufBytes / 64;
  localparam int QueueBits = NumRxQueues > 64 ? $clog2(NumRxQueues) : 6; // of a queue's number in the header, built or not
  localparam int HeaderBits = 46 + QueueBits;
  localparam int StoredBits = NumVcs > 0 ? HeaderBits : HeaderBits - 18; // without {mark, VC's, TCI}

  logic rx_valid, rx_ready, rx_status, rx_loopback, rx_discard, rx_abandon;
  logic [63:0] rx_data;
  logic in_valid, commit, rollback, hdr_in_valid, buf_valid, buf_ready, hdr_valid, hdr_ready, writer_idle;
  logic [63:0] in_data, buf_data;
  logic [HeaderBits-1:0] hdr_in_data, hdr_data;
  logic [$clog2(BufWords):0] buf_free;
  logic [$clog2(Headers):0] hdr_free;
  logic vc_done, vc_hit, mark, stripped, out_valid, out_ready;
  logic [10:0] vc_queue;
  logic [15:0] vc_tci, length;
  logic [63:0] out_data;

  assign idle_o = writer_idle && !hdr_valid && hdr_free == ($clog2(Headers) + 1)'(Headers);

  // an order to forget the arriving frame keeps its place among the words; it comes without one and stays until rx_ready_o
  skid_buffer #(
      .Width(68)
  ) u_arriving (
      .clk_i,
      .rst_ni,
      .wr_valid_i(rx_valid_i || rx_abandon_i),
      .wr_ready_o(rx_ready_o),
      .wr_data_i({rx_abandon_i, rx_discard_i, rx_loopback_i, rx_status_i, rx_data_i}),
      .rd_valid_o(rx_valid),
      .rd_ready_i(rx_ready),
      .rd_data_o({rx_abandon, rx_discard, rx_loopback, rx_status, rx_data})
  );

  rx_ingress #(
      .BufWords(BufWords),
      .Headers(Headers),
      .QueueBits(QueueBits),
      .HeaderBits(HeaderBits)
  ) u_ingress (
      .clk_i,
      .rst_ni,
      .rx_valid_i(rx_valid && !rx_abandon),
      .rx_ready_o(rx_ready),
      .rx_data_i(rx_data),
      .rx_status_i(rx_status),
      .rx_loopback_i(rx_loopback),
      .rx_discard_i(rx_discard),
      .rx_abandon_i(rx_valid && rx_abandon && rx_ready),
      .da_valid_o,
      .da_o,
      .hit_valid_i,
      .hit_accept_i,
      .hit_queue_i,
      .hit_own_i,
      .hit_broadcast_i,
      .hit_multicast_i,
      .vc_done_i(vc_done),
      .vc_hit_i(vc_hit),
      .vc_queue_i(vc_queue),
      .vc_tci_i(vc_tci),
      .vc_drop_o(drop_valid_o),
      .mark_valid_i,
      .mark_ready_o,
      .cfg_rx_enable_i,
      .cfg_pass_bad_i,
      .cfg_max_frame_i,
      .flush_i,
      .buf_valid_o(in_valid),
      .buf_data_o(in_data),
      .buf_commit_o(commit),
      .buf_rollback_o(rollback),
      .buf_free_i(buf_free),
      .hdr_valid_o(hdr_in_valid),
      .hdr_data_o(hdr_in_data),
      .hdr_free_i(hdr_free),
      .room_o,
      .ev_valid_o,
      .ev_ready_i,
      .ev_mask_o,
      .ev_wire_o
  );

  // ---- virtual connections: whose a frame is; its tag goes on the way to rx_writer ----
  if (NumVcs > 0) begin : g_vcs
    rx_classify #(.VcBits(VcBits)) u_classify (
        .clk_i, .rst_ni, .word_i(rx_valid && rx_ready && !rx_abandon && !rx_status), .status_i(rx_valid && rx_ready && !rx_abandon && rx_status),
        .discard_i(rx_discard), .forget_i(rx_valid && rx_ready && rx_abandon), .data_i(rx_data),
        .look_valid_o, .look_vid_o, .look_done_i, .look_hit_i, .look_vc_i, .look_queue_i,
        .done_o(vc_done), .hit_o(vc_hit), .queue_o(vc_queue), .tci_o(vc_tci), .vc_o(drop_vc_o)
    );
    vlan_strip u_strip (
        .clk_i, .rst_ni, .begin_i(hdr_valid && hdr_ready && !mark), .strip_i(stripped), .length_i(hdr_data[QueueBits+:16]),
        .in_valid_i(buf_valid), .in_ready_o(buf_ready), .in_data_i(buf_data),
        .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data)
    );
    assign {mark, stripped} = hdr_data[HeaderBits-1-:2];
    assign length = hdr_data[QueueBits+:16] - (stripped ? 16'd4 : 16'd0);
  end else begin : g_no_vcs
    logic unused;

    assign {look_valid_o, look_vid_o, drop_vc_o, mark, stripped} = '0;
    assign {vc_done, vc_hit, vc_queue, vc_tci} = {1'b1, 28'd0};
    assign hdr_data[HeaderBits-1-:18] = '0;
    assign length = hdr_data[QueueBits+:16];
    assign out_valid = buf_valid;
    assign out_data = buf_data;
    assign buf_ready = out_ready;
    assign unused = &{1'b0, look_done_i, look_hit_i, look_vc_i, look_queue_i, hdr_in_data[HeaderBits-1-:18], hdr_data[HeaderBits-1-:18]};
  end

  frame_fifo #(
      .Width(64),
      .Depth(BufWords)
  ) u_buffer (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .wr_valid_i(in_valid),
      .wr_data_i(in_data),
      .wr_commit_i(commit),
      .wr_rollback_i(rollback),
      .free_o(buf_free),
      .rd_valid_o(buf_valid),
      .rd_ready_i(buf_ready),
      .rd_data_o(buf_data)
  );

  frame_fifo #(
      .Width(StoredBits),
      .Depth(Headers)
  ) u_headers (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .wr_valid_i(hdr_in_valid),
      .wr_data_i(hdr_in_data[StoredBits-1:0]),
      .wr_commit_i(hdr_in_valid),
      .wr_rollback_i(1'b0),
      .free_o(hdr_free),
      .rd_valid_o(hdr_valid),
      .rd_ready_i(hdr_ready),
      .rd_data_o(hdr_data[StoredBits-1:0])
  );

  rx_writer #(
      .NumRxQueues(NumRxQueues),
      .QueueBits(QueueBits)
  ) u_writer (
      .clk_i,
      .rst_ni,
      .hdr_valid_i(hdr_valid),
      .hdr_ready_o(hdr_ready),
      .hdr_data_i({hdr_data[QueueBits+27:QueueBits+16], length, hdr_data[QueueBits-1:0]}),
      .hdr_mark_i(mark),
      .hdr_vc_i(stripped),
      .hdr_vlan_i(stripped ? hdr_data[QueueBits+28+:16] : 16'd0),
      .buf_valid_i(out_valid),
      .buf_ready_o(out_ready),
      .buf_data_i(out_data),
      .room_i(room_o),
      .flush_i,
      .on_i,
      .cfg_queue_o,
      .cfg_buf_size_i,
      .barrier_valid_i,
      .barrier_queue_i,
      .barrier_ready_o,
      .mark_o,
      .cfg_no_wait_i,
      .hurry_i,
      .idle_o(writer_idle),
      .avail_queue_o,
      .avail_count_i,
      .pop_valid_o,
      .pop_queue_o,
      .pop_ready_i,
      .pop_addr_i,
      .pop_index_i,
      .pop_err_i,
      .seg_valid_o,
      .seg_ready_i,
      .seg_addr_o,
      .seg_len_o,
      .seg_last_o,
      .word_valid_o,
      .word_ready_i,
      .word_data_o,
      .rec_valid_o,
      .rec_ready_i,
      .rec_data_o
  );

endmodule

`default_nettype wire

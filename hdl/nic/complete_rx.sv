// SPDX-License-Identifier: Apache-2.0
// Joins RX records with the acknowledgements of their data and makes one finished item per buffer of the frame. All buffers of a
// frame carry the frame's verdict, therefore none leaves before the frame's last data response. Dropped frames have no buffer and
// only count. Each frame makes one statistics event (docs/nic.md section 4).
//
// A record, from rx_writer: {barrier, queue[5:0], first index[31:0], buffers[10:0], buffer size[14:0], length in the last buffer[14:0],
// frame length[15:0], cause[7:0], loopback, multicast, broadcast, own, drop[2:0]}; drop as in rx_writer.
`default_nettype none

module complete_rx #(
    parameter int Depth = 8 // records waiting
) (
    input  wire logic         clk_i,
    input  wire logic         rst_ni,
    // rx_writer
    input  wire logic         rec_valid_i,
    output      logic         rec_ready_o,
    input  wire logic [110:0] rec_data_i,
    // dma_write: one pulse per frame that took descriptors
    input  wire logic         ack_valid_i,
    input  wire logic         ack_err_i,
    // completer
    output      logic         item_valid_o,
    input  wire logic         item_ready_i,
    output      logic         item_barrier_o,
    output      logic [  5:0] item_queue_o,
    output      logic [ 31:0] item_index_o,
    output      logic [ 15:0] item_length_o,
    output      logic [  7:0] item_status_o,
    output      logic [  7:0] item_cause_o,
    output      logic [ 15:0] item_frame_length_o,
    output      logic         idle_o,
    // stats
    output      logic         ev_valid_o,
    input  wire logic         ev_ready_i,
    output      logic [ 35:0] ev_mask_o,
    output      logic [ 15:0] ev_len_o
);

  typedef struct packed {
    logic barrier;
    logic [5:0] ring;
    logic [31:0] first;
    logic [10:0] buffers;
    logic [14:0] buffer_size;
    logic [14:0] last_length;
    logic [15:0] frame_length;
    logic [7:0] cause;
    logic loopback;
    logic multicast;
    logic broadcast;
    logic own;
    logic [2:0] drop;
  } record_t;
  localparam int RecordWidth = 111;

  record_t head;
  logic head_valid, ack_valid, ack_err, no_ack, take, next;
  logic [7:0] cause;
  logic [35:0] mask;
  logic unused_ready;
  logic [$clog2(Depth):0] unused_count;
  logic [$clog2(Depth)+1:0] unused_acks;
  // the frame that is handed out
  logic [10:0] left_q; // buffers after the one at the output
  logic [14:0] buffer_size_q, last_length_q;

  fifo #(
      .Width(RecordWidth),
      .Depth(Depth)
  ) u_records (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .wr_valid_i(rec_valid_i),
      .wr_ready_o(rec_ready_o),
      .wr_data_i(rec_data_i),
      .rd_valid_o(head_valid),
      .rd_ready_i(take),
      .rd_data_o(head),
      .count_o(unused_count)
  );

  fifo #(
      .Width(1),
      .Depth(2 * Depth)
  ) u_acks ( // never full: at most Depth + 2 frames are written and not yet taken here
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .wr_valid_i(ack_valid_i),
      .wr_ready_o(unused_ready),
      .wr_data_i(ack_err_i),
      .rd_valid_o(ack_valid),
      .rd_ready_i(take && !no_ack),
      .rd_data_o(ack_err),
      .count_o(unused_acks)
  );

  assign no_ack = head.barrier || (head.drop != 3'd0 && head.drop != 3'd4);
  assign take = head_valid && (no_ack || ack_valid) && !item_valid_o && !ev_valid_o;
  assign next = item_valid_o && item_ready_i;
  assign idle_o = !head_valid && !item_valid_o && !ev_valid_o;

  always_comb begin
    cause = head.cause;
    if (!no_ack && ack_err) cause = nic_1g_pkg::CAUSE_BUS_ERROR;
  end

  // ---- the counters of one frame ----
  always_comb begin
    mask = '0;
    unique case (head.drop)
      3'd0:
      if (ack_err) begin
        mask[nic_1g_pkg::RX_COUNTER_DROP_DMA] = 1'b1;
      end else begin
        mask[nic_1g_pkg::RX_COUNTER_DELIVERED_FRAMES+:2] = 2'b11;
        if (head.broadcast) mask[nic_1g_pkg::RX_COUNTER_BROADCAST_FRAMES+:2] = 2'b11;
        else if (head.multicast) mask[nic_1g_pkg::RX_COUNTER_MULTICAST_FRAMES+:2] = 2'b11;
        else mask[nic_1g_pkg::RX_COUNTER_UNICAST_FRAMES+:2] = 2'b11;
      end
      3'd1: mask[nic_1g_pkg::RX_COUNTER_DROP_NO_DESCRIPTOR] = 1'b1;
      3'd2: mask[nic_1g_pkg::RX_COUNTER_DROP_QUEUE_OFF] = 1'b1;
      3'd3: mask[nic_1g_pkg::RX_COUNTER_DROP_DISABLED] = 1'b1;
      default: mask[nic_1g_pkg::RX_COUNTER_DROP_DMA] = 1'b1;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      item_valid_o <= 1'b0;
      ev_valid_o <= 1'b0;
    end else if (take || item_valid_o || ev_valid_o) begin
      if (take) item_valid_o <= head.barrier || head.buffers != '0;
      else if (next && left_q == '0) item_valid_o <= 1'b0;
      if (take && !head.barrier) ev_valid_o <= 1'b1;
      else if (ev_ready_i) ev_valid_o <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      item_barrier_o <= head.barrier;
      item_queue_o <= head.ring;
      item_index_o <= head.first + 32'd1; // one past the buffer's descriptor
      item_length_o <= {1'b0, head.buffers == 11'd1 ? head.last_length : head.buffer_size};
      item_frame_length_o <= head.frame_length;
      item_cause_o <= cause;
      item_status_o <= (cause == nic_1g_pkg::CAUSE_NONE ? nic_1g_pkg::COMPLETION_STATUS_OK
                                                        : nic_1g_pkg::COMPLETION_STATUS_ERROR) |
                       nic_1g_pkg::COMPLETION_STATUS_SOP |
                       (head.buffers == 11'd1 ? nic_1g_pkg::COMPLETION_STATUS_EOP : 8'd0) |
                       (head.own ? nic_1g_pkg::COMPLETION_STATUS_OWN_UNICAST : 8'd0) |
                       (head.broadcast ? nic_1g_pkg::COMPLETION_STATUS_BROADCAST : 8'd0) |
                       (head.multicast ? nic_1g_pkg::COMPLETION_STATUS_MULTICAST : 8'd0) |
                       (head.loopback ? nic_1g_pkg::COMPLETION_STATUS_LOOPBACK : 8'd0);
      left_q <= head.barrier ? '0 : head.buffers - 11'd1;
      buffer_size_q <= head.buffer_size;
      last_length_q <= head.last_length;
      ev_mask_o <= mask;
      ev_len_o <= head.frame_length;
    end else if (next) begin
      item_index_o <= item_index_o + 32'd1;
      item_length_o <= {1'b0, left_q == 11'd1 ? last_length_q : buffer_size_q};
      item_status_o <= (item_status_o & ~nic_1g_pkg::COMPLETION_STATUS_SOP) |
                       (left_q == 11'd1 ? nic_1g_pkg::COMPLETION_STATUS_EOP : 8'd0);
      left_q <= left_q - 11'd1;
    end
  end

endmodule

`default_nettype wire

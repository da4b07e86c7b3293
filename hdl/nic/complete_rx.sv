// SPDX-License-Identifier: Apache-2.0
// Joins RX records with the acknowledgements of their data and makes one finished item per buffer of the frame. All buffers of a
// frame carry the frame's verdict, therefore none leaves before the frame's last data response. Dropped frames have no buffer and
// only count. Each frame makes one statistics event (docs/nic.md section 4).
//
// A record, from rx_writer: {barrier, queue[10:0], index past the first descriptor[31:0], buffers[10:0], buffer size[14:0], length in the last buffer[14:0],
// frame length[15:0], TCI of the removed tag[15:0], cause[7:0], loopback, multicast, broadcast, own, drop[2:0]}; drop as in rx_writer.
`default_nettype none
`include "check.svh"

module complete_rx #(
    parameter int Depth = 8 // records waiting
) (
    input  wire logic         clk_i,
    input  wire logic         rst_ni,
    // rx_writer
    input  wire logic         rec_valid_i,
    output      logic         rec_ready_o,
    input  wire logic [131:0] rec_data_i,
    // dma_write: one pulse per frame that took descriptors
    input  wire logic         ack_valid_i,
    input  wire logic         ack_err_i,
    // completer
    output      logic         item_valid_o,
    input  wire logic         item_ready_i,
    output      logic         item_barrier_o,
    output      logic [ 10:0] item_queue_o,
    output      logic [ 31:0] item_index_o,
    output      logic [ 15:0] item_length_o,
    output      logic [  7:0] item_status_o,
    output      logic [  7:0] item_cause_o,
    output      logic [ 15:0] item_frame_length_o,
    output      logic [ 15:0] item_vlan_o,
    output      logic         idle_o,
    // stats
    output      logic         ev_valid_o,
    input  wire logic         ev_ready_i,
    output      logic [ 35:0] ev_mask_o,
    output      logic [ 15:0] ev_len_o
);

  typedef struct packed {
    logic barrier;
    logic [10:0] ring;
    logic [31:0] first;
    logic [10:0] buffers;
    logic [14:0] buffer_size;
    logic [14:0] last_length;
    logic [15:0] frame_length;
    logic [15:0] vlan;
    logic [7:0] cause;
    logic loopback;
    logic multicast;
    logic broadcast;
    logic own;
    logic [2:0] drop;
  } record_t;
  localparam int RecordWidth = 132;

  record_t head_q, next_head; // the oldest record stands in registers
  logic rec_no_ack, next_no_ack, next_valid, load, head_valid_q, ack_valid_q, ack_err, ack_take, no_ack_q, take, next, failed;
  logic [2*Depth-1:0] ack_errs_q;
  logic [$clog2(Depth):0] ack_wr_q, ack_rd_q, unused_count;
  // the frame that is handed out
  logic [10:0] left_q; // buffers after the one at the output
  logic [14:0] buffer_size_q, last_length_q;
  logic first_q, own_q, broadcast_q, multicast_q, loopback_q;
  logic [2:0] drop_q;

  // barriers and frames that took no descriptor are not acknowledged; known before the record is read
  assign rec_no_ack = rec_data_i[RecordWidth-1] || (rec_data_i[2:0] != 3'd0 && rec_data_i[2:0] != 3'd4);

  fifo #(
      .Width(RecordWidth + 1),
      .Depth(Depth)
  ) u_records (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .wr_valid_i(rec_valid_i),
      .wr_ready_o(rec_ready_o),
      .wr_data_i({rec_no_ack, rec_data_i}),
      .rd_valid_o(next_valid),
      .rd_ready_i(load),
      .rd_data_o({next_no_ack, next_head}),
      .count_o(unused_count)
  );

  // ---- acknowledgements: at most Depth + 2 frames are written and not yet taken here ----
  assign ack_err = ack_errs_q[ack_rd_q];

  assign load = next_valid && (!head_valid_q || take);
  assign take = head_valid_q && (no_ack_q || ack_valid_q) && !item_valid_o && !ev_valid_o;
  assign ack_take = take && !no_ack_q;
  assign next = item_valid_o && item_ready_i;
  assign idle_o = !next_valid && !head_valid_q && !item_valid_o && !ev_valid_o;

  assign failed = !no_ack_q && ack_err;

  // ---- the buffer's status and the frame's counters ----
  assign item_status_o = (item_cause_o == nic_1g_pkg::CAUSE_NONE ? nic_1g_pkg::COMPLETION_STATUS_OK
                                                                 : nic_1g_pkg::COMPLETION_STATUS_ERROR) |
                         (first_q ? nic_1g_pkg::COMPLETION_STATUS_SOP : 8'd0) |
                         (left_q == '0 ? nic_1g_pkg::COMPLETION_STATUS_EOP : 8'd0) |
                         (own_q ? nic_1g_pkg::COMPLETION_STATUS_OWN_UNICAST : 8'd0) |
                         (broadcast_q ? nic_1g_pkg::COMPLETION_STATUS_BROADCAST : 8'd0) |
                         (multicast_q ? nic_1g_pkg::COMPLETION_STATUS_MULTICAST : 8'd0) |
                         (loopback_q ? nic_1g_pkg::COMPLETION_STATUS_LOOPBACK : 8'd0);
  assign item_length_o = {1'b0, left_q == '0 ? last_length_q : buffer_size_q};
  assign ev_len_o = item_frame_length_o;

  always_comb begin
    ev_mask_o = '0;
    unique case (drop_q)
      3'd0: begin
        ev_mask_o[nic_1g_pkg::RX_COUNTER_DELIVERED_FRAMES+:2] = 2'b11;
        if (broadcast_q) ev_mask_o[nic_1g_pkg::RX_COUNTER_BROADCAST_FRAMES+:2] = 2'b11;
        else if (multicast_q) ev_mask_o[nic_1g_pkg::RX_COUNTER_MULTICAST_FRAMES+:2] = 2'b11;
        else ev_mask_o[nic_1g_pkg::RX_COUNTER_UNICAST_FRAMES+:2] = 2'b11;
      end
      3'd1: ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_NO_DESCRIPTOR] = 1'b1;
      3'd2: ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_QUEUE_OFF] = 1'b1;
      3'd3: ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_DISABLED] = 1'b1;
      default: ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_DMA] = 1'b1;
    endcase
  end

  // ---- registers ----
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ack_errs_q <= '0;
      ack_wr_q <= '0;
      ack_rd_q <= '0;
      ack_valid_q <= 1'b0;
      item_valid_o <= 1'b0;
      {item_barrier_o, item_queue_o, item_index_o, item_frame_length_o, item_vlan_o, item_cause_o} <= '0;
      {left_q, buffer_size_q, last_length_q, first_q, own_q, broadcast_q, multicast_q, loopback_q, drop_q} <= '0;
      ev_valid_o <= 1'b0;
      {head_valid_q, no_ack_q, head_q} <= '0;
    end else if (`AWAKE(ack_valid_i || load || take || item_valid_o || ev_valid_o)) begin
      if (ack_valid_i) begin
        ack_errs_q[ack_wr_q] <= ack_err_i;
        ack_wr_q <= ack_wr_q + 1'b1;
      end
      if (ack_valid_i) ack_valid_q <= 1'b1;
      else if (ack_take && ack_rd_q + 1'b1 == ack_wr_q) ack_valid_q <= 1'b0;
      if (!head_valid_q || take) {no_ack_q, head_q} <= {next_no_ack, next_head}; // whether there is a next one, head_valid_q tells
      if (load || take) head_valid_q <= load;
      if (take) begin
        if (ack_take) ack_rd_q <= ack_rd_q + 1'b1;
        item_valid_o <= head_q.barrier || head_q.buffers != '0;
        item_barrier_o <= head_q.barrier;
        item_queue_o <= head_q.ring;
        item_index_o <= head_q.first;
        item_frame_length_o <= head_q.frame_length;
        item_vlan_o <= head_q.vlan;
        item_cause_o <= failed ? nic_1g_pkg::CAUSE_BUS_ERROR : head_q.cause;
        {first_q, own_q, broadcast_q, multicast_q, loopback_q} <= {1'b1, head_q.own, head_q.broadcast, head_q.multicast, head_q.loopback};
        drop_q <= failed ? 3'd4 : head_q.drop;
        left_q <= head_q.barrier ? '0 : head_q.buffers - 11'd1;
        buffer_size_q <= head_q.buffer_size;
        last_length_q <= head_q.last_length;
        ev_valid_o <= !head_q.barrier;
      end else begin
        if (next) begin
          item_valid_o <= left_q != '0;
          item_index_o <= item_index_o + 32'd1;
          first_q <= 1'b0;
          left_q <= left_q - 11'd1;
        end
        if (ev_ready_i) ev_valid_o <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire

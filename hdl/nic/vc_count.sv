// SPDX-License-Identifier: Apache-2.0
// Counters of the virtual connections, 64 bits, in RAM. Completed frames come with their queue, whose VC is asked for; frames of other queues
// are forgotten. An event takes some 10 cycles, events wait in FIFOs; a FIFO that is full holds up its source. A new VC's counters are
// zeroed in 8 cycles. Reading a low word latches the high word.
`default_nettype none
`include "check.svh"

module vc_count #(
    parameter int VcBits = 6
) (
    input  wire logic              clk_i,
    input  wire logic              rst_ni,
    // completer: good frames sent; frames received, delivered or dropped
    input  wire logic              tx_valid_i,
    output      logic              tx_ready_o,
    input  wire logic [      10:0] tx_queue_i,
    input  wire logic [      15:0] tx_octets_i,
    input  wire logic              rx_valid_i,
    output      logic              rx_ready_o,
    input  wire logic [      10:0] rx_queue_i,
    input  wire logic              rx_good_i,
    input  wire logic [      15:0] rx_octets_i,
    // rx_path: a VC's frame was dropped (pulse); tx_sched: a bucket made a VC wait
    input  wire logic              drop_valid_i,
    input  wire logic [VcBits-1:0] drop_vc_i,
    input  wire logic              wait_valid_i,  // held until ready
    input  wire logic [VcBits-1:0] wait_vc_i,
    output      logic              wait_ready_o,
    // vc_orders: a new VC (held until ready)
    input  wire logic              zero_valid_i,
    input  wire logic [VcBits-1:0] zero_vc_i,
    output      logic              zero_ready_o,
    // vc_find
    output      logic              find_valid_o,  // held until ready
    output      logic              find_rx_o,
    output      logic [      10:0] find_queue_o,
    input  wire logic              find_ready_i,
    input  wire logic              find_done_i,
    input  wire logic              find_hit_i,
    input  wire logic [VcBits-1:0] find_vc_i,
    // vc_pages
    input  wire logic              read_valid_i,  // held until ready
    input  wire logic [VcBits-1:0] read_vc_i,
    input  wire logic [       2:0] read_index_i,
    input  wire logic              read_high_i,
    output      logic              read_ready_o,
    output      logic [      31:0] read_data_o
);

  typedef enum logic [2:0] {
    StIdle,  // takes what is to be done
    StZero,  // zeroes a VC's counters
    StFind,  // asks for the queue's VC
    StFound,
    StRead,  // the counter comes out of the RAM
    StSum,   // adds, or answers the CSR
    StPut    // writes the sum; goes on with the second counter of a frame
  } state_e;

  state_e state_q;
  logic [63:0] mem [8 << VcBits];
  logic [63:0] ram_q, sum_q;
  logic [31:0] high_q;
  logic [VcBits-1:0] vc_q, drop_vc;
  logic [2:0] index_q;
  logic [15:0] octets_q, tx_octets, rx_octets;
  logic [10:0] queue_q, tx_queue, rx_queue;
  logic rx_q, good_q, read_q, second_q, has_second_q, rx_good;
  logic tx_valid, rx_valid, drop_valid, idle, take_tx, take_rx, take_drop, unused_drop_ready;
  logic [2:0] unused_tx_count, unused_rx_count, unused_drop_count;

  fifo #(.Width(27), .Depth(4)) u_tx (
      .clk_i, .rst_ni, .clear_i(1'b0), .wr_valid_i(tx_valid_i), .wr_ready_o(tx_ready_o), .wr_data_i({tx_queue_i, tx_octets_i}),
      .rd_valid_o(tx_valid), .rd_ready_i(take_tx), .rd_data_o({tx_queue, tx_octets}), .count_o(unused_tx_count)
  );
  fifo #(.Width(28), .Depth(4)) u_rx (
      .clk_i, .rst_ni, .clear_i(1'b0), .wr_valid_i(rx_valid_i), .wr_ready_o(rx_ready_o), .wr_data_i({rx_queue_i, rx_good_i, rx_octets_i}),
      .rd_valid_o(rx_valid), .rd_ready_i(take_rx), .rd_data_o({rx_queue, rx_good, rx_octets}), .count_o(unused_rx_count)
  );
  // a frame is 64 octets at least: the drops before it have been counted
  fifo #(.Width(VcBits), .Depth(4)) u_drop (
      .clk_i, .rst_ni, .clear_i(1'b0), .wr_valid_i(drop_valid_i), .wr_ready_o(unused_drop_ready), .wr_data_i(drop_vc_i),
      .rd_valid_o(drop_valid), .rd_ready_i(take_drop), .rd_data_o(drop_vc), .count_o(unused_drop_count)
  );

  assign idle = state_q == StIdle && !read_valid_i && !zero_valid_i;
  assign wait_ready_o = idle && wait_valid_i;
  assign take_tx = idle && !wait_valid_i && tx_valid;
  assign take_rx = idle && !wait_valid_i && !tx_valid && rx_valid;
  assign take_drop = idle && !wait_valid_i && !tx_valid && !rx_valid && drop_valid;
  assign zero_ready_o = state_q == StZero && index_q == 3'd7;
  assign find_valid_o = state_q == StFind;
  assign find_rx_o = rx_q;
  assign find_queue_o = queue_q;
  assign read_ready_o = state_q == StSum && read_q;
  assign read_data_o = read_high_i ? high_q : ram_q[31:0];

  always_ff @(posedge clk_i) begin
    if (`AWAKE(state_q != StIdle)) begin
      if (state_q == StZero) mem[{vc_q, index_q}] <= 64'd0;
      else if (state_q == StPut) mem[{vc_q, index_q}] <= sum_q;
      if (state_q == StRead) ram_q <= mem[{vc_q, index_q}];
      if (state_q == StSum) sum_q <= ram_q + (second_q ? 64'(octets_q) : 64'd1);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      {vc_q, index_q, octets_q, queue_q, rx_q, good_q, read_q, second_q, has_second_q} <= '0;
      high_q <= 32'd0;
    end else if (`AWAKE(state_q != StIdle || read_valid_i || zero_valid_i || wait_valid_i || tx_valid || rx_valid || drop_valid)) begin
      case (state_q)
        StIdle: begin
          {read_q, second_q, has_second_q} <= {read_valid_i && !zero_valid_i, 2'b00};
          octets_q <= tx_valid ? tx_octets : rx_octets;
          queue_q <= tx_valid ? tx_queue : rx_queue;
          {rx_q, good_q} <= {!tx_valid, tx_valid || rx_good};
          index_q <= 3'd0;
          if (zero_valid_i) begin
            vc_q <= zero_vc_i;
            state_q <= StZero;
          end else if (read_valid_i) begin
            vc_q <= read_vc_i;
            index_q <= read_index_i;
            state_q <= StRead;
          end else if (wait_valid_i) begin
            vc_q <= wait_vc_i;
            index_q <= 3'(nic_1g_pkg::VC_COUNTER_TX_WAITS);
            state_q <= StRead;
          end else if (tx_valid || rx_valid) begin
            state_q <= StFind;
          end else if (drop_valid) begin
            vc_q <= drop_vc;
            index_q <= 3'(nic_1g_pkg::VC_COUNTER_RX_DROPS);
            state_q <= StRead;
          end
        end
        StZero: begin
          index_q <= index_q + 3'd1;
          if (zero_ready_o) state_q <= StIdle;
        end
        StFind: if (find_ready_i) state_q <= StFound;
        StFound:
        if (find_done_i) begin
          vc_q <= find_vc_i;
          has_second_q <= good_q;
          index_q <= !rx_q ? 3'(nic_1g_pkg::VC_COUNTER_TX_FRAMES) :
                     good_q ? 3'(nic_1g_pkg::VC_COUNTER_RX_FRAMES) : 3'(nic_1g_pkg::VC_COUNTER_RX_DROPS);
          state_q <= find_hit_i ? StRead : StIdle;
        end
        StRead: state_q <= StSum;
        StSum: begin
          if (read_q && !read_high_i) high_q <= ram_q[63:32];
          state_q <= read_q ? StIdle : StPut;
        end
        default: begin // StPut: octets stand behind frames
          second_q <= 1'b1;
          has_second_q <= 1'b0;
          index_q <= index_q + 3'd1;
          state_q <= has_second_q ? StRead : StIdle;
        end
      endcase
    end
  end

endmodule

`default_nettype wire

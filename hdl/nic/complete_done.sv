// SPDX-License-Identifier: Apache-2.0
// The completions and barriers on their way, in order. A completion's response makes it visible (vis_*, the new CPL_PRODUCED) or, when
// it failed, an error, after which nothing of its ring is made visible and dead_o tells that nothing more should be written, until
// the ring's next start. A barrier leaves when irq has taken all before it. A ring is {direction, queue}.
`default_nettype none
`include "check.svh"

module complete_done #(
    parameter int QueueBits = 2,
    parameter int Depth     = 16 // power of two
) (
    input  wire logic               clk_i,
    input  wire logic               rst_ni,
    // completer
    input  wire logic               start_valid_i,
    input  wire logic [QueueBits:0] start_ring_i,
    input  wire logic [QueueBits:0] ring_i,
    output      logic               dead_o,
    input  wire logic               push_valid_i,
    output      logic               push_ready_o,
    input  wire logic               push_barrier_i,
    input  wire logic               push_dir_i,
    input  wire logic [       10:0] push_queue_i,
    input  wire logic [       31:0] push_index_i, // one past the completion's index
    output      logic               idle_o,
    // dma_write
    input  wire logic               resp_valid_i,
    input  wire logic               resp_err_i,
    // irq
    output      logic               vis_valid_o,
    input  wire logic               vis_ready_i,
    output      logic               vis_dir_o,
    output      logic [       10:0] vis_queue_o,
    output      logic [       31:0] vis_index_o,
    // queue_ctrl
    output      logic               err_valid_o,
    output      logic               err_dir_o,
    output      logic [       10:0] err_queue_o,
    output      logic [       31:0] err_index_o,
    output      logic               barrier_valid_o,
    output      logic               barrier_dir_o,
    output      logic [       10:0] barrier_queue_o
);

  logic head_barrier_q, head_dir_q, resp_valid, resp_err, retire, head_dead;
  logic [10:0] head_queue_q;
  logic [31:0] head_index_q;
  logic [QueueBits:0] head_ring;
  logic [(2<<QueueBits)-1:0] dead_q; // per ring
  // the oldest stands in registers; a response more than the FIFO holds may wait
  logic hold_valid_q, load, next_valid;
  logic [44:0] next_data;
  logic [2*Depth-1:0] resp_errs_q;
  logic [$clog2(Depth):0] resp_wr_q, resp_rd_q, unused_count;

  fifo #(
      .Width(45),
      .Depth(Depth)
  ) u_pending (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .wr_valid_i(push_valid_i),
      .wr_ready_o(push_ready_o),
      .wr_data_i({push_barrier_i, push_dir_i, push_queue_i, push_index_i}),
      .rd_valid_o(next_valid),
      .rd_ready_i(load),
      .rd_data_o(next_data),
      .count_o(unused_count)
  );

  // ---- responses: no more than pending completions ----
  assign resp_valid = resp_wr_q != resp_rd_q;
  assign resp_err = resp_errs_q[resp_rd_q];

  assign head_ring = {head_dir_q, head_queue_q[QueueBits-1:0]};
  assign head_dead = dead_q[head_ring];
  assign dead_o = dead_q[ring_i];
  assign load = next_valid && (!hold_valid_q || retire);
  assign retire = hold_valid_q && (head_barrier_q || resp_valid) && !vis_valid_o;
  assign idle_o = !next_valid && !hold_valid_q && !vis_valid_o;

  assign err_dir_o = vis_dir_o;
  assign err_queue_o = vis_queue_o;
  assign err_index_o = vis_index_o - 32'd1; // the completion that failed
  assign barrier_dir_o = vis_dir_o;
  assign barrier_queue_o = vis_queue_o;

  // ---- registers ----
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      resp_errs_q <= '0;
      resp_wr_q <= '0;
      resp_rd_q <= '0;
      hold_valid_q <= 1'b0;
      {head_barrier_q, head_dir_q, head_queue_q, head_index_q} <= '0;
      vis_valid_o <= 1'b0;
      {vis_dir_o, vis_queue_o, vis_index_o} <= '0;
      err_valid_o <= 1'b0;
      barrier_valid_o <= 1'b0;
      dead_q <= '0;
    end else if (`AWAKE(resp_valid_i || load || retire || vis_valid_o || err_valid_o || barrier_valid_o || start_valid_i)) begin
      if (resp_valid_i) begin
        resp_errs_q[resp_wr_q] <= resp_err_i;
        resp_wr_q <= resp_wr_q + 1'b1;
      end
      if (load) {head_barrier_q, head_dir_q, head_queue_q, head_index_q} <= next_data;
      if (load || retire) hold_valid_q <= load;
      if (retire) begin
        if (!head_barrier_q) resp_rd_q <= resp_rd_q + 1'b1;
        vis_valid_o <= !head_barrier_q && !resp_err && !head_dead;
        vis_dir_o <= head_dir_q;
        vis_queue_o <= head_queue_q;
        vis_index_o <= head_index_q;
      end else if (vis_ready_i) begin
        vis_valid_o <= 1'b0;
      end
      err_valid_o <= retire && !head_barrier_q && resp_err && !head_dead;
      barrier_valid_o <= retire && head_barrier_q;
      if (start_valid_i) dead_q[start_ring_i] <= 1'b0;
      if (retire && !head_barrier_q && resp_err) dead_q[head_ring] <= 1'b1;
    end
  end

endmodule

`default_nettype wire

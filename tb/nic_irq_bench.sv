// SPDX-License-Identifier: Apache-2.0
// irq with a vector of its own for every queue (TX q: q, RX q: NumTxQueues + q) and one moderation for all, for nic_irq_tests.
`default_nettype none

module nic_irq_bench #(
    parameter int NumTxQueues = 4,
    parameter int NumRxQueues = 4
) (
    input  wire logic                               clk_i,
    input  wire logic                               rst_ni,
    input  wire logic [                        7:0] mod_count_i,
    input  wire logic [                       15:0] mod_ticks_i,
    input  wire logic                               vis_valid_i,
    output      logic                               vis_ready_o,
    input  wire logic                               vis_dir_i,
    input  wire logic [                       10:0] vis_queue_i,
    input  wire logic [                       31:0] vis_index_i,
    input  wire logic                               start_valid_i,
    input  wire logic                               start_dir_i,
    input  wire logic [                       10:0] start_queue_i,
    input  wire logic [                       31:0] start_cpl_index_i,
    input  wire logic                               flush_valid_i,
    input  wire logic                               flush_dir_i,
    input  wire logic [                       10:0] flush_queue_i,
    output      logic                               flush_done_o,
    input  wire logic                               clear_i,
    output      logic                               busy_o,
    input  wire logic                               rearm_valid_i,
    output      logic                               rearm_ready_o,
    input  wire logic                               rearm_dir_i,
    input  wire logic [                       10:0] rearm_queue_i,
    input  wire logic [                       31:0] rearm_index_i,
    input  wire logic                               misc_fire_i,
    input  wire logic                               csr_dir_i,
    input  wire logic [                       10:0] csr_queue_i,
    output      logic [                       31:0] csr_index_o,
    output      logic [NumTxQueues+NumRxQueues-1:0] irq_o
);

  logic dir;
  logic [10:0] queue;
  logic [7:0] vector;

  assign vector = dir ? 8'(NumTxQueues) + 8'(queue) : 8'(queue);

  irq #(.NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .NumVectors(NumTxQueues + NumRxQueues)) u_irq (
      .clk_i, .rst_ni, .vis_valid_i, .vis_ready_o, .vis_dir_i, .vis_queue_i, .vis_index_i,
      .start_valid_i, .start_dir_i, .start_queue_i, .start_cpl_index_i, .flush_valid_i, .flush_dir_i, .flush_queue_i, .flush_done_o,
      .clear_i, .busy_o, .cfg_dir_o(dir), .cfg_queue_o(queue), .cfg_vector_i(vector), .cfg_count_i(mod_count_i),
      .cfg_ticks_i(mod_ticks_i), .rearm_valid_i, .rearm_ready_o, .rearm_dir_i, .rearm_queue_i, .rearm_index_i, .misc_fire_i,
      .csr_dir_i, .csr_queue_i, .csr_index_o, .irq_o
  );

endmodule

`default_nettype wire

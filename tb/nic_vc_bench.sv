// SPDX-License-Identifier: Apache-2.0
// The scheduler with its token buckets, the tag's insertion and removal, and a queue_pick of 2048 queues, for nic_vc_tests. A queue that has been filled
// has frames until it is emptied; the frame that is offered is taken at once and is complete 12 cycles later.
`default_nettype none

module nic_vc_bench #(
    parameter int NumTxQueues = 68,
    parameter int VcBits      = 6
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // queues
    input  wire logic                   start_valid_i,
    input  wire logic                   fill_valid_i,
    input  wire logic                   empty_valid_i,
    input  wire logic [           10:0] queue_i,
    input  wire logic [           15:0] quantum_i,
    input  wire logic [           15:0] bytes_i,      // of the frame that is taken next, in memory
    // contracts
    input  wire logic [(1<<VcBits)-1:0] active_i,
    input  wire logic                   set_valid_i,
    output      logic                   set_ready_o,
    input  wire logic [   VcBits+173:0] set_data_i,
    // what was taken
    output      logic                   taken_o,      // changes
    output      logic [           10:0] taken_queue_o,
    output      logic                   taken_tagged_o,
    output      logic [           15:0] taken_tci_o,
    output      logic [           31:0] taken_at_o,   // when it begins on the line, in cycles
    output      logic [           31:0] cycle_o,
    // tags: words of frames in, a tag in, the tag out, words out
    input  wire logic                   frame_valid_i,
    input  wire logic                   frame_tagged_i,
    input  wire logic [           15:0] frame_tci_i,
    input  wire logic                   word_valid_i,
    input  wire logic [           67:0] word_data_i,
    output      logic                   tagged_valid_o,
    output      logic [           67:0] tagged_data_o,
    output      logic                   tagged_commit_o,
    input  wire logic                   strip_begin_i,
    input  wire logic                   strip_i,
    input  wire logic [           15:0] strip_length_i,
    input  wire logic                   buf_valid_i,
    output      logic                   buf_ready_o,
    input  wire logic [           63:0] buf_data_i,
    output      logic                   out_valid_o,
    input  wire logic                   out_ready_i,
    output      logic [           63:0] out_data_o,
    // queue_pick
    input  wire logic [         2047:0] request_i,
    output      logic                   choice_valid_o,
    output      logic [           10:0] choice_o,
    input  wire logic                   choice_take_i
);

  localparam int QueueBits = $clog2(NumTxQueues);

  logic [NumTxQueues-1:0] ready_q;
  logic pick_valid, pick_tagged, take, ends, wait_valid, unused_rollback;
  logic [10:0] pick_queue;
  logic [15:0] pick_tci, unused_limit, bytes_q;
  logic [VcBits-1:0] unused_wait_vc;
  logic [3:0] age_q;

  assign take = pick_valid && age_q == 4'd0;
  assign ends = age_q == 4'd12;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ready_q <= '0;
      {age_q, taken_o, taken_queue_o, taken_tagged_o, taken_tci_o, taken_at_o, bytes_q, cycle_o} <= '0;
    end else begin
      cycle_o <= cycle_o + 32'd1;
      if (fill_valid_i) ready_q[queue_i[QueueBits-1:0]] <= 1'b1;
      if (empty_valid_i || start_valid_i) ready_q[queue_i[QueueBits-1:0]] <= 1'b0;
      age_q <= take ? 4'd1 : age_q == 4'd0 || ends ? 4'd0 : age_q + 4'd1;
      if (take) begin
        taken_o <= !taken_o;
        taken_queue_o <= pick_queue;
        taken_tagged_o <= pick_tagged;
        taken_tci_o <= pick_tci;
        taken_at_o <= u_sched.depart[31:0];
        bytes_q <= bytes_i;
      end
    end
  end

  tx_sched #(.NumTxQueues(NumTxQueues), .VcBits(VcBits)) u_sched (
      .clk_i, .rst_ni, .cfg_tx_enable_i(1'b1), .cfg_quantum_i(quantum_i), .cfg_ifg_i(8'd12), .cfg_host_fcs_i(1'b0),
      .start_ok_i({NumTxQueues{1'b1}}), .start_valid_i, .start_queue_i(queue_i), .ready_i(ready_q), .fill_valid_i, .fill_queue_i(queue_i),
      .active_i, .set_valid_i, .set_ready_o, .set_data_i, .wait_valid_o(wait_valid), .wait_vc_o(unused_wait_vc), .wait_ready_i(wait_valid),
      .pick_valid_o(pick_valid), .pick_queue_o(pick_queue), .pick_tagged_o(pick_tagged), .pick_tci_o(pick_tci), .pick_limit_o(unused_limit),
      .take_i(take), .end_valid_i(ends), .end_sent_i(1'b1), .end_bytes_i(bytes_q)
  );

  vlan_insert u_insert (
      .clk_i, .rst_ni, .frame_valid_i, .frame_tagged_i, .frame_tci_i, .in_valid_i(word_valid_i), .in_data_i(word_data_i),
      .in_commit_i(word_valid_i && word_data_i[67]), .in_rollback_i(1'b0), .out_valid_o(tagged_valid_o), .out_data_o(tagged_data_o),
      .out_commit_o(tagged_commit_o), .out_rollback_o(unused_rollback)
  );

  vlan_strip u_strip (
      .clk_i, .rst_ni, .begin_i(strip_begin_i), .strip_i, .length_i(strip_length_i), .in_valid_i(buf_valid_i), .in_ready_o(buf_ready_o),
      .in_data_i(buf_data_i), .out_valid_o, .out_ready_i, .out_data_o
  );

  queue_pick #(.NumQueues(2048)) u_pick (
      .clk_i, .rst_ni, .req_i(request_i), .valid_o(choice_valid_o), .queue_o(choice_o), .take_i(choice_take_i)
  );

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Checks one direction's doorbells: 2 cycles after db_valid_i the index is either good (good_o, a pulse), or more than the ring size
// ahead of the consumer, or of a queue that is not enabled (ignored). The bad one is held on err_* until err_ready_i. One doorbell
// per cycle may enter; doorbells that follow a bad one within its wait keep the first report. The size S is a power of two, so that no
// comparison is needed: d > S when d - 1, which is not negative unless d is zero, has a bit from S's upwards.
`default_nettype none
`include "check.svh"

module doorbell_check (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // csr
    input  wire logic        db_valid_i,
    input  wire logic [10:0] db_queue_i,
    input  wire logic [31:0] db_index_i,
    // desc_fetch: the queue's consumer and ring size
    output      logic        read_valid_o,
    output      logic [10:0] read_queue_o,
    input  wire logic [31:0] consumer_i,
    input  wire logic [ 3:0] cfg_ring_log2_i,
    // desc_fetch: verdict
    output      logic        valid_o,
    output      logic [10:0] queue_o,
    output      logic [31:0] index_o,
    output      logic [ 3:0] ring_log2_o,
    input  wire logic        ending_i, // queue_o is not enabled
    output      logic        good_o,
    output      logic        err_valid_o,
    input  wire logic        err_ready_i,
    output      logic [10:0] err_queue_o,
    output      logic [31:0] err_index_o
);

  // 1: registered; 2: subtracted
  logic valid1_q, valid2_q, err_q, bad, awake;
  logic [10:0] queue1_q, queue2_q, err_queue_q;
  logic [31:0] index1_q, index2_q, less_one2_q, err_index_q; // less_one: the distance to the consumer, minus one
  logic [3:0] log2_2_q;
  logic [15:0] from_size2_q; // the bits of a size and all above it

  assign bad = less_one2_q != '1 && (less_one2_q & {16'hffff, from_size2_q}) != '0;
  assign read_valid_o = valid1_q;
  assign read_queue_o = queue1_q;
  assign valid_o = valid2_q;
  assign queue_o = queue2_q;
  assign index_o = index2_q;
  assign ring_log2_o = log2_2_q;
  assign good_o = valid2_q && !bad && !ending_i;
  assign err_valid_o = err_q;
  assign err_queue_o = err_queue_q;
  assign err_index_o = err_index_q;

  assign awake = `AWAKE(db_valid_i || valid1_q || valid2_q || err_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {valid1_q, valid2_q, err_q} <= 3'd0;
      {queue1_q, queue2_q, err_queue_q} <= 33'd0;
      {index1_q, index2_q, less_one2_q, err_index_q} <= 128'd0;
      {log2_2_q, from_size2_q} <= 20'd0;
    end else if (awake) begin
      valid1_q <= db_valid_i;
      valid2_q <= valid1_q;
      if (db_valid_i) begin
        queue1_q <= db_queue_i;
        index1_q <= db_index_i;
      end
      if (valid1_q) begin
        queue2_q <= queue1_q;
        index2_q <= index1_q;
        less_one2_q <= index1_q + ~consumer_i;
        log2_2_q <= cfg_ring_log2_i;
        from_size2_q <= 16'hffff << cfg_ring_log2_i;
      end
      if (valid2_q && bad && !ending_i && !err_q) begin
        err_q <= 1'b1;
        err_queue_q <= queue2_q;
        err_index_q <= index2_q;
      end else if (err_ready_i && err_q) begin
        err_q <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Checks one direction's doorbells: 3 cycles after db_valid_i the index is either good (good_o, a pulse), or more than the ring size
// ahead of the consumer, or of a queue that is not enabled (ignored). The bad one is held on err_* until err_ready_i. One doorbell
// per cycle may enter; doorbells that follow a bad one within its wait keep the first report.
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

  // 1: registered; 2: read; 3: subtracted
  logic valid1_q, valid2_q, valid3_q, err_q, bad, awake;
  logic [10:0] queue1_q, queue2_q, queue3_q, err_queue_q;
  logic [31:0] index1_q, index2_q, index3_q, consumer2_q, ahead3_q, err_index_q;
  logic [3:0] log2_2_q, log2_3_q;
  logic [15:0] size3_q;

  assign bad = ahead3_q > {16'd0, size3_q};
  assign read_valid_o = valid1_q;
  assign read_queue_o = queue1_q;
  assign valid_o = valid3_q;
  assign queue_o = queue3_q;
  assign index_o = index3_q;
  assign ring_log2_o = log2_3_q;
  assign good_o = valid3_q && !bad && !ending_i;
  assign err_valid_o = err_q;
  assign err_queue_o = err_queue_q;
  assign err_index_o = err_index_q;

  assign awake = `AWAKE(db_valid_i || valid1_q || valid2_q || valid3_q || err_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {valid1_q, valid2_q, valid3_q, err_q} <= 4'd0;
      {queue1_q, queue2_q, queue3_q, err_queue_q} <= 44'd0;
      {index1_q, index2_q, index3_q, consumer2_q, ahead3_q, err_index_q} <= 192'd0;
      {log2_2_q, log2_3_q, size3_q} <= 24'd0;
    end else if (awake) begin
      valid1_q <= db_valid_i;
      valid2_q <= valid1_q;
      valid3_q <= valid2_q;
      if (db_valid_i) begin
        queue1_q <= db_queue_i;
        index1_q <= db_index_i;
      end
      if (valid1_q) begin
        queue2_q <= queue1_q;
        index2_q <= index1_q;
        consumer2_q <= consumer_i;
        log2_2_q <= cfg_ring_log2_i;
      end
      if (valid2_q) begin
        queue3_q <= queue2_q;
        index3_q <= index2_q;
        ahead3_q <= index2_q - consumer2_q;
        log2_3_q <= log2_2_q;
        size3_q <= 16'd1 << log2_2_q;
      end
      if (valid3_q && bad && !ending_i && !err_q) begin
        err_q <= 1'b1;
        err_queue_q <= queue3_q;
        err_index_q <= index3_q;
      end else if (err_ready_i && err_q) begin
        err_q <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire

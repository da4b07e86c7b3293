// SPDX-License-Identifier: Apache-2.0
// One token bucket per VC (docs/nic.md section 11.4), kept as the moment E from which the bucket holds a longest frame: a frame may start
// at D >= E, and n octets move E to max(E, D - tolerance) + n * interval. Moments are 72 bits: system clock cycles and 16 binary places;
// they are compared by the sign of their difference. An order takes 5 cycles (6 to apply); due_o, the whole cycle from which a frame
// may start, stands from done_o until the next order ends.
`default_nettype none
`include "check.svh"

module vc_shaper #(
    parameter int VcBits = 6 // of a VC's number
) (
    input  wire logic              clk_i,
    input  wire logic              rst_ni,
    input  wire logic              go_i,       // pulse; what follows stands until done_o
    input  wire logic [       1:0] op_i,       // 0 charge octets_i, 1 fill a new bucket, 2 apply another contract
    input  wire logic [VcBits-1:0] vc_i,
    input  wire logic [      71:0] when_i,     // charge: D, else T
    input  wire logic [      15:0] octets_i,   // charge: of the frame, else MAX_FRAME
    input  wire logic [      31:0] interval_i, // 1, 2: cycles per octet, 16 binary places
    input  wire logic [      23:0] burst_i,    // 1, 2: at least MAX_FRAME unless the interval is 0
    output      logic              done_o,     // pulse
    output      logic [      55:0] due_o
);

  localparam logic [1:0] Charge = 2'd0, Fill = 2'd1;

  typedef enum logic [2:0] {
    StIdle,
    StMul,   // octets times interval
    StMore,  // a second product, to apply
    StTake,  // subtracts the tolerance, or adds what an empty bucket lacks
    StClip,  // the later, or the earlier, of two moments
    StPut    // writes the entry
  } state_e;

  typedef struct packed {
    logic [71:0] moment;
    logic [55:0] tolerance;
    logic [31:0] interval;
  } bucket_t;

  logic [159:0] mem [1 << VcBits];
  bucket_t bucket_q;
  state_e state_q;
  logic [71:0] other_q, moment_q, sum, behind;
  logic [55:0] product_q;
  logic [23:0] factor, diff;
  logic [31:0] interval;
  logic unused;

  assign diff = interval_i == 32'd0 ? 24'd0 : burst_i - {8'd0, octets_i};
  assign factor = op_i == Charge || state_q == StMore ? {8'd0, octets_i} : diff;
  assign interval = op_i == Charge ? bucket_q.interval : interval_i;
  assign behind = other_q - bucket_q.moment; // its sign: the other is before
  assign unused = &{1'b0, behind};
  assign sum = moment_q + (op_i == Charge ? {16'd0, product_q} : 72'd0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      done_o <= 1'b0;
      {other_q, moment_q, product_q, due_o} <= '0;
    end else if (`AWAKE(go_i || state_q != StIdle || done_o)) begin
      done_o <= state_q == StPut;
      case (state_q)
        StIdle: if (go_i) state_q <= StMul;
        StMul: begin
          product_q <= factor * interval;
          state_q <= op_i[1] ? StMore : StTake;
        end
        StMore: begin
          product_q <= factor * interval;
          state_q <= StTake;
        end
        StTake: begin
          if (op_i[1]) other_q <= when_i + {16'd0, product_q};
          else other_q <= when_i - {16'd0, op_i == Charge ? bucket_q.tolerance : product_q};
          state_q <= StClip;
        end
        StClip: begin
          if (op_i == Fill) moment_q <= other_q;
          else if (op_i == Charge) moment_q <= behind[71] ? bucket_q.moment : other_q;
          else moment_q <= behind[71] ? other_q : bucket_q.moment;
          state_q <= StPut;
        end
        StPut: begin
          due_o <= sum[71:16] + 56'(sum[15:0] != 16'd0);
          state_q <= StIdle;
        end
        default: state_q <= StIdle;
      endcase
    end
  end

  // ---- the entry; a new tolerance is the product that StMul made ----
  logic [55:0] tolerance_q;

  always_ff @(posedge clk_i) begin
    if (`AWAKE(go_i || state_q != StIdle)) begin
      if (state_q == StMore || (state_q == StTake && op_i == Fill)) tolerance_q <= product_q;
      if (go_i) bucket_q <= mem[vc_i];
      if (state_q == StPut) mem[vc_i] <= op_i == Charge ? {sum, bucket_q.tolerance, bucket_q.interval} : {sum, tolerance_q, interval_i};
    end
  end

endmodule

`default_nettype wire

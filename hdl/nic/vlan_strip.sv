// SPDX-License-Identifier: Apache-2.0
// Takes the tag out of a VC's frames on their way from the receive buffer to rx_writer: octets 12 to 15 vanish, those behind them move up. A
// frame is told of when rx_writer takes its header; words of other frames pass as they are. Of a stripped frame the second word is held for
// the next one, and a last half word comes without waiting for another.
`default_nettype none
`include "check.svh"

module vlan_strip (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // rx_writer takes a header (pulse)
    input  wire logic        begin_i,
    input  wire logic        strip_i,
    input  wire logic [15:0] length_i, // of the frame in the buffer: 18 or more when it is stripped
    // receive buffer
    input  wire logic        in_valid_i,
    output      logic        in_ready_o,
    input  wire logic [63:0] in_data_i,
    // rx_writer
    output      logic        out_valid_o,
    input  wire logic        out_ready_i,
    output      logic [63:0] out_data_o
);

  typedef enum logic [2:0] {
    StPass,   // not stripped
    StFirst,  // octets 0 to 7
    StSecond, // octets 8 to 11 are held, the tag vanishes
    StShift,  // four held octets and four new ones
    StFlush   // the last held octets
  } state_e;

  state_e state_q, state_d;
  logic [12:0] left_q; // words of the frame in the buffer
  logic [31:0] held_q;
  logic half_q, take;  // more than four octets are in the last word

  assign in_ready_o = state_q == StSecond || (state_q != StFlush && out_ready_i);
  assign out_valid_o = state_q == StFlush || (state_q != StSecond && in_valid_i);
  assign out_data_o = state_q == StShift ? {in_data_i[31:0], held_q} : state_q == StFlush ? {32'd0, held_q} : in_data_i;
  assign take = in_valid_i && in_ready_o;

  always_comb begin
    state_d = state_q;
    case (state_q)
      StFirst: if (take) state_d = StSecond;
      StSecond: if (take) state_d = StShift;
      StShift: if (take && left_q == 13'd1 && half_q) state_d = StFlush;
               else if (take && left_q == 13'd1) state_d = StPass;
      StFlush: if (out_ready_i) state_d = StPass;
      default: ;
    endcase
    if (begin_i && strip_i) state_d = StFirst;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StPass;
      {left_q, held_q, half_q} <= '0;
    end else if (`AWAKE(begin_i || state_q != StPass)) begin
      `CHECK("vlan_strip_frame_ended", !begin_i || state_q == StPass)
      `CHECK("vlan_strip_length", !begin_i || !strip_i || length_i >= 16'd18)
      state_q <= state_d;
      if (begin_i) begin
        left_q <= length_i[15:3] + {12'd0, length_i[2:0] != 3'd0};
        half_q <= length_i[2:0] == 3'd0 || length_i[2:0] > 3'd4;
      end else if (take) begin
        left_q <= left_q - 13'd1;
      end
      if (take) held_q <= state_q == StSecond ? in_data_i[31:0] : in_data_i[63:32];
    end
  end

endmodule

`default_nettype wire

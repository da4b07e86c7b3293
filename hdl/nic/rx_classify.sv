// SPDX-License-Identifier: Apache-2.0
// Finds the virtual connection of a received frame beside rx_ingress: remembers the tag while the words pass, and asks the VC table once the
// status word says that the frame is good. The table is asked that late so that an answer is never older than the frame's end: what
// vc_table takes out of the map is out for every frame that ends afterwards. 3 cycles from a tagged frame's status word to done_o.
`default_nettype none
`include "check.svh"

module rx_classify #(
    parameter int VcBits = 6
) (
    input  wire logic              clk_i,
    input  wire logic              rst_ni,
    // what rx_ingress takes
    input  wire logic              word_i,       // a data word
    input  wire logic              status_i,     // a status word
    input  wire logic              discard_i,    // with it: of another frame
    input  wire logic              forget_i,     // the arriving frame is abandoned
    input  wire logic [      63:0] data_i,
    // vc_find
    output      logic              look_valid_o, // pulse
    output      logic [      11:0] look_vid_o,
    input  wire logic              look_done_i,  // pulse
    input  wire logic              look_hit_i,
    input  wire logic [VcBits-1:0] look_vc_i,
    input  wire logic [      10:0] look_queue_i,
    // rx_ingress: of the frame whose status word was taken last
    output      logic              done_o,
    output      logic              hit_o,
    output      logic [      10:0] queue_o,
    output      logic [      15:0] tci_o,
    output      logic [VcBits-1:0] vc_o
);

  localparam logic [15:0] LeastStripped = 16'd18; // 14 bytes are left

  logic [1:0] number_q; // of the next word: 0, 1, then 2 for all others
  logic tagged_q, asks, unused;

  assign asks = status_i && !discard_i && tagged_q && data_i[37:32] == 6'd0 && data_i[15:0] >= LeastStripped;
  assign look_vid_o = tci_o[11:0];
  assign unused = &{1'b0, data_i[31:16]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      number_q <= 2'd0;
      {tagged_q, tci_o, look_valid_o, done_o, hit_o, queue_o, vc_o} <= '0;
    end else if (`AWAKE(word_i || status_i || forget_i || look_valid_o || look_done_i)) begin
      look_valid_o <= asks;
      if (forget_i || (status_i && !discard_i)) begin
        number_q <= 2'd0;
        tagged_q <= 1'b0;
      end else if (word_i && number_q != 2'd2) begin
        number_q <= number_q + 2'd1;
        if (number_q == 2'd1) begin
          tagged_q <= data_i[47:32] == 16'h0081; // octets 12 and 13: 81 00
          tci_o <= {data_i[55:48], data_i[63:56]};
        end
      end
      if (status_i) begin
        done_o <= !asks;
        hit_o <= 1'b0;
      end else if (look_done_i) begin
        done_o <= 1'b1;
        hit_o <= look_hit_i;
        queue_o <= look_queue_i;
        vc_o <= look_vc_i;
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Round robin over a vector of requests, eight queues per cycle: the search goes on behind the queue that was taken last and
// registers the first one it meets, at most NumQueues/8 + 1 cycles later. queue_o keeps until take_i or until the cycle after its
// request fell.
`default_nettype none
`include "check.svh"

module queue_pick #(
    parameter int NumQueues = 4 // 1..64
) (
    input  wire logic                 clk_i,
    input  wire logic                 rst_ni,
    input  wire logic [NumQueues-1:0] req_i,
    output      logic                 valid_o,
    output      logic [          5:0] queue_o,
    input  wire logic                 take_i
);

  localparam int NumGroups = (NumQueues + 7) / 8;

  logic [63:0] req;
  logic [2:0] group_q, group, first;
  logic [7:0] allowed_q, hits;
  logic valid_q, awake;
  logic [5:0] queue_q;

  assign req = 64'(req_i);
  assign valid_o = valid_q;
  assign queue_o = queue_q;
  assign group = NumGroups > 1 ? group_q : 3'd0;
  assign hits = req[{group, 3'd0} +: 8] & allowed_q;
  assign first = hits[0] ? 3'd0 : hits[1] ? 3'd1 : hits[2] ? 3'd2 : hits[3] ? 3'd3 : hits[4] ? 3'd4 : hits[5] ? 3'd5 : hits[6] ? 3'd6 : 3'd7;

  assign awake = `AWAKE(valid_q ? take_i || !req[queue_q] : req_i != '0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      queue_q <= 6'd0;
      group_q <= 3'd0;
      allowed_q <= 8'hff;
    end else if (awake) begin
      if (valid_q) begin
        if (take_i || !req[queue_q]) begin
          valid_q <= 1'b0;
          group_q <= queue_q[5:3];
          allowed_q <= 8'hfe << queue_q[2:0];
        end
      end else if (hits != 8'd0) begin
        valid_q <= 1'b1;
        queue_q <= {group, first};
      end else if (req_i != '0) begin
        group_q <= group == 3'(NumGroups - 1) ? 3'd0 : group + 3'd1;
        allowed_q <= 8'hff;
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Round robin over a vector of requests, eight queues per cycle: the search goes on behind the queue that was taken last and
// registers the first one it meets, at most NumQueues/8 + 1 cycles later; beyond 64 queues it steps over every 64 without a request,
// and takes 17 cycles at most. queue_o keeps until take_i or until the cycle after its request fell.
`default_nettype none
`include "check.svh"

module queue_pick #(
    parameter int NumQueues = 4 // 1..2048
) (
    input  wire logic                 clk_i,
    input  wire logic                 rst_ni,
    input  wire logic [NumQueues-1:0] req_i,
    output      logic                 valid_o,
    output      logic [         10:0] queue_o,
    input  wire logic                 take_i
);

  localparam int Pages = (NumQueues + 63) / 64; // of 64 queues
  localparam int NumGroups = Pages > 1 ? 8 : (NumQueues + 7) / 8;

  logic [63:0] req; // of the page
  logic [4:0] page;
  logic [2:0] group_q, group, first;
  logic [7:0] allowed_q, hits;
  logic valid_q, awake, last_group;
  logic [10:0] queue_q;

  assign valid_o = valid_q;
  assign queue_o = queue_q;
  assign group = NumGroups > 1 ? group_q : 3'd0;
  assign last_group = group == 3'(NumGroups - 1);
  assign hits = req[{group, 3'd0} +: 8] & allowed_q;
  assign first = hits[0] ? 3'd0 : hits[1] ? 3'd1 : hits[2] ? 3'd2 : hits[3] ? 3'd3 : hits[4] ? 3'd4 : hits[5] ? 3'd5 : hits[6] ? 3'd6 : 3'd7;

  // ---- the next page with a request: the first above this one, else the first of all ----
  if (Pages > 1) begin : g_pages
    logic [2047:0] all;
    logic [31:0] any, above, lowest;
    logic [4:0] page_q;

    assign all = 2048'(req_i);
    for (genvar p = 0; p < 32; p++) begin : g_any
      assign any[p] = |all[64*p+:64];
    end
    assign above = any & (32'hffff_fffe << page_q);
    assign lowest = above != 32'd0 ? above & (~above + 32'd1) : any & (~any + 32'd1);
    assign page = page_q;
    assign req = all[{page_q, 6'd0}+:64];

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) page_q <= 5'd0;
      else if (`AWAKE(!valid_q && hits == 8'd0 && last_group && any != 32'd0))
        page_q <= {|(lowest & 32'hffff_0000), |(lowest & 32'hff00_ff00), |(lowest & 32'hf0f0_f0f0), |(lowest & 32'hcccc_cccc),
                   |(lowest & 32'haaaa_aaaa)};
    end
  end else begin : g_page
    assign page = 5'd0;
    assign req = 64'(req_i);
  end

  assign awake = `AWAKE(valid_q ? take_i || !req[queue_q[5:0]] : req_i != '0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      queue_q <= 11'd0;
      group_q <= 3'd0;
      allowed_q <= 8'hff;
    end else if (awake) begin
      if (valid_q) begin
        if (take_i || !req[queue_q[5:0]]) begin
          valid_q <= 1'b0;
          group_q <= queue_q[5:3];
          allowed_q <= 8'hfe << queue_q[2:0];
        end
      end else if (hits != 8'd0) begin
        valid_q <= 1'b1;
        queue_q <= {page, group, first};
      end else if (req_i != '0) begin
        group_q <= last_group ? 3'd0 : group + 3'd1;
        allowed_q <= 8'hff;
      end
    end
  end

endmodule

`default_nettype wire

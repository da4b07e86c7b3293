// SPDX-License-Identifier: Apache-2.0
// Rules of an AXI4-Stream (AMBA IHI0051): AXIS-01 tvalid and payload stay until tready; AXIS-02 handshakes and payload known;
// AXIS-03 nothing valid in reset. The MAC's streams are one octet wide: there is no tkeep to judge.
`default_nettype none
`include "hostmem.svh"

module check_axis #(
    parameter int Card = 0,
    parameter int UserWidth = 1
) (
    input wire logic                 clk_i,
    input wire logic                 rst_ni,
    input wire logic [7:0]           tdata,
    input wire logic                 tvalid,
    input wire logic                 tready,
    input wire logic                 tlast,
    input wire logic [UserWidth-1:0] tuser
);

  logic [8+UserWidth:0] held_q;
  logic wait_q, reset_seen_q;

  initial begin
    wait_q = 1'b0;
    reset_seen_q = 1'b0;
  end

  wire logic look = tvalid || wait_q || reset_seen_q || !rst_ni;
  wire logic [8+UserWidth:0] beat = {tdata, tlast, tuser};
  wire logic parity = ^{tvalid, tready, beat}; // unknown when any of them is

  always @(posedge clk_i) begin
    if (look === 1'b0) begin
      // the usual cycle
    end else if (!rst_ni) begin
      wait_q <= 1'b0;
      reset_seen_q <= 1'b1;
      if (reset_seen_q && tvalid !== 1'b0) `BREACH(Card, "AXIS-03", "tvalid in reset");
    end else begin
      if (reset_seen_q) reset_seen_q <= 1'b0;
      if (wait_q && (!tvalid || beat !== held_q))
        `BREACH(Card, "AXIS-01", "tvalid or its payload changed before tready");
      if (tvalid !== 1'b0) begin
        if (parity === 1'bx)
          `BREACH(Card, "AXIS-02", "a handshake or the payload of a beat is unknown");
        if (tready !== 1'b1 || wait_q) begin // the payload matters while it has to stay
          held_q <= beat;
          wait_q <= tvalid && !tready;
        end
      end else if (wait_q) begin
        wait_q <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// The time of the schedule: T in system clock cycles, and L, when the line will have sent all that was started. A frame that starts now begins
// on the wire at D = max(T, L); afterwards L = D + its octets, preamble and gap. open_o: L is less than Ahead octet times after T,
// another frame may be started. 72-bit moments have 16 binary places. What charge_i brings counts 2 cycles later.
`default_nettype none

module line_clock #(
    parameter int SysClkPs = 8000,
    parameter int Ahead    = 4096 // octet times
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic [ 7:0] cfg_ifg_i,
    input  wire logic        charge_i,      // pulse: a frame of octets_i began at when_i
    input  wire logic [71:0] when_i,
    input  wire logic [16:0] octets_i,      // destination address to FCS
    output      logic [71:0] now_o,         // T
    output      logic [71:0] depart_o,      // D
    output      logic        open_o
);

  localparam int Preamble = 8, LeastGap = 8;
  localparam int OctetTime = int'(nic_1g_pkg::MAC_CLK_PS_RESET) * 65536 / SysClkPs; // cycles, 16 binary places
  localparam logic [55:0] AheadCycles = 56'(Ahead * OctetTime / 65536);

  logic [55:0] now_q, gap;
  logic [71:0] line_q;
  logic later_q;
  logic [17:0] octets;

  assign octets = {1'b0, octets_i} + 18'(Preamble) + 18'(cfg_ifg_i < 8'(LeastGap) ? 8'(LeastGap) : cfg_ifg_i);
  assign gap = line_q[71:16] - now_q;
  assign now_o = {now_q, 16'd0};
  assign depart_o = later_q ? line_q : now_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      now_q <= '0;
      line_q <= '0;
      {later_q, open_o} <= 2'b00;
    end else begin
      now_q <= now_q + 56'd1;
      if (charge_i) line_q <= when_i + 72'(octets) * 72'(OctetTime);
      later_q <= !gap[55] && gap != 56'd0;
      open_o <= gap[55] || gap < AheadCycles;
    end
  end

endmodule

`default_nettype wire

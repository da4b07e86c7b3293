// SPDX-License-Identifier: Apache-2.0
// A clock with a period in femtoseconds (so that +-100 ppm is exact on average; edges fall on whole picoseconds), a phase that is
// waited for at each start, and a run input. A new period counts from the next rising edge.
`default_nettype none

module clock_gen (
    input  wire logic        run_i,
    input  wire logic [31:0] period_fs_i,
    input  wire logic [30:0] phase_ps_i,
    output      logic        clk_o
);

  logic [31:0] period, half, rest, fraction, carried;

  wire logic plain = run_i && period == period_fs_i && fraction == 32'd0; // nothing to do but tick

  initial begin
    clk_o = 1'b0;
    period = 32'd0;
    half = 32'd1;
    rest = 32'd1;
    fraction = 32'd0;
    carried = 32'd0;
    forever begin
      if (!plain) begin
        if (!run_i) begin
          wait (run_i);
          carried = 32'd0;
          if (phase_ps_i != 31'd0) #(phase_ps_i);
        end
        if (period != period_fs_i) begin
          period = period_fs_i;
          half = period / 32'd2000;
          rest = period / 32'd1000 - half;
          fraction = period % 32'd1000;
        end
        if (carried >= 32'd1000) begin
          carried = carried - 32'd1000;
          #1;
        end
        carried = carried + fraction;
      end
      clk_o = 1'b1;
      #(half);
      clk_o = 1'b0;
      #(rest);
    end
  end

endmodule

`default_nettype wire

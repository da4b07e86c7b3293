// SPDX-License-Identifier: Apache-2.0
// cdc_pulse between two clocks of any frequency and phase: pulses that are at least 4 cycles of either clock apart come through, each once.
`default_nettype none

module cdc_pulse_proof (
    input wire logic src_clk_i,
    input wire logic dst_clk_i,
    input wire logic src_pulse_i
);

  logic rst_nq = 1'b0;
  logic pulse, sent_q, got_q; // number of pulses, modulo 2
  logic [2:0] src_edges_q, dst_edges_q; // since the last pulse went in, 4 at most
  logic dst_seen_q, src_sent_q = 1'b0;
  (* hierconn *) wire \u_dut.toggle_q ;
  (* hierconn *) wire \u_dut.seen_q ;
  (* hierconn *) wire [1:0] \u_dut.u_sync.chain_q ;
  (* hierconn *) wire \u_dut.u_sync.before_q ;

  cdc_pulse u_dut (
      .src_clk_i, .src_rst_ni(rst_nq), .src_pulse_i, .dst_clk_i, .dst_rst_ni(rst_nq), .dst_pulse_o(pulse)
  );

  always_ff @(posedge src_clk_i or negedge rst_nq) begin
    if (!rst_nq) begin
      sent_q <= 1'b0;
      src_edges_q <= 3'd4;
    end else if (src_pulse_i) begin
      sent_q <= !sent_q;
      src_edges_q <= 3'd1;
    end else if (src_edges_q != 3'd4) begin
      src_edges_q <= src_edges_q + 3'd1;
    end
  end

  // the destination's edges since the last pulse: begun anew when sent_q has moved
  always_ff @(posedge dst_clk_i or negedge rst_nq) begin
    if (!rst_nq) begin
      got_q <= 1'b0;
      dst_seen_q <= 1'b0;
      dst_edges_q <= 3'd4;
    end else begin
      if (pulse) got_q <= !got_q;
      dst_seen_q <= sent_q;
      if (dst_seen_q != sent_q) dst_edges_q <= 3'd1;
      else if (dst_edges_q != 3'd4) dst_edges_q <= dst_edges_q + 3'd1;
    end
  end

  logic apart;
  assign apart = src_edges_q == 3'd4 && dst_seen_q == sent_q && dst_edges_q == 3'd4;

  always @($global_clock) begin
    rst_nq <= 1'b1;
    src_sent_q <= sent_q;
    if (rst_nq) begin
      assume (!src_pulse_i || apart);
      none_lost: assert (!apart || got_q == sent_q);
      none_made: assert (!pulse || got_q != sent_q);
      inv_toggle: assert (\u_dut.toggle_q == sent_q && \u_dut.seen_q == got_q);
      inv_before: assert (\u_dut.u_sync.before_q == src_sent_q);
      inv_edges: assert (src_edges_q != 3'd0 && src_edges_q <= 3'd4 && dst_edges_q != 3'd0 && dst_edges_q <= 3'd4);
      inv_quiet: assert (!(dst_seen_q != sent_q) || (\u_dut.u_sync.chain_q == {2{dst_seen_q}} && got_q == dst_seen_q));
      inv_1: assert (!(dst_seen_q == sent_q && dst_edges_q == 3'd1) || (\u_dut.u_sync.chain_q [1] == !sent_q && got_q == !sent_q));
      inv_2: assert (!(dst_seen_q == sent_q && dst_edges_q == 3'd2) || \u_dut.u_sync.chain_q [0] == sent_q);
      inv_3: assert (!(dst_seen_q == sent_q && dst_edges_q == 3'd3) || \u_dut.u_sync.chain_q == {2{sent_q}});
      inv_4: assert (!(dst_seen_q == sent_q && dst_edges_q == 3'd4) || (\u_dut.u_sync.chain_q == {2{sent_q}} && got_q == sent_q));
      second: cover (pulse && got_q);
    end
  end

endmodule

`default_nettype wire

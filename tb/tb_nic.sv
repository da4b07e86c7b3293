// SPDX-License-Identifier: Apache-2.0
// The NIC in the simulator: one or two cards with their clocks. Python sees two signals: `wake` changes when something is due for
// it, `events` shows the host's last event as text in the waveform. Everything else passes through the C library.
`default_nettype none
`include "hostmem.svh"

module tb_nic #(
    parameter int NumCards = 1, // 1 to 4; two may be crossed, more meet in Python
    parameter int Ends = 0,
    parameter int Streams = 1,
    parameter int NumTxQueues = 4,
    parameter int NumRxQueues = 4,
    parameter int NumVectors = 8,
    parameter int MaxReads = 16,
    parameter int MaxWrites = 8,
    parameter int MaxBurstBytes = 256,
    parameter int TxBufBytes = 32768,
    parameter int RxBufBytes = 32768,
    parameter int CacheDepth = 32,
    parameter int SysClkPs = 8000,
    parameter int NumVcs = 0
);

  wire logic [NumCards-1:0] clk, end_clk, tx_clk, card_wake, reload;
  wire logic [10*NumCards-1:0] lines;
  wire logic wake = card_wake[0];

  // ---- clocks: settings of all cards are taken over at an edge of card 0's system clock, which never stops; a MAC clock
  // of period 0, or of the system clock's period and phase, is the card's system clock itself (fewer events) ----
  logic [31:0] period [3*NumCards];
  logic [30:0] phase [3*NumCards];
  logic [3*NumCards-1:0] run, tied;
  logic [63:0] setting;

  initial begin
    run = 1;
    tied = 0;
    for (int i = 0; i < 3 * NumCards; i++) begin
      period[i] = 32'd8000000;
      phase[i] = 31'd0;
    end
  end

  always @(posedge clk[0]) begin
    if (reload[0]) begin
      for (int i = 0; i < 3 * NumCards; i++) begin
        setting = `HM_CLOCK(i / 3, i % 3);
        if (setting[31:0] != 32'd0) period[i] = setting[31:0];
        phase[i] = setting[62:32];
        tied[i] = setting[63] && (setting[31:0] == 32'd0
            || (i % 3 != 0 && setting[31:0] == period[i - i % 3] && phase[i] == phase[i - i % 3]));
        run[i] = setting[63] && !tied[i];
      end
    end
  end

  generate
    for (genvar k = 0; k < NumCards; k++) begin : gen_card
      clock_gen u_clk (.run_i(run[3*k]), .period_fs_i(period[3*k]), .phase_ps_i(phase[3*k]), .clk_o(clk[k]));
      wire logic own_end_clk, own_tx_clk;
      clock_gen u_end_clk (.run_i(run[3*k+1]), .period_fs_i(period[3*k+1]), .phase_ps_i(phase[3*k+1]), .clk_o(own_end_clk));
      clock_gen u_tx_clk (.run_i(run[3*k+2]), .period_fs_i(period[3*k+2]), .phase_ps_i(phase[3*k+2]), .clk_o(own_tx_clk));
      assign end_clk[k] = tied[3*k+1] ? clk[k] : own_end_clk;
      assign tx_clk[k] = tied[3*k+2] ? clk[k] : own_tx_clk;
      card #(
          .Card(k), .Ends(Ends), .Streams(Streams), .NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .NumVectors(NumVectors),
          .MaxReads(MaxReads), .MaxWrites(MaxWrites), .MaxBurstBytes(MaxBurstBytes), .TxBufBytes(TxBufBytes),
          .RxBufBytes(RxBufBytes), .CacheDepth(CacheDepth), .SysClkPs(SysClkPs), .NumVcs(NumVcs)
      ) u_card (
          .clk_i(clk[k]), .end_clk_i(end_clk[k]), .tx_clk_i(tx_clk[k]), .wake_o(card_wake[k]), .reload_o(reload[k]),
          .wire_o(lines[10*k+:10]), .other_clk_i(tx_clk[NumCards-1-k]), .other_i(lines[10*(NumCards-1-k)+:10])
      );
    end
  endgenerate

  // ---- which damage of tb/mutants.toml is in force, read by damaged sources alone ----
  logic [7:0] mutant;
  initial mutant = 8'd0;

  // ---- waveform ----
  logic [8*128-1:0] events, calls; // written by Python
  initial begin
    events = "";
    calls = "";
  end

endmodule

`default_nettype wire

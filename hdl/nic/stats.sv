// SPDX-License-Identifier: Apache-2.0
// 64-bit counters of one direction. An event adds to every counter of its mask: ev_wire to those in WireMask, ev_len to those in
// LenMask, 1 to the others; it takes one cycle per counter and four more, the two sources in turn. The CSR may read and write between
// any two counters: the low word reads the counter and latches its high word for the next high read; writing exists in simulation
// only (low is latched, high commits). Clearing takes NumCounters cycles; the CSR reads zero meanwhile.
`default_nettype none
`include "check.svh"

module stats #(
    parameter int NumCounters = 36,
    parameter logic [NumCounters-1:0] WireMask = '0,
    parameter logic [NumCounters-1:0] LenMask = '0
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // first source
    input  wire logic                   ev0_valid_i,
    output      logic                   ev0_ready_o,
    input  wire logic [NumCounters-1:0] ev0_mask_i,
    input  wire logic [           15:0] ev0_wire_i,
    input  wire logic [           15:0] ev0_len_i,
    // second source
    input  wire logic                   ev1_valid_i,
    output      logic                   ev1_ready_o,
    input  wire logic [NumCounters-1:0] ev1_mask_i,
    input  wire logic [           15:0] ev1_wire_i,
    input  wire logic [           15:0] ev1_len_i,
    // csr
    input  wire logic                   clear_i,
    output      logic                   clear_busy_o,
    input  wire logic                   csr_valid_i,
    input  wire logic                   csr_write_i,
    input  wire logic [            5:0] csr_index_i,
    input  wire logic                   csr_high_i,
    input  wire logic [           31:0] csr_wdata_i,
    output      logic                   csr_ready_o,
    output      logic [           31:0] csr_rdata_o
);

  typedef enum logic [2:0] {
    StClear, // every counter is set to zero, also after reset
    StServe, // takes an event, adds to one counter per cycle
    StRead,  // the CSR's counter is being read
    StLoad,  // it comes out of the RAM
    StAnswer // the CSR gets its answer
  } state_t;

  state_t state_q, state_d;
  logic [NumCounters-1:0] left_q, lowest, lowest_q; // counters of the event that still wait
  logic [63:0] lowest64;
  logic [15:0] wire_q, len_q, amount, amount_q, sum_amount_q;
  logic moves, active, uses_memory, second_last_q, may_take, take0, take1, adding, picks_q, adds_q, sums_q, clear_asked_q;
  logic [5:0] lowest_index, adds_index_q, sums_index_q, clear_index_q;
  logic [31:0] high_q;
  logic preset;
  logic [31:0] preset_low_q;
  (* no_rw_check *) logic [63:0] mem [64]; // never reads the counter that is being written
  logic [63:0] ram_q, rd_data_q; // the RAM's output comes late in the cycle, so it goes straight into a register

  // Which counter of the event comes next, and how much it gets.
  assign lowest = left_q & (~left_q + 1'b1);
  assign lowest64 = 64'(lowest_q);
  assign lowest_index = {
      |(lowest64 & 64'hFFFF_FFFF_0000_0000), |(lowest64 & 64'hFFFF_0000_FFFF_0000), |(lowest64 & 64'hFF00_FF00_FF00_FF00),
      |(lowest64 & 64'hF0F0_F0F0_F0F0_F0F0), |(lowest64 & 64'hCCCC_CCCC_CCCC_CCCC), |(lowest64 & 64'hAAAA_AAAA_AAAA_AAAA)
  };
  assign amount = |(lowest_q & WireMask) ? wire_q : |(lowest_q & LenMask) ? len_q : 16'd1;
  assign adding = state_q == StServe && left_q != '0 && !csr_valid_i;

  assign may_take = state_q == StServe && left_q == '0 && !picks_q && !csr_valid_i && !clear_asked_q;
  assign take0 = may_take && ev0_valid_i && (!ev1_valid_i || second_last_q);
  assign take1 = may_take && ev1_valid_i && !take0;
  assign ev0_ready_o = take0;
  assign ev1_ready_o = take1;

  assign moves = `AWAKE(state_q != state_d || state_q == StClear || clear_i);
  assign active = `AWAKE(adding || picks_q || adds_q || sums_q || take0 || take1);
  assign uses_memory = `AWAKE(active || state_q == StClear || state_q == StRead || state_q == StLoad || preset);

  always_comb begin
    state_d = state_q;
    case (state_q)
      StClear: if (clear_index_q == 6'(NumCounters - 1)) state_d = StServe;
      StServe: begin
        if (picks_q || adds_q) state_d = StServe; // the counter is written before anybody looks at it
        else if (csr_valid_i) state_d = StRead;
        else if (clear_asked_q && left_q == '0) state_d = StClear;
      end
      StRead: state_d = StLoad;
      StLoad: state_d = StAnswer;
      StAnswer: state_d = StServe;
      default: state_d = StClear;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StClear;
      clear_asked_q <= 1'b0;
      clear_index_q <= 6'd0;
      high_q <= 32'd0;
    end else if (moves) begin
      state_q <= state_d;
      clear_asked_q <= clear_i || (clear_asked_q && state_q != StClear);
      clear_index_q <= state_d == StClear && state_q == StClear ? clear_index_q + 6'd1 : 6'd0;
      if (state_q == StAnswer && !csr_high_i) high_q <= rd_data_q[63:32];
    end
  end

  // The event under way: one counter leaves the mask per cycle, its sum is written three cycles later.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q <= '0;
      wire_q <= 16'd0;
      len_q <= 16'd0;
      second_last_q <= 1'b0;
      picks_q <= 1'b0;
      lowest_q <= '0;
      adds_q <= 1'b0;
      adds_index_q <= 6'd0;
      amount_q <= 16'd0;
      sums_q <= 1'b0;
      sums_index_q <= 6'd0;
      sum_amount_q <= 16'd0;
    end else if (active) begin
      picks_q <= adding;
      adds_q <= picks_q;
      sums_q <= adds_q;
      sums_index_q <= adds_index_q;
      sum_amount_q <= amount_q;
      if (adding) begin
        left_q <= left_q & ~lowest;
        lowest_q <= lowest;
      end
      if (picks_q) begin
        adds_index_q <= lowest_index;
        amount_q <= amount;
      end
      if (take0 || take1) begin
        left_q <= take0 ? ev0_mask_i : ev1_mask_i;
        wire_q <= take0 ? ev0_wire_i : ev1_wire_i;
        len_q <= take0 ? ev0_len_i : ev1_len_i;
        second_last_q <= take1;
      end
    end
  end

  // The counters.
`ifdef SYNTHESIS
  assign preset = 1'b0;
  assign preset_low_q = 32'd0;
`else
  assign preset = state_q == StAnswer && csr_write_i && csr_high_i;
  always_ff @(posedge clk_i) if (state_q == StAnswer && csr_write_i && !csr_high_i) preset_low_q <= csr_wdata_i;
`endif

  always_ff @(posedge clk_i) begin
    if (uses_memory) begin
      if (sums_q) mem[sums_index_q] <= rd_data_q + 64'(sum_amount_q);
      else if (state_q == StClear) mem[clear_index_q] <= 64'd0;
      else if (preset) mem[csr_index_i] <= {csr_wdata_i, preset_low_q};
      if (picks_q || state_q == StRead) ram_q <= mem[state_q == StRead ? csr_index_i : lowest_index];
      if (adds_q || state_q == StLoad) rd_data_q <= ram_q;
    end
  end

  assign clear_busy_o = clear_asked_q || state_q == StClear;
  assign csr_ready_o = state_q == StAnswer || (state_q == StClear && csr_valid_i);
  assign csr_rdata_o = state_q == StClear ? 32'd0 : csr_high_i ? high_q : rd_data_q[31:0];

endmodule

`default_nettype wire

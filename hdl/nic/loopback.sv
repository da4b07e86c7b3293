// SPDX-License-Identifier: Apache-2.0
// Joins the transmit side's frames to the MAC, or loops them back into the receive side (docs/nic.md section 8). It switches between
// frames and only when no verdict of the MAC is outstanding, so verdicts keep the order of the records. Looped frames are passed as
// sent, followed by a status word like the MAC's; one starts only when the receive buffer has room, so the loop loses nothing.
// What the MAC receives while looping is thrown away; its status words pass with rx_discard_o, also amid a looped frame. A switch is
// decided a cycle before it takes place; until then the MAC's words are held back and no frame is begun (turn_q).
`default_nettype none
`include "check.svh"

module loopback (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // csr
    input  wire logic        cfg_loopback_i,
    // TX frame_fifo
    input  wire logic        tx_valid_i,
    output      logic        tx_ready_o,
    input  wire logic [63:0] tx_data_i,
    input  wire logic        tx_last_i,
    input  wire logic [ 2:0] tx_count_i,
    // mac_port
    output      logic        mac_tx_valid_o,
    input  wire logic        mac_tx_ready_i,
    output      logic [63:0] mac_tx_data_o,
    output      logic        mac_tx_last_o,
    output      logic [ 2:0] mac_tx_count_o,
    input  wire logic        mac_verdict_valid_i,
    output      logic        mac_verdict_ready_o,
    input  wire logic        mac_verdict_abort_i,
    input  wire logic [15:0] mac_verdict_length_i,
    input  wire logic        mac_rx_valid_i,
    output      logic        mac_rx_ready_o,
    input  wire logic [63:0] mac_rx_data_i,
    input  wire logic        mac_rx_status_i,
    // completer
    output      logic        verdict_valid_o,
    input  wire logic        verdict_ready_i,
    output      logic        verdict_abort_o,
    output      logic        verdict_loopback_o,
    output      logic [15:0] verdict_length_o,
    // rx_path
    input  wire logic        room_i,
    output      logic        rx_valid_o,
    input  wire logic        rx_ready_i,
    output      logic [63:0] rx_data_o,
    output      logic        rx_status_o,
    output      logic        rx_loopback_o,
    output      logic        rx_discard_o,
    output      logic        rx_abandon_o
);

  typedef enum logic [1:0] {
    StMac, // frames go to the MAC, what it receives comes in
    StWait, // looping: waits for a frame and for room
    StLoop, // looping: passes the words of a frame
    StStatus // looping: passes the frame's status word and leaves its verdict
  } state_e;
  state_e state_q, state_d;

  logic looping_q, turn_q, turn, switch; // looping_q: not in StMac; turn_q: the switch is decided, and waits for rx_ready_i
  logic tx_busy_q, tx_take, tx_to_mac, mac_busy_q, mac_skip_q, mac_take;
  logic [15:0] in_flight_q, length_q, wire_octets; // frames given to the MAC without verdict; the looped frame's bytes
  logic verdict_q, mac_discard, loop_valid;
  logic loopback_q, still_q; // of the cycle before: the order, and nothing is under way; a new order begins nothing any more
  logic still, mac_given_q, mac_verdict, mac_verdict_q, awake; // mac_*_q: counted a cycle later

  // ---- next state ----
  assign turn = still_q && !verdict_q && loopback_q == cfg_loopback_i && state_q == (loopback_q ? StMac : StWait) && !turn_q;
  assign switch = turn_q && rx_ready_i;

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StMac: if (switch) state_d = StWait;
      StWait: if (switch) state_d = StMac; else if (tx_valid_i && room_i && cfg_loopback_i && !verdict_q && !turn_q) state_d = StLoop;
      StLoop: if (tx_take && tx_last_i) state_d = StStatus;
      StStatus: if (rx_valid_o && rx_ready_i && !rx_discard_o) state_d = StWait;
      default: state_d = StMac;
    endcase
  end

  // ---- transmit: to the MAC; a frame begun before the switch is finished, none is begun while it waits ----
  assign tx_to_mac = !looping_q && (tx_busy_q || (!cfg_loopback_i && !turn_q));
  assign mac_tx_valid_o = tx_valid_i && tx_to_mac;
  assign mac_tx_data_o = tx_data_i;
  assign mac_tx_last_o = tx_last_i;
  assign mac_tx_count_o = tx_count_i;
  assign tx_ready_o = (tx_to_mac && mac_tx_ready_i) || (state_q == StLoop && rx_ready_i && !mac_discard);
  assign tx_take = tx_valid_i && tx_ready_o;

  // ---- receive: the MAC's words, or the looped frame's with the MAC's status words in between ----
  assign mac_discard = (looping_q || mac_skip_q) && mac_rx_valid_i && mac_rx_status_i && !turn_q;
  assign loop_valid = (state_q == StLoop && tx_valid_i) || state_q == StStatus;
  assign rx_valid_o = loop_valid || (mac_rx_valid_i && !turn_q && (mac_rx_status_i || !(looping_q || mac_skip_q)));
  assign rx_discard_o = mac_discard;
  assign rx_loopback_o = looping_q && !mac_discard;
  assign rx_abandon_o = turn_q && !looping_q; // held until rx_ready_i
  assign mac_rx_ready_o = !turn_q && (rx_ready_i || ((looping_q || mac_skip_q) && !mac_rx_status_i));
  assign mac_take = mac_rx_valid_i && mac_rx_ready_o;
  assign wire_octets = length_q < 16'd60 ? 16'd64 : length_q + 16'd4;

  always_comb begin
    rx_data_o = mac_rx_data_i;
    rx_status_o = mac_rx_status_i;
    if (rx_loopback_o) begin
      rx_status_o = state_q == StStatus;
      rx_data_o = rx_status_o ? {32'd0, wire_octets, length_q} : tx_data_i;
    end
  end

  // ---- verdicts ----
  assign verdict_valid_o = looping_q ? verdict_q : mac_verdict_valid_i;
  assign verdict_loopback_o = looping_q;
  assign verdict_abort_o = !looping_q && mac_verdict_abort_i;
  assign verdict_length_o = looping_q ? wire_octets : mac_verdict_length_i;
  assign mac_verdict_ready_o = !looping_q && verdict_ready_i;

  // ---- registers ----
  assign still = !tx_busy_q && !mac_given_q && in_flight_q == '0;
  assign mac_verdict = mac_verdict_valid_i && verdict_ready_i;
  assign awake = `AWAKE(tx_take || mac_take || mac_verdict || mac_given_q || mac_verdict_q || turn || turn_q || looping_q ||
                 loopback_q != cfg_loopback_i || still_q != still);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StMac;
      {looping_q, turn_q, mac_given_q, mac_verdict_q} <= 4'b0000;
      tx_busy_q <= 1'b0;
      mac_busy_q <= 1'b0;
      mac_skip_q <= 1'b0;
      verdict_q <= 1'b0;
      in_flight_q <= '0;
      length_q <= '0;
      {loopback_q, still_q} <= 2'b01;
    end else if (awake) begin
      state_q <= state_d;
      looping_q <= state_d != StMac;
      turn_q <= turn || (turn_q && !rx_ready_i);
      loopback_q <= cfg_loopback_i;
      still_q <= still;
      if (tx_take) tx_busy_q <= !tx_last_i;
      if (mac_take) mac_busy_q <= !mac_rx_status_i;
      if (switch && looping_q) mac_skip_q <= mac_busy_q;
      else if (mac_take && mac_rx_status_i) mac_skip_q <= 1'b0;
      if (state_q == StStatus && state_d == StWait) verdict_q <= 1'b1;
      else if (looping_q && verdict_ready_i) verdict_q <= 1'b0;
      mac_given_q <= tx_take && tx_last_i && !looping_q;
      mac_verdict_q <= mac_verdict && !looping_q;
      if (mac_given_q != mac_verdict_q) in_flight_q <= mac_given_q ? in_flight_q + 16'd1 : in_flight_q - 16'd1;
      if (state_q == StWait) length_q <= '0;
      else if (state_q == StLoop && tx_take) length_q <= length_q + (tx_last_i ? {13'd0, tx_count_i} + 16'd1 : 16'd8);
    end
  end

endmodule

`default_nettype wire

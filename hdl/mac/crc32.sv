// SPDX-License-Identifier: Apache-2.0
// One step of the 802.3 CRC-32 (clause 3.2.9) in its reflected form: crc_o is the register after the octet data_i. Start from
// 32'hFFFF_FFFF; the FCS is the complement, sent least significant octet first; over a frame with its FCS the register ends at
// 32'hDEBB_20E3. One form serves both worlds: a 256-word table is one look-up for an event-driven simulator, and synthesis
// folds its constants into XOR chains (64 LUT4 on ECP5).
`default_nettype none

module crc32 (
    input  wire logic [31:0] crc_i,
    input  wire logic [ 7:0] data_i,
    output      logic [31:0] crc_o
);

  logic [31:0] table_q [256];

  function automatic logic [31:0] eight_steps(input logic [31:0] x);
    eight_steps = x;
    for (int i = 0; i < 8; i++)
      eight_steps = eight_steps[0] ? (eight_steps >> 1) ^ 32'hEDB88320 : eight_steps >> 1;
  endfunction

  initial begin
    for (int i = 0; i < 256; i++) table_q[i] = eight_steps(i);
  end

  always_comb crc_o = (crc_i >> 8) ^ table_q[8'(crc_i) ^ data_i];

endmodule

`default_nettype wire

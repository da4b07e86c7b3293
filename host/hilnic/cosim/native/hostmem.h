/* SPDX-License-Identifier: Apache-2.0
 * The simulator's side of the harness: host memory with its permissions, the memory bus, posted register accesses, the wire
 * and the events for Python. One shared library: Icarus loads it as a VPI module, Verilator links it and calls the same
 * functions through DPI-C, Python attaches to it with ctypes in the same process.
 *
 * Times are absolute simulation times in ps. `card` tells NICs apart. Functions called from Verilog take and return u64 only
 * and are listed once, in SIM_FUNCTIONS (argument count without the time, which comes last and is supplied by the front end).
 */
#ifndef HOSTMEM_H
#define HOSTMEM_H
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;

enum { HM_CARDS = 4, HM_BURSTS = 80, HM_BURST_BYTES = 2048, HM_IDS = 16, HM_INJECTIONS = 4096 };
static const u64 HM_NEVER = ~0ull;

/* ---- what Python reads and writes (mirrored in hostmem.py) ---- */
enum hm_clock { HM_SYS, HM_RX, HM_TX, HM_CLOCKS };
enum hm_wire { HM_WIRE_ENDS, HM_WIRE_LOOP, HM_WIRE_CROSS };
enum hm_moment { HM_MOMENT_RANDOM, HM_MOMENT_EARLY, HM_MOMENT_LATE };

struct hm_settings {
    u64 read_ps, write_ps, csr_return_ps, irq_ps; /* AR to R, last W to B, register answer to the CPU, irq_o to the CPU */
    u64 withhold_r_until, withhold_b_until;
    u64 seed;
    u64 batch_ps; /* a received frame may wait this long for company before Python wakes */
    u32 jitter_percent, stall_percent, bandwidth_percent;
    u32 reorder, interleave, moment; /* moment: when in its latency an access touches memory */
    u32 reset_n, link_up, wire_mode;
    u32 deliver;                                    /* frames of the NIC go to Python */
    u32 run[HM_CLOCKS];                             /* clock runs */
    u32 period_fs[HM_CLOCKS], phase_ps[HM_CLOCKS];  /* taken over when `reload` rises; period 0: the system clock */
    u32 reload;                                     /* set by Python, cleared by the next system clock edge */
    u32 max_reads, max_writes;
};

struct hm_statistics {
    u64 cycles, progress;
    u64 reads, read_beats, writes, write_beats, csr_writes, csr_reads, csr_write_errors, interrupts;
    u64 tx_frames, tx_octets, tx_bad, rx_frames, rx_octets;
    u64 first_tx_ps, last_tx_ps; /* preamble of the first, end of the last frame of the NIC */
    u64 gaps[64];                /* histogram of the NIC's interframe gaps, the last bin holds all longer ones */
    u32 reads_outstanding, writes_outstanding, most_reads, most_writes;
};

enum hm_kind { HM_EVENT_CSR = 1, HM_EVENT_IRQ, HM_EVENT_FRAME, HM_EVENT_SENT };
struct hm_event {
    u64 time_ps, due_ps, kind, card, a, b, order;
};

struct hm_breach {
    u64 time_ps, card, address, length, id;
    u32 count; /* breaches so far; the first one is kept */
    char rule[32], message[224];
    char also[96]; /* rules of the others at the same time, each with a space before it */
};

struct hm_shared {
    u64 timer_ps; /* Python wants to wake then */
    u64 wakes;
    u32 wake_pending, events; /* events: copied to `drained` by hm_drain */
    struct hm_breach breach;
    struct hm_settings settings[HM_CARDS];
    struct hm_statistics statistics[HM_CARDS];
};
extern struct hm_shared hm_shared;

/* A frame of the NIC, in hm_frames[card] from octet `a` of its event; `b` = length | preamble << 16 | flags << 32. */
enum { HM_FRAME_RING = 1 << 21, HM_FRAME_FCS_OK = 1, HM_FRAME_ERROR = 2, HM_FRAME_NO_SFD = 4 };
extern u8 hm_frames[HM_CARDS][HM_FRAME_RING];

/* ---- called from Verilog ---- */
#define SIM_FUNCTIONS(X) \
    X(hm_cycle, 1)  X(hm_clock, 2) X(hm_ar, 4)      X(hm_r, 1)        X(hm_rdata, 1)   X(hm_aw, 4)     X(hm_w, 4) \
    X(hm_b, 1)      X(hm_csr, 1)   X(hm_csr_wdata, 1) X(hm_csr_done, 3) X(hm_irq, 2)   X(hm_source, 1) \
    X(hm_sink, 3)   X(hm_sink_end, 3) X(hm_crc, 3)  X(hm_gap, 2)      X(hm_limit, 2)

u64 hm_cycle(u64 card, u64 now);                   /* once per system clock: advances the bus, returns HM_CTL_* */
u64 hm_clock(u64 card, u64 index, u64 now);        /* {run, phase_ps[30:0], period_fs[31:0]} */
u64 hm_ar(u64 card, u64 id, u64 address, u64 beats, u64 now);
u64 hm_r(u64 card, u64 now);                       /* 0, or {id[7:4], resp[3:2], last[1], 1}; then hm_rdata */
u64 hm_rdata(u64 card, u64 now);
u64 hm_aw(u64 card, u64 id, u64 address, u64 beats, u64 now);
u64 hm_w(u64 card, u64 data, u64 strobe, u64 last, u64 now);
u64 hm_b(u64 card, u64 now);                       /* 0, or {id[7:4], resp[3:2], 0, 1} */
u64 hm_csr(u64 card, u64 now);                     /* 0, or {delays[39:32], address[31:8], write[1], 1} */
u64 hm_csr_wdata(u64 card, u64 now);
u64 hm_csr_done(u64 card, u64 resp, u64 rdata, u64 now);
u64 hm_irq(u64 card, u64 vector, u64 now);
u64 hm_source(u64 card, u64 now);                  /* up to 6 GMII symbols {er, dv, octet}, count in [63:60]; 0: nothing due */
u64 hm_sink(u64 card, u64 octets, u64 count, u64 now);     /* the next octets of a carrier of the NIC, preamble included */
u64 hm_sink_end(u64 card, u64 error, u64 begin, u64 now);  /* the carrier has ended */
u64 hm_crc(u64 crc, u64 octets, u64 count, u64 now);       /* CRC-32 register after up to 8 octets, first one in 7:0 */
u64 hm_gap(u64 card, u64 gap, u64 now);            /* counts a gap of the NIC; 1 if it is shorter than allowed */
u64 hm_limit(u64 card, u64 length, u64 now);       /* {fcs_from_host[2], too_long[1], too_short[0]} of {tagged[16], length} */
void hm_breach_at(u64 card, const char *rule, const char *message, u64 now);

enum { HM_CTL_CSR = 1, HM_CTL_WAKE = 2, HM_CTL_R = 4, HM_CTL_B = 8, HM_CTL_ARREADY = 16, HM_CTL_AWREADY = 32,
       HM_CTL_WREADY = 64, HM_CTL_RELOAD = 128, HM_CTL_RESET_N = 256, HM_CTL_LINK = 512, HM_CTL_SOURCE = 1024,
       HM_CTL_WIRE = 2048 /* two bits */ };

/* ---- called from Python ---- */
void hm_reset_all(void);                           /* before a test: forget everything */
void hm_reset_card(u32 card);                      /* before a NIC's reset: nothing is outstanding any more */
void hm_attach(u32 card, u64 base, u64 size, u64 host, u64 device, u64 readable, u64 writable);
u32 hm_drain(u64 now);                             /* moves the due events to hm_drained, returns their number */
void hm_csr_push(u32 card, u32 write, u32 address, u32 data, u64 due, u64 tag);
void hm_inject(u32 card, u32 channel, u64 n, u32 resp); /* the n-th AR (0) or AW (1) from now on, from 1 */
enum { HM_FCS_GOOD, HM_FCS_BAD, HM_FCS_NONE };
struct hm_carrier {    /* how a frame is put on the wire */
    u32 preamble, sfd; /* octets of 0x55; 1: an SFD follows */
    u32 fcs, gap;      /* HM_FCS_*; least idle octets before the frame */
    u32 er_from, er_count; /* rx_er over these octets, counted from the first one after the SFD */
    u32 keep;          /* octets after the SFD that are sent before the carrier is cut */
};
void hm_send(u32 card, const u8 *data, u32 length, const struct hm_carrier *carrier, u64 at, u64 tag);
void hm_send_symbols(u32 card, const u16 *symbols, u32 count, u32 gap, u64 at, u64 tag);
u32 hm_source_backlog(u32 card);
u32 hm_outstanding(u32 card, u32 write, u64 *out, u32 most); /* rows of 4: id, address, bytes, accepted at */

/* rows of 12: direction, queue, state, ring size, producer, fetched, done, completion ring size, next, visible, consumer, armed */
u32 hm_rings(u32 card, u32 *out, u32 most);

/* ---- between the files ---- */
struct hm_memory {
    u64 base, size;
    u8 *host, *device, *readable, *writable;
};
extern struct hm_memory hm_memory[HM_CARDS];
u64 hm_random(u64 *state);
u64 hm_jitter(const struct hm_settings *s, u64 nominal, u64 *state);
void hm_fault(u32 card, const char *rule, u64 address, u64 length, u64 id, u64 now, const char *format, ...);
void hm_post(u32 card, u32 kind, u64 time, u64 due, u64 a, u64 b);
int hm_wake_due(u64 now);
void bus_reset(u32 card);
u32 bus_step(u32 card, u64 now);                   /* HM_CTL_* of the bus */
void csr_reset(u32 card);
u32 csr_step(u32 card, u64 now);
void wire_reset(u32 card);
u32 wire_step(u32 card, u64 now);
void wire_csr(u32 card, u32 address, u32 data);

/* The ring monitor. An access names a byte range; `data` of a write as sent, with the strobes checked by the caller. */
void rings_reset(u32 card);
void rings_csr_write(u32 card, u32 address, u32 data, u64 now);
void rings_csr_read(u32 card, u32 address, u32 data, u64 now);
void rings_read_begin(u32 card, u32 id, u64 address, u32 bytes, u64 now);
void rings_read_data(u32 card, u32 id, u64 address, const u8 *data, u32 bytes, u32 failed, u64 now);
void rings_write_begin(u32 card, u32 id, u64 address, u32 bytes, u64 now);
void rings_write_data(u32 card, u32 id, u64 address, const u8 *data, const u8 *strobes, u32 bytes, u64 now);
void rings_write_end(u32 card, u32 id, u64 address, u32 bytes, u32 failed, u64 now);
void rings_irq(u32 card, u32 vector, u64 now);
/* What the bus has outstanding: 1 if a read (0) or write (1) burst overlaps [from, to). */
int bus_overlaps(u32 card, u32 write, u32 id, u64 from, u64 to);
#endif

/* SPDX-License-Identifier: Apache-2.0
 * The GMII ends, per frame: what the wire sends to the NIC becomes symbols, what the NIC sends becomes frames.
 * A symbol is {er, dv, octet}: 10 bits. Also the figures of the NIC's transmitter, and the limits that its registers set. */
#include "hostmem.h"
#include "nic_1g.h"
#include <stdlib.h>
#include <string.h>

enum { DV = 1 << 8, ER = 1 << 9, DEPTH = 1 << 15, LONGEST = 1 << 15, PER_CALL = 6 };
static const u32 RESIDUE = 0xDEBB20E3;

struct carrier { u16 *symbols; u32 count, gap; u64 at, tag, octets; };
struct wire {
    struct carrier at[DEPTH];
    u32 head, tail, sent;
    u64 ended; /* time of the last symbol sent */
    u8 sink[LONGEST];
    u32 sink_count, ring;
    u32 ifg, ifg_before, max_frame, max_frame_before, mac_cfg;
};
static struct wire wires[HM_CARDS];
u8 hm_frames[HM_CARDS][HM_FRAME_RING];

static u32 table[256];

static u32 crc_octets(u32 crc, const u8 *data, u64 count) {
    if (!table[1])
        for (u32 i = 0; i < 256; i++) {
            u32 c = i;
            for (u32 k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? 0xEDB88320u : 0);
            table[i] = c;
        }
    while (count--) crc = crc >> 8 ^ table[(crc ^ *data++) & 0xFF];
    return crc;
}

u64 hm_crc(u64 crc, u64 octets, u64 count, u64 now) {
    u8 data[8];
    (void)now;
    for (u32 i = 0; i < 8; i++) data[i] = (u8)(octets >> 8 * i);
    return crc_octets((u32)crc, data, count);
}

void wire_reset(u32 card) {
    struct wire *w = &wires[card];
    for (; w->head != w->tail; w->head++) free(w->at[w->head % DEPTH].symbols);
    memset(w, 0, sizeof *w);
    w->ifg = w->ifg_before = 12;
    w->max_frame = w->max_frame_before = 1518;
}

/* Registers that move the limits; the value before the last write stays allowed while it may still be in force. */
void wire_csr(u32 card, u32 address, u32 data) {
    struct wire *w = &wires[card];
    if (address == NIC_MAC_CFG) {
        w->ifg_before = w->ifg;
        w->ifg = data & NIC_MAC_CFG_IFG_MASK;
        w->mac_cfg = data;
    } else if (address == NIC_MAX_FRAME) {
        w->max_frame_before = w->max_frame;
        w->max_frame = data & 0xFFFF;
    }
}

/* ---- towards the NIC ---- */
static void enqueue(u32 card, u16 *symbols, u32 count, u32 gap, u64 at, u64 tag, u64 octets) {
    struct wire *w = &wires[card];
    if (w->tail - w->head == DEPTH) {
        hm_fault(card, "HARNESS-03", 0, 0, 0, at, "%u frames wait for the wire: its clock stands", DEPTH);
        free(symbols);
        return;
    }
    w->at[w->tail++ % DEPTH] = (struct carrier){symbols, count, gap, at, tag, octets};
}

void hm_send_symbols(u32 card, const u16 *symbols, u32 count, u32 gap, u64 at, u64 tag) {
    u16 *copy = malloc((count ? count : 1) * sizeof *copy);
    memcpy(copy, symbols, count * sizeof *copy);
    enqueue(card, copy, count, gap, at, tag, count);
}

void hm_send(u32 card, const u8 *data, u32 length, const struct hm_carrier *how, u64 at, u64 tag) {
    u16 *symbols = malloc((how->preamble + 1 + length + 4) * sizeof *symbols);
    u32 crc = ~crc_octets(0xFFFFFFFFu, data, length) ^ (how->fcs == HM_FCS_BAD ? 0xFFFFFFFFu : 0);
    u32 count = 0, octets = length + (how->fcs == HM_FCS_NONE ? 0 : 4);
    if (octets > how->keep) octets = how->keep;
    for (u32 i = 0; i < how->preamble; i++) symbols[count++] = DV | 0x55;
    if (how->sfd) symbols[count++] = DV | 0xD5;
    for (u32 i = 0; i < octets; i++) {
        u16 octet = i < length ? data[i] : (u8)(crc >> 8 * (i - length));
        symbols[count++] = (u16)(DV | octet | (i - how->er_from < how->er_count ? ER : 0));
    }
    enqueue(card, symbols, count, how->gap, at, tag, octets);
}

u32 hm_source_backlog(u32 card) { return wires[card].tail - wires[card].head; }

u32 wire_step(u32 card, u64 now) {
    const struct wire *w = &wires[card];
    return w->head != w->tail && (w->sent || w->at[w->head % DEPTH].at <= now) ? HM_CTL_SOURCE : 0;
}

/* Idle symbols still owed before a carrier that could start at `time`. */
static u32 owed(const struct wire *w, u32 gap, u64 time, u64 period) {
    u64 idle = (time - w->ended + period / 2) / period;
    return w->ended && idle <= gap ? gap + 1 - (u32)idle : 0;
}

static u64 period_ps(u32 card) {
    const u32 *fs = hm_shared.settings[card].period_fs;
    return ((fs[HM_RX] ? fs[HM_RX] : fs[HM_SYS]) + 500) / 1000 + 1;
}

u64 hm_source(u64 card, u64 now) {
    struct wire *w = &wires[card];
    struct hm_statistics *t = &hm_shared.statistics[card];
    u64 word = 0, count = 0, period = period_ps((u32)card);
    while (count < PER_CALL && wire_step((u32)card, now)) {
        struct carrier *c = &w->at[w->head % DEPTH];
        if (w->sent == 0) {
            for (u32 idle = owed(w, c->gap, now + count * period, period); idle && count < PER_CALL; idle--) count++;
            if (count == PER_CALL) break;
            t->rx_frames++;
            t->rx_octets += c->octets;
            t->progress++;
            hm_post((u32)card, HM_EVENT_SENT, now + count * period, HM_NEVER, c->tag, c->octets);
        }
        while (count < PER_CALL && w->sent < c->count) word |= (u64)c->symbols[w->sent++] << 10 * count++;
        if (w->sent < c->count) break;
        free(c->symbols);
        w->head++;
        w->sent = 0;
        w->ended = now + (count - 1) * period;
    }
    return word | count << 60;
}

/* ---- from the NIC ---- */
u64 hm_sink(u64 card, u64 octets, u64 count, u64 now) {
    struct wire *w = &wires[card];
    (void)now;
    for (u32 i = 0; i < count && w->sink_count < LONGEST; i++) w->sink[w->sink_count++] = (u8)(octets >> 8 * i);
    return 0;
}

/* Keep a frame where Python can read it; its place. */
static u32 keep(u32 card, const u8 *frame, u32 length) {
    struct wire *w = &wires[card];
    u32 place = w->ring + length > HM_FRAME_RING ? 0 : w->ring;
    memcpy(&hm_frames[card][place], frame, length);
    w->ring = place + length;
    return place;
}

u64 hm_sink_end(u64 card, u64 error, u64 begin, u64 now) {
    struct wire *w = &wires[card];
    struct hm_statistics *t = &hm_shared.statistics[card];
    u32 preamble = 0, flags = error ? HM_FRAME_ERROR : 0;
    while (preamble < w->sink_count && w->sink[preamble] == 0x55) preamble++;
    u32 start = preamble + 1;
    if (start > w->sink_count || w->sink[preamble] != 0xD5) {
        start = preamble;
        flags |= HM_FRAME_NO_SFD;
    }
    u32 length = w->sink_count - start;
    if (length >= 4 && crc_octets(0xFFFFFFFFu, &w->sink[start], length) == RESIDUE) flags |= HM_FRAME_FCS_OK;
    t->progress++;
    t->tx_frames++;
    t->tx_octets += length;
    t->tx_bad += flags != HM_FRAME_FCS_OK;
    if (!t->first_tx_ps) t->first_tx_ps = begin;
    t->last_tx_ps = now;
    if (hm_shared.settings[card].deliver) {
        hm_post((u32)card, HM_EVENT_FRAME, begin, now + hm_shared.settings[card].batch_ps,
                keep((u32)card, &w->sink[start], length), (u64)length | (u64)preamble << 16 | (u64)flags << 32);
    }
    w->sink_count = 0;
    return 0;
}

u64 hm_gap(u64 card, u64 gap, u64 now) {
    const struct wire *w = &wires[card];
    (void)now;
    hm_shared.statistics[card].gaps[gap < 63 ? gap : 63]++;
    return gap < (w->ifg < w->ifg_before ? w->ifg : w->ifg_before);
}

u64 hm_limit(u64 card, u64 length, u64 now) {
    const struct wire *w = &wires[card];
    u32 most = w->max_frame > w->max_frame_before ? w->max_frame : w->max_frame_before;
    (void)now;
    if (length >> 16 & 1) most += 4;
    length &= 0xFFFF;
    return (u64)(length < 64) | (u64)(length > most) << 1 | (u64)((w->mac_cfg & NIC_MAC_CFG_HOST_FCS_MASK) != 0) << 2;
}

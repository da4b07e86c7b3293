/* SPDX-License-Identifier: Apache-2.0
 * The memory side of the NIC's AXI4 master, per burst: latency, disorder, injected errors, permissions.
 *
 *   AR accepted --(memory read at a moment in between)--> due --> R beats, in order of AR unless `reorder`/`interleave`
 *   last W beat --(memory written at a moment in between)--> due --> B
 */
#include "hostmem.h"
#include <string.h>

struct burst {
    u64 address, accepted, act, due;
    u32 id, beats, filled, sent, resp, busy, acted, faulted;
    u8 data[HM_BURST_BYTES], strobe[HM_BURST_BYTES];
};

struct channel { /* bursts of one direction, oldest first */
    struct burst pool[HM_BURSTS];
    u32 order[HM_BURSTS], count;
    u64 accepted, last_due;
    u64 inject_at[HM_INJECTIONS];
    u8 inject_resp[HM_INJECTIONS];
    u32 injections;
};

enum { STREAM = 2048 };
struct bus {
    struct channel r, w;
    u64 random, rdata;
    u32 current; /* pool index of the read being answered + 1 */
    u32 credit;  /* bandwidth accumulator */
    struct { u64 data; u8 strobe, last; } stream[STREAM]; /* W beats that wait for their AW */
    u32 stream_head, stream_tail;
};
static struct bus buses[HM_CARDS];

void bus_reset(u32 card) {
    memset(&buses[card], 0, sizeof buses[card]);
    buses[card].random = hm_shared.settings[card].seed * 2 + 1;
}

void hm_inject(u32 card, u32 channel, u64 n, u32 resp) {
    struct channel *c = channel ? &buses[card].w : &buses[card].r;
    if (c->injections == HM_INJECTIONS) return;
    c->inject_at[c->injections] = c->accepted + n;
    c->inject_resp[c->injections++] = (u8)resp;
}

/* ---- bursts ---- */
static u32 injected(struct channel *c) {
    c->accepted++;
    for (u32 i = 0; i < c->injections; i++)
        if (c->inject_at[i] == c->accepted) return c->inject_resp[i];
    return 0;
}

static struct burst *open_burst(struct channel *c, u64 id, u64 address, u64 beats, u64 now) {
    u32 i = 0;
    while (i < HM_BURSTS && c->pool[i].busy) i++;
    if (i == HM_BURSTS || beats * 8 > HM_BURST_BYTES) return 0;
    struct burst *b = &c->pool[i];
    b->address = address & ~7ull;
    b->accepted = now;
    b->act = b->due = HM_NEVER;
    b->id = (u32)id & (HM_IDS - 1);
    b->beats = (u32)beats;
    b->filled = b->sent = b->acted = b->faulted = 0;
    b->resp = injected(c);
    b->busy = 1;
    c->order[c->count++] = i;
    return b;
}

static void close_burst(struct channel *c, u32 index) {
    u32 position = 0;
    while (c->order[position] != index) position++;
    c->count--;
    memmove(&c->order[position], &c->order[position + 1], (c->count - position) * sizeof *c->order);
    c->pool[index].busy = 0;
}

static void schedule(u32 card, struct channel *c, struct burst *b, u64 latency, u64 now) {
    const struct hm_settings *s = &hm_shared.settings[card];
    u64 *random = &buses[card].random;
    b->due = now + hm_jitter(s, latency, random);
    if (!s->reorder && b->due < c->last_due) b->due = c->last_due;
    c->last_due = b->due > c->last_due ? b->due : c->last_due;
    if (s->moment == HM_MOMENT_EARLY) b->act = now;
    else if (s->moment == HM_MOMENT_LATE) b->act = b->due;
    else b->act = now + hm_random(random) % (b->due - now + 1);
}

/* ---- permissions: every written byte, every read byte (the first and last bus word need one permitted byte) ---- */
static int words_permitted(const u8 *counts, u64 start, u32 bytes) {
    static const u64 ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
    for (u32 i = 0; i < bytes; i += 8) {
        u64 word;
        memcpy(&word, counts + start + i, 8);
        if (i == 0 || i + 8 == bytes) {
            if (!word) return 0;
        } else if ((word - ones) & ~word & tops) {
            return 0;
        }
    }
    return 1;
}

static int inside(const struct hm_memory *m, const struct burst *b) {
    return b->address >= m->base && b->address + b->beats * 8 <= m->base + m->size;
}

static void check(u32 card, struct burst *b, int write, u64 now) {
    const struct hm_memory *m = &hm_memory[card];
    u32 bytes = b->beats * 8;
    const char *verb = write ? "write" : "read";
    if (b->faulted) return;
    if (!inside(m, b)) {
        b->faulted = 1;
        hm_fault(card, "DMA-01", b->address, bytes, b->id, now, "%s outside of host memory", verb);
    } else if (!write && !words_permitted(m->readable, b->address - m->base, bytes)) {
        b->faulted = 1;
        hm_fault(card, "DMA-02", b->address, bytes, b->id, now, "read of bytes that are not mapped for the device to read");
    }
}

static void act_read(u32 card, struct burst *b, u64 now) {
    const struct hm_memory *m = &hm_memory[card];
    b->acted = 1;
    check(card, b, 0, now);
    if (b->faulted || b->resp) memset(b->data, 0xEE, b->beats * 8);
    else memcpy(b->data, m->device + (b->address - m->base), b->beats * 8);
    rings_read_data(card, b->id, b->address, b->data, b->beats * 8, b->resp || b->faulted, now);
}

static void act_write(u32 card, struct burst *b, u64 now) {
    const struct hm_memory *m = &hm_memory[card];
    b->acted = 1;
    if (b->faulted || b->resp) return;
    u64 start = b->address - m->base;
    for (u32 i = 0; i < b->beats * 8; i++) {
        if (!b->strobe[i]) continue;
        if (!m->writable[start + i]) {
            b->faulted = 1;
            hm_fault(card, "DMA-03", b->address + i, b->beats * 8 - i, b->id, now,
                     "write to bytes that are not mapped for the device to write");
            return;
        }
        m->host[start + i] = m->device[start + i] = b->data[i];
    }
}

/* ---- what happens between the handshakes ---- */
u32 bus_step(u32 card, u64 now) {
    struct bus *bus = &buses[card];
    const struct hm_settings *s = &hm_shared.settings[card];
    u32 control = 0, move = 1, stalled = 0;
    for (u32 i = 0; i < bus->r.count; i++) {
        struct burst *b = &bus->r.pool[bus->r.order[i]];
        if (!b->acted && b->act <= now) act_read(card, b, now);
        if (b->due <= now && now >= s->withhold_r_until) control |= HM_CTL_R;
    }
    for (u32 i = 0; i < bus->w.count; i++) {
        struct burst *b = &bus->w.pool[bus->w.order[i]];
        if (!b->acted && b->act <= now) act_write(card, b, now);
        if (b->due <= now && now >= s->withhold_b_until) control |= HM_CTL_B;
    }
    if (s->bandwidth_percent < 100) {
        bus->credit += s->bandwidth_percent;
        move = bus->credit >= 100;
        if (move) bus->credit -= 100;
    }
    if (s->stall_percent) { /* one draw for the five channels */
        u64 draw = hm_random(&bus->random);
        for (u32 i = 0; i < 5; i++, draw >>= 8)
            if ((draw & 0xFF) * 100 < s->stall_percent * 256u) stalled |= 1u << i;
    }
    if (bus->r.count < HM_BURSTS - 2 && !(stalled & 1)) control |= HM_CTL_ARREADY;
    if (bus->w.count < HM_BURSTS - 2 && !(stalled & 2)) control |= HM_CTL_AWREADY;
    if (move && !(stalled & 4)) control |= HM_CTL_WREADY;
    if (!move || stalled & 8) control &= ~(u32)HM_CTL_R;
    if (stalled & 16) control &= ~(u32)HM_CTL_B;
    return control;
}

/* ---- reads ---- */
u64 hm_ar(u64 card, u64 id, u64 address, u64 beats, u64 now) {
    struct bus *bus = &buses[card];
    struct hm_statistics *t = &hm_shared.statistics[card];
    struct burst *b = open_burst(&bus->r, id, address, beats, now);
    if (!b) {
        hm_fault((u32)card, "AXI-12", address, (u64)beats * 8, id, now, "more read bursts than the memory can hold");
        return 0;
    }
    schedule((u32)card, &bus->r, b, hm_shared.settings[card].read_ps, now);
    check((u32)card, b, 0, now);
    rings_read_begin((u32)card, b->id, address, b->beats * 8, now);
    t->reads++;
    t->read_beats += beats;
    t->progress++;
    if (bus->r.count > t->most_reads) t->most_reads = bus->r.count;
    t->reads_outstanding = bus->r.count;
    return 0;
}

static int oldest_of_id(const struct channel *c, u32 position) {
    for (u32 i = 0; i < position; i++)
        if (c->pool[c->order[i]].id == c->pool[c->order[position]].id) return 0;
    return 1;
}

/* Which burst answers next: pool index + 1, 0 if none is due. */
static u32 choose(struct bus *bus, struct channel *c, const struct hm_settings *s, u64 now) {
    u32 candidates[HM_BURSTS], count = 0, most = s->reorder || s->interleave ? c->count : c->count != 0;
    for (u32 i = 0; i < most; i++)
        if (c->pool[c->order[i]].due <= now && oldest_of_id(c, i)) candidates[count++] = c->order[i];
    if (!count) return 0;
    return 1 + (count == 1 ? candidates[0] : candidates[hm_random(&bus->random) % count]);
}

u64 hm_r(u64 card, u64 now) {
    struct bus *bus = &buses[card];
    const struct hm_settings *s = &hm_shared.settings[card];
    if (now < s->withhold_r_until) return 0;
    if (!bus->current || s->interleave) bus->current = choose(bus, &bus->r, s, now);
    if (!bus->current) return 0;
    u32 index = bus->current - 1;
    struct burst *b = &bus->r.pool[index];
    if (!b->acted) act_read((u32)card, b, now);
    memcpy(&bus->rdata, b->data + 8 * b->sent, 8);
    b->sent++;
    u32 last = b->sent == b->beats;
    u64 answer = 1 | last << 1 | b->resp << 2 | b->id << 4;
    if (last) {
        close_burst(&bus->r, index);
        bus->current = 0;
        hm_shared.statistics[card].reads_outstanding = bus->r.count;
        hm_shared.statistics[card].progress++;
    }
    return answer;
}

u64 hm_rdata(u64 card, u64 now) {
    (void)now;
    return buses[card].rdata;
}

/* ---- writes ---- */
static void fill(u32 card, u64 now) {
    struct bus *bus = &buses[card];
    for (u32 i = 0; i < bus->w.count && bus->stream_head != bus->stream_tail; i++) {
        struct burst *b = &bus->w.pool[bus->w.order[i]];
        while (b->filled < b->beats && bus->stream_head != bus->stream_tail) {
            u32 at = bus->stream_head++ % STREAM;
            memcpy(b->data + 8 * b->filled, &bus->stream[at].data, 8);
            for (u32 k = 0; k < 8; k++) b->strobe[8 * b->filled + k] = bus->stream[at].strobe >> k & 1;
            b->filled++;
            if (bus->stream[at].last != (b->filled == b->beats))
                hm_fault(card, "AXI-08", b->address, b->beats * 8, b->id, now, "m_axi_wlast on beat %u of %u",
                         b->filled, b->beats);
        }
        if (b->filled == b->beats && b->due == HM_NEVER) {
            schedule(card, &bus->w, b, hm_shared.settings[card].write_ps, now);
            rings_write_data(card, b->id, b->address, b->data, b->strobe, b->beats * 8, now);
        }
    }
}

u64 hm_aw(u64 card, u64 id, u64 address, u64 beats, u64 now) {
    struct bus *bus = &buses[card];
    struct hm_statistics *t = &hm_shared.statistics[card];
    struct burst *b = open_burst(&bus->w, id, address, beats, now);
    if (!b) {
        hm_fault((u32)card, "AXI-13", address, (u64)beats * 8, id, now, "more write bursts than the memory can hold");
        return 0;
    }
    check((u32)card, b, 1, now);
    rings_write_begin((u32)card, b->id, address, b->beats * 8, now);
    t->writes++;
    t->write_beats += beats;
    t->progress++;
    if (bus->w.count > t->most_writes) t->most_writes = bus->w.count;
    t->writes_outstanding = bus->w.count;
    fill((u32)card, now);
    return 0;
}

u64 hm_w(u64 card, u64 data, u64 strobe, u64 last, u64 now) {
    struct bus *bus = &buses[card];
    u32 at = bus->stream_tail++ % STREAM;
    if (bus->stream_tail - bus->stream_head > STREAM) {
        hm_fault((u32)card, "AXI-14", 0, 0, 0, now, "m_axi_wvalid runs ahead of m_axi_awvalid by %u beats", STREAM);
        bus->stream_head++;
    }
    bus->stream[at].data = data;
    bus->stream[at].strobe = (u8)strobe;
    bus->stream[at].last = last & 1;
    fill((u32)card, now);
    return 0;
}

u64 hm_b(u64 card, u64 now) {
    struct bus *bus = &buses[card];
    const struct hm_settings *s = &hm_shared.settings[card];
    u32 chosen = now < s->withhold_b_until ? 0 : choose(bus, &bus->w, s, now);
    if (!chosen) return 0;
    struct burst *b = &bus->w.pool[chosen - 1];
    if (!b->acted) act_write((u32)card, b, now);
    u64 answer = 1 | b->resp << 2 | b->id << 4;
    u32 id = b->id, bytes = b->beats * 8, failed = b->resp || b->faulted;
    close_burst(&bus->w, chosen - 1);
    hm_shared.statistics[card].writes_outstanding = bus->w.count;
    hm_shared.statistics[card].progress++;
    rings_write_end((u32)card, id, b->address, bytes, failed, now);
    return answer;
}

/* ---- for reports and rules ---- */
u32 hm_outstanding(u32 card, u32 write, u64 *out, u32 most) {
    const struct channel *c = write ? &buses[card].w : &buses[card].r;
    u32 rows = c->count < most ? c->count : most;
    for (u32 i = 0; i < rows; i++) {
        const struct burst *b = &c->pool[c->order[i]];
        u64 row[4] = {b->id, b->address, b->beats * 8, b->accepted};
        memcpy(out + 4 * i, row, sizeof row);
    }
    return rows;
}

int bus_overlaps(u32 card, u32 write, u32 id, u64 from, u64 to) {
    const struct channel *c = write ? &buses[card].w : &buses[card].r;
    for (u32 i = 0; i < c->count; i++) {
        const struct burst *b = &c->pool[c->order[i]];
        if (b->id == id && b->address < to && b->address + b->beats * 8 > from) return 1;
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * Finds queues and buffers by address. What a look costs does not grow with the number of queues: there may be 2048 of each
 * direction, and each burst is looked up.
 */
#include "rings.h"
#include <string.h>

/* ---- ranges: a binary search; only those that overlap make it look further back ---- */
static u32 begun_by(const struct ranges *ranges, u64 address) { /* how many begin at the address or before it */
    u32 low = 0, high = ranges->count;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (ranges->at[middle].first <= address) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void reach_from(struct ranges *ranges, u32 i) {
    for (; i < ranges->count; i++) {
        u64 before = i ? ranges->at[i - 1].reach : 0, end = ranges->at[i].end;
        ranges->at[i].reach = end > before ? end : before;
    }
}

void ranges_add(struct ranges *ranges, struct queue *q, u64 first, u64 end) {
    u32 i = begun_by(ranges, first);
    memmove(&ranges->at[i + 1], &ranges->at[i], (ranges->count - i) * sizeof *ranges->at);
    ranges->at[i] = (struct range){first, end, 0, q};
    ranges->count++;
    reach_from(ranges, i);
}

void ranges_remove(struct ranges *ranges, const struct queue *q) {
    u32 i = 0;
    while (i < ranges->count && ranges->at[i].of != q) i++;
    if (i == ranges->count) return;
    ranges->count--;
    memmove(&ranges->at[i], &ranges->at[i + 1], (ranges->count - i) * sizeof *ranges->at);
    reach_from(ranges, i);
}

struct queue *ranges_find(const struct ranges *ranges, u64 address) {
    struct queue *found = 0;
    for (u32 i = begun_by(ranges, address); i && ranges->at[i - 1].reach > address; i--) {
        const struct range *range = &ranges->at[i - 1];
        if (address < range->end && (!found || range->of < found)) found = range->of;
    }
    return found;
}

/* ---- buffers: a bucket has those that begin in its 4 KiB, so one that reaches into [from, to) begins `longest` before at most ---- */
void buffer_leave(struct slot *slot) {
    if (!slot->link) return;
    *slot->link = slot->next;
    if (slot->next) slot->next->link = slot->link;
    slot->link = 0;
}

void buffer_enter(struct rings *r, u32 dir, struct slot *slot) {
    struct slot **head = &r->buckets[dir][slot->address >> BUCKET_BITS & (BUCKETS - 1)];
    buffer_leave(slot);
    if (slot->length > r->longest[dir]) r->longest[dir] = slot->length;
    slot->next = *head;
    slot->link = head;
    if (*head) (*head)->link = &slot->next;
    *head = slot;
}

struct walk buffers_near(const struct rings *r, u32 dir, u64 from, u64 to) {
    u64 before = r->longest[dir] + 8, after = to + 8; /* whole bus words */
    u64 first = (from > before ? from - before : 0) >> BUCKET_BITS;
    return (struct walk){r, dir, first, after >> BUCKET_BITS, r->buckets[dir][first & (BUCKETS - 1)]};
}

const struct slot *buffers_next(struct walk *walk) {
    const struct slot *slot = walk->slot;
    while (!slot && walk->bucket < walk->last) slot = walk->r->buckets[walk->dir][++walk->bucket & (BUCKETS - 1)];
    walk->slot = slot ? slot->next : 0;
    return slot;
}

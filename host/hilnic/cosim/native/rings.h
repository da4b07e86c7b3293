/* SPDX-License-Identifier: Apache-2.0
 * What the ring monitor (rings.c) knows of a NIC's queues, and how it finds them again by address (rings_find.c).
 */
#ifndef RINGS_H
#define RINGS_H
#include "hostmem.h"
#include "nic_1g.h"

enum { QUEUES = NIC_MOST_QUEUES, TX = 0, RX = 1, DESC = 16, CPL = 32, PAGE_WORDS = 18, VECTORS = 256 };
enum { BUCKETS = 8192, BUCKET_BITS = 12 }; /* of buffers, by address: a bucket for each 4 KiB, modulo 32 MiB */
enum state { OFF, ON, LEAVING, FAILED };
enum mask { MASKED, ARMED, UNSURE }; /* UNSURE: armed, or masked by a message that another queue of the vector may have sent */

/* A place of a descriptor ring. The buffer of its descriptor, once that has been read, is in a bucket until it is done. */
struct slot {
    u64 address;
    u32 length;
    struct queue *of;
    struct slot *next, **link; /* in the bucket; link is 0 outside */
};

struct queue {
    enum state state;
    u32 page[PAGE_WORDS];
    u64 ring, cpl;
    u32 size, cpl_size, producer, fetched, done, begun, next, visible, consumer, armed;
    u64 since;      /* when the first completion beyond the consumer became visible */
    u64 late_until; /* a message of before the last re-arm may still come */
    struct slot *slots;
    struct queue *next_noted;
    u32 noted;
};

/* Address ranges with the queues they belong to, in the order of their beginnings. */
struct range { u64 first, end, reach; struct queue *of; }; /* reach: the furthest end of this and all before it */
struct ranges {
    u32 count;
    struct range at[2 * QUEUES];
};

struct rings {
    struct queue q[2][QUEUES];
    struct ranges descriptors[2], completions; /* of the queues that are not off */
    struct slot *buckets[2][BUCKETS];
    u64 longest[2];      /* buffer of a descriptor so far */
    struct queue *noted; /* those that may explain a message, and some that no longer do */
    u32 used; /* one past the highest queue enabled so far */
    u32 misc_enable, resetting;
    u64 misc_until; /* a message of before the mask */
    u32 unsent[VECTORS]; /* how many UNSURE queues of the vector may still send, at most */
};

void ranges_add(struct ranges *ranges, struct queue *q, u64 first, u64 end);
void ranges_remove(struct ranges *ranges, const struct queue *q);
struct queue *ranges_find(const struct ranges *ranges, u64 address); /* the first queue, transmit before receive */

void buffer_enter(struct rings *r, u32 dir, struct slot *slot); /* its descriptor has been read */
void buffer_leave(struct slot *slot);

/* The buffers that may have octets in [from, to), and others: while (s = buffers_next(&walk)) ... */
struct walk { const struct rings *r; u32 dir; u64 bucket, last; const struct slot *slot; };
struct walk buffers_near(const struct rings *r, u32 dir, u64 from, u64 to);
const struct slot *buffers_next(struct walk *walk);
#endif

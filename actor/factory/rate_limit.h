/* rate_limit.h - token buckets, kept as the generic cell rate algorithm: one time for each
 * (ITU-T I.371, the virtual scheduling form), so that refilling costs nothing and is exact.
 *
 * A bucket that was never used is full: `burst` jobs may come at once, not more.
 * Thread: its owner's.   Owns: the clients' table.                                           */
#pragma once
#include "actor/factory/settings.h"

typedef struct {
    gint64 full_nsec; /* when it will be full again ("theoretical arrival time") */
} RateBucket;

/* How long from now until the bucket has a token, 0: it has one. */
gint64 rate_wait_usec(const RateBucket *bucket, const FactoryRate *rate, gint64 now_usec);
void rate_take(RateBucket *bucket, const FactoryRate *rate, gint64 now_usec);

/* A bucket for each client, in bounded memory: sets of eight by hash.  Where more clients
 * than eight share a set, the one whose bucket is full soonest is forgotten, that is, begins
 * anew with a full one. */
#define RATE_CLIENT_SETS 512u
#define RATE_CLIENT_WAYS 8u
typedef struct {
    guint64 client;
    RateBucket bucket;
} RateClient;

RateBucket *rate_client_bucket(RateClient *table, guint64 client);

#include "actor/factory/rate_limit.h"

#define NSEC_PER_USEC 1000

/* Bounds of the settings: per_usec <= a day, so all products fit 64 bits. */
static gint64 interval_nsec(const FactoryRate *rate)
{
    return (gint64)((guint64)rate->per_usec * NSEC_PER_USEC / rate->count);
}

/* How far ahead of now a bucket's full time may be and still give a token. */
static gint64 tolerance_nsec(const FactoryRate *rate)
{
    const gint64 interval = MAX(interval_nsec(rate), 1);
    const gint64 burst = (gint64)MIN(rate->burst - 1, (guint64)(G_MAXINT64 / 4 / interval));
    return interval * burst;
}

gint64 rate_wait_usec(const RateBucket *bucket, const FactoryRate *rate, gint64 now_usec)
{
    if (rate->count == 0)
        return 0;
    const gint64 wait = bucket->full_nsec - tolerance_nsec(rate) - now_usec * NSEC_PER_USEC;
    return wait <= 0 ? 0 : (wait + NSEC_PER_USEC - 1) / NSEC_PER_USEC;
}

void rate_take(RateBucket *bucket, const FactoryRate *rate, gint64 now_usec)
{
    if (rate->count > 0)
        bucket->full_nsec = MAX(bucket->full_nsec, now_usec * NSEC_PER_USEC) + interval_nsec(rate);
}

RateBucket *rate_client_bucket(RateClient *table, guint64 client)
{
    /* Fibonacci hashing: a driver may give addresses as they are. */
    const guint64 hash = client * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    RateClient *set = &table[(hash >> 32) % RATE_CLIENT_SETS * RATE_CLIENT_WAYS];
    RateClient *victim = &set[0];
    for (guint i = 0; i < RATE_CLIENT_WAYS; i++) {
        if (set[i].client == client)
            return &set[i].bucket;
        if (set[i].bucket.full_nsec < victim->bucket.full_nsec)
            victim = &set[i];
    }
    victim->client = client;
    victim->bucket.full_nsec = 0;
    return &victim->bucket;
}

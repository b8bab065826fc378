#include "actor/factory/histogram.h"

#define SUB_BUCKETS (1u << HISTOGRAM_SUB_BITS)

/* Below 8 usec each has a bucket of its own; from there on the three bits below the highest
 * one choose among eight buckets of its power of two (as HdrHistogram lays them out). */
guint histogram_bucket_of(gint64 usec)
{
    if (usec < (gint64)SUB_BUCKETS)
        return usec < 0 ? 0 : (guint)usec;
    const guint power = g_bit_storage((gulong)usec) - 1;
    if (power >= HISTOGRAM_MAX_BITS)
        return HISTOGRAM_BUCKETS - 1;
    const guint shift = power - HISTOGRAM_SUB_BITS;
    return ((shift + 1) << HISTOGRAM_SUB_BITS) + ((guint)(usec >> shift) & (SUB_BUCKETS - 1));
}

gint64 histogram_bucket_end_usec(guint bucket)
{
    if (bucket < SUB_BUCKETS)
        return (gint64)bucket + 1;
    const guint shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
    return ((gint64)((bucket & (SUB_BUCKETS - 1)) + SUB_BUCKETS + 1)) << shift;
}

void histogram_add(Histogram *histogram, gint64 usec)
{
    histogram->count++;
    histogram->sum_usec += (guint64)MAX(usec, 0);
    histogram->buckets[histogram_bucket_of(usec)]++;
}

gint64 histogram_quantile_usec(const Histogram *histogram, guint permille)
{
    const guint64 rank = (histogram->count * permille + 999) / 1000;
    guint64 seen = 0;
    for (guint i = 0; i < HISTOGRAM_BUCKETS && histogram->count > 0; i++) {
        seen += histogram->buckets[i];
        if (seen >= MAX(rank, 1))
            return histogram_bucket_end_usec(i);
    }
    return 0;
}

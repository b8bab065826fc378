/* histogram.h - a log-linear histogram of times: 8 steps for each power of two, so that a
 * quantile is at most 12.5 % off, from 1 usec to 19 hours.
 *
 * Thread: its owner's.   Owns: nothing; plain data.                                          */
#pragma once
#include <glib.h>

#define HISTOGRAM_SUB_BITS 3
#define HISTOGRAM_MAX_BITS 36
#define HISTOGRAM_BUCKETS  ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

typedef struct {
    guint64 count, sum_usec;
    guint64 buckets[HISTOGRAM_BUCKETS];
} Histogram;

void histogram_add(Histogram *histogram, gint64 usec); /* below 0 counts as 0 */
guint histogram_bucket_of(gint64 usec);
gint64 histogram_bucket_end_usec(guint bucket); /* the least time that is above the bucket */
/* The time that `permille` of all do not exceed, rounded up to its bucket's end; 0 if empty. */
gint64 histogram_quantile_usec(const Histogram *histogram, guint permille);

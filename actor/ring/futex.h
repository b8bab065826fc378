/* futex.h - the two futex calls that processes sharing a word need. */
#pragma once
#include <glib.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleeps while *word == seen, at most `usec` microseconds; may return early. */
static inline void futex_wait(_Atomic guint32 *word, guint32 seen, gint64 usec)
{
    const struct timespec limit = { .tv_sec = usec / G_USEC_PER_SEC,
                                    .tv_nsec = usec % G_USEC_PER_SEC * 1000 };
    syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, NULL, 0);
}

static inline void futex_wake_one(_Atomic guint32 *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* random.h - a number that nobody outside can guess. */
#pragma once
#include <glib.h>
#include <sys/random.h>

static inline guint64 random_secret(void)
{
    guint64 value;
    if (getrandom(&value, sizeof value, 0) != sizeof value)
        g_error("the kernel has no random number");
    return value;
}

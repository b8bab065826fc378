/* threads.h - which other threads this process has: fork() would not take them along. */
#pragma once
#include <glib.h>

/* Their names, separated by commas, or NULL when there are none.  One that has been joined
 * does not count, even if the kernel has not quite taken it apart yet. */
gchar *threads_besides_this(void);

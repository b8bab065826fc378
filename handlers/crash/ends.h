/* ends.h - the methods of idl/crash.thrift after which the worker is gone, or its shared
 * memory is.  See ends.c.                                                                   */
#pragma once
#include "crash_crash.h"

gboolean crash_segfault(crashCrashIf *self, GError **error);
gboolean crash_do_abort(crashCrashIf *self, GError **error);
gboolean crash_do_exit(crashCrashIf *self, gint32 status, GError **error);
gboolean crash_overflow_stack(crashCrashIf *self, GError **error);
gboolean crash_loop_forever(crashCrashIf *self, GError **error);
gboolean crash_leak(crashCrashIf *self, gint32 bytes, GError **error);
gboolean crash_scribble(crashCrashIf *self, gint32 seed, GError **error);

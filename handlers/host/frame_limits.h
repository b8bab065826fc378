/* frame_limits.h - how much one call's arguments may ask of a worker. */
#pragma once
#include <glib.h>

/* Structs and containers inside each other, the argument struct counted.  Generated readers
 * and thrift_protocol_skip() recurse once per level; other languages stop at 64 as well. */
#define FRAME_MAX_DEPTH 64u

/* Memory that the generated code may take for one call's arguments.  A struct of one byte
 * becomes an object of some hundred, so the frame's size alone bounds nothing useful. */
#define FRAME_BUDGET_BYTES ((guint64)256 << 20)

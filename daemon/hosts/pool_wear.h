/* pool_wear.h - which workers of a pool are worn and should be replaced: by the calls that they
 * have answered, their age, their resident memory, or by their own word.
 *
 * Told once for each worker's life by handlers.worn; replacing it is for the factory, which has
 * the fresh one ready before the worn one ends.
 *
 * Thread: the loop's.   Private to the pool.                                                 */
#pragma once
#include "daemon/hosts/pool_state.h"

void pool_wear_init(Pool *pool);
void pool_wear_clear(Pool *pool);
void pool_wear_ready(Pool *pool, guint32 worker);  /* a fresh one: measured from now on */
void pool_wear_called(Pool *pool, guint32 worker); /* it has answered one more */
void pool_wear_says(Pool *pool, guint32 worker, guint32 incarnation, const gchar *why);

/* For tests: resident bytes of the text of /proc/PID/statm; 0: it does not say. */
guint64 pool_wear_parse_statm(const gchar *text, guint64 page_bytes);

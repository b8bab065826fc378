/* methods.h - the methods of one service: their settings, and their numbers in the factory.
 *
 * A method with a group of its own in the configuration has a number from the start; others
 * get one when a worker has answered the first call of it, so that names which clients make
 * up cost nothing.  Number 0 is every method without one.  A name keeps its number through
 * reloads, unless a configured one needs it.
 *
 * Thread: the loop's.   Borrows: the service's configuration, until the next one.            */
#pragma once
#include "config/config.h"

typedef struct Methods Methods;

Methods *methods_new(const ServiceConfig *service);
void methods_free(Methods *methods); /* NULL is fine */
void methods_reload(Methods *methods, const ServiceConfig *service);

/* NULL: none of its own. */
const MethodConfig *methods_config(const Methods *methods, const gchar *name, guint *number);

/* A call of it has ended well.  TRUE: it has a number now that it did not have. */
gboolean methods_learn(Methods *methods, const gchar *name);

guint methods_count(const Methods *methods);                     /* numbers in use, with 0 */
const gchar *methods_name(const Methods *methods, guint number); /* 0: "" */
/* NULL: it has no settings of its own. */
const MethodConfig *methods_config_of(const Methods *methods, guint number);
/* Another one when another name gets the number. */
guint64 methods_identity(const Methods *methods, guint number);

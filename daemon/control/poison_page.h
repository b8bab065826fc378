/* poison_page.h - POST /poison/clear: calls that killed workers may run again.
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include "daemon/control/context.h"

/* Of the service that the query names, or of all.  FALSE: there is no such service. */
gboolean poison_page_clear(GString *out, const AdminContext *context, const gchar *query);

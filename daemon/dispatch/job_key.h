/* job_key.h - which calls belong together: the key that the configuration names.
 *
 * Thread: the loop's (the hash's secret is made once, at the first use).                     */
#pragma once
#include "actor/factory/factory.h"
#include "config/key_source.h"
#include "daemon/dispatch/request.h"

/* Fills in the job's key.  A call that does not have what the key is made of gets the key of
 * all such calls, so that order is kept whatever a client leaves out.  FALSE: what stands
 * there cannot be a key, or the arguments are malformed; `why` says so. */
gboolean job_key_read(const KeySource *source, const Request *request, FactoryJob *job,
                      const gchar **why);

/* Who a limit per client is for: an address without its port, or a user. */
guint64 job_client(const Request *request);

#include "daemon/dispatch/call_headers.h"
#include "actor/factory/settings.h"
#include "actor/ring/headers.h"

#define MSEC_MOST ((guint64)24 * 3600 * 1000)

/* FALSE: it is not there, or no such number. */
static gboolean find_number(const GByteArray *block, const gchar *name, guint64 most,
                            guint64 *number)
{
    const gchar *text = headers_find(block->data, block->len, name);
    return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, most, number, NULL);
}

CallHeaders call_headers_read(const GByteArray *block)
{
    CallHeaders asked = { .priority = -1 };
    guint64 number;
    if (block == NULL)
        return asked;
    if ((find_number(block, "client_timeout", MSEC_MOST, &number) ||
         find_number(block, "Deadline-Budget", MSEC_MOST, &number)) &&
        number > 0)
        asked.timeout_usec = (gint64)number * 1000;
    if (find_number(block, "queue_timeout", MSEC_MOST, &number))
        asked.queue_usec = (gint64)number * 1000;
    if (find_number(block, "thrift_priority", FACTORY_PRIORITIES - 1, &number))
        asked.priority = (gint)number;
    return asked;
}

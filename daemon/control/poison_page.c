#include "daemon/control/poison_page.h"
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

static guint clear(const AdminContext *context, const gchar *name)
{
    guint n = 0;
    for (guint i = 0; i < dispatch_n_services(context->dispatch); i++) {
        Service *service = dispatch_service(context->dispatch, i);
        if (name != NULL && g_strcmp0(service_config(service)->name, name) != 0)
            continue;
        service_clear_poison(service);
        n++;
    }
    return n;
}

gboolean poison_page_clear(GString *out, const AdminContext *context, const gchar *query)
{
    struct evkeyvalq values;
    if (evhttp_parse_query_str(query != NULL ? query : "", &values) != 0) {
        g_string_append(out, "the query cannot be read\n");
        return FALSE;
    }
    const guint n = clear(context, evhttp_find_header(&values, "service"));
    g_string_append_printf(out, n > 0 ? "cleared in %u services\n" : "no such service\n", n);
    evhttp_clear_headers(&values);
    return n > 0;
}

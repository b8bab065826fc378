#include "daemon/control/admin.h"
#include "daemon/base/log.h"
#include "daemon/base/obj.h"
#include "daemon/base/tcp_listen.h"
#include "daemon/control/jobs.h"
#include "daemon/control/metrics.h"
#include "daemon/control/poison_page.h"
#include "daemon/control/status.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>

#define ADMIN_MAGIC 0x41444d4eu

#define MAX_HEADERS_BYTES 8192
#define MAX_BODY_BYTES    0
#define SILENCE_SEC       10 /* of a client that neither sends nor reads */
#define ACCEPT_PAUSE_USEC G_USEC_PER_SEC

#define HTTP_FORBIDDEN 403

#define ADMIN_OF_HTTP "admin" /* key of evhttp's GLib dataset */

#define PLAIN_TEXT "text/plain; charset=utf-8"

struct Admin {
    ObjTag tag;
    AdminContext context;
    struct evhttp *http;
    struct evconnlistener *listener; /* owned by http */
    struct event *resume_timer;
    gchar *address;
};

/* --- pages ------------------------------------------------------------------------------- */

/* Fills `out` and returns the HTTP status. */
typedef int PrintPage(GString *out, const Admin *admin, const gchar *query);
static PrintPage print_index, print_metrics, print_livez, print_readyz, print_status, print_jobs,
    print_explain, clear_poison;

static const struct {
    const gchar *path, *type, *what;
    PrintPage *print;
    gboolean changes; /* something: POST, else GET and HEAD */
} pages[] = {
    { "/", PLAIN_TEXT, "this list", print_index, FALSE },
    { "/metrics", METRICS_CONTENT_TYPE, "every number, for Prometheus", print_metrics, FALSE },
    { "/livez", PLAIN_TEXT, "200 while the daemon's loop runs", print_livez, FALSE },
    { "/readyz", PLAIN_TEXT, "200 when every service takes calls, else 503 and why", print_readyz,
      FALSE },
    { "/status", "application/json", "listeners, services and workers", print_status, FALSE },
    { "/jobs", "application/json", "calls that wait and run, and how long calls take", print_jobs,
      FALSE },
    { "/explain", PLAIN_TEXT, "?service=NAME&job=ID: why a call waited, moved or ended",
      print_explain, FALSE },
    { "/poison/clear", PLAIN_TEXT, "POST, ?service=NAME or all: calls that killed workers may run",
      clear_poison, TRUE },
};

static int print_index(GString *out, const Admin *admin, const gchar *query)
{
    (void)query;
    (void)admin;
    g_string_append(out, "sluiced " SLUICE_VERSION "\n\n");
    for (guint i = 0; i < G_N_ELEMENTS(pages); i++)
        g_string_append_printf(out, "%-10s %s\n", pages[i].path, pages[i].what);
    return HTTP_OK;
}

static int print_metrics(GString *out, const Admin *admin, const gchar *query)
{
    (void)query;
    metrics_print(out, &admin->context);
    return HTTP_OK;
}

static int print_livez(GString *out, const Admin *admin, const gchar *query)
{
    (void)query;
    (void)admin;
    g_string_append(out, "ok\n");
    return HTTP_OK;
}

static int print_readyz(GString *out, const Admin *admin, const gchar *query)
{
    (void)query;
    return status_print_readiness(out, &admin->context) ? HTTP_OK : HTTP_SERVUNAVAIL;
}

static int print_status(GString *out, const Admin *admin, const gchar *query)
{
    (void)query;
    status_print(out, &admin->context, admin->address);
    return HTTP_OK;
}

static int print_jobs(GString *out, const Admin *admin, const gchar *query)
{
    (void)query;
    jobs_print(out, &admin->context);
    return HTTP_OK;
}

static int print_explain(GString *out, const Admin *admin, const gchar *query)
{
    return jobs_explain(out, &admin->context, query) ? HTTP_OK : HTTP_NOTFOUND;
}

static int clear_poison(GString *out, const Admin *admin, const gchar *query)
{
    return poison_page_clear(out, &admin->context, query) ? HTTP_OK : HTTP_NOTFOUND;
}

/* --- HTTP -------------------------------------------------------------------------------- */

static void answer(struct evhttp_request *request, int status, const gchar *type,
                   const GString *body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    g_autofree gchar *length = g_strdup_printf("%" G_GSIZE_FORMAT, body->len);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Content-Length", length);
    evhttp_add_header(headers, "Connection", "close");
    /* Left to itself, evhttp sends a body, and no length, to HEAD. */
    if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD)
        evbuffer_add(evhttp_request_get_output_buffer(request), body->str, body->len);
    evhttp_send_reply(request, status, NULL, NULL);
}

/* 0: it may have the page.  A page of some web site must not be able to change anything by the
 * browser of someone who can reach this address: such requests have an Origin. */
static int refuse_method(struct evhttp_request *request, GString *body, gboolean changes)
{
    const enum evhttp_cmd_type allowed =
        changes ? EVHTTP_REQ_POST : (EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    if ((evhttp_request_get_command(request) & allowed) == 0) {
        const gchar *names = changes ? "POST" : "GET, HEAD";
        evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", names);
        g_string_append_printf(body, "allowed here: %s\n", names);
        return HTTP_BADMETHOD;
    }
    if (changes &&
        evhttp_find_header(evhttp_request_get_input_headers(request), "Origin") != NULL) {
        g_string_append(body, "not for web pages\n");
        return HTTP_FORBIDDEN;
    }
    return 0;
}

static void on_request(struct evhttp_request *request, void *arg)
{
    const Admin *admin = OBJ_FROM(Admin, arg, ADMIN_MAGIC);
    g_autoptr(GString) body = g_string_new(NULL);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const gchar *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
    for (guint i = 0; i < G_N_ELEMENTS(pages); i++) {
        if (g_strcmp0(path, pages[i].path) == 0) {
            const int refused = refuse_method(request, body, pages[i].changes);
            const int status = refused != 0 ? refused : pages[i].print(body, admin, query);
            answer(request, status, pages[i].type, body);
            return;
        }
    }
    g_string_append(body, "there is no such page; / lists them\n");
    answer(request, HTTP_NOTFOUND, PLAIN_TEXT, body);
}

static struct evhttp *http_new(Admin *admin)
{
    struct evhttp *http = evhttp_new(loop_base(admin->context.loop));
    evhttp_set_max_headers_size(http, MAX_HEADERS_BYTES);
    evhttp_set_max_body_size(http, MAX_BODY_BYTES);
    evhttp_set_timeout(http, SILENCE_SEC);
    /* All methods come to on_request(), which says 405; evhttp itself would say 501. */
    evhttp_set_allowed_methods(http, G_MAXUINT16);
    evhttp_set_gencb(http, on_request, admin);
    g_dataset_set_data(http, ADMIN_OF_HTTP, admin);
    return http;
}

/* --- the listener ------------------------------------------------------------------------ */

/* A connection that cannot be accepted, as for want of descriptors, stays in line and would
 * wake the loop again at once, and for ever.  What comes with it is evhttp's argument, the
 * same as for a connection that could be. */
static void on_accept_failed(struct evconnlistener *listener, void *http)
{
    Admin *admin = OBJ_FROM(Admin, g_dataset_get_data(http, ADMIN_OF_HTTP), ADMIN_MAGIC);
    log_error("admin.accept_failed address=%s reason=\"%s\"", admin->address, g_strerror(errno));
    evconnlistener_disable(listener);
    loop_timer_arm(admin->resume_timer, ACCEPT_PAUSE_USEC);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(OBJ_FROM(Admin, arg, ADMIN_MAGIC)->listener);
}

/* --- life -------------------------------------------------------------------------------- */

Admin *admin_new(const AdminContext *context, GError **error)
{
    const int fd = tcp_listen(context->config->admin, error);
    if (fd < 0)
        return NULL;
    Admin *admin = g_new0(Admin, 1);
    OBJ_INIT(admin, ADMIN_MAGIC);
    admin->context = *context;
    admin->address = tcp_bound_address(fd, "http");
    admin->resume_timer = loop_timer_new(context->loop, on_resume, admin);
    admin->listener = evconnlistener_new(loop_base(context->loop), NULL, NULL,
                                         LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    admin->http = http_new(admin);
    evhttp_bind_listener(admin->http, admin->listener);
    evconnlistener_set_error_cb(admin->listener, on_accept_failed);
    return admin;
}

void admin_free(Admin *admin)
{
    if (admin == NULL)
        return;
    g_dataset_destroy(admin->http);
    evhttp_free(admin->http);
    event_free(admin->resume_timer);
    g_free(admin->address);
    OBJ_FINI(admin, ADMIN_MAGIC);
    g_free(admin);
}

const gchar *admin_address(const Admin *admin) { return admin->address; }

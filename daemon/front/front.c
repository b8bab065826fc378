#include "daemon/front/front.h"
#include "daemon/front/connection.h"
#include "daemon/front/listener.h"
#include "daemon/front/peer.h"
#include "actor/fault/fault_point.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* A host has a ring, an eventfd, an image, a pidfd and two sockets. */
#define DESCRIPTORS_PER_HOST 8
#define OTHER_DESCRIPTORS    64

struct Front {
    guint max_open; /* max-connections, or what the descriptors allow */
    BufferMemory memory;
    ConnectionShared shared;
    GPtrArray *listeners;    /* of Listener */
    GPtrArray *leaving;      /* of Listener: those that are not wanted any more */
    GHashTable *connections; /* set of Connection */
};

static void on_closed(Connection *connection, gpointer user)
{
    Front *front = user;
    g_hash_table_remove(front->connections, connection);
}

static StreamKind kind_of(const ConnectionShared *shared, gboolean is_tls)
{
    if (is_tls)
        return STREAM_TLS;
    return shared->tls != NULL && shared->config->tls_mixed ? STREAM_MIXED : STREAM_PLAIN;
}

static void on_accept(int fd, gboolean is_tls, gpointer user)
{
    Front *front = user;
    DaemonStats *stats = front->shared.stats;
    const Peer peer = peer_of(fd);
    const int on = 1;
    stats->daemon[CTR_CONN_ACCEPTED]++;
    if (stats->daemon[CTR_CONN_OPEN] >= front->max_open) {
        stats->daemon[CTR_CONN_REFUSED]++;
        if (log_limit_allows(front->shared.log_limit, "connection.refused", "max-connections",
                             loop_now_usec()))
            log_warning("connection.refused peer=%s reason=max_connections", peer.name);
        close(fd);
        return;
    }
    /* A reply is written once it is whole: waiting to fill a packet only delays it.  Fails
     * on unix sockets, which do not wait. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *connection =
        connection_new(&front->shared, fd, kind_of(&front->shared, is_tls), peer.name, peer.host);
    if (connection != NULL) {
        g_hash_table_add(front->connections, connection);
        return;
    }
    stats->daemon[CTR_TLS_FAILED]++;
    close(fd);
}

static Listener *try_open(Front *front, const Address *address, GError **error)
{
    return listener_new(front->shared.loop, address, front->shared.stats, front->shared.log_limit,
                        on_accept, front, error);
}

/* What is leaving may have the address still, if somebody changed his mind. */
static Listener *open_listener(Front *front, const Address *address, GError **error)
{
    Listener *listener = try_open(front, address, front->leaving->len > 0 ? NULL : error);
    if (listener != NULL || front->leaving->len == 0)
        return listener;
    g_ptr_array_set_size(front->leaving, 0);
    return try_open(front, address, error);
}

static gboolean open_listeners(Front *front, GError **error)
{
    const GPtrArray *addresses = front->shared.config->listeners;
    for (guint i = 0; i < addresses->len; i++) {
        Listener *listener = open_listener(front, g_ptr_array_index(addresses, i), error);
        if (listener == NULL)
            return FALSE;
        g_ptr_array_add(front->listeners, listener);
        listener_start(listener);
    }
    return TRUE;
}

static void free_listener(gpointer listener) { listener_free(listener); }

/* Workers, hosts and the log must not go without descriptors for the sake of one more client. */
static guint connections_allowed(const Config *config)
{
    struct rlimit limit;
    rlim_t others = OTHER_DESCRIPTORS;
    for (guint i = 0; i < config->n_services; i++)
        others += config->services[i]->workers.max + DESCRIPTORS_PER_HOST;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return config->max_connections;
    if (limit.rlim_cur < config->max_connections + others) {
        const rlim_t before = limit.rlim_cur;
        limit.rlim_cur = MIN(config->max_connections + others, limit.rlim_max);
        if (FAULT_AT(RLIMIT_SET) || setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = before;
    }
    if (limit.rlim_cur >= config->max_connections + others)
        return config->max_connections;
    const guint allowed = limit.rlim_cur > others ? (guint)(limit.rlim_cur - others) : 1;
    log_warning("daemon.few_descriptors limit=%lu connections_allowed=%u wanted=%u",
                (gulong)limit.rlim_cur, allowed, config->max_connections);
    return allowed;
}

Front *front_new(Loop *loop, Config *config, Dispatch *dispatch, DaemonStats *stats, GError **error)
{
    Front *front = g_new0(Front, 1);
    front->listeners = g_ptr_array_new_with_free_func(free_listener);
    front->leaving = g_ptr_array_new_with_free_func(free_listener);
    front->connections = g_hash_table_new(NULL, NULL);
    front->max_open = connections_allowed(config);
    front->memory =
        (BufferMemory){ &stats->daemon[CTR_BUFFERED_BYTES], (gint64)config->buffer_memory_bytes };
    front->shared = (ConnectionShared){
        .loop = loop,
        .config = config_ref(config),
        .dispatch = dispatch,
        .stats = stats,
        .log_limit = log_limit_new(config->log_repeat_interval_usec),
        .memory = &front->memory,
        .hosts = hosts_new(),
        .scratch = g_malloc(CONNECTION_SCRATCH_BYTES),
        .closed = on_closed,
        .user = front,
    };
    GError *problem = NULL;
    front->shared.tls = tls_context_new(config, &problem);
    if (problem == NULL && open_listeners(front, &problem))
        return front;
    g_propagate_error(error, problem);
    front_free(front);
    return NULL;
}

void front_free(Front *front)
{
    if (front == NULL)
        return;
    g_assert(front_is_empty(front));
    g_ptr_array_unref(front->listeners);
    g_ptr_array_unref(front->leaving);
    tls_context_unref(front->shared.tls);
    config_unref(front->shared.config);
    g_hash_table_unref(front->connections);
    log_limit_free(front->shared.log_limit);
    g_free(front->shared.scratch);
    hosts_free(front->shared.hosts);
    g_free(front);
}

guint front_n_listeners(const Front *front) { return front->listeners->len; }
const gchar *front_listener_address(const Front *front, guint index)
{
    return listener_address(g_ptr_array_index(front->listeners, index));
}

/* --- reload ------------------------------------------------------------------------------ */

struct FrontChange {
    GPtrArray *listeners; /* of Listener: those that are new */
    TlsContext *tls;
};

static gboolean is_among(const GPtrArray *addresses, const Address *address)
{
    for (guint i = 0; i < addresses->len; i++)
        if (address_equal(g_ptr_array_index(addresses, i), address))
            return TRUE;
    return FALSE;
}

void front_abandon(FrontChange *change)
{
    if (change == NULL)
        return;
    g_ptr_array_unref(change->listeners);
    tls_context_unref(change->tls);
    g_free(change);
}

FrontChange *front_prepare(Front *front, const Config *next, GError **error)
{
    FrontChange *change = g_new0(FrontChange, 1);
    GError *problem = NULL;
    change->listeners = g_ptr_array_new_with_free_func(free_listener);
    change->tls = tls_context_new(next, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        front_abandon(change);
        return NULL;
    }
    for (guint i = 0; i < next->listeners->len; i++) {
        const Address *address = g_ptr_array_index(next->listeners, i);
        if (is_among(front->shared.config->listeners, address))
            continue;
        Listener *listener = open_listener(front, address, error);
        if (listener == NULL) {
            front_abandon(change);
            return NULL;
        }
        g_ptr_array_add(change->listeners, listener);
    }
    return change;
}

/* Listeners stand in the order of the addresses that they were made from. */
static void change_listeners(Front *front, FrontChange *change, const Config *next)
{
    const GPtrArray *before = front->shared.config->listeners;
    GPtrArray *after = g_ptr_array_new_with_free_func(free_listener);
    for (guint i = 0; i < next->listeners->len; i++) {
        const Address *address = g_ptr_array_index(next->listeners, i);
        guint from = 0;
        while (from < before->len && !address_equal(g_ptr_array_index(before, from), address))
            from++;
        if (from < before->len)
            g_ptr_array_add(after, g_steal_pointer(&front->listeners->pdata[from]));
        else
            g_ptr_array_add(after, g_ptr_array_steal_index(change->listeners, 0));
        listener_adopt(g_ptr_array_index(after, i), address);
        listener_start(g_ptr_array_index(after, i));
    }
    front_stop_accepting(front);
    g_ptr_array_unref(front->listeners);
    front->listeners = after;
}

void front_commit(Front *front, FrontChange *change, Config *next)
{
    GHashTableIter iter;
    gpointer connection;
    change_listeners(front, change, next);
    tls_context_unref(front->shared.tls);
    front->shared.tls = g_steal_pointer(&change->tls);
    front_abandon(change);
    config_unref(front->shared.config);
    front->shared.config = config_ref(next);
    front->max_open = connections_allowed(next);
    front->memory.limit_bytes = (gint64)next->buffer_memory_bytes;
    log_limit_set_interval(front->shared.log_limit, next->log_repeat_interval_usec);
    g_hash_table_iter_init(&iter, front->connections);
    while (g_hash_table_iter_next(&iter, &connection, NULL))
        connection_adopt_settings(connection);
}

/* --- the end ----------------------------------------------------------------------------- */

static void on_left(Listener *listener, gpointer user)
{
    Front *front = user;
    g_ptr_array_remove(front->leaving, listener);
}

void front_go_away(Front *front) { front->shared.is_going_away = TRUE; }

/* Whoever has connected already is not reset, but served or told. */
void front_stop_accepting(Front *front)
{
    for (guint i = 0; i < front->listeners->len; i++) {
        Listener *listener = g_steal_pointer(&front->listeners->pdata[i]);
        if (listener == NULL)
            continue; /* it has moved to the next configuration */
        g_ptr_array_add(front->leaving, listener);
        listener_leave(listener, on_left);
    }
    g_ptr_array_set_size(front->listeners, 0);
}

void front_drain(Front *front)
{
    GHashTableIter iter;
    gpointer connection;
    front_stop_accepting(front);
    front_go_away(front);
    front->shared.is_draining = TRUE;
    g_hash_table_iter_init(&iter, front->connections);
    while (g_hash_table_iter_next(&iter, &connection, NULL))
        connection_finish_if_idle(connection, CTR_CLOSED_DRAIN);
}

void front_finish(Front *front)
{
    GHashTableIter iter;
    gpointer connection;
    for (guint i = 0; i < front->leaving->len; i++)
        listener_take_backlog(g_ptr_array_index(front->leaving, i));
    g_ptr_array_set_size(front->leaving, 0);
    g_hash_table_iter_init(&iter, front->connections);
    while (g_hash_table_iter_next(&iter, &connection, NULL))
        connection_finish(connection);
}

void front_close_all(Front *front)
{
    GHashTableIter iter;
    gpointer connection;
    g_hash_table_iter_init(&iter, front->connections);
    while (g_hash_table_iter_next(&iter, &connection, NULL))
        connection_close(connection, CTR_CLOSED_DRAIN);
}

gboolean front_is_empty(const Front *front) { return g_hash_table_size(front->connections) == 0; }

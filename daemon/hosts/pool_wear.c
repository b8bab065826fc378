#include "daemon/hosts/pool_wear.h"
#include <unistd.h>

/* Age and memory are looked at so often; calls are counted as they end. */
#define LOOK_USEC ((gint64)G_USEC_PER_SEC)

static void tell(Pool *pool, guint32 worker, const gchar *why)
{
    if (pool->wear[worker].told || worker_state(pool->workers[worker]) != WORKER_READY)
        return;
    pool->wear[worker].told = TRUE;
    pool->handlers.worn(worker, why, pool->user);
}

/* The process is there while its pidfd is: the number cannot be another's. */
guint64 pool_wear_parse_statm(const gchar *text, guint64 page_bytes)
{
    g_auto(GStrv) fields = g_strsplit(text, " ", 3);
    guint64 pages = 0;
    if (g_strv_length(fields) < 2 ||
        !g_ascii_string_to_unsigned(fields[1], 10, 0, G_MAXUINT64 / page_bytes, &pages, NULL))
        return 0;
    return pages * page_bytes;
}

static guint64 resident_bytes(gint pid)
{
    g_autofree gchar *path = g_strdup_printf("/proc/%d/statm", pid);
    g_autofree gchar *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0; /* it is ending: that is told elsewhere */
    return pool_wear_parse_statm(text, (guint64)sysconf(_SC_PAGESIZE));
}

static void look_at(Pool *pool, guint32 worker, gint64 now_usec)
{
    const ServiceConfig *service = pool->service;
    if (service->worker_max_age_usec > 0 &&
        now_usec - pool->wear[worker].ready_usec >= service->worker_max_age_usec)
        tell(pool, worker, "worker-max-age");
    if (service->worker_max_memory_bytes > 0 && !pool->wear[worker].told &&
        resident_bytes(worker_pid(pool->workers[worker])) >= service->worker_max_memory_bytes)
        tell(pool, worker, "worker-max-memory");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Pool *pool = OBJ_FROM(Pool, arg, POOL_MAGIC);
    const gint64 now_usec = loop_now_usec();
    for (guint32 i = 0; i < pool->n_workers; i++)
        if (worker_state(pool->workers[i]) == WORKER_READY && !pool->wear[i].told)
            look_at(pool, i, now_usec);
    loop_timer_arm(pool->wear_timer, LOOK_USEC);
}

void pool_wear_init(Pool *pool)
{
    pool->wear = g_new0(PoolWear, pool->n_workers);
    if (pool->service->worker_max_age_usec == 0 && pool->service->worker_max_memory_bytes == 0)
        return;
    pool->wear_timer = loop_timer_new(pool->loop, on_timer, pool);
    loop_timer_arm(pool->wear_timer, LOOK_USEC);
}

void pool_wear_clear(Pool *pool)
{
    if (pool->wear_timer != NULL)
        event_free(pool->wear_timer);
    g_free(pool->wear);
}

void pool_wear_ready(Pool *pool, guint32 worker)
{
    pool->wear[worker] = (PoolWear){ .ready_usec = loop_now_usec() };
}

void pool_wear_called(Pool *pool, guint32 worker)
{
    const guint most = pool->service->worker_max_requests;
    if (most > 0 && pool->calls[worker] >= most)
        tell(pool, worker, "worker-max-requests");
}

void pool_wear_says(Pool *pool, guint32 worker, guint32 incarnation, const gchar *why)
{
    if (worker < pool->n_workers && worker_incarnation(pool->workers[worker]) == incarnation)
        tell(pool, worker, why);
}

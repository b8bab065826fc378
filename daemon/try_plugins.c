#include "daemon/try_plugins.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/base/loop_actors.h"
#include "daemon/hosts/pool.h"

typedef struct {
    Config *config;
    ServiceConfig service; /* the real one's, but with one worker */
    ServiceStats stats;
    Loop *loop;
    LoopWatcher watcher;
    LoopActors *actors;
    Pool *pool;
    gchar *problem;
    gboolean stopping;
} Trial;

/* The first worker is enough; a second try would tell nothing new. */
static void ignore_worker(guint32 worker, gpointer user)
{
    (void)worker;
    (void)user;
}

static void ignore_end(guint32 worker, const WorkerObituary *obituary, guint lost, gpointer user)
{
    (void)worker;
    (void)obituary;
    (void)lost;
    (void)user;
}

static void ignore_wear(guint32 worker, const gchar *why, gpointer user)
{
    (void)worker;
    (void)why;
    (void)user;
}

static void nothing(gpointer user) { (void)user; }

/* Nobody supervises the host here: when it fails, that was it. */
static void on_stopped(gpointer user)
{
    Trial *trial = user;
    if (!trial->stopping)
        trial->problem = g_strdup(pool_error(trial->pool));
    loop_stop(trial->loop);
}

/* Ready, or something has gone wrong: there is no second try. */
static void watcher_poll(gpointer user)
{
    Trial *trial = user;
    const gchar *error = pool_error(trial->pool);
    if (trial->stopping || (error == NULL && pool_n_ready(trial->pool) == 0))
        return;
    trial->problem = g_strdup(error);
    trial->stopping = TRUE;
    actor_stop(loop_actors_system(trial->actors), pool_actor(trial->pool),
               loop_now_usec() + trial->service.start_timeout_usec);
}

static gboolean watcher_arm(gpointer user)
{
    (void)user;
    return FALSE;
}

static void try_one(Trial *trial)
{
    /* No call is ever handed over, so none can come back. */
    static const PoolHandlers handlers = { .worker_ready = ignore_worker,
                                           .worker_dying = ignore_worker,
                                           .worker_ended = ignore_end,
                                           .worn = ignore_wear,
                                           .host_changed = nothing,
                                           .stopped = on_stopped };
    trial->loop = loop_new();
    trial->service.workers = (Range){ 1, 1 };
    const HostSpec spec = { trial->config, &trial->service, 0,
                            (guint32)trial->config->max_frame_bytes };
    trial->pool = pool_new(trial->loop, &spec, &trial->stats, &handlers, trial);
    trial->watcher = (LoopWatcher){ watcher_poll, watcher_arm, nothing, trial, NULL };
    loop_add_watcher(trial->loop, &trial->watcher);
    trial->actors = loop_actors_new(trial->loop);
    pool_start(trial->pool, loop_actors_system(trial->actors), 0);
    pool_spawn_worker(trial->pool, 0);
    loop_run(trial->loop);
    loop_remove_watcher(trial->loop, &trial->watcher);
    loop_actors_free(trial->actors);
    pool_free(trial->pool);
    loop_free(trial->loop);
}

gboolean try_plugins(Config *config, GError **error)
{
    g_autoptr(GString) problems = g_string_new(NULL);
    for (guint i = 0; i < config->n_services; i++) {
        Trial trial = { .config = config, .service = *config->services[i] };
        try_one(&trial);
        if (trial.problem != NULL)
            g_string_append_printf(problems, "%sservice %s: %s", problems->len > 0 ? "\n" : "",
                                   trial.service.name, trial.problem);
        g_free(trial.problem);
    }
    if (problems->len == 0)
        return TRUE;
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, problems->str);
    return FALSE;
}

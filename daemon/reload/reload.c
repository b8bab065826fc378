#include "daemon/reload/reload.h"
#include "config/config.h"
#include "daemon/base/log.h"

typedef struct {
    gchar *path;
    DaemonStats *stats;
} Reload;

static void refuse(Reload *reload, const gchar *problems)
{
    g_auto(GStrv) lines = g_strsplit(problems, "\n", -1);
    reload->stats->daemon[CTR_RELOAD_FAILURES]++;
    for (guint i = 0; lines[i] != NULL; i++) {
        g_autofree gchar *line = log_quotable(lines[i]);
        log_error("reload.refused problem=\"%s\"", line);
    }
}

static void on_message(Actor *self, const ActorMessage *message)
{
    Reload *reload = actor_data(self);
    g_autoptr(GError) error = NULL;
    (void)message; /* it is asked for one thing only */
    g_autoptr(Config) config = config_load(reload->path, &error);
    if (config == NULL)
        refuse(reload, error->message);
    else
        log_warning(
            "reload.checked file=%s services=%u note=\"it is good; a restart takes it over\"",
            reload->path, config->n_services);
}

static void on_free(Actor *self)
{
    Reload *reload = actor_data(self);
    g_free(reload->path);
    g_free(reload);
}

ActorId reload_spawn(ActorSystem *actors, ActorId parent, const gchar *config_path,
                     DaemonStats *stats)
{
    static const ActorClass class = { .handle = on_message, .free = on_free };
    const ActorOptions options = { .name = "reload", .restart = RESTART_NEVER };
    Reload *reload = g_new(Reload, 1);
    *reload = (Reload){ g_strdup(config_path), stats };
    return actor_spawn(actors, parent, &class, &options, reload);
}

/* A lane that is bounded: a storm of signals is as good as a few. */
void reload_ask(ActorSystem *actors, ActorId reload)
{
    actor_cast(actors, reload, LANE_USER, &(ActorMessage){ .tag = 0 });
}

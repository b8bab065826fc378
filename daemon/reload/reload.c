#include "daemon/reload/reload.h"
#include "daemon/base/log.h"
#include "daemon/base/obj.h"

#define RELOAD_MAGIC 0x52454c44u

/* What the actor hears; data: a text. */
enum { TAG_ASK = 1, TAG_STOP, TAG_PREPARED, TAG_FAILED, TAG_SETTLED };

typedef enum {
#define STATE(name, text, from) RELOAD_##name,
#include "daemon/reload/reload_state.def"
    RELOAD_STATES
} ReloadState;

struct Reload {
    ObjTag tag;
    ReloadContext context;
    ActorSystem *actors;
    ActorId actor;
    ReloadState state;
    gboolean again; /* asked for while one was under way */
    gboolean stopped;
    Config *next; /* while one is under way */
    FrontChange *change;
    gint64 begun_usec;
    const gchar *result;
    gchar *problems;
};

#define FROM(name) (1u << RELOAD_##name)
static const struct {
    const gchar *text;
    guint from;
} reload_states[RELOAD_STATES] = {
#define STATE(name, text_, from_) [RELOAD_##name] = { .text = text_, .from = from_ },
#include "daemon/reload/reload_state.def"
};
#undef FROM

static void set_state(Reload *reload, ReloadState next)
{
    OBJ_CHECK(reload, RELOAD_MAGIC);
    if (!(reload_states[next].from & (1u << reload->state)))
        g_error("reload: no arrow from %s to %s", reload_states[reload->state].text,
                reload_states[next].text);
    reload->state = next;
}

/* --- refused ----------------------------------------------------------------------------- */

static void refuse(Reload *reload, const gchar *problems)
{
    g_auto(GStrv) lines = g_strsplit(problems, "\n", -1);
    reload->context.stats->daemon[CTR_RELOAD_FAILURES]++;
    reload->result = "refused";
    g_free(reload->problems);
    reload->problems = g_strdup(problems);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_autofree gchar *line = log_quotable(lines[i]);
        log_error("reload.refused problem=\"%s\"", line);
    }
    g_clear_pointer(&reload->change, front_abandon);
    g_clear_pointer(&reload->next, config_unref);
}

static void give_up(Reload *reload, const gchar *why)
{
    if (reload->state != RELOAD_PREPARING && reload->state != RELOAD_SHARING)
        return;
    set_state(reload, RELOAD_SETTLING);
    refuse(reload, why);
    dispatch_abort(reload->context.dispatch);
}

/* --- step by step ------------------------------------------------------------------------ */

static void begin(Reload *reload)
{
    ReloadContext *context = &reload->context;
    g_autoptr(GError) error = NULL;
    reload->again = FALSE;
    reload->begun_usec = loop_now_usec();
    reload->next = config_load(context->config_path, &error);
    if (reload->next == NULL || !config_may_reload(context->config, reload->next, &error) ||
        (reload->change = front_prepare(context->front, reload->next, &error)) == NULL) {
        refuse(reload, error->message);
        return;
    }
    set_state(reload, RELOAD_PREPARING);
    log_notice("reload.begun file=%s services=%u", context->config_path, reload->next->n_services);
    dispatch_reload(context->dispatch, reload->next);
}

static void take_over(Reload *reload)
{
    ReloadContext *context = &reload->context;
    set_state(reload, RELOAD_SETTLING);
    dispatch_commit(context->dispatch, loop_now_usec() + reload->next->drain_timeout_usec);
    front_commit(context->front, g_steal_pointer(&reload->change), reload->next);
    config_unref(context->config);
    context->config = g_steal_pointer(&reload->next);
    context->adopt(context->config, context->user);
    context->stats->daemon[CTR_RELOADS]++;
    context->stats->daemon[CTR_GENERATION] = dispatch_generation(context->dispatch);
    reload->result = "done";
    g_clear_pointer(&reload->problems, g_free);
    log_notice("reload.done generation=%u services=%u msec=%" G_GINT64_FORMAT,
               dispatch_generation(context->dispatch), context->config->n_services,
               (loop_now_usec() - reload->begun_usec) / 1000);
}

static void on_prepared(Reload *reload)
{
    if (reload->state == RELOAD_PREPARING && dispatch_share(reload->context.dispatch)) {
        set_state(reload, RELOAD_SHARING);
        log_notice("reload.sharing generation=%u",
                   dispatch_generation(reload->context.dispatch) + 1);
    } else if (reload->state == RELOAD_PREPARING || reload->state == RELOAD_SHARING) {
        take_over(reload);
    }
}

static void on_settled(Reload *reload)
{
    set_state(reload, RELOAD_IDLE);
    log_info("reload.settled generation=%u", dispatch_generation(reload->context.dispatch));
    if (reload->again && !reload->stopped)
        begin(reload);
}

/* --- the actor --------------------------------------------------------------------------- */

static void on_message(Actor *self, const ActorMessage *message)
{
    Reload *reload = OBJ_FROM(Reload, actor_data(self), RELOAD_MAGIC);
    if (message->tag == TAG_STOP) {
        reload->stopped = TRUE;
        give_up(reload, "the daemon is stopping");
    } else if (message->tag == TAG_ASK && reload->state == RELOAD_IDLE && !reload->stopped) {
        begin(reload);
    } else if (message->tag == TAG_ASK) {
        reload->again = TRUE;
        log_info("reload.waits state=%s", reload_states[reload->state].text);
    } else if (message->tag == TAG_PREPARED) {
        on_prepared(reload);
    } else if (message->tag == TAG_FAILED) {
        give_up(reload, message->data);
    } else if (message->tag == TAG_SETTLED) {
        on_settled(reload);
    }
}

static void tell(Reload *reload, ActorLane lane, guint tag, gchar *text)
{
    actor_cast(reload->actors, reload->actor, lane,
               &(ActorMessage){ .tag = tag, .data = text, .free_data = g_free });
}

/* A lane that is bounded: a storm of signals is as good as a few. */
void reload_ask(Reload *reload) { tell(reload, LANE_USER, TAG_ASK, NULL); }
void reload_stop(Reload *reload) { tell(reload, LANE_CONTROL, TAG_STOP, NULL); }
void reload_prepared(Reload *reload) { tell(reload, LANE_CONTROL, TAG_PREPARED, NULL); }
void reload_settled(Reload *reload) { tell(reload, LANE_CONTROL, TAG_SETTLED, NULL); }

void reload_failed(Reload *reload, const gchar *service, const gchar *why)
{
    tell(reload, LANE_CONTROL, TAG_FAILED, g_strdup_printf("service %s: %s", service, why));
}

/* --- life -------------------------------------------------------------------------------- */

Reload *reload_new(const ReloadContext *context)
{
    Reload *reload = g_new0(Reload, 1);
    OBJ_INIT(reload, RELOAD_MAGIC);
    reload->context = *context;
    config_ref(reload->context.config);
    context->stats->daemon[CTR_GENERATION] = dispatch_generation(context->dispatch);
    reload->result = "none";
    return reload;
}

void reload_free(Reload *reload)
{
    if (reload == NULL)
        return;
    g_clear_pointer(&reload->change, front_abandon);
    g_clear_pointer(&reload->next, config_unref);
    config_unref(reload->context.config);
    g_free(reload->problems);
    OBJ_FINI(reload, RELOAD_MAGIC);
    g_free(reload);
}

void reload_start(Reload *reload, ActorSystem *actors, ActorId parent)
{
    static const ActorClass class = { .handle = on_message };
    const ActorOptions options = { .name = "reload", .restart = RESTART_NEVER };
    reload->actors = actors;
    reload->actor = actor_spawn(actors, parent, &class, &options, reload);
}

const gchar *reload_state_name(const Reload *reload) { return reload_states[reload->state].text; }
const gchar *reload_last_result(const Reload *reload) { return reload->result; }
const gchar *reload_last_problems(const Reload *reload) { return reload->problems; }

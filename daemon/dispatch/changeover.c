/* changeover.c - all services from one configuration to the next, or none of them.
 *
 * Nothing that a client could notice happens before dispatch_commit(): each service starts its
 * next generation beside the present one, and services that are new start where nobody finds
 * them.  Every step before can fail, and then all of that goes again.                        */
#include "daemon/base/log.h"
#include "daemon/dispatch/dispatch_state.h"

#define FROM(name) (1u << CHANGEOVER_##name)
static const struct {
    const gchar *text;
    guint from;
} changeover_states[CHANGEOVER_STATES] = {
#define STATE(name, text_, from_) [CHANGEOVER_##name] = { .text = text_, .from = from_ },
#include "daemon/dispatch/changeover_state.def"
};
#undef FROM

static void set_state(Dispatch *dispatch, ChangeoverState next)
{
    OBJ_CHECK(dispatch, DISPATCH_MAGIC);
    const ChangeoverState was = dispatch->changeover.state;
    if (!(changeover_states[next].from & (1u << was)))
        g_error("changeover: no arrow from %s to %s", changeover_states[was].text,
                changeover_states[next].text);
    log_debug("reload.state from=%s to=%s", changeover_states[was].text,
              changeover_states[next].text);
    dispatch->changeover.state = next;
}

/* --- on trial ---------------------------------------------------------------------------- */

static gboolean is_trying(const Dispatch *dispatch)
{
    return dispatch->changeover.state == CHANGEOVER_PREPARING ||
           dispatch->changeover.state == CHANGEOVER_SHARING ||
           dispatch->changeover.state == CHANGEOVER_PREPARED;
}

void changeover_on_trial(Service *service, TrialResult result, const gchar *why, gpointer user)
{
    Dispatch *dispatch = OBJ_FROM(Dispatch, user, DISPATCH_MAGIC);
    Changeover *changeover = &dispatch->changeover;
    if (!is_trying(dispatch))
        return; /* another one has failed before, and all of it is on its way out */
    if (result == TRIAL_FAILED) {
        set_state(dispatch, CHANGEOVER_FAILED);
        dispatch->events.failed(service_name(service), why, dispatch->user);
    } else if (changeover->n_pending > 0 && --changeover->n_pending == 0) {
        set_state(dispatch, CHANGEOVER_PREPARED);
        dispatch->events.prepared(dispatch->user);
    }
}

/* Of the names in both, the service that is there, on its way to its next generation. */
static void prepare(Dispatch *dispatch, Config *next, const ServiceConfig *service)
{
    const HostSpec spec = { next, service, dispatch->last_generation, dispatch->frame_bytes };
    Service *present = dispatch_find(dispatch, service->name);
    if (present != NULL) {
        service_reload(present, &spec);
        return;
    }
    Service *fresh = dispatch_new_service(dispatch, next, service, dispatch->last_generation);
    g_ptr_array_add(dispatch->changeover.fresh, fresh);
    service_start(fresh, dispatch->actors, dispatch->parent, TRUE);
}

void dispatch_reload(Dispatch *dispatch, Config *next)
{
    set_state(dispatch, CHANGEOVER_PREPARING);
    dispatch->changeover.next = config_ref(next);
    dispatch->changeover.n_pending = next->n_services;
    dispatch->last_generation++;
    dispatch->frame_bytes = MAX(dispatch->frame_bytes, (guint32)next->max_frame_bytes);
    for (guint i = 0; i < next->n_services; i++)
        prepare(dispatch, next, next->services[i]);
}

gboolean dispatch_share(Dispatch *dispatch)
{
    g_assert(dispatch->changeover.state == CHANGEOVER_PREPARED);
    guint n = 0;
    for (guint i = 0; i < dispatch->services->len; i++)
        n += service_share(dispatch_service(dispatch, i));
    dispatch->changeover.n_pending = n;
    if (n > 0)
        set_state(dispatch, CHANGEOVER_SHARING);
    return n > 0;
}

/* --- over -------------------------------------------------------------------------------- */

static Service *find_fresh(const Dispatch *dispatch, const gchar *name)
{
    const GPtrArray *fresh = dispatch->changeover.fresh;
    for (guint i = 0; i < fresh->len; i++)
        if (g_str_equal(service_name(g_ptr_array_index(fresh, i)), name))
            return g_ptr_array_index(fresh, i);
    g_assert_not_reached();
}

/* The services of the next configuration in its order; what is not among them leaves. */
static void take_over(Dispatch *dispatch, const Config *next, gint64 deadline_usec)
{
    g_autoptr(GPtrArray) before = dispatch->services;
    dispatch->services = g_ptr_array_new();
    for (guint i = 0; i < next->n_services; i++) {
        Service *service = dispatch_find(dispatch, next->services[i]->name);
        if (service == NULL)
            service = find_fresh(dispatch, next->services[i]->name);
        g_ptr_array_add(dispatch->services, service);
        g_ptr_array_remove(before, service);
        service_commit(service, deadline_usec);
    }
    g_ptr_array_set_size(dispatch->changeover.fresh, 0);
    dispatch_index(dispatch);
    for (guint i = 0; i < before->len; i++) {
        g_ptr_array_add(dispatch->leaving, g_ptr_array_index(before, i));
        service_drain(g_ptr_array_index(before, i), deadline_usec);
    }
}

void dispatch_commit(Dispatch *dispatch, gint64 deadline_usec)
{
    Changeover *changeover = &dispatch->changeover;
    g_assert(changeover->state == CHANGEOVER_PREPARED);
    set_state(dispatch, CHANGEOVER_LEAVING);
    /* The names that services are found by are in it. */
    g_autoptr(Config) before = dispatch->config;
    dispatch->generation = dispatch->last_generation;
    dispatch->config = g_steal_pointer(&changeover->next);
    take_over(dispatch, dispatch->config, deadline_usec);
    loop_defer(dispatch->loop, &dispatch->bury); /* there may be nothing that leaves */
}

void dispatch_abort(Dispatch *dispatch)
{
    Changeover *changeover = &dispatch->changeover;
    if (changeover->state == CHANGEOVER_SETTLED || changeover->state == CHANGEOVER_LEAVING)
        return;
    set_state(dispatch, CHANGEOVER_LEAVING);
    g_clear_pointer(&changeover->next, config_unref);
    for (guint i = 0; i < dispatch->services->len; i++)
        service_abort(dispatch_service(dispatch, i));
    while (changeover->fresh->len > 0) {
        Service *service = g_ptr_array_steal_index(changeover->fresh, 0);
        g_ptr_array_add(dispatch->leaving, service);
        service_drain(service, loop_now_usec());
    }
    loop_defer(dispatch->loop, &dispatch->bury);
}

void changeover_on_settled(Service *service, gpointer user)
{
    (void)service;
    changeover_settle(OBJ_FROM(Dispatch, user, DISPATCH_MAGIC));
}

void changeover_settle(Dispatch *dispatch)
{
    if (dispatch->changeover.state != CHANGEOVER_LEAVING || dispatch->leaving->len > 0)
        return;
    for (guint i = 0; i < dispatch->services->len; i++)
        if (!service_is_settled(dispatch_service(dispatch, i)))
            return;
    set_state(dispatch, CHANGEOVER_SETTLED);
    dispatch->events.settled(dispatch->user);
}

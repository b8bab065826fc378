/* test_control_fakes.h - stands in for dispatch, service, pool, host and front, so that each
 * state that the admin address may ever show can simply be set.
 *
 * One service with one worker, or as many as a test asks for: `fake` is all of it.           */
#pragma once
#include "daemon/control/context.h"
#include <check.h>

#define FAKE_SERVICES_MAX 3

struct Host {
    HostState state;
    const gchar *state_name, *plugin_name, *plugin_version;
    guint flags;
    gint pid;
};
struct Pool {
    gboolean ready;
    const gchar *error;
    PoolWorker worker;
    Host host;
};
struct Service {
    ServiceConfig config;
    ServiceStats stats;
    Pool pool;
    const Pool *other; /* of a generation that comes or goes */
};

static struct {
    guint n_services;
    Service services[FAKE_SERVICES_MAX];
    ServiceStats unknown;
    DaemonStats daemon;
    gboolean draining;
    const gchar *problems; /* of the last reload */
    Factory *factory;      /* one for all of them */
    Methods *methods;
    Poison *poison;
} fake;

guint dispatch_n_services(const Dispatch *dispatch)
{
    (void)dispatch;
    return fake.n_services;
}
Service *dispatch_service(const Dispatch *dispatch, guint index)
{
    (void)dispatch;
    return &fake.services[index];
}
const ServiceStats *dispatch_unknown_stats(const Dispatch *dispatch)
{
    (void)dispatch;
    return &fake.unknown;
}
guint dispatch_generation(const Dispatch *dispatch)
{
    (void)dispatch;
    return 7;
}
const gchar *reload_state_name(const Reload *reload)
{
    (void)reload;
    return "idle";
}
const gchar *reload_last_result(const Reload *reload)
{
    (void)reload;
    return fake.problems != NULL ? "refused" : "none";
}
const gchar *reload_last_problems(const Reload *reload)
{
    (void)reload;
    return fake.problems;
}
gboolean dispatch_is_ready(const Dispatch *dispatch)
{
    (void)dispatch;
    for (guint i = 0; i < fake.n_services; i++)
        if (!fake.services[i].pool.ready)
            return FALSE;
    return TRUE;
}

const ServiceConfig *service_config(const Service *service) { return &service->config; }
const ServiceStats *service_stats(Service *service) { return &service->stats; }
const Factory *service_factory(const Service *service)
{
    (void)service;
    return fake.factory;
}
const Methods *service_methods(const Service *service)
{
    (void)service;
    return fake.methods;
}
gboolean service_is_ready(const Service *service) { return service->pool.ready; }
Poison *service_poison(const Service *service)
{
    (void)service;
    if (fake.poison == NULL)
        fake.poison = poison_new();
    return fake.poison;
}
void service_clear_poison(Service *service) { poison_clear(service_poison(service)); }
const Pool *service_other_pool(const Service *service) { return service->other; }
const Pool *service_pool(const Service *service) { return &service->pool; }

const gchar *pool_error(const Pool *pool) { return pool->error; }
const Host *pool_host(const Pool *pool) { return &pool->host; }
guint pool_generation(const Pool *pool)
{
    (void)pool;
    return 7;
}
guint pool_n_workers(const Pool *pool)
{
    (void)pool;
    return 1 + HOST_SPARE_WORKERS;
}
PoolWorker pool_worker(const Pool *pool, guint32 index)
{
    return index == 0 ? pool->worker : (PoolWorker){ .index = index, .state = "vacant" };
}

HostState host_state(const Host *host) { return host->state; }
const gchar *host_state_name(const Host *host) { return host->state_name; }
gint host_pid(const Host *host) { return host->pid; }
const gchar *host_plugin_name(const Host *host) { return host->plugin_name; }
const gchar *host_plugin_version(const Host *host) { return host->plugin_version; }
guint host_plugin_flags(const Host *host) { return host->flags; }

guint front_n_listeners(const Front *front)
{
    (void)front;
    return 2;
}
const gchar *front_listener_address(const Front *front, guint index)
{
    (void)front;
    return index == 0 ? "tcp://127.0.0.1:41237" : "unix:/run/sluice/sluice.sock";
}

static inline gboolean fake_is_draining(gpointer user)
{
    ck_assert_ptr_eq(user, &fake);
    return fake.draining;
}

/* A service that takes calls. */
static inline Service *fake_add_service(gchar *name)
{
    FactorySettings settings;
    ck_assert_uint_lt(fake.n_services, FAKE_SERVICES_MAX);
    factory_settings_init(&settings);
    if (fake.factory == NULL)
        fake.factory = factory_new(&settings, 1, 1, 1, 0);
    if (fake.methods == NULL)
        fake.methods = methods_new(&fake.services[0].config);
    Service *service = &fake.services[fake.n_services++];
    *service = (Service){
        .config = { .name = name, .plugin = (gchar *)"calculator.so" },
        .pool = { .ready = TRUE,
                  .worker = { 0, "ready", 4343, 2, 99 },
                  .host = { HOST_READY, "ready", "calculator", "1.2", 0, 4242 } },
    };
    return service;
}

static inline AdminContext fake_context(Loop *loop, const Config *config)
{
    return (AdminContext){ .loop = loop,
                           .config = config,
                           .stats = &fake.daemon,
                           .started_usec = loop_now_usec() - 90 * G_USEC_PER_SEC,
                           .is_draining = fake_is_draining,
                           .user = &fake };
}

/* world_settings.c - the settings of a run, drawn from a number.
 *
 * The schedules on file depend on what is drawn here: what is new is drawn last.            */
#include "tests/sim/world_state.h"

static guint draw(guint64 *random, guint n) { return (guint)(sim_random(random) % n); }

static guint32 route(guint64 key_hash, guint16 method, guint32 n_workers)
{
    (void)n_workers; /* folded by the factory */
    return (guint32)key_hash + method;
}

static FactoryRate draw_rate(guint64 *random)
{
    if (draw(random, 6) != 0)
        return (FactoryRate){ 0, G_USEC_PER_SEC, 1 };
    return (FactoryRate){ 1 + draw(random, 5), (1 + draw(random, 50)) * MSEC, 1 + draw(random, 4) };
}

static void draw_workers(FactorySettings *s, guint64 *random)
{
    s->workers_min = draw(random, 4);
    s->workers_max = s->workers_min + draw(random, WORLD_WORKERS - 3);
    s->capacity = (FactoryCapacity)(draw(random, 4) == 0 ? draw(random, FACTORY_CAPACITIES) : 0);
    s->capacity_step = 1 + draw(random, 2);
    s->capacity_cooldown_usec = draw(random, 200) * MSEC;
    s->capacity_dry_run = draw(random, 4) == 0;
    s->stuck = (FactoryStuck)draw(random, FACTORY_STUCKS);
    s->stuck_after_usec = (8 + draw(random, 100)) * MSEC;
    s->stuck_warn_usec = s->stuck_after_usec / (1 + draw(random, 8));
    s->backoff_min_usec = (1 + draw(random, 10)) * MSEC;
    s->backoff_max_usec = s->backoff_min_usec * (1 + draw(random, 8));
    s->restarts_per_worker = draw(random, 3);
    s->restart_window_usec = (1 + draw(random, 1000)) * MSEC;
    s->retries = draw(random, 3);
    s->retry_budget_permille = draw(random, 1001);
}

void world_settings(FactorySettings *s, guint32 number)
{
    guint64 random = number;
    factory_settings_init(s);
    s->routing = (FactoryRouting)draw(&random, FACTORY_ROUTINGS);
    s->route = route;
    s->lookahead = draw(&random, 4);
    s->queue = (FactoryQueueKind)draw(&random, FACTORY_QUEUES);
    s->ageing_usec = (1 + draw(&random, 50)) * MSEC;
    s->discard = (FactoryDiscard)draw(&random, FACTORY_DISCARDS);
    s->queue_limit = draw(&random, 9);
    s->queue_hard_limit = s->queue_limit + draw(&random, 6);
    s->queue_bytes = 100 + draw(&random, 2000);
    s->queue_target_usec = (1 + draw(&random, 100)) * MSEC;
    s->rate = draw_rate(&random);
    s->client_rate = draw_rate(&random);
    s->shape = draw(&random, 2) == 0;
    draw_workers(s, &random);
    s->n_methods = 1 + draw(&random, 3);
    for (guint i = 0; i < s->n_methods; i++)
        s->methods[i].rate = draw_rate(&random);
}

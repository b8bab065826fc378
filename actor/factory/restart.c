/* restart.c - when a worker that ended is started again.
 *
 * At once after a good life or when it was planned; else after a back-off that doubles, with
 * jitter, so that a pool whose workers all die of one cause does not restart in step.  The
 * whole pool has a budget of restarts in a window, that many for each worker.  When it is
 * spent the factory is degraded: it says so, goes on with the workers that are left, starts
 * others only as the window frees, and with none left refuses with the reason.              */
#include "actor/factory/state.h"

static void degrade(Factory *f, gboolean at_start)
{
    f->stats.restarts_denied++;
    f->degraded_reason = at_start ? REASON_START_FAILED : REASON_DEGRADED;
    if (f->is_degraded)
        return;
    f->is_degraded = TRUE;
    f->stats.degradations++;
    emit_value(f, ACTION_DEGRADED, POOL_NOW(f)->n_ready);
}

static gint64 ask_budget(Factory *f)
{
    const FactorySettings *s = &f->settings;
    const guint64 limit = (guint64)s->restarts_per_worker * MAX(f->target, 1);
    if (s->restarts_per_worker == 0)
        return 0;
    return restart_budget_take(&f->restarts, limit, s->restart_window_usec, f->now_usec);
}

gint64 restart_wait(Factory *f, guint32 seat, gboolean was_fault)
{
    const FactorySettings *s = &f->settings;
    Seat *worker = &f->seats[seat];
    if (!was_fault)
        return 0;
    const gboolean at_start = worker->ready_usec == 0;
    const gint64 lived = at_start ? 0 : f->now_usec - worker->ready_usec;
    gint64 wait =
        backoff_next_usec(&worker->backoff, lived, s->backoff_min_usec, s->backoff_max_usec);
    if (wait > 0)
        wait = backoff_jitter_usec(wait, s->backoff_jitter_permille, random_next(f));
    const gint64 free_in = ask_budget(f);
    if (free_in == 0)
        return wait;
    worker->is_denied = TRUE;
    degrade(f, at_start);
    return MAX(wait, free_in);
}

/* One that was denied asks again when its wait is over; 0: it may start. */
gint64 restart_denied_usec(Factory *f, guint32 seat)
{
    const gint64 free_in = f->seats[seat].is_denied ? ask_budget(f) : 0;
    if (free_in == 0)
        f->seats[seat].is_denied = FALSE;
    return free_in;
}

void degraded_check(Factory *f)
{
    if (!f->is_degraded)
        return;
    if (POOL_NOW(f)->n_ready >= f->target) {
        f->is_degraded = FALSE;
        emit(f, ACTION_RECOVERED);
    } else if (POOL_NOW(f)->n_ready == 0) {
        discard_all_waiting(f, f->degraded_reason);
    }
}

/* reload.h - SIGHUP: from the configuration in force to the one in the file, or not at all.
 *
 *   read the file -> may it replace the other? -> open new listeners -> start the next generation
 *   of every service -> give it a share, if it shall have one -> one swap -> let the old one end
 *
 * Nothing of the running daemon changes before the swap; every step before can fail, and then
 * the daemon serves on as if nothing had happened and says why.  An actor: what services tell
 * of their generations comes through its mailbox.
 *
 * Thread: the loop's.   Borrows: all that its context has, for its life.                     */
#pragma once
#include "actor/runtime/actor.h"
#include "daemon/base/counters.h"
#include "daemon/dispatch/dispatch.h"
#include "daemon/front/front.h"

typedef struct Reload Reload;

typedef struct {
    const gchar *config_path;
    Config *config; /* in force now; the reload holds it by reference */
    Dispatch *dispatch;
    Front *front;
    DaemonStats *stats;
    /* The swap is done: this is in force from now on. */
    void (*adopt)(Config *config, gpointer user);
    gpointer user;
} ReloadContext;

Reload *reload_new(const ReloadContext *context);
void reload_free(Reload *reload); /* NULL is fine; its actor has ended */
void reload_start(Reload *reload, ActorSystem *actors, ActorId parent);

void reload_ask(Reload *reload); /* reads the file, now or when the present one is over */
/* The daemon is about to stop: what is under way is given up, and nothing new begins. */
void reload_stop(Reload *reload);

/* Events of dispatch: see DispatchEvents. */
void reload_prepared(Reload *reload);
void reload_failed(Reload *reload, const gchar *service, const gchar *why);
void reload_settled(Reload *reload);

const gchar *reload_state_name(const Reload *reload);
/* What the last one came to: "none", "done", "refused"; and why it was, a line for each. */
const gchar *reload_last_result(const Reload *reload);
const gchar *reload_last_problems(const Reload *reload); /* NULL: there were none */

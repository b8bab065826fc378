/* worker.h - one worker process as sluiced sees it: the life of a seat in a pool, an actor.
 *
 * Whether and when a seat is taken again is for the factory to say, which supervises all
 * workers of a service; the actor has the clock of a start and hears of a death.
 *
 * Thread: the loop's.
 * Owns:   the pidfd by which a worker's death is seen and by which it is killed.
 * Never:  trusts a message: what does not fit the seat's state or incarnation is ignored.    */
#pragma once
#include "actor/ring/link.h"
#include "actor/runtime/actor.h"
#include "config/config.h"
#include "daemon/base/loop.h"

typedef struct Worker Worker;

typedef enum {
#define STATE(name, text, from) WORKER_##name,
#include "daemon/hosts/worker_state.def"
    WORKER_STATES
} WorkerState;

/* What it has used in its life; 0: not known. */
typedef struct {
    gint64 user_usec, system_usec;
    gint64 max_rss_bytes;
} WorkerUsage;

typedef enum {
    WORKER_DIED,    /* by itself, or by somebody's kill */
    WORKER_STUCK,   /* its call ran for too long */
    WORKER_CUT_OFF, /* its generation's time was over */
    WORKER_TIMEOUT, /* did not start in time */
    WORKER_OOM,     /* the kernel killed it for memory */
} WorkerEnd;

typedef struct {
    WorkerEnd end;
    const gchar *how; /* "was killed by signal 11 (SIGSEGV)" */
    gint status;      /* as from waitpid(); -1 when nobody could tell */
    WorkerUsage usage;
    const gchar *trace; /* "frame < frame": where it crashed; NULL: not known */
    gint pid;
    gboolean was_ready; /* it took calls */
    gboolean host_gone; /* it died with its host */
} WorkerObituary;

typedef struct {
    void (*forked)(Worker *worker, gpointer user); /* FORKING is over, well or not */
    void (*ready)(Worker *worker, gpointer user);
    void (*silent)(Worker *worker, gpointer user); /* the host did not fork it in time */
    /* The death was seen: read what the host has to say of it, if anything. */
    void (*dying)(Worker *worker, gpointer user);
    /* Dead for sure, and VACANT. */
    void (*gone)(Worker *worker, const WorkerObituary *obituary, gpointer user);
    void (*over)(Worker *worker, gpointer user); /* its actor has ended */
} WorkerEvents;

Worker *worker_new(Loop *loop, const ServiceConfig *service, guint32 index,
                   const WorkerEvents *events, gpointer user);
void worker_free(Worker *worker); /* kills the process; NULL is fine */

/* Once, and before anything else. */
void worker_start_actor(Worker *worker, ActorSystem *actors);
void worker_stop_actor(Worker *worker); /* VACANT for good: ends in the event `over` */

/* VACANT to FORKING; returns the incarnation to ask the host for. */
guint16 worker_begin(Worker *worker);
void worker_take_message(Worker *worker, const LinkMessage *message); /* FORKED..FAILED */
void worker_host_gone(Worker *worker); /* kills the process; VACANT; no event */
void worker_kill(Worker *worker);
void worker_kill_for(Worker *worker, WorkerEnd why); /* STUCK, CUT_OFF */

WorkerState worker_state(const Worker *worker);
const gchar *worker_state_name(const Worker *worker);
guint32 worker_index(const Worker *worker);
guint16 worker_incarnation(const Worker *worker);
gint worker_pid(const Worker *worker); /* 0: none */

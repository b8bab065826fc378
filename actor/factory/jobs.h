/* jobs.h - what a job is, and the lists that it stands in.  Private to actor/factory. */
#pragma once
#include "actor/factory/factory.h"

#define NONE G_MAXUINT32

typedef enum {
#define STATE(name, text, from) JOB_##name,
#include "actor/factory/job_state.def"
    JOB_STATES
} JobState;

typedef struct {
    guint32 head, tail;
} List;

/* The lists that a job can stand in, one of each kind at a time. */
typedef enum {
    LINK_WAIT, /* all that wait, of its class, oldest first: who is discarded */
    LINK_RUN,  /* its lane, or the queue of those that may run: who is next */
    LINK_OUT,  /* its worker's jobs, or those that no worker is known to have */
    JOB_LINKS
} JobLink;

typedef enum { RUN_NOWHERE, RUN_IN_LANE, RUN_IN_SHARED, RUN_IN_SEAT } RunPlace;

/* Why a job that is out was asked back, weakest first: a stronger one replaces it. */
typedef enum {
    RECALL_NOT,
    RECALL_BACK, /* to be queued again */
    RECALL_GONE,
    RECALL_CANCELLED,
    RECALL_POISON,
    RECALL_EXPIRED,
    RECALL_DRAIN,
} Recall;

typedef struct {
    guint64 id; /* index, and in the upper half which use of it; 0 while free */
    gpointer user;
    guint64 key_hash;
    guint64 client, connection, correlation;
    guint64 serial; /* in the order of arrival */
    guint64 order;  /* in the order of becoming able to run; 0: not yet */
    gint64 received_usec, admitted_usec, started_usec;
    gint64 expires_usec;  /* it must have been started by then */
    gint64 deadline_usec; /* it must have ended by then */
    gint64 hold_usec;     /* it may not run before */
    gint64 watch_usec;    /* it started or made progress then */
    gint64 protect_usec;  /* it may be silent until then */
    guint32 bytes, cost_usec, key_bytes;
    guint32 lane; /* NONE: it has no key, or keys do not matter */
    guint32 seat; /* its worker, NONE: not known; or whose queue it stands in */
    struct {
        guint32 prev, next;
    } links[JOB_LINKS];
    guint32 next_free;
    guint16 method;
    guint8 state, run_place, class_, priority, attempt;
    guint8 warned; /* warnings given since watch_usec */
    guint8 recall; /* Recall */
    guint8 pool;   /* RUN_IN_SHARED, or out and unclaimed: of which pool */
    guint8 gone;   /* its client has gone while it ran */
    guint8 idempotent, no_discard, stuck;
    guint8 has_key;
    guint8 key[FACTORY_KEY_BYTES];
} Job;

/* --- lists ------------------------------------------------------------------------------- */

#define LIST_EMPTY ((List){ NONE, NONE })

/* `before` NONE: at the end. */
static inline void list_insert(Job *jobs, JobLink link, List *list, guint32 before, guint32 job)
{
    const guint32 prev = before == NONE ? list->tail : jobs[before].links[link].prev;
    jobs[job].links[link].prev = prev;
    jobs[job].links[link].next = before;
    if (prev == NONE)
        list->head = job;
    else
        jobs[prev].links[link].next = job;
    if (before == NONE)
        list->tail = job;
    else
        jobs[before].links[link].prev = job;
}

static inline void list_remove(Job *jobs, JobLink link, List *list, guint32 job)
{
    const guint32 prev = jobs[job].links[link].prev, next = jobs[job].links[link].next;
    if (prev == NONE)
        list->head = next;
    else
        jobs[prev].links[link].next = next;
    if (next == NONE)
        list->tail = prev;
    else
        jobs[next].links[link].prev = prev;
}

/* --- jobs.c: the table of jobs ----------------------------------------------------------- */
guint64 job_id(guint64 serial, guint32 index); /* index NONE: of one that was refused */
Job *job_new(Factory *f);
void job_free(Factory *f, Job *job);
void job_set_state(Factory *f, Job *job, JobState state); /* keeps the lists of waiting jobs */
/* The one outcome of a job; counts it and says so.  What it holds stays. */
void job_end(Factory *f, Job *job, FactoryReason reason);
/* Ends a job that waits and takes it out of everything. */
void job_discard(Factory *f, Job *job, FactoryReason reason);
void job_arm_timer(Factory *f, const Job *job); /* for whatever is next in its state */

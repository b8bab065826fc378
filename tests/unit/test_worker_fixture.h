/* test_worker_fixture.h - one seat, what it says to its owner, messages as a host sends them,
 * and real processes to die.                                                               */
#pragma once
#include "daemon/base/loop_actors.h"
#include "daemon/hosts/worker.h"
#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_TIMEOUT_SEC 30
#define LONG_USEC        (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC) /* longer than a test can last */

/* One seat, and what it said to its owner. */
typedef struct {
    Loop *loop;
    LoopActors *actors;
    ServiceConfig service;
    Worker *worker;
    GString *said; /* "dying gone " */
    gboolean host_knows_the_status;
    WorkerObituary obituary; /* the last one; its `how` is: */
    gchar *how;
    pid_t child;
} Seat;

static inline void say(gpointer user, const gchar *event)
{
    Seat *seat = user;
    g_string_append_printf(seat->said, "%s ", event);
}

static inline void tell(Seat *seat, LinkKind kind, gint32 value, const gchar *text)
{
    const LinkMessage message = {
        kind, worker_index(seat->worker), worker_incarnation(seat->worker), value, text, -1
    };
    worker_take_message(seat->worker, &message);
}

static inline void on_forked(Worker *worker, gpointer user)
{
    (void)worker;
    say(user, "forked");
}

static inline void on_ready(Worker *worker, gpointer user)
{
    (void)worker;
    say(user, "ready");
}

static inline void on_silent(Worker *worker, gpointer user)
{
    (void)worker;
    say(user, "silent");
    loop_stop(((Seat *)user)->loop);
}

static inline void on_dying(Worker *worker, gpointer user)
{
    Seat *seat = user;
    int status;
    ck_assert_int_eq(worker_state(worker), WORKER_DYING);
    say(seat, "dying");
    if (!seat->host_knows_the_status)
        return;
    ck_assert_int_eq(waitpid(seat->child, &status, 0), seat->child);
    tell(seat, LINK_EXITED, status, "");
}

static inline void on_gone(Worker *worker, const WorkerObituary *obituary, gpointer user)
{
    Seat *seat = user;
    ck_assert_int_eq(worker_state(worker), WORKER_VACANT);
    ck_assert_int_eq(worker_pid(worker), 0);
    say(seat, "gone");
    seat->obituary = *obituary;
    g_free(seat->how);
    seat->how = g_strdup(obituary->how);
    loop_stop(seat->loop);
}

static inline void on_over(Worker *worker, gpointer user)
{
    (void)worker;
    (void)user;
}

static inline void seat_open(Seat *seat)
{
    static const WorkerEvents events = {
        on_forked, on_ready, on_silent, on_dying, on_gone, on_over
    };
    *seat = (Seat){ .loop = loop_new(),
                    .service = { .name = (gchar *)"calc",
                                 .start_timeout_usec = LONG_USEC,
                                 .restart_backoff_min_usec = 1000,
                                 .restart_backoff_max_usec = 4000 },
                    .said = g_string_new(""),
                    .host_knows_the_status = TRUE };
    seat->actors = loop_actors_new(seat->loop);
    seat->worker = worker_new(seat->loop, &seat->service, 3, &events, seat);
    worker_start_actor(seat->worker, loop_actors_system(seat->actors));
    actor_system_run(loop_actors_system(seat->actors));
}

static inline void seat_close(Seat *seat)
{
    loop_actors_free(seat->actors);
    worker_free(seat->worker);
    loop_free(seat->loop);
    g_string_free(seat->said, TRUE);
    g_free(seat->how);
}

/* A process that lives until somebody kills it.  A sanitizer takes some signals to report
 * them; here they kill.                                                                    */
static inline pid_t fork_child(void)
{
    const struct sigaction by_default = { .sa_handler = SIG_DFL };
    sigaction(SIGSEGV, &by_default, NULL);
    sigaction(SIGABRT, &by_default, NULL);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

static inline void tell_forked(Seat *seat, pid_t pid)
{
    const int pidfd = pidfd_open(pid, 0);
    const LinkMessage forked = { LINK_FORKED, 3, worker_incarnation(seat->worker), pid, "", pidfd };
    seat->child = pid;
    worker_take_message(seat->worker, &forked);
    close(pidfd);
}

/* What is said on the way there is forgotten. */
static inline void advance(Seat *seat, WorkerState to)
{
    if (to >= WORKER_FORKING)
        worker_begin(seat->worker);
    if (to >= WORKER_STARTING)
        tell_forked(seat, fork_child());
    if (to >= WORKER_READY)
        tell(seat, LINK_READY, 0, "");
    ck_assert_int_eq(worker_state(seat->worker), to);
    g_string_truncate(seat->said, 0);
}

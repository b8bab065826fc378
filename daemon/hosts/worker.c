#include "daemon/hosts/worker.h"
#include "daemon/base/fd.h"
#include "daemon/base/log.h"
#include "daemon/base/obj.h"
#include "daemon/base/oom.h"
#include "daemon/hosts/wait_status.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#define WORKER_MAGIC 0x574f524bu

/* The host is told of the death at the same moment as we are, and its word says how.  Only a
 * host that is itself in trouble keeps the callers waiting for so long. */
#define STATUS_GRACE_USEC 500000

#define TRACE_MOST_BYTES 2048

struct Worker {
    ObjTag tag;
    Loop *loop;
    const ServiceConfig *service;
    guint32 index;
    WorkerEvents events;
    gpointer user;
    WorkerState state;
    guint16 incarnation;
    gint pid;
    Fd pidfd;
    ActorSystem *actors;
    ActorId id;
    Actor *self;   /* while it lives */
    guint64 timer; /* of the present state; 0: none */
    struct event *on_death;
    WorkerEnd end;
    gboolean said_ready; /* before the host told of its fork: they speak by different sockets */
    gboolean status_known;
    gint status;
    gchar *failure; /* what worker_start said */
    gchar *trace;   /* where it crashed, in its host's words */
    WorkerUsage usage;
    gint64 ready_usec; /* 0: not yet */
};

#define FROM(name) (1u << WORKER_##name)
static const struct {
    const gchar *text;
    guint from;
} worker_states[WORKER_STATES] = {
#define STATE(name, text_, from_) [WORKER_##name] = { .text = text_, .from = from_ },
#include "daemon/hosts/worker_state.def"
};
#undef FROM

/* What the actor hears; number: the incarnation that it is about. */
enum { TAG_TIME = 1, TAG_DEATH };

static void cancel_timer(Worker *worker)
{
    if (worker->timer != 0 && worker->self != NULL)
        actor_cancel_timer(worker->self, worker->timer);
    worker->timer = 0;
}

static void arm_timer(Worker *worker, gint64 usec)
{
    cancel_timer(worker);
    worker->timer = actor_send_after(worker->self, usec, TAG_TIME, worker->incarnation);
}

static void set_state(Worker *worker, WorkerState next)
{
    OBJ_CHECK(worker, WORKER_MAGIC);
    if (!(worker_states[next].from & (1u << worker->state)))
        g_error("worker %s/%u: no arrow from %s to %s", worker->service->name, worker->index,
                worker_states[worker->state].text, worker_states[next].text);
    log_debug("worker.state service=%s worker=%u pid=%d from=%s to=%s", worker->service->name,
              worker->index, worker->pid, worker_states[worker->state].text,
              worker_states[next].text);
    cancel_timer(worker);
    worker->state = next;
}

static void forget_process(Worker *worker)
{
    if (worker->on_death != NULL)
        event_free(g_steal_pointer(&worker->on_death));
    fd_close(&worker->pidfd);
    g_clear_pointer(&worker->failure, g_free);
    g_clear_pointer(&worker->trace, g_free);
    worker->pid = 0;
}

void worker_kill(Worker *worker)
{
    if (worker->pidfd >= 0)
        pidfd_send_signal(worker->pidfd, SIGKILL, NULL, 0);
}

void worker_kill_for(Worker *worker, WorkerEnd why)
{
    worker->end = why;
    worker_kill(worker);
}

/* --- the end ----------------------------------------------------------------------------- */

static gchar *how_it_ended(const Worker *worker)
{
    g_autofree gchar *how =
        worker->status_known ? wait_status_text(worker->status) : g_strdup("ended");
    if (worker->failure != NULL)
        return g_strdup_printf("did not start: %s", worker->failure);
    if (worker->end == WORKER_TIMEOUT)
        return g_strdup("was killed: worker_start() did not end within start-timeout");
    if (worker->end == WORKER_STUCK)
        return g_strdup("was killed: its call ran longer than stuck-after");
    if (worker->end == WORKER_CUT_OFF)
        return g_strdup("was killed: its generation has been replaced, and its time is over");
    if (worker->end == WORKER_OOM)
        return g_strdup("was killed by the kernel, which was out of memory");
    return g_steal_pointer(&how);
}

/* Of a SIGKILL that was not ours. */
static void judge_kill(Worker *worker)
{
    const gboolean killed =
        worker->status_known && WIFSIGNALED(worker->status) && WTERMSIG(worker->status) == SIGKILL;
    if (killed && worker->end == WORKER_DIED && oom_has_killed())
        worker->end = WORKER_OOM;
}

static void bury(Worker *worker)
{
    judge_kill(worker);
    g_autofree gchar *how = how_it_ended(worker);
    g_autofree gchar *trace = g_steal_pointer(&worker->trace);
    const WorkerObituary obituary = {
        .end = worker->end,
        .how = how,
        .status = worker->status_known ? worker->status : -1,
        .usage = worker->usage,
        .trace = trace,
        .pid = worker->pid,
        .was_ready = worker->ready_usec > 0,
    };
    forget_process(worker);
    set_state(worker, WORKER_VACANT);
    worker->events.gone(worker, &obituary, worker->user);
}

/* Here only the event; the actor hears of it in the same pass. */
static void on_death(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Worker *worker = OBJ_FROM(Worker, arg, WORKER_MAGIC);
    event_free(g_steal_pointer(&worker->on_death)); /* a pidfd stays readable */
    actor_cast(worker->actors, worker->id, LANE_SUPERVISION,
               &(ActorMessage){ .tag = TAG_DEATH, .number = worker->incarnation });
}

static void take_death(Worker *worker)
{
    if (worker->state != WORKER_STARTING && worker->state != WORKER_READY)
        return; /* the host was quicker to tell */
    set_state(worker, WORKER_DYING);
    arm_timer(worker, STATUS_GRACE_USEC);
    worker->events.dying(worker, worker->user);
}

/* The host's numbers, within what can be; anything else is as good as nothing. */
static void take_usage(Worker *worker, const gchar *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 2);
    g_auto(GStrv) numbers = g_strsplit(lines[0] != NULL ? lines[0] : "", " ", 3);
    guint64 values[3] = { 0, 0, 0 };
    for (guint i = 0; i < G_N_ELEMENTS(values) && numbers[i] != NULL; i++)
        (void)g_ascii_string_to_unsigned(numbers[i], 10, 0, G_MAXINT64 / 1024, &values[i], NULL);
    worker->usage = (WorkerUsage){ (gint64)values[0], (gint64)values[1], (gint64)values[2] * 1024 };
    if (lines[0] != NULL && lines[1] != NULL && lines[1][0] != '\0')
        worker->trace = g_strndup(lines[1], TRACE_MOST_BYTES);
}

static void on_exited(Worker *worker, const LinkMessage *message)
{
    worker->status = message->value;
    worker->status_known = TRUE;
    take_usage(worker, message->text);
    if (worker->on_death != NULL)
        event_free(g_steal_pointer(&worker->on_death));
    if (worker->state != WORKER_DYING)
        set_state(worker, WORKER_DYING);
    /* Why it did not start comes by the other socket, and may not have been read yet. */
    if (worker->ready_usec == 0 && worker->failure == NULL)
        arm_timer(worker, 0);
    else
        bury(worker);
}

/* --- life -------------------------------------------------------------------------------- */

static void on_ready(Worker *worker)
{
    worker->ready_usec = loop_now_usec();
    set_state(worker, WORKER_READY);
    worker->events.ready(worker, worker->user);
}

static void on_forked(Worker *worker, const LinkMessage *message)
{
    const int pidfd =
        message->fd >= 0 && !FAULT_AT(WORKER_DUP) ? fcntl(message->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (pidfd < 0) { /* out of descriptors: a process that cannot be watched must not be */
        worker->events.silent(worker, worker->user);
        return;
    }
    worker->pidfd = pidfd;
    worker->pid = message->value;
    set_state(worker, WORKER_STARTING);
    worker->on_death =
        event_new(loop_base(worker->loop), pidfd, EV_READ | EV_PERSIST, on_death, worker);
    event_add(worker->on_death, NULL);
    arm_timer(worker, worker->service->start_timeout_usec);
    worker->events.forked(worker, worker->user);
    if (worker->said_ready)
        on_ready(worker);
}

static void on_unforked(Worker *worker, const gchar *why)
{
    worker->failure = g_strdup(why);
    bury(worker);
    worker->events.forked(worker, worker->user);
}

void worker_take_message(Worker *worker, const LinkMessage *message)
{
    if (message->incarnation != worker->incarnation)
        return;
    const gboolean started = worker->state == WORKER_STARTING || worker->state == WORKER_READY ||
                             worker->state == WORKER_DYING;
    const gboolean may_speak = started || worker->state == WORKER_FORKING;
    if (message->kind == LINK_FORKED && worker->state == WORKER_FORKING)
        on_forked(worker, message);
    else if (message->kind == LINK_UNFORKED && worker->state == WORKER_FORKING)
        on_unforked(worker, message->text);
    else if (message->kind == LINK_READY && worker->state == WORKER_FORKING)
        worker->said_ready = TRUE;
    else if (message->kind == LINK_READY && worker->state == WORKER_STARTING)
        on_ready(worker);
    else if (message->kind == LINK_FAILED && may_speak && worker->ready_usec == 0 &&
             worker->failure == NULL)
        worker->failure = g_strdup(message->text);
    else if (message->kind == LINK_EXITED && started)
        on_exited(worker, message);
}

static void take_time(Worker *worker)
{
    worker->timer = 0;
    if (worker->state == WORKER_FORKING) {
        worker->events.silent(worker, worker->user);
    } else if (worker->state == WORKER_STARTING) {
        worker->end = WORKER_TIMEOUT;
        worker_kill(worker);
    } else if (worker->state == WORKER_DYING) {
        bury(worker);
    }
}

/* --- the actor: of the seat, through all its incarnations -------------------------------- */

static gboolean on_start(Actor *self, GError **error)
{
    (void)error;
    OBJ_FROM(Worker, actor_data(self), WORKER_MAGIC)->self = self;
    return TRUE;
}

static void on_message(Actor *self, const ActorMessage *message)
{
    Worker *worker = OBJ_FROM(Worker, actor_data(self), WORKER_MAGIC);
    if (message->number != worker->incarnation)
        return;
    if (message->tag == TAG_DEATH)
        take_death(worker);
    else if (message->tag == TAG_TIME)
        take_time(worker);
}

static void on_kill(Actor *self) { worker_kill(OBJ_FROM(Worker, actor_data(self), WORKER_MAGIC)); }

static void on_free(Actor *self)
{
    Worker *worker = OBJ_FROM(Worker, actor_data(self), WORKER_MAGIC);
    worker->self = NULL;
    worker->events.over(worker, worker->user);
}

void worker_stop_actor(Worker *worker)
{
    if (worker->id != 0)
        actor_stop(worker->actors, worker->id, loop_now_usec());
}

void worker_start_actor(Worker *worker, ActorSystem *actors)
{
    static const ActorClass class = { on_start, on_message, NULL, on_kill, on_free };
    const ActorOptions options = { .name = worker->service->name, .restart = RESTART_NEVER };
    worker->actors = actors;
    worker->id = actor_spawn(actors, 0, &class, &options, worker);
}

guint16 worker_begin(Worker *worker)
{
    set_state(worker, WORKER_FORKING);
    worker->incarnation++;
    worker->end = WORKER_DIED;
    worker->said_ready = worker->status_known = FALSE;
    worker->usage = (WorkerUsage){ 0 };
    worker->ready_usec = 0;
    arm_timer(worker, worker->service->start_timeout_usec);
    return worker->incarnation;
}

void worker_host_gone(Worker *worker)
{
    if (worker->state == WORKER_VACANT)
        return;
    worker_kill(worker); /* it dies with its host; this makes it sooner */
    forget_process(worker);
    if (worker->state == WORKER_STARTING || worker->state == WORKER_READY)
        set_state(worker, WORKER_DYING);
    set_state(worker, WORKER_VACANT);
}

Worker *worker_new(Loop *loop, const ServiceConfig *service, guint32 index,
                   const WorkerEvents *events, gpointer user)
{
    Worker *worker = g_new0(Worker, 1);
    OBJ_INIT(worker, WORKER_MAGIC);
    worker->loop = loop;
    worker->service = service;
    worker->index = index;
    worker->events = *events;
    worker->user = user;
    worker->pidfd = -1;
    return worker;
}

void worker_free(Worker *worker)
{
    if (worker == NULL)
        return;
    worker_kill(worker);
    forget_process(worker);
    OBJ_FINI(worker, WORKER_MAGIC);
    g_free(worker);
}

WorkerState worker_state(const Worker *worker) { return worker->state; }
const gchar *worker_state_name(const Worker *worker) { return worker_states[worker->state].text; }
guint32 worker_index(const Worker *worker) { return worker->index; }
guint16 worker_incarnation(const Worker *worker) { return worker->incarnation; }
gint worker_pid(const Worker *worker) { return worker->pid; }

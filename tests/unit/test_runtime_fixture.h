/* test_runtime_fixture.h - a loop in virtual time, and actors that write down what happens. */
#pragma once
#include "actor/runtime/actor.h"
#include <check.h>
#include <string.h>

#define MSEC   ((gint64)1000)
#define SECOND ((gint64)1000000)

enum { TAG_NOTE = 1, TAG_FAIL, TAG_STOP_SELF, TAG_ALARM, TAG_FLOOD, TAG_CANCEL };

typedef struct {
    ActorLoop loop; /* first: what the system has is this */
    ActorSystem *system;
    GString *said;
    gint64 now_usec, wake_usec;
    gboolean woken;
    guint failing_starts; /* so many starts fail */
    gboolean slow_stop;   /* actors do not say that they have stopped */
} Stage;

/* One actor's state. */
typedef struct {
    Stage *stage;
    const gchar *name;
    Actor *self;
    guint freed;
    guint64 cancels; /* the timer, when it hears TAG_CANCEL */
} Player;

static inline gint64 stage_now(ActorLoop *loop) { return ((Stage *)loop)->now_usec; }
static inline void stage_wake(ActorLoop *loop) { ((Stage *)loop)->woken = TRUE; }
static inline void stage_wake_at(ActorLoop *loop, gint64 usec)
{
    ((Stage *)loop)->wake_usec = usec;
}

static inline void stage_open(Stage *stage)
{
    *stage = (Stage){ .loop = { stage_now, stage_wake, stage_wake_at },
                      .said = g_string_new(NULL),
                      .now_usec = SECOND,
                      .wake_usec = G_MAXINT64 };
    stage->system = actor_system_new(&stage->loop, 1);
}

static inline void stage_close(Stage *stage)
{
    actor_system_free(stage->system);
    g_string_free(stage->said, TRUE);
}

/* Until nothing wants to run now. */
static inline void stage_run(Stage *stage)
{
    for (guint i = 0; stage->woken; i++) {
        ck_assert_uint_lt(i, 10000);
        stage->woken = FALSE;
        actor_system_run(stage->system);
    }
}

/* Lets time pass, from one wish to be woken to the next. */
static inline void stage_time(Stage *stage, gint64 usec)
{
    const gint64 until = stage->now_usec + usec;
    stage_run(stage);
    while (stage->wake_usec <= until) {
        stage->now_usec = MAX(stage->now_usec, stage->wake_usec);
        stage->wake_usec = G_MAXINT64;
        actor_system_run(stage->system);
        stage_run(stage);
    }
    stage->now_usec = until;
}

static inline void player_says(const Player *player, const gchar *what)
{
    g_string_append_printf(player->stage->said, "%s %s; ", player->name, what);
}

static inline gboolean player_start(Actor *self, GError **error)
{
    Player *player = actor_data(self);
    player->self = self;
    if (player->stage->failing_starts > 0) {
        player->stage->failing_starts--;
        player_says(player, "fails to start");
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "no luck");
        return FALSE;
    }
    player_says(player, "starts");
    return TRUE;
}

static inline void player_handle(Actor *self, const ActorMessage *message)
{
    static const gchar *const ends[] = { "stopped", "failed", "killed" };
    Player *player = actor_data(self);
    g_autofree gchar *text = NULL;
    if (message->tag == TAG_NOTE || message->tag == TAG_ALARM)
        text = g_strdup_printf("hears %d", (int)message->number);
    else if (message->tag == ACTOR_TAG_DOWN)
        text = g_strdup_printf("sees one %s (%s)", ends[message->number], (gchar *)message->data);
    else if (message->tag == ACTOR_TAG_CHILD_DOWN)
        text = g_strdup_printf("lost a child: %s", (gchar *)message->data);
    if (text != NULL)
        player_says(player, text);
    if (message->tag == TAG_FAIL)
        actor_fail(self, "told to");
    else if (message->tag == TAG_STOP_SELF)
        actor_stopped(self);
    else if (message->tag == TAG_CANCEL)
        actor_cancel_timer(self, player->cancels);
}

static inline void player_stop(Actor *self)
{
    Player *player = actor_data(self);
    player_says(player, "is asked to stop");
    if (!player->stage->slow_stop)
        actor_stopped(self);
}

static inline void player_kill(Actor *self) { player_says(actor_data(self), "is killed"); }

static inline void player_free(Actor *self)
{
    Player *player = actor_data(self);
    player->freed++;
}

static const ActorClass player_class = { player_start, player_handle, player_stop, player_kill,
                                         player_free };

static inline ActorId player_spawn(Stage *stage, Player *player, ActorId parent, const gchar *name)
{
    const ActorOptions options = { .name = name,
                                   .restart = RESTART_ON_FAILURE,
                                   .backoff_min_usec = 100 * MSEC,
                                   .backoff_max_usec = 10 * SECOND,
                                   .intensity = 5,
                                   .window_usec = 60 * SECOND,
                                   .mailbox_limit = 4 };
    *player = (Player){ .stage = stage, .name = name };
    return actor_spawn(stage->system, parent, &player_class, &options, player);
}

static inline gboolean note(Stage *stage, ActorId to, ActorLane lane, gint64 number)
{
    return actor_cast(stage->system, to, lane,
                      &(ActorMessage){ .tag = TAG_NOTE, .number = number });
}

static inline void tell(Stage *stage, ActorId to, guint tag)
{
    actor_cast(stage->system, to, LANE_CONTROL, &(ActorMessage){ .tag = tag });
}

#define assert_said(stage, text)                    \
    do {                                            \
        ck_assert_str_eq((stage)->said->str, text); \
        g_string_truncate((stage)->said, 0);        \
    } while (0)

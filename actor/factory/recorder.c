#include "actor/factory/recorder.h"
#include "actor/factory/recording.h"
#include "actor/factory/state.h"
#include <string.h>

typedef struct {
    gint64 now_usec;
    FactoryEvent event;
} Recorded;

/* From a checkpoint on. */
typedef struct {
    Factory *checkpoint; /* NULL: none */
    Recorded *events;    /* FACTORY_RECORD_EVENTS */
    guint n_events;
    guint64 actions_digest;
} Stretch;

struct Recorder {
    gboolean on;
    gboolean recording;  /* the step that is under way */
    Stretch now, before; /* before: the one that ended where `now` begins */
};

/* --- copies of a state ------------------------------------------------------------------- */

typedef struct {
    gpointer *at;
    gsize bytes;
} Block;

/* Every table that a factory owns. */
#define BLOCKS 11
static void blocks_of(Factory *f, Block blocks[BLOCKS])
{
    const Block all[BLOCKS] = {
        { (gpointer *)&f->jobs, f->n_jobs_allocated * sizeof(Job) },
        { (gpointer *)&f->job_timers.nodes, f->job_timers.n_nodes * sizeof(WheelNode) },
        { (gpointer *)&f->lanes, f->n_lanes_allocated * sizeof(Lane) },
        { (gpointer *)&f->buckets, f->n_buckets * sizeof(guint32) },
        { (gpointer *)&f->seats, 2 * (gsize)f->workers_most * sizeof(Seat) },
        { (gpointer *)&f->seat_timers.nodes, f->seat_timers.n_nodes * sizeof(WheelNode) },
        { (gpointer *)&f->hash_table, f->n_hash_table * sizeof(guint32) },
        { (gpointer *)&f->pool.members, f->workers_most * sizeof(guint32) },
        { (gpointer *)&f->next.members, f->workers_most * sizeof(guint32) },
        { (gpointer *)&f->clients, RATE_CLIENT_SETS * RATE_CLIENT_WAYS * sizeof(RateClient) },
        { (gpointer *)&f->methods, f->settings.n_methods * sizeof(Method) },
    };
    memcpy(blocks, all, sizeof all);
}

static gsize state_bytes(Factory *f)
{
    Block blocks[BLOCKS];
    gsize bytes = sizeof *f;
    blocks_of(f, blocks);
    for (guint i = 0; i < BLOCKS; i++)
        bytes += blocks[i].bytes;
    return bytes;
}

void state_clear(Factory *f)
{
    Block blocks[BLOCKS];
    blocks_of(f, blocks);
    for (guint i = 0; i < BLOCKS; i++)
        g_clear_pointer(blocks[i].at, g_free);
}

static Factory *state_copy(const Factory *f)
{
    Factory *copy = g_memdup2(f, sizeof *f);
    Block blocks[BLOCKS];
    copy->recorder = NULL;
    copy->out = NULL;
    copy->trace = NULL;
    copy->trace_job = 0;
    blocks_of(copy, blocks);
    for (guint i = 0; i < BLOCKS; i++)
        *blocks[i].at = g_memdup2(*blocks[i].at, blocks[i].bytes);
    return copy;
}

static void state_free(Factory *f)
{
    if (f == NULL)
        return;
    state_clear(f);
    g_free(f);
}

/* --- digests ----------------------------------------------------------------------------- */

/* FNV-1a over words: not for strangers, only to tell equal from different. */
static guint64 mix(guint64 digest, guint64 word)
{
    return (digest ^ word) * G_GUINT64_CONSTANT(0x100000001b3);
}

static guint64 mix_bytes(guint64 digest, gconstpointer data, gsize bytes)
{
    const guint8 *from = data;
    for (gsize i = 0; i < bytes; i++)
        digest = mix(digest, from[i]);
    return digest;
}

static guint64 state_digest(const Factory *f)
{
    Block blocks[BLOCKS];
    g_autofree Factory *bare = g_memdup2(f, sizeof *f);
    guint64 digest = G_GUINT64_CONSTANT(0xcbf29ce484222325);
    blocks_of(bare, blocks);
    for (guint i = 0; i < BLOCKS; i++) {
        digest = mix_bytes(digest, *blocks[i].at, blocks[i].bytes);
        *blocks[i].at = NULL;
    }
    bare->recorder = NULL;
    bare->out = NULL;
    bare->trace = NULL;
    bare->trace_job = 0;
    return mix_bytes(digest, bare, sizeof *bare);
}

static guint64 mix_actions(guint64 digest, const FactoryAction *actions, guint n_actions)
{
    for (guint i = 0; i < n_actions; i++) {
        const FactoryAction *a = &actions[i];
        digest = mix(digest, (guint64)a->kind << 32 | (guint64)a->reason);
        digest = mix(digest, a->job);
        digest = mix(digest, (guint64)a->worker << 32 | a->incarnation);
        digest = mix(digest, (guint64)a->value);
    }
    return digest;
}

/* --- recording --------------------------------------------------------------------------- */

static void stretch_clear(Stretch *stretch)
{
    g_clear_pointer(&stretch->checkpoint, state_free);
    stretch->n_events = 0;
    stretch->actions_digest = 0;
}

Recorder *recorder_new(void)
{
    Recorder *recorder = g_new0(Recorder, 1);
    recorder->on = TRUE;
    return recorder;
}

void recorder_free(Recorder *recorder)
{
    if (recorder == NULL)
        return;
    stretch_clear(&recorder->now);
    stretch_clear(&recorder->before);
    g_free(recorder->now.events);
    g_free(recorder->before.events);
    g_free(recorder);
}

void factory_set_recording(Factory *f, gboolean on)
{
    stretch_clear(&f->recorder->now);
    stretch_clear(&f->recorder->before);
    f->recorder->on = on;
}

/* The stretch that is full, or none, becomes the one before; a new one begins here. */
static void begin_stretch(Factory *f)
{
    Recorder *recorder = f->recorder;
    const Stretch full = recorder->now;
    recorder->now = recorder->before;
    recorder->before = full;
    stretch_clear(&recorder->now);
    if (state_bytes(f) > FACTORY_RECORD_STATE_BYTES)
        return;
    if (recorder->now.events == NULL)
        recorder->now.events = g_new(Recorded, FACTORY_RECORD_EVENTS);
    recorder->now.checkpoint = state_copy(f);
}

void recorder_begin(Factory *f, const FactoryEvent *event, gint64 now_usec)
{
    Recorder *recorder = f->recorder;
    recorder->recording = FALSE;
    if (!recorder->on || event->kind == EVENT_SETTINGS)
        return;
    if (recorder->now.checkpoint == NULL || recorder->now.n_events == FACTORY_RECORD_EVENTS)
        begin_stretch(f);
    if (recorder->now.checkpoint == NULL)
        return;
    recorder->now.events[recorder->now.n_events++] = (Recorded){ now_usec, *event };
    recorder->recording = TRUE;
}

/* What settings change is not recorded: a new stretch begins behind it. */
void recorder_end(Factory *f, const FactoryEvent *event, const FactoryAction *actions,
                  guint n_actions)
{
    Recorder *recorder = f->recorder;
    if (recorder->on && event->kind == EVENT_SETTINGS)
        begin_stretch(f);
    else if (recorder->recording)
        recorder->now.actions_digest =
            mix_actions(recorder->now.actions_digest, actions, n_actions);
}

/* --- playing ----------------------------------------------------------------------------- */

/* `trace` may be NULL; else it gets the lines about `job`. */
static void play(const Stretch *stretch, FactoryReplay *replay, GString *trace, guint64 job)
{
    FactoryActions actions = { NULL, 0, 0 };
    Factory *f = state_copy(stretch->checkpoint);
    f->trace = trace;
    f->trace_job = job;
    f->out = &actions;
    *replay = (FactoryReplay){ .events = stretch->n_events };
    for (guint i = 0; i < stretch->n_events; i++) {
        actions.n = 0;
        state_step(f, &stretch->events[i].event, stretch->events[i].now_usec);
        replay->actions_digest = mix_actions(replay->actions_digest, actions.items, actions.n);
    }
    replay->state_digest = state_digest(f);
    state_free(f);
    factory_actions_clear(&actions);
}

gboolean factory_replay(const Factory *f, FactoryReplay *replay, FactoryReplay *live)
{
    const Stretch *now = &f->recorder->now;
    if (now->checkpoint == NULL)
        return FALSE;
    play(now, replay, NULL, 0);
    if (live != NULL)
        *live = (FactoryReplay){ now->n_events, state_digest(f), now->actions_digest };
    return TRUE;
}

gboolean factory_explain(const Factory *f, guint64 job, GString *out)
{
    const gsize before = out->len;
    FactoryReplay ignored;
    if (f->recorder->before.checkpoint != NULL)
        play(&f->recorder->before, &ignored, out, job);
    if (f->recorder->now.checkpoint != NULL)
        play(&f->recorder->now, &ignored, out, job);
    return out->len > before;
}

void trace_line(Factory *f, const gchar *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_string_append_printf(f->trace, "%" G_GINT64_FORMAT " us: ", f->now_usec);
    g_string_append_vprintf(f->trace, format, arguments);
    g_string_append_c(f->trace, '\n');
    va_end(arguments);
}

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
    gboolean is_there;   /* else the rest only is memory for the next one */
    Factory *checkpoint; /* NULL: there has not been one */
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
#define BLOCKS 12
static void blocks_of(Factory *f, Block blocks[BLOCKS])
{
    const Block all[BLOCKS] = {
        { (gpointer *)&f->jobs, f->n_jobs_allocated * sizeof(Job) },
        { (gpointer *)&f->job_timers.nodes, f->job_timers.n_nodes * sizeof(WheelNode) },
        { (gpointer *)&f->lanes, f->n_lanes_allocated * sizeof(Lane) },
        { (gpointer *)&f->buckets, f->n_buckets * sizeof(guint32) },
        { (gpointer *)&f->seats, 2 * (gsize)f->workers_most * sizeof(Seat) },
        { (gpointer *)&f->seat_timers.nodes, f->seat_timers.n_nodes * sizeof(WheelNode) },
        { (gpointer *)&f->pools[0].hash_table, f->pools[0].n_hash_table * sizeof(guint32) },
        { (gpointer *)&f->pools[1].hash_table, f->pools[1].n_hash_table * sizeof(guint32) },
        { (gpointer *)&f->pools[0].members, f->workers_most * sizeof(guint32) },
        { (gpointer *)&f->pools[1].members, f->workers_most * sizeof(guint32) },
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

/* Into the memory of an older copy, so that a steady state takes no memory: NULL: of none. */
static Factory *state_copy(const Factory *f, Factory *copy)
{
    Block old[BLOCKS], blocks[BLOCKS];
    gpointer memory[BLOCKS];
    if (copy == NULL)
        copy = g_new0(Factory, 1);
    blocks_of(copy, old);
    for (guint i = 0; i < BLOCKS; i++)
        memory[i] = *old[i].at;
    *copy = *f;
    copy->recorder = NULL;
    copy->out = NULL;
    copy->trace = NULL;
    copy->trace_job = 0;
    blocks_of(copy, blocks);
    for (guint i = 0; i < BLOCKS; i++) {
        if (memory[i] == NULL || blocks[i].bytes != old[i].bytes)
            memory[i] = g_realloc(memory[i], blocks[i].bytes);
        if (blocks[i].bytes > 0)
            memcpy(memory[i], *blocks[i].at, blocks[i].bytes);
        *blocks[i].at = memory[i];
    }
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

static void stretch_forget(Stretch *stretch)
{
    stretch->is_there = FALSE;
    stretch->n_events = 0;
    stretch->actions_digest = 0;
}

static void stretch_clear(Stretch *stretch)
{
    g_clear_pointer(&stretch->checkpoint, state_free);
    g_clear_pointer(&stretch->events, g_free);
    stretch_forget(stretch);
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
    stretch_forget(&recorder->now);
    if (state_bytes(f) > FACTORY_RECORD_STATE_BYTES)
        return;
    if (recorder->now.events == NULL)
        recorder->now.events = g_new(Recorded, FACTORY_RECORD_EVENTS);
    recorder->now.checkpoint = state_copy(f, recorder->now.checkpoint);
    recorder->now.is_there = TRUE;
}

void recorder_begin(Factory *f, const FactoryEvent *event, gint64 now_usec)
{
    Recorder *recorder = f->recorder;
    recorder->recording = FALSE;
    if (!recorder->on || event->kind == EVENT_SETTINGS)
        return;
    if (!recorder->now.is_there || recorder->now.n_events == FACTORY_RECORD_EVENTS)
        begin_stretch(f);
    if (!recorder->now.is_there)
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

/* `trace` may be NULL; else it gets the lines about `job`.  Returns the state that it led to. */
static Factory *play(const Stretch *stretch, GString *trace, guint64 job, guint64 *actions_digest)
{
    FactoryActions actions = { NULL, 0, 0 };
    Factory *f = state_copy(stretch->checkpoint, NULL);
    f->trace = trace;
    f->trace_job = job;
    f->out = &actions;
    *actions_digest = 0;
    for (guint i = 0; i < stretch->n_events; i++) {
        actions.n = 0;
        state_step(f, &stretch->events[i].event, stretch->events[i].now_usec);
        *actions_digest = mix_actions(*actions_digest, actions.items, actions.n);
    }
    factory_actions_clear(&actions);
    return f;
}

gboolean factory_replay(const Factory *f, FactoryReplay *replay, FactoryReplay *live)
{
    const Stretch *now = &f->recorder->now;
    if (!now->is_there)
        return FALSE;
    Factory *played = play(now, NULL, 0, &replay->actions_digest);
    replay->events = now->n_events;
    replay->state_digest = state_digest(played);
    state_free(played);
    if (live != NULL)
        *live = (FactoryReplay){ now->n_events, state_digest(f), now->actions_digest };
    return TRUE;
}

gboolean factory_explain(const Factory *f, guint64 job, GString *out)
{
    const Stretch *stretches[] = { &f->recorder->before, &f->recorder->now };
    const gsize before = out->len;
    for (guint i = 0; i < G_N_ELEMENTS(stretches); i++) {
        guint64 ignored;
        if (stretches[i]->is_there)
            state_free(play(stretches[i], out, job, &ignored));
    }
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

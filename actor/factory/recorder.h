/* recorder.h - the flight recorder of a factory: what happened last, to be played again.
 *
 * Every event is kept with its time, from a checkpoint of the whole state on.  Two stretches
 * of FACTORY_RECORD_EVENTS are kept, so at least the last one is there in full.  Changing the
 * settings begins a new stretch.  While the state is larger than FACTORY_RECORD_STATE_BYTES
 * nothing is recorded, and the recorder says so.  It takes up to twice the events (1.6 MB) and
 * twice a state.
 *
 * Thread: as the factory.   Owns: the recording.                                             */
#pragma once
#include "actor/factory/factory.h"

#define FACTORY_RECORD_EVENTS      8192u
#define FACTORY_RECORD_STATE_BYTES ((gsize)8 << 20)

/* On from the start; switching it off forgets the recording. */
void factory_set_recording(Factory *factory, gboolean on);

typedef struct {
    guint64 events;         /* played */
    guint64 state_digest;   /* of the state that this led to */
    guint64 actions_digest; /* of all actions on the way */
} FactoryReplay;

/* Plays the newest stretch from its checkpoint.  FALSE when there is none.  `live` (may be
 * NULL) becomes what the factory itself computed in that stretch: equal, bit for bit. */
gboolean factory_replay(const Factory *factory, FactoryReplay *replay, FactoryReplay *live);

/* Plays what is recorded and appends a line for each decision about the job: why it waited,
 * moved, was refused or ended.  FALSE when no line is known of it. */
gboolean factory_explain(const Factory *factory, guint64 job, GString *out);

/* recording.h - what the step tells the recorder.  Private to actor/factory. */
#pragma once
#include "actor/factory/recorder.h"

typedef struct Recorder Recorder;

Recorder *recorder_new(void);
void recorder_free(Recorder *recorder); /* NULL is fine */

void recorder_begin(Factory *factory, const FactoryEvent *event, gint64 now_usec);
void recorder_end(Factory *factory, const FactoryEvent *event, const FactoryAction *actions,
                  guint n_actions);

/* factory.c: the step itself, without the recorder.  `out` of the state is set. */
void state_step(Factory *factory, const FactoryEvent *event, gint64 now_usec);
void state_clear(Factory *factory); /* frees its tables */

/* loop_actors.h - a system of actors on a libevent loop: what actor/runtime/loop.h asks for.
 *
 * Thread: the loop's.
 * Owns:   the system, its timer, and its place in each pass's deferred work.                 */
#pragma once
#include "actor/runtime/actor.h"
#include "daemon/base/loop.h"

typedef struct LoopActors LoopActors;

LoopActors *loop_actors_new(Loop *loop);
void loop_actors_free(LoopActors *actors); /* kills what is left; NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LoopActors, loop_actors_free)

ActorSystem *loop_actors_system(LoopActors *actors);

/* drain.h - the actor that sees a drain to its end: begins it in all services, and tells its
 * parent when none of them has a call left or the time is up.
 *
 * Thread: the loop's.   Borrows: dispatch, for its life.                                     */
#pragma once
#include "actor/runtime/actor.h"
#include "daemon/dispatch/dispatch.h"

/* To the parent, in the lane CONTROL; number: calls that were cut off. */
#define DRAIN_TAG_OVER 1u

ActorId drain_spawn(ActorSystem *actors, ActorId parent, Dispatch *dispatch, gint64 timeout_usec);

/* What dispatch says of the drain. */
void drain_take_end(ActorSystem *actors, ActorId drain, guint64 cut_off);

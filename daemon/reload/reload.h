/* reload.h - the actor that reads the configuration again when it is told to.
 *
 * Thread: the loop's.   Borrows: the counters, for its life.   Owns: a copy of the path.
 * Never:  changes anything of the running daemon.                                            */
#pragma once
#include "actor/runtime/actor.h"
#include "daemon/base/counters.h"

ActorId reload_spawn(ActorSystem *actors, ActorId parent, const gchar *config_path,
                     DaemonStats *stats);

/* Reads and checks the file, and logs what it found. */
void reload_ask(ActorSystem *actors, ActorId reload);

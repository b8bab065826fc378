/* host.h - one supervised sluice-host process, its ring and its life: an actor.
 *
 * It fails when its process ends unasked, and its supervisor starts it again.  Asked to stop,
 * it has its owner stop the workers and end it, and has stopped when the process is gone.
 *
 * Thread: the loop's.
 * Owns:   the process (killed on free), its sockets, its ring, and the copy of the plugin that
 *         all its processes load.
 * Borrows: the configuration, for its own life.
 * Never:  blocks, or trusts a byte that the host or a worker sent.                          */
#pragma once
#include "actor/ring/link.h"
#include "actor/runtime/actor.h"
#include "actor/ring/ring_front.h"
#include "config/config.h"
#include "daemon/base/loop.h"

typedef struct Host Host;

typedef enum {
#define STATE(name, text, from) HOST_##name,
#include "daemon/hosts/host_state.def"
    HOST_STATES
} HostState;

typedef struct {
    void (*hello)(gpointer user);   /* the plugin is loaded */
    void (*refused)(gpointer user); /* it cannot be served: host_error(); the process ends */
    void (*message)(const LinkMessage *message, gpointer user); /* about a worker */
    /* The process has ended, or was never started; `how` says it in words.  The ring is
     * still there, for its calls to be taken out, and freed right after. */
    void (*gone)(const gchar *how, gpointer user);
    void (*stopping)(gpointer user); /* end the workers, then call host_end() */
    void (*killing)(gpointer user);  /* there was no time for that: kill all of them */
    void (*over)(gpointer user);     /* the actor has ended, and no process is left */
} HostEvents;

/* What its processes are for: one generation of a service. */
typedef struct {
    Config *config;
    const ServiceConfig *service; /* of that configuration */
    guint generation;
    guint32 frame_bytes; /* the largest call or reply: max-frame-bytes, or what it was before */
} HostSpec;

/* One more worker than the service may have: it starts before the one that it is for ends. */
#define HOST_SPARE_WORKERS 1u

Host *host_new(Loop *loop, const HostSpec *spec, const HostEvents *events, gpointer user);
void host_free(Host *host); /* NULL is fine; kills the process */

/* Once: spawns the actor.  It reads the plugin's file and starts the process. */
void host_start(Host *host, ActorSystem *actors, ActorId parent);
ActorId host_actor(const Host *host);
void host_end(Host *host); /* every worker has ended: unload and exit, STOPPED when done */
void host_kill(Host *host, const gchar *why);

/* Asks for a worker; FORKED comes as a message. */
void host_fork_worker(Host *host, guint32 worker, guint16 incarnation);

/* Reads what the host has sent so far: the messages come before this returns. */
void host_read_messages(Host *host);

RingFront *host_ring(const Host *host); /* NULL while no process runs */
HostState host_state(const Host *host);
const gchar *host_state_name(const Host *host);
gint host_pid(const Host *host);                 /* 0 while none runs */
const gchar *host_error(const Host *host);       /* why it was refused or died last; or NULL */
const gchar *host_plugin_name(const Host *host); /* NULL before the first hello */
const gchar *host_plugin_version(const Host *host);
guint host_plugin_flags(const Host *host);

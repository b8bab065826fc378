/* host.h - one supervised sluice-host process, its ring and its life.
 *
 * Thread: the loop's.
 * Owns:   the process (killed on free), its sockets, its ring, the wait before its next
 *         start, and the copy of the plugin that all its processes load.
 * Borrows: config and service, for its own life.
 * Never:  blocks, or trusts a byte that the host or a worker sent.                          */
#pragma once
#include "actor/ring/link.h"
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
} HostEvents;

Host *host_new(Loop *loop, const Config *config, const ServiceConfig *service, guint generation,
               const HostEvents *events, gpointer user);
void host_free(Host *host); /* NULL is fine; kills the process */

void host_start(Host *host); /* from STOPPED; reads the plugin's file */
void host_end(Host *host);   /* every worker has ended: unload and exit, STOPPED when done */
void host_kill(Host *host, const gchar *why);
void host_give_up(Host *host); /* no process runs; none shall be started again */

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

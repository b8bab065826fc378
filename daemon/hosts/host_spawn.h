/* host_spawn.h - starts the program sluice-host with the descriptors it expects.
 *
 * Always exec, never only fork: a host must not inherit a client's socket or a byte of
 * sluiced's memory.  Everything else of sluiced's is close-on-exec.                         */
#pragma once
#include "actor/ring/ring_front.h"
#include "config/config.h"
#include <glib.h>

typedef struct {
    const gchar *program;
    const gchar *service;
    const gchar *plugin;  /* for messages; the code is in image_fd */
    const gchar *sandbox; /* host_sandbox_rules() */
    guint generation;
    int segment_fd, event_fd, image_fd; /* borrowed */
} HostSpawn;

typedef struct {
    GPid pid;
    int pidfd, control_fd, report_fd; /* owned by the caller; the sockets are non-blocking */
} HostHandles;

gboolean host_spawn(const HostSpawn *what, HostHandles *handles, GError **error);

/* What its processes may not do, in the words of handlers/host/sandbox.h; free with g_free(). */
gchar *host_sandbox_rules(const ServiceConfig *service);

/* The ring between sluiced and the workers of a service. */
RingFront *host_ring_new(const ServiceConfig *service, guint32 frame_bytes, GError **error);

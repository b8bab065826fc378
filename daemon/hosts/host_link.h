/* host_link.h - sluiced's end of the two sockets to a host and its workers.
 *
 * The control socket is the host's alone; on the report socket the workers speak, each of
 * itself.  Who says what it may not say, or closes a socket and lives on, is in trouble.
 *
 * Thread: the loop's.
 * Owns:   both sockets.
 * Never:  blocks, or trusts more of a message than link_receive() has checked.               */
#pragma once
#include "actor/ring/link.h"
#include "daemon/base/loop.h"

typedef struct HostLink HostLink;

typedef struct {
    /* A descriptor in the message is closed after this, unless it was duplicated. */
    void (*message)(const LinkMessage *message, gpointer user);
    void (*closed)(gpointer user);                   /* once per socket */
    void (*broken)(const gchar *why, gpointer user); /* the host must go */
} HostLinkEvents;

HostLink *host_link_new(Loop *loop, int control_fd, int report_fd, const HostLinkEvents *events,
                        gpointer user);
void host_link_free(HostLink *link); /* NULL is fine; not from within an event */

/* FALSE: the host does not read. */
gboolean host_link_send(HostLink *link, const LinkMessage *message);

/* Reads what is there: the events come before this returns. */
void host_link_read(HostLink *link);

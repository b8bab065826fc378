/* link.h - the messages between sluiced, a sluice-host and its workers.
 *
 *   sluiced <--- control socket (SEQPACKET) ---> host       one each way, see the kinds
 *   sluiced <--- report socket (SEQPACKET) ----- host, workers: all write, packets stay whole
 *
 * Thread: any; functions only use the descriptor they are given.
 * Trust:  sluiced takes what arrives as hostile: link_receive checks sizes and kind, the
 *         caller checks the rest.  Descriptors that nobody asked for are closed.           */
#pragma once
#include <glib.h>

/* The descriptors that a host is started with. */
enum {
    LINK_FD_CONTROL = 3,
    LINK_FD_REPORT,
    LINK_FD_SEGMENT,
    LINK_FD_EVENT,
    LINK_FD_IMAGE,
    LINK_FD_END
};

#define LINK_TEXT_MAX 65536u

typedef enum {
    /* sluiced to host, control */
    LINK_LOAD = 1, /* text: the plugin's settings */
    LINK_FORK,     /* worker, incarnation */
    LINK_END,      /* unload and exit; all workers have ended */
    /* host to sluiced, control */
    LINK_HELLO,    /* the plugin is loaded; value: its flags; text: "name\nversion" */
    LINK_REFUSED,  /* the plugin cannot be served; text: why.  The host exits */
    LINK_FORKED,   /* worker, incarnation; value: pid; with its pidfd */
    LINK_UNFORKED, /* worker, incarnation; text: why there is no such process */
    LINK_EXITED,   /* worker, incarnation; value: wait status; text: "USER_USEC SYSTEM_USEC
                      MAX_RSS_KB", then on a line of its own where it crashed, or nothing */
    /* worker to sluiced, report */
    LINK_READY,   /* worker, incarnation */
    LINK_FAILED,  /* worker, incarnation; text: why it did not start.  The worker exits */
    LINK_LOG,     /* worker, incarnation; value: GLogLevelFlags; text: the line */
    LINK_WORN,    /* worker, incarnation; text: why it should be replaced; it serves on */
    LINK_DROPPED, /* value: lines that were not sent because they came too fast */
    LINK_KINDS
} LinkKind;

/* Of LINK_HELLO's flags; the SDK's header has the same bit. */
#define LINK_PLUGIN_THREAD_SAFE (1u << 0)

/* A line from the host itself, not from a worker. */
#define LINK_NO_WORKER G_MAXUINT32

typedef struct {
    LinkKind kind;
    guint32 worker;
    guint32 incarnation;
    gint32 value;
    const gchar *text; /* NUL-terminated valid UTF-8 when received; NULL sends "" */
    int fd;            /* received: owned by the receiver; -1 for none */
} LinkMessage;

/* FALSE with `error` when the peer has gone or, on a non-blocking socket or with `wait`
 * FALSE, does not read.  Text is cut at LINK_TEXT_MAX. */
gboolean link_send(int socket, const LinkMessage *message, gboolean wait, GError **error);

typedef enum { LINK_GOT, LINK_NOTHING, LINK_CLOSED, LINK_GARBAGE } LinkResult;

/* The next message.  message->text is in `buffer` (LINK_TEXT_MAX + 1 bytes) and valid until
 * that is used again.  Waits if `wait`. */
LinkResult link_receive(int socket, LinkMessage *message, gchar *buffer, gboolean wait);

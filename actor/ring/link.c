#include "actor/ring/link.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    guint32 kind;
    guint32 worker;
    guint32 incarnation;
    gint32 value;
} WireHead;

gboolean link_send(int socket, const LinkMessage *message, gboolean wait, GError **error)
{
    WireHead head = { message->kind, message->worker, message->incarnation, message->value };
    const gchar *text = message->text != NULL ? message->text : "";
    struct iovec parts[] = { { &head, sizeof head },
                             { (void *)text, MIN(strlen(text), LINK_TEXT_MAX) } };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct msghdr packet = { .msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts) };
    if (message->fd >= 0) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
        *header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                    .cmsg_level = SOL_SOCKET,
                                    .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(header), &message->fd, sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &packet, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "cannot send: %s",
                g_strerror(errno));
    return FALSE;
}

/* Takes the one descriptor that a packet may carry; closes any other. */
static int take_descriptor(struct msghdr *packet)
{
    int taken = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(packet); c != NULL; c = CMSG_NXTHDR(packet, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        const gsize count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (gsize i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (taken >= 0)
                close(taken);
            taken = fd;
        }
    }
    return taken;
}

/* A text from a process that runs users' code ends up in logs and replies. */
static void make_printable(gchar *text, gsize bytes)
{
    const gchar *bad = text;
    text[bytes] = '\0';
    while (!g_utf8_validate(bad, (gssize)(text + bytes - bad), &bad)) {
        *(gchar *)bad = '?';
        bad++;
    }
}

LinkResult link_receive(int socket, LinkMessage *message, gchar *buffer, gboolean wait)
{
    WireHead head = { 0 };
    struct iovec parts[] = { { &head, sizeof head }, { buffer, LINK_TEXT_MAX } };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct msghdr packet = { .msg_iov = parts,
                             .msg_iovlen = G_N_ELEMENTS(parts),
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes };
    ssize_t got;
    do
        got = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? LINK_NOTHING : LINK_CLOSED;
    if (got == 0)
        return LINK_CLOSED;
    *message = (LinkMessage){ (LinkKind)head.kind, head.worker, head.incarnation,
                              head.value,          buffer,      take_descriptor(&packet) };
    if ((gsize)got >= sizeof head && (packet.msg_flags & MSG_TRUNC) == 0 &&
        head.kind >= LINK_LOAD && head.kind < LINK_KINDS) {
        make_printable(buffer, (gsize)got - sizeof head);
        return LINK_GOT;
    }
    if (message->fd >= 0)
        close(message->fd);
    message->fd = -1;
    return LINK_GARBAGE;
}

#include "daemon/hosts/host_link.h"
#include "daemon/base/fd.h"
#include "daemon/base/obj.h"
#include "actor/fault/fault_point.h"

#define HOST_LINK_MAGIC 0x484c4e4bu

/* Reports read before other events get their turn.  What the host says is read to its end: a
 * worker's report must not overtake what the host said of it before. */
#define REPORTS_PER_PASS 256

struct HostLink {
    ObjTag tag;
    Fd control_fd, report_fd;
    struct event *on_control, *on_report;
    HostLinkEvents events;
    gpointer user;
    gchar text[LINK_TEXT_MAX + 1];
};

static gboolean may_say(gboolean is_report, LinkKind kind)
{
    const gboolean of_worker = kind == LINK_READY || kind == LINK_FAILED || kind == LINK_LOG ||
                               kind == LINK_WORN || kind == LINK_DROPPED;
    return kind > LINK_END && of_worker == is_report;
}

/* FALSE: there is nothing more to read. */
static gboolean read_one(HostLink *link, gboolean is_report)
{
    LinkMessage message;
    const int socket = is_report ? link->report_fd : link->control_fd;
    switch (FAULT_AT(HOST_RECEIVE) ? LINK_CLOSED
                                   : link_receive(socket, &message, link->text, FALSE)) {
    case LINK_NOTHING:
        return FALSE;
    case LINK_CLOSED:
        /* A closed socket stays readable. */
        event_del(is_report ? link->on_report : link->on_control);
        link->events.closed(link->user);
        return FALSE;
    case LINK_GARBAGE:
        link->events.broken("it sent a malformed message", link->user);
        return FALSE;
    case LINK_GOT:
        break;
    }
    const gboolean allowed = may_say(is_report, message.kind);
    if (allowed)
        link->events.message(&message, link->user);
    else
        link->events.broken("it sent a message that it may not send", link->user);
    if (message.fd >= 0)
        close(message.fd);
    return allowed;
}

void host_link_read(HostLink *link)
{
    OBJ_CHECK(link, HOST_LINK_MAGIC);
    while (read_one(link, FALSE)) {
    }
    for (guint i = 0; i < REPORTS_PER_PASS; i++)
        if (!read_one(link, TRUE))
            return;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    host_link_read(OBJ_FROM(HostLink, arg, HOST_LINK_MAGIC));
}

gboolean host_link_send(HostLink *link, const LinkMessage *message)
{
    return !FAULT_AT(HOST_SEND) && link_send(link->control_fd, message, FALSE, NULL);
}

HostLink *host_link_new(Loop *loop, int control_fd, int report_fd, const HostLinkEvents *events,
                        gpointer user)
{
    HostLink *link = g_new0(HostLink, 1);
    OBJ_INIT(link, HOST_LINK_MAGIC);
    link->control_fd = control_fd;
    link->report_fd = report_fd;
    link->events = *events;
    link->user = user;
    struct event_base *base = loop_base(loop);
    link->on_control = event_new(base, control_fd, EV_READ | EV_PERSIST, on_readable, link);
    link->on_report = event_new(base, report_fd, EV_READ | EV_PERSIST, on_readable, link);
    event_add(link->on_control, NULL);
    event_add(link->on_report, NULL);
    return link;
}

void host_link_free(HostLink *link)
{
    if (link == NULL)
        return;
    event_free(link->on_control);
    event_free(link->on_report);
    fd_close(&link->control_fd);
    fd_close(&link->report_fd);
    OBJ_FINI(link, HOST_LINK_MAGIC);
    g_free(link);
}

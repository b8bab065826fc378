/* connection_time.c - how long a client is waited for, at each point of its connection. */
#include "daemon/front/connection_state.h"

#define LINGER_USEC ((gint64)G_USEC_PER_SEC)

/* When the connection has waited too long for what it waits for, and why that closes it. */
static gint64 patience_ends(const Connection *connection, DaemonCounter *reason)
{
    const Config *config = connection->shared->config;
    gint64 ends = G_MAXINT64;
    *reason = CTR_CLOSED_IDLE;
    if (connection->frame_since > 0 && connection->reading) {
        *reason = CTR_CLOSED_FRAME;
        ends = connection->frame_since + config->frame_timeout_usec;
    } else if (reply_line_is_empty(&connection->line) && config->idle_timeout_usec > 0) {
        ends = connection->idle_since + config->idle_timeout_usec;
    }
    if (connection->state == CONNECTION_LINGERING) {
        *reason = connection->end_reason;
        return connection->idle_since + LINGER_USEC;
    }
    if (connection->write_since > 0 &&
        connection->write_since + config->write_timeout_usec < ends) {
        *reason = CTR_CLOSED_WRITE;
        ends = connection->write_since + config->write_timeout_usec;
    }
    return ends;
}

/* Called where a wait begins.  A wait that ends early leaves the timer; it then finds nothing
 * due and arms itself anew. */
void connection_arm_timer(Connection *connection)
{
    DaemonCounter reason;
    const gint64 ends = patience_ends(connection, &reason);
    if (ends != G_MAXINT64)
        loop_timer_arm(connection->timer, MAX(ends - loop_now_usec(), 0));
}

void connection_on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Connection *connection = OBJ_FROM(Connection, arg, CONNECTION_MAGIC);
    DaemonCounter reason;
    if (patience_ends(connection, &reason) <= loop_now_usec())
        connection_close(connection, reason);
    else
        connection_arm_timer(connection);
}

/* connection_time.c - how long a client is waited for, at each point of its connection. */
#include "daemon/front/connection_state.h"
#include "daemon/base/random.h"

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
    gint64 ends = patience_ends(connection, &reason);
    if (connection->retires_at > 0)
        ends = MIN(ends, connection->retires_at);
    if (ends != G_MAXINT64)
        loop_timer_arm(connection->timer, MAX(ends - loop_now_usec(), 0));
}

/* Not all that began together shall end together. */
void connection_draw_age(Connection *connection)
{
    const gint64 age = connection->shared->config->connection_max_age_usec;
    connection->retires_at = 0;
    if (age > 0)
        connection->retires_at = connection->born_usec + age - age / 10 +
                                 (gint64)(random_secret() % (guint64)(age / 5 + 1));
}

/* Who has a call in line is told with its reply, where that can be said, and closed behind it. */
static void retire_if_due(Connection *connection)
{
    if (connection->retires_at == 0 || connection->retires_at > loop_now_usec())
        return;
    connection->retires_at = 0;
    connection->is_retiring = TRUE;
    connection_finish_if_idle(connection, CTR_CLOSED_AGE);
}

void connection_on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    Connection *connection = OBJ_FROM(Connection, arg, CONNECTION_MAGIC);
    DaemonCounter reason;
    retire_if_due(connection);
    if (patience_ends(connection, &reason) <= loop_now_usec())
        connection_close(connection, reason);
    else
        connection_arm_timer(connection);
}

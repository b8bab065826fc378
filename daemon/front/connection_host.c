/* connection_host.c - the connections that a client host may have. */
#include "daemon/front/connection_state.h"

gboolean connection_enter_host(Connection *connection)
{
    const ConnectionShared *shared = connection->shared;
    const guint most = shared->config->max_connections_per_host;
    connection->is_counted = hosts_enter(shared->hosts, connection->host, most);
    if (connection->is_counted)
        return TRUE;
    if (log_limit_allows(shared->log_limit, "max_connections_per_host", connection->host,
                         loop_now_usec()))
        log_warning("connection.refused peer=%s reason=max_connections_per_host limit=%u",
                    connection->peer, most);
    else
        connection_count(connection, CTR_LOG_SUPPRESSED, 1);
    return FALSE;
}

void connection_leave_host(Connection *connection)
{
    if (connection->is_counted)
        hosts_leave(connection->shared->hosts, connection->host);
    connection->is_counted = FALSE;
}

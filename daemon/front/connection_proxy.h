/* connection_proxy.h - on whose behalf a proxy has connected, before anything else is read.
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include "daemon/front/connection_state.h"

/* The client is a proxy of proxy-from: its connection begins with a header. */
void connection_expect_proxy(Connection *connection);

/* Reads what there is of the header, and not one byte more.  TRUE: it is whole, or none was
 * expected, and what follows is the client's. */
gboolean connection_take_proxy(Connection *connection);

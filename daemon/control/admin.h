/* admin.h - the admin address: metrics, health and status over HTTP, to read only.
 *
 * Thread: the loop's.
 * Owns:   its listener and connections.  Borrows: what the context points to.
 * Never:  changes the daemon, or waits for a client.                                         */
#pragma once
#include "daemon/control/context.h"

typedef struct Admin Admin;

/* Binds config->admin, which must not be NULL, and answers from the first loop pass on.
 * Copies `context`. */
Admin *admin_new(const AdminContext *context, GError **error);
void admin_free(Admin *admin); /* closes what is open; NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Admin, admin_free)

/* What was bound: "http://127.0.0.1:43111" where the file says port 0. */
const gchar *admin_address(const Admin *admin);

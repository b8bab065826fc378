/* tcp_listen.h - a listening TCP socket for an address of the configuration.
 *
 * Thread: the loop's, at start and for an address that is new in a reload: a host name is looked
 * up, which may wait.                                                                        */
#pragma once
#include "config/address.h"

/* Non-blocking and close-on-exec; the caller's.  -1 with an `error` that names the address. */
int tcp_listen(const Address *address, GError **error);

/* Whoever asks for a connection from now on gets no answer; once `fd` is closed, a refusal. */
void tcp_refuse_newcomers(int fd);

/* "tcp://127.0.0.1:41237" for scheme "tcp": with the port that was chosen for 0. */
gchar *tcp_bound_address(int fd, const gchar *scheme);

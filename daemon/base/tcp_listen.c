#include "daemon/base/tcp_listen.h"
#include "daemon/base/fd.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 1024

static int bind_first(const struct addrinfo *list)
{
    const int on = 1;
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        g_auto(Fd) fd = FAULT_AT(LISTEN_SOCKET)
                            ? -1
                            : socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
            !FAULT_AT(LISTEN_BIND) && bind(fd, at->ai_addr, at->ai_addrlen) == 0 &&
            !FAULT_AT(LISTEN_LISTEN) && listen(fd, BACKLOG) == 0)
            return fd_steal(&fd);
    }
    return -1;
}

static int fail(const Address *address, const gchar *why, GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: cannot listen: %s", address->text,
                why);
    return -1;
}

int tcp_listen(const Address *address, GError **error)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *list;
    g_autofree gchar *port = g_strdup_printf("%u", address->port);
    const int problem = getaddrinfo(address->host, port, &hints, &list);
    if (problem != 0)
        return fail(address, gai_strerror(problem), error);
    errno = 0;
    const int fd = bind_first(list);
    const int reason = errno;
    freeaddrinfo(list);
    return fd >= 0 ? fd : fail(address, g_strerror(reason), error);
}

/* A filter of a socket sees packets from their TCP header on.  Between the last accept() and
 * close() nobody can then become connected, only to be reset.  Where filters are not to be had
 * those few microseconds stay. */
void tcp_refuse_newcomers(int fd)
{
    enum { OFFSET_OF_FLAGS = 13, SYN = 0x02, ACK = 0x10, KEEP = 0x40000 };
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, OFFSET_OF_FLAGS),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN | ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, KEEP),
    };
    const struct sock_fprog program = { G_N_ELEMENTS(steps), steps };
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

gchar *tcp_bound_address(int fd, const gchar *scheme)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    gchar host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "0";
    getsockname(fd, (struct sockaddr *)&bound, &length);
    getnameinfo((struct sockaddr *)&bound, length, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    const gchar *form = strchr(host, ':') != NULL ? "%s://[%s]:%s" : "%s://%s:%s";
    return g_strdup_printf(form, scheme, host, port);
}

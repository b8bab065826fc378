/* valgrind_pidfd.c - pidfd_open() and pidfd_send_signal() for a sluiced under valgrind.
 *
 * Why: Debian 12's valgrind (3.19) refuses both system calls.  So whoever runs valgrind opens the
 * pidfd and passes it through the socket whose number is in PIDFD_SOCKET; tests/valgrind.py
 * preloads this.  Everything else that a process does with a pidfd works under valgrind.
 *
 * Never: part of anything that is installed.                                                  */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int receive_descriptor(int from)
{
    char byte;
    struct iovec data = { &byte, sizeof byte };
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    int descriptor;
    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != sizeof byte)
        return -1;
    memcpy(&descriptor, CMSG_DATA(&control.header), sizeof descriptor);
    return descriptor;
}

int pidfd_open(pid_t pid, unsigned int flags)
{
    const int pidfd = (int)syscall(SYS_pidfd_open, pid, flags);
    if (pidfd >= 0 || errno != ENOSYS)
        return pidfd; /* in the hosts that sluiced starts: they do not run under valgrind */
    const int runner = (int)strtol(getenv("PIDFD_SOCKET"), NULL, 10);
    return send(runner, &pid, sizeof pid, 0) == sizeof pid ? receive_descriptor(runner) : -1;
}

int pidfd_send_signal(int pidfd, int number, siginfo_t *info, unsigned int flags)
{
    if (syscall(SYS_pidfd_send_signal, pidfd, number, info, flags) == 0)
        return 0;
    if (errno != ENOSYS)
        return -1;
    char path[64], line[64];
    pid_t pid = 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    FILE *file = fopen(path, "re");
    while (file != NULL && pid == 0 && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "Pid: %d", &pid);
    if (file != NULL)
        fclose(file);
    return pid > 0 ? kill(pid, number) : -1;
}

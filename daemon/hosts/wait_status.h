/* wait_status.h - how a process ended, in words for logs and replies. */
#pragma once
#include <glib.h>
#include <string.h>
#include <sys/wait.h>

/* "exited with status 3", "was killed by signal 11 (SIGSEGV)"; free with g_free(). */
static inline gchar *wait_status_text(int status)
{
    if (WIFEXITED(status))
        return g_strdup_printf("exited with status %d", WEXITSTATUS(status));
    const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
    if (name != NULL)
        return g_strdup_printf("was killed by signal %d (SIG%s)", WTERMSIG(status), name);
    return g_strdup_printf("ended with wait status 0x%x", (unsigned)status);
}

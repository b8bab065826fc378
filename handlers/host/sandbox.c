#include "handlers/host/sandbox.h"
#include <errno.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* sluiced's own limit is as high as its clients need; select() cannot take more than this. */
#define WORKER_DESCRIPTORS 1024

static gboolean fail(GError **error, const gchar *what, int number)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number), "sandbox: %s: %s", what,
                g_strerror(number));
    return FALSE;
}

/* --- memory: of private writable pages, so that the shared ring does not count ------------- */

static gboolean limit_memory(const gchar *text, GError **error)
{
    guint64 bytes;
    if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &bytes, error))
        return FALSE;
    const struct rlimit limit = { bytes, bytes };
    return setrlimit(RLIMIT_DATA, &limit) == 0 || fail(error, "worker-memory", errno);
}

/* --- user -------------------------------------------------------------------------------- */

static gboolean change_user(const gchar *name, GError **error)
{
    errno = 0;
    const struct passwd *user = getpwnam(name);
    if (user == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "sandbox: there is no user %s", name);
        return FALSE;
    }
    if (geteuid() == user->pw_uid && getegid() == user->pw_gid)
        return TRUE;
    if (setgroups(0, NULL) != 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
        return fail(error, "cannot become another user, which only root can", errno);
    /* The change hides /proc/self from the process, and the plugin is loaded from there. */
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 || fail(error, "cannot stay visible", errno);
}

/* --- system calls ------------------------------------------------------------------------ */

/* For administration, for debuggers, for containers; and io_uring, whose calls no filter sees.
 * A handler that calls one gets EPERM. */
static const gchar *const forbidden[] = {
    "acct",
    "add_key",
    "adjtimex",
    "bpf",
    "clock_adjtime",
    "clock_settime",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "name_to_handle_at",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "swapoff",
    "swapon",
    "umount2",
    "unshare",
    "userfaultfd",
    "vhangup",
};

static gboolean add_rules(scmp_filter_ctx filter)
{
    for (gsize i = 0; i < G_N_ELEMENTS(forbidden); i++) {
        const int number = seccomp_syscall_resolve_name(forbidden[i]);
        if (number == __NR_SCMP_ERROR) /* not of this architecture */
            continue;
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) != 0)
            return FALSE;
    }
    return TRUE;
}

static gboolean filter_calls(const gchar *name, GError **error)
{
    if (!g_str_equal(name, "basic")) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "sandbox: no filter %s", name);
        return FALSE;
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    const gboolean loaded = filter != NULL && add_rules(filter) && seccomp_load(filter) == 0;
    const int number = errno;
    seccomp_release(filter);
    return loaded || fail(error, "cannot filter system calls", number);
}

/* --- all of it --------------------------------------------------------------------------- */

static const struct {
    const gchar *name;
    gboolean (*apply)(const gchar *value, GError **error);
} rules_known[] = {
    { "memory=", limit_memory },
    { "user=", change_user },
    { "filter=", filter_calls },
};

static gboolean apply(const gchar *rule, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rules_known); i++)
        if (g_str_has_prefix(rule, rules_known[i].name))
            return rules_known[i].apply(rule + strlen(rules_known[i].name), error);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "sandbox: unknown rule %s", rule);
    return FALSE;
}

gboolean sandbox_enter(const gchar *rules, int first_foreign_fd, GError **error)
{
    g_auto(GStrv) each = g_strsplit(rules, " ", -1);
    umask(077);
    if (close_range((guint)first_foreign_fd, ~0u, 0) != 0)
        return fail(error, "cannot close descriptors", errno);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(error, "cannot give up privileges to come", errno);
    for (guint i = 0; each[i] != NULL; i++)
        if (each[i][0] != '\0' && !apply(each[i], error))
            return FALSE;
    return TRUE;
}

void sandbox_enter_worker(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = MIN(limit.rlim_max, WORKER_DESCRIPTORS);
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

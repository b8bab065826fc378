#include "handlers/host/black_box.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAMES_MAX 32
/* A stack that is damaged must not keep a dead worker's caller waiting. */
#define UNWIND_MAX_SEC  1
#define ALT_STACK_BYTES ((gsize)64 * 1024)

/* Smaller than PIPE_BUF, so that it arrives whole or not at all. */
typedef struct {
    guint32 n;
    gpointer frames[FRAMES_MAX];
} Record;

static int record_fd = -1;

/* --- in the worker ----------------------------------------------------------------------- */

static gpointer faulting_instruction(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (gpointer)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (gpointer)context->uc_mcontext.pc;
#else
    (void)context;
    return NULL;
#endif
}

static void write_record(const Record *record)
{
    ssize_t written;
    do
        written = write(record_fd, record, sizeof *record);
    while (written < 0 && errno == EINTR);
}

/* Only what is safe in a signal handler: backtrace() is, once libgcc is loaded, since glibc
 * 2.35 has _dl_find_object().  The instruction alone goes first, because unwinding a damaged
 * stack may be the last thing that this process does. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    Record record = { .n = 1, .frames = { faulting_instruction(context) } };
    const gpointer at = record.frames[0];
    const struct sigaction usual = { .sa_handler = SIG_DFL };
    (void)info;
    sigaction(SIGALRM, &usual, NULL);
    alarm(UNWIND_MAX_SEC);
    write_record(&record);
    record.n = (guint32)backtrace(record.frames, FRAMES_MAX);
    /* The handler's own frame and the kernel's stand before it. */
    for (guint32 i = 0; i < record.n; i++) {
        if (record.frames[i] != at)
            continue;
        record.n -= i;
        memmove(record.frames, record.frames + i, record.n * sizeof record.frames[0]);
        break;
    }
    write_record(&record);
    alarm(0);
    raise(number); /* by SA_RESETHAND its usual course, as soon as this returns */
}

void black_box_install(int fd)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
    gpointer first[1];
    struct sigaction action = { .sa_sigaction = on_fault,
                                .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_ONSTACK };
    /* For the life of the process; a stack that overflowed is no place for a handler. */
    const stack_t stack = { .ss_sp = g_malloc(ALT_STACK_BYTES), .ss_size = ALT_STACK_BYTES };
    record_fd = fd;
    backtrace(first, G_N_ELEMENTS(first)); /* loads libgcc */
    sigaltstack(&stack, NULL);
    sigemptyset(&action.sa_mask);
    for (gsize i = 0; i < G_N_ELEMENTS(faults); i++) {
        struct sigaction present;
        if (sigaction(faults[i], NULL, &present) == 0 && present.sa_handler == SIG_DFL)
            sigaction(faults[i], &action, NULL);
    }
}

/* --- in the host ------------------------------------------------------------------------- */

static void append_frame(GString *out, gpointer frame, const gchar *plugin)
{
    Dl_info about = { 0 };
    if (out->len > 0)
        g_string_append(out, " < ");
    if (dladdr(frame, &about) == 0 || about.dli_fname == NULL) {
        g_string_append_printf(out, "%p", frame);
        return;
    }
    const gboolean is_plugin = strstr(about.dli_fname, "/proc/self/fd/") != NULL;
    g_autofree gchar *file = g_path_get_basename(is_plugin ? plugin : about.dli_fname);
    const gsize offset = (gsize)((guint8 *)frame - (guint8 *)about.dli_fbase);
    g_string_append_printf(out, "%s+0x%" G_GSIZE_MODIFIER "x", file, offset);
    if (about.dli_sname != NULL)
        g_string_append_printf(out, "(%s)", about.dli_sname);
}

gchar *black_box_read(int fd, const gchar *plugin)
{
    Record record, last = { .n = 0 };
    while (read(fd, &record, sizeof record) == (ssize_t)sizeof record)
        last = record;
    if (last.n == 0)
        return NULL;
    GString *out = g_string_new(NULL);
    for (guint32 i = 0; i < MIN(last.n, FRAMES_MAX); i++)
        append_frame(out, last.frames[i], plugin);
    return g_string_free(out, FALSE);
}

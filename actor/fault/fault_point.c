#include "actor/fault/fault_point.h"

#ifdef WITH_FAULTS
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCHEDULES "SLUICE_FAULTS"
#define VISITS    "SLUICE_FAULTS_VISITS"

static const struct {
    const gchar *text;
    int error;
} points[FAULT_POINTS] = {
#define POINT(name, text_, error_, call, promise) [FAULT_AT_##name] = { text_, error_ },
#include "actor/fault/fault_point.def"
};

static gchar *schedules[FAULT_POINTS];
static _Atomic guint32 *visits; /* per point, shared by all processes */

/* --- start ------------------------------------------------------------------------------- */

static void map_visits(void)
{
    const gsize bytes = FAULT_POINTS * sizeof *visits;
    const gchar *path = g_getenv(VISITS);
    const int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (path != NULL && (fd < 0 || ftruncate(fd, (off_t)bytes) != 0))
        g_error("%s=%s: %s", VISITS, path, g_strerror(errno));
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | (path == NULL ? MAP_ANONYMOUS : 0), fd, 0);
    if (map == MAP_FAILED)
        g_error("%s: %s", VISITS, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    visits = map;
}

static void take_schedule(const gchar *word)
{
    const gchar *is = strchr(word, '=');
    for (guint i = 0; is != NULL && i < FAULT_POINTS; i++) {
        if (strncmp(points[i].text, word, (gsize)(is - word)) != 0 ||
            points[i].text[is - word] != '\0' || is[1] == '*' ||
            is[1 + strspn(is + 1, "F_")] != (strchr(is, '*') != NULL ? '*' : '\0'))
            continue;
        g_free(schedules[i]);
        schedules[i] = g_strdup(is + 1);
        return;
    }
    g_error("%s: %s: no such point, or a schedule of other letters than F, _ and a last *",
            SCHEDULES, word);
}

/* Before main(), so that no program needs to know of it. */
__attribute__((constructor)) static void start(void)
{
    const gchar *text = g_getenv(SCHEDULES);
    map_visits();
    g_auto(GStrv) words = g_strsplit(text != NULL ? text : "", ";", -1);
    for (guint i = 0; words[i] != NULL; i++)
        if (words[i][0] != '\0')
            take_schedule(words[i]);
}

/* --- visits ------------------------------------------------------------------------------ */

static gboolean fails(const gchar *schedule, guint32 visit)
{
    const gsize letters = strcspn(schedule, "*");
    if (visit < letters)
        return schedule[visit] == 'F';
    return schedule[letters] == '*' && schedule[letters - 1] == 'F';
}

gboolean fault_point_hit(FaultPoint point)
{
    /* relaxed: only the number counts. */
    const guint32 visit = atomic_fetch_add_explicit(&visits[point], 1, memory_order_relaxed);
    if (schedules[point] == NULL || !fails(schedules[point], visit))
        return FALSE;
    errno = points[point].error;
    return TRUE;
}

/* libevent accepts by itself, so its call is the only one that cannot be guarded where it
 * stands: this one comes first when the program is linked. */
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    if (FAULT_AT(ACCEPT))
        return -1;
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}
#else
typedef int NothingHere; /* C wants a declaration in every file */
#endif

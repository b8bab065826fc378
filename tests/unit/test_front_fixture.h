/* test_front_fixture.h - a real front on a real loop, with clients on real sockets.
 *
 * Behind it stands a dispatch that was never started and has no default service: it answers
 * every call at once, with the exception "unknown_service", and that a call was answered is all
 * that these tests want to know.                                                             */
#pragma once
#include "daemon/base/fd.h"
#include "daemon/front/front.h"
#include "tests/unit/wire_bytes.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define FRONT_TIMEOUT_SEC 60

/* A call of a method "m", without arguments, seqid 7. */
#define FRONT_CALL "00 00 00 0e 80 01 00 01 00 00 00 01 'm' 00 00 00 07 00"

typedef gboolean (*FrontCondition)(gpointer user);

static struct {
    gchar *directory;
    Loop *loop;
    Config *config;
    Dispatch *dispatch;
    Front *front;
    DaemonStats stats;
    LoopWatcher watcher;
    struct event *beat; /* so that conditions are looked at though nothing happens to the loop */
    FrontCondition until;
    gpointer until_user;
} world;

/* --- the loop ---------------------------------------------------------------------------- */

static inline void world_poll(gpointer user)
{
    (void)user;
    if (world.until(world.until_user))
        loop_stop(world.loop);
}

static inline gboolean world_arm(gpointer user)
{
    (void)user;
    return FALSE;
}

static inline void world_disarm(gpointer user) { (void)user; }

static inline void world_beat(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    (void)user;
}

/* Serves until it is so; if it never is, Check's time limit says where. */
static inline void serve_until(FrontCondition until, gpointer user)
{
    world.until = until;
    world.until_user = user;
    loop_run(world.loop);
}

/* --- configurations ---------------------------------------------------------------------- */

/* Settings of [daemon], a line each: "listen = ...\nmax-connections = 1\n". */
static inline Config *config_of(const gchar *settings)
{
    g_autoptr(GError) error = NULL;
    g_autofree gchar *text =
        g_strdup_printf("[daemon]\n%s\n[service s]\nplugin = /nowhere.so\n", settings);
    Config *config = config_parse(text, "test", &error);
    ck_assert_msg(config != NULL, "%s", error != NULL ? error->message : "");
    return config;
}

static inline gchar *unix_address(const gchar *name)
{
    return g_strdup_printf("unix:%s/%s", world.directory, name);
}

/* --- life -------------------------------------------------------------------------------- */

static inline void world_open(const gchar *settings)
{
    static const DispatchEvents no_events = { 0 };
    const struct timeval pause = { .tv_usec = 1000 };
    g_autoptr(GError) error = NULL;
    world.loop = loop_new();
    world.watcher = (LoopWatcher){ world_poll, world_arm, world_disarm, NULL, NULL };
    loop_add_watcher(world.loop, &world.watcher);
    world.beat = event_new(loop_base(world.loop), -1, EV_PERSIST, world_beat, NULL);
    event_add(world.beat, &pause);
    world.config = config_of(settings);
    world.dispatch = dispatch_new(world.loop, world.config, &no_events, NULL);
    world.front = front_new(world.loop, world.config, world.dispatch, &world.stats, &error);
    ck_assert_msg(world.front != NULL, "%s", error != NULL ? error->message : "");
    g_clear_pointer(&world.config, config_unref); /* from here on the front's own */
}

static inline gboolean front_has_gone(gpointer user)
{
    (void)user;
    return front_is_empty(world.front);
}

static inline void world_close(void)
{
    front_close_all(world.front);
    serve_until(front_has_gone, NULL);
    ck_assert_int_eq(world.stats.daemon[CTR_CONN_OPEN], 0);
    ck_assert_int_eq(world.stats.daemon[CTR_BUFFERED_BYTES], 0);
    front_free(world.front);
    dispatch_free(world.dispatch);
    loop_remove_watcher(world.loop, &world.watcher);
    event_free(world.beat);
    loop_free(world.loop);
}

static inline void make_directory(void) { world.directory = g_dir_make_tmp("sluice-XXXXXX", NULL); }

static inline void remove_directory(void)
{
    ck_assert_int_eq(g_rmdir(world.directory), 0); /* every socket file is gone */
    g_free(world.directory);
}

/* Takes `settings` over, which must be possible. */
static inline void change_to(const gchar *settings)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) next = config_of(settings);
    FrontChange *change = front_prepare(world.front, next, &error);
    ck_assert_msg(change != NULL, "%s", error != NULL ? error->message : "");
    front_commit(world.front, change, next);
}

/* --- clients ----------------------------------------------------------------------------- */

/* 0, or the errno of a connection to what front_listener_address() says; *fd blocks. */
static inline int try_connect(const gchar *address, int *fd)
{
    if (g_str_has_prefix(address, "unix:")) {
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        g_strlcpy(to.sun_path, address + strlen("unix:"), sizeof to.sun_path);
        *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(*fd, (const struct sockaddr *)&to, sizeof to) == 0)
            return 0;
    } else {
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
        struct addrinfo *to;
        g_auto(GStrv) parts = g_strsplit(address + strlen("tcp://"), ":", 2);
        ck_assert_int_eq(getaddrinfo(parts[0], parts[1], &hints, &to), 0);
        *fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int result = connect(*fd, to->ai_addr, to->ai_addrlen);
        const int problem = errno;
        freeaddrinfo(to);
        errno = problem;
        if (result == 0)
            return 0;
    }
    const int problem = errno;
    fd_close(fd);
    return problem;
}

static inline int connect_to(const gchar *address)
{
    int fd;
    const int problem = try_connect(address, &fd);
    ck_assert_msg(problem == 0, "%s: %s", address, g_strerror(problem));
    return fd;
}

static inline const gchar *address_at(guint index)
{
    return front_listener_address(world.front, index);
}

static inline void send_calls(int fd, guint n)
{
    g_autoptr(GBytes) call = wire_bytes(FRONT_CALL);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(call, &size);
    for (guint i = 0; i < n; i++)
        ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (gssize)size);
}

/* What has come for a client, and how it ended. */
typedef struct {
    int fd;
    GByteArray *bytes;
    guint replies_wanted;
    gboolean at_end;
    int problem;
} Heard;

static inline guint replies_of(const GByteArray *bytes)
{
    guint n = 0;
    for (gsize at = 0; at + 4 <= bytes->len; n++) {
        const guint8 *p = bytes->data + at;
        at += 4 + ((gsize)p[0] << 24 | (gsize)p[1] << 16 | (gsize)p[2] << 8 | p[3]);
        if (at > bytes->len)
            return n;
    }
    return n;
}

/* Reads what is there.  TRUE: all is there that is wanted, or nothing more will come. */
static inline gboolean heard_enough(gpointer user)
{
    Heard *heard = user;
    guint8 buffer[4096];
    ssize_t got;
    while ((got = recv(heard->fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        g_byte_array_append(heard->bytes, buffer, (guint)got);
    heard->at_end = got == 0;
    heard->problem = got < 0 && errno != EAGAIN ? errno : 0;
    return heard->at_end || heard->problem != 0 ||
           (heard->replies_wanted > 0 && replies_of(heard->bytes) >= heard->replies_wanted);
}

/* `n` replies and no end. */
static inline void await_replies(int fd, guint n)
{
    Heard heard = { .fd = fd, .bytes = g_byte_array_new(), .replies_wanted = n };
    serve_until(heard_enough, &heard);
    ck_assert_msg(replies_of(heard.bytes) == n, "%u of %u replies, %s", replies_of(heard.bytes), n,
                  heard.at_end ? "then the end" : g_strerror(heard.problem));
    g_byte_array_unref(heard.bytes);
}

/* `n` replies and then a clean end, which no reset is. */
static inline void await_end(int fd, guint n)
{
    Heard heard = { .fd = fd, .bytes = g_byte_array_new() };
    serve_until(heard_enough, &heard);
    ck_assert_msg(heard.at_end, "no end: %s", g_strerror(heard.problem));
    ck_assert_uint_eq(replies_of(heard.bytes), n);
    g_byte_array_unref(heard.bytes);
    close(fd);
}

static inline void call_and_close(int fd)
{
    send_calls(fd, 1);
    await_replies(fd, 1);
    close(fd);
}

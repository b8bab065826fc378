/* test_front_random.c - random changes of the listeners, under clients that connect all the time.
 *
 *   main thread:  the loop; between its passes one change after another, good, bad or abandoned
 *   each client:  connects, calls, keeps some connections over many changes, and notes what must
 *                 not be
 *
 * FRONT_SEED chooses the changes and FRONT_CHANGES how many; a failure tells its seed.
 *
 * no tsan: GLib is not compiled for it, so it does not see what a GMutex orders.             */
#include "tests/unit/runner.h"
#include "tests/unit/test_front_fixture.h"
#include <stdlib.h>

#define PLACES            4
#define CLIENTS_PER_PLACE 3
#define KEPT              4 /* connections that a client keeps */
#define PATIENCE_SEC      30

/* An address of the configurations.  Not 127.0.0.1, from which the clients come: a client of a
 * port that is free could be connected with itself. */
static const gchar *const written[PLACES] = { "tcp://127.0.0.2:0", "tcp://127.0.0.3:0", "a", "b" };

typedef struct {
    GMutex lock;
    gchar *name;   /* where it is, or was last */
    guint64 epoch; /* even: it is there; as long as that is the same, it was there all the time */
    guint calls;   /* that were answered */
} Place;

typedef struct {
    Place *place;
    GRand *dice;
    int kept[KEPT];
    GThread *thread;
} Client;

static Place places[PLACES];
static gint stopping, n_running;
static GMutex problems_lock;
static GString *problems;

/* --- clients ----------------------------------------------------------------------------- */

static void complain(const gchar *name, const gchar *what, int problem)
{
    g_mutex_lock(&problems_lock);
    g_string_append_printf(problems, "\n%s: %s: %s", name, what, g_strerror(problem));
    g_mutex_unlock(&problems_lock);
    g_atomic_int_set(&stopping, TRUE);
}

static gboolean receive_reply(int fd)
{
    guint8 bytes[4096];
    guint32 length;
    if (recv(fd, &length, sizeof length, MSG_WAITALL) != sizeof length)
        return FALSE;
    length = g_ntohl(length);
    return length <= sizeof bytes && recv(fd, bytes, length, MSG_WAITALL) == (gssize)length;
}

static void call(const Client *client, int fd, const gchar *name, const gchar *of)
{
    const guint n = (guint)g_rand_int_range(client->dice, 1, 4);
    g_autoptr(GBytes) bytes = wire_bytes(FRONT_CALL);
    const gsize size = g_bytes_get_size(bytes);
    errno = 0;
    for (guint i = 0; i < n; i++)
        if (send(fd, g_bytes_get_data(bytes, NULL), size, MSG_NOSIGNAL) != (gssize)size)
            complain(name, of, errno);
    for (guint i = 0; i < n && !g_atomic_int_get(&stopping); i++)
        if (!receive_reply(fd))
            complain(name, of, errno);
    g_mutex_lock(&client->place->lock);
    client->place->calls += n;
    g_mutex_unlock(&client->place->lock);
}

static gboolean was_there_since(Place *place, guint64 epoch)
{
    g_mutex_lock(&place->lock);
    const gboolean there = epoch % 2 == 0 && place->epoch == epoch;
    g_mutex_unlock(&place->lock);
    return there;
}

static void visit(Client *client)
{
    const struct timeval patience = { .tv_sec = PATIENCE_SEC };
    Place *place = client->place;
    int fd, *kept = &client->kept[g_rand_int_range(client->dice, 0, KEPT)];
    g_mutex_lock(&place->lock);
    g_autofree gchar *name = g_strdup(place->name);
    const guint64 epoch = place->epoch;
    g_mutex_unlock(&place->lock);
    if (*kept >= 0)
        call(client, *kept, name, "a connection was lost");
    const int problem = try_connect(name, &fd);
    if (problem != 0) {
        if (was_there_since(place, epoch) || (problem != ECONNREFUSED && problem != ENOENT))
            complain(name, "no connection", problem);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    call(client, fd, name, "connected, and not served");
    fd_close(kept);
    *kept = fd;
}

static gpointer run_client(gpointer user)
{
    Client *client = user;
    while (!g_atomic_int_get(&stopping))
        visit(client);
    for (guint i = 0; i < KEPT; i++)
        fd_close(&client->kept[i]);
    g_atomic_int_add(&n_running, -1);
    return NULL;
}

/* --- changes ----------------------------------------------------------------------------- */

static gchar *address_of(guint place)
{
    return g_str_has_prefix(written[place], "tcp") ? g_strdup(written[place])
                                                   : unix_address(written[place]);
}

/* Some of the places in some order, not none, and settings that close nobody. */
static GString *random_settings(GRand *dice, guint *order, guint *n)
{
    GString *settings = g_string_new("listen = ");
    for (guint i = 0; i < PLACES; i++)
        order[i] = i;
    for (guint i = PLACES - 1; i > 0; i--) {
        const guint j = (guint)g_rand_int_range(dice, 0, (gint32)i + 1), was = order[i];
        order[i] = order[j];
        order[j] = was;
    }
    *n = (guint)g_rand_int_range(dice, 1, PLACES + 1);
    for (guint i = 0; i < *n; i++) {
        g_autofree gchar *address = address_of(order[i]);
        g_string_append_printf(settings, "%s%s", i > 0 ? "; " : "", address);
    }
    return settings;
}

static void add_random_limits(GRand *dice, GString *settings)
{
    g_string_append_printf(settings,
                           "\nmax-connections = %d\nmax-pipelined = %d\nidle-timeout = %dh\n",
                           g_rand_int_range(dice, 500, 1000), g_rand_int_range(dice, 1, 100),
                           g_rand_int_range(dice, 0, 24));
}

static gboolean is_among_first(const guint *order, guint n, guint place)
{
    for (guint i = 0; i < n; i++)
        if (order[i] == place)
            return TRUE;
    return FALSE;
}

static void begin_leave(const guint *order, guint n)
{
    for (guint i = 0; i < PLACES; i++) {
        g_mutex_lock(&places[i].lock);
        if (places[i].epoch % 2 == 0 && !is_among_first(order, n, i))
            places[i].epoch++;
        g_mutex_unlock(&places[i].lock);
    }
}

static void end_come(const guint *order, guint n)
{
    ck_assert_uint_eq(front_n_listeners(world.front), n);
    for (guint i = 0; i < n; i++) {
        Place *place = &places[order[i]];
        g_mutex_lock(&place->lock);
        if (place->epoch % 2 == 1) {
            g_free(place->name);
            place->name = g_strdup(address_at(i));
            place->epoch++;
        }
        ck_assert_str_eq(place->name, address_at(i));
        place->calls = 0;
        g_mutex_unlock(&place->lock);
    }
}

static void change_at_random(GRand *dice)
{
    guint order[PLACES], n;
    const gint32 kind = g_rand_int_range(dice, 0, 10);
    g_autofree gchar *bad = unix_address("no/such"), *more = unix_address("more");
    g_autoptr(GString) settings = random_settings(dice, order, &n);
    if (kind <= 1) /* no client may be looking for what is opened and closed again */
        g_string_printf(settings, "listen = %s; %s", more, kind == 0 ? bad : written[0]);
    add_random_limits(dice, settings);
    g_autoptr(Config) next = config_of(settings->str);
    FrontChange *change = front_prepare(world.front, next, NULL);
    ck_assert_msg((change == NULL) == (kind == 0), "%s", settings->str);
    if (kind <= 1) {
        front_abandon(change);
        return;
    }
    begin_leave(order, n);
    front_commit(world.front, change, next);
    end_come(order, n);
}

/* --- the whole --------------------------------------------------------------------------- */

/* Every place that is there has answered since the change. */
static gboolean all_are_served(gpointer user)
{
    gboolean served = TRUE;
    (void)user;
    for (guint i = 0; i < PLACES; i++) {
        g_mutex_lock(&places[i].lock);
        served = served && (places[i].epoch % 2 == 1 || places[i].calls > 0);
        g_mutex_unlock(&places[i].lock);
    }
    return served || g_atomic_int_get(&stopping);
}

static gboolean all_have_ended(gpointer user)
{
    (void)user;
    return g_atomic_int_get(&n_running) == 0;
}

static void start_clients(Client *clients, GRand *dice)
{
    n_running = PLACES * CLIENTS_PER_PLACE;
    for (guint i = 0; i < PLACES * CLIENTS_PER_PLACE; i++) {
        clients[i] = (Client){ .place = &places[i % PLACES],
                               .dice = g_rand_new_with_seed(g_rand_int(dice)) };
        memset(clients[i].kept, -1, sizeof clients[i].kept);
        clients[i].thread = g_thread_new("client", run_client, &clients[i]);
    }
}

static void end_clients(Client *clients)
{
    g_atomic_int_set(&stopping, TRUE);
    serve_until(all_have_ended, NULL);
    for (guint i = 0; i < PLACES * CLIENTS_PER_PLACE; i++) {
        g_thread_join(clients[i].thread);
        g_rand_free(clients[i].dice);
    }
}

static guint number_from(const gchar *variable, guint otherwise)
{
    const gchar *text = g_getenv(variable);
    return text != NULL ? (guint)g_ascii_strtoull(text, NULL, 10) : otherwise;
}

START_TEST(no_connection_is_refused_where_both_have_the_address_and_who_connects_is_served)
{
    const guint seed = number_from("FRONT_SEED", 1), n = number_from("FRONT_CHANGES", 40);
    GRand *dice = g_rand_new_with_seed(seed);
    Client clients[PLACES * CLIENTS_PER_PLACE];
    guint order[PLACES] = { 0, 1, 2, 3 };
    g_autofree gchar *a = address_of(2), *b = address_of(3);
    g_autofree gchar *all =
        g_strdup_printf("listen = %s; %s; %s; %s", written[0], written[1], a, b);
    problems = g_string_new(NULL);
    world_open(all);
    for (guint i = 0; i < PLACES; i++)
        places[i].epoch = 1;
    end_come(order, PLACES);
    start_clients(clients, dice);
    for (guint i = 0; i < n && !g_atomic_int_get(&stopping); i++) {
        change_at_random(dice);
        if (g_rand_boolean(dice)) /* else the next change comes while clients are on their way */
            serve_until(all_are_served, NULL);
    }
    end_clients(clients);
    ck_assert_msg(problems->len == 0, "FRONT_SEED=%u%s", seed, problems->str);
    g_string_free(problems, TRUE);
    g_rand_free(dice);
    for (guint i = 0; i < PLACES; i++)
        g_free(places[i].name);
    world_close();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("front random");
    TCase *tcase = tcase_create("front random");
    tcase_set_timeout(tcase, 2 * FRONT_TIMEOUT_SEC);
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_test(tcase,
                   no_connection_is_refused_where_both_have_the_address_and_who_connects_is_served);
    suite_add_tcase(suite, tcase);
    return suite;
}

#include "daemon/dispatch/job_key.h"
#include "actor/ring/headers.h"
#include "daemon/base/random.h"
#include "daemon/wire/field.h"
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Clients choose keys, so the hash has a secret of this process: else they could choose keys
 * that share a bucket. */
static guint64 hash(gconstpointer data, gsize bytes)
{
    static guint64 secret;
    if (secret == 0)
        secret = random_secret();
    return XXH3_64bits_withSeed(data, bytes, secret);
}

static void set_key(FactoryJob *job, gconstpointer key, gsize bytes)
{
    job->has_key = TRUE;
    job->key_hash = hash(key, bytes);
    job->key_bytes = (guint32)bytes;
    if (bytes > 0)
        memcpy(job->key, key, MIN(bytes, sizeof job->key));
}

/* Not the length of any key that can be: the key of calls without one. */
static void set_absent(FactoryJob *job)
{
    set_key(job, "", 0);
    job->key_bytes = G_MAXUINT32;
}

static gboolean read_argument(const KeySource *source, const Request *request, FactoryJob *job,
                              const gchar **why)
{
    WireField field;
    switch (wire_find_field(wire_encoding(request->protocol), request->args, request->args_bytes,
                            source->path, source->depth, &field)) {
    case WIRE_FIELD_FOUND:
        set_key(job, field.bytes, field.n_bytes);
        return TRUE;
    case WIRE_FIELD_ABSENT:
        set_absent(job);
        return TRUE;
    case WIRE_FIELD_NO_SCALAR:
        *why = "what the key is made of is a struct or a container";
        return FALSE;
    case WIRE_FIELD_MALFORMED:
        *why = "the arguments are malformed";
        return FALSE;
    }
    g_assert_not_reached();
}

/* A call without it shares its lane with all others without it. */
static void read_header(const KeySource *source, const Request *request, FactoryJob *job)
{
    const gchar *value =
        request->headers != NULL
            ? headers_find(request->headers->data, request->headers->len, source->header)
            : NULL;
    if (value != NULL)
        set_key(job, value, strlen(value));
    else
        set_absent(job);
}

/* The part of a peer's address that stays the same when it connects again. */
static gsize client_part(const gchar *peer, const gchar **part)
{
    const gchar *uid = strstr(peer, "uid=");
    *part = uid != NULL ? uid : peer;
    const gchar *port = uid != NULL ? NULL : strrchr(peer, ':');
    return port != NULL ? (gsize)(port - peer) : strlen(*part);
}

guint64 job_client(const Request *request)
{
    const gchar *part;
    const gsize bytes = client_part(request->peer, &part);
    return hash(part, bytes);
}

gboolean job_key_read(const KeySource *source, const Request *request, FactoryJob *job,
                      const gchar **why)
{
    const gchar *part;
    switch (source->kind) {
    case KEY_NONE:
        return TRUE;
    case KEY_ARG:
        return read_argument(source, request, job, why);
    case KEY_HEADER:
        read_header(source, request, job);
        return TRUE;
    case KEY_PEER: {
        const gsize bytes = client_part(request->peer, &part);
        set_key(job, part, bytes);
        return TRUE;
    }
    }
    g_assert_not_reached();
}

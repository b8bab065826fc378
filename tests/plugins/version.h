/* version.h - the handler of version_one.thrift and version_two.thrift, which differ in VERSION
 * and in what the second has more. */
#pragma once
#include "version_version.h"
#include <sluice/handler.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION ""
#endif

typedef struct {
    versionVersionHandler parent;
} Handler;
typedef struct {
    versionVersionHandlerClass parent;
} HandlerClass;

GType handler_get_type(void);
G_DEFINE_TYPE(Handler, handler, version_version_handler_get_type())

static gboolean get(versionVersionIf *self, versionAnswer **result, const gchar *key,
                    GError **error)
{
    (void)self, (void)key, (void)error;
    g_object_set(*result, "version", VERSION, "pid", (gint)getpid(), NULL);
    return TRUE;
}

static gboolean fail(versionVersionIf *self, GError **error)
{
    (void)self;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "as asked");
    return FALSE;
}

static gboolean crash(versionVersionIf *self, GError **error)
{
    (void)self, (void)error;
    abort();
}

#ifdef WITH_MORE
static gboolean more(versionVersionIf *self, gchar **result, const gchar *text, GError **error)
{
    (void)self, (void)error;
    *result = g_strdup(text);
    return TRUE;
}
#endif

static void handler_class_init(HandlerClass *class)
{
    versionVersionHandlerClass *methods = &class->parent;
    methods->get = get;
    methods->fail = fail;
    methods->crash = crash;
#ifdef WITH_MORE
    methods->more = more;
#endif
}

static void handler_init(Handler *handler) { (void)handler; }

static ThriftProcessor *worker_start(gpointer shared, gpointer *state, GError **error)
{
    (void)shared, (void)state, (void)error;
    g_autoptr(GObject) handler = g_object_new(handler_get_type(), NULL);
    return g_object_new(VERSION_TYPE_VERSION_PROCESSOR, "handler", handler, NULL);
}

SLUICE_PLUGIN(.name = "version", .version = VERSION, .worker_start = worker_start);

/* config.h - one immutable snapshot of all settings.
 *
 * A Config never changes after config_parse() returned it, so any thread that holds a
 * reference reads it without a lock.  A reload makes a new one.
 *
 * Thread: any.
 * Owns:   everything its fields point to.
 * Never:  half right: a file with one error in it gives no snapshot, and tells all its errors. */
#pragma once
#include "config/address.h"
#include "config/canary.h"
#include "config/key_source.h"
#include "config/range.h"
#include "config/rate.h"
#include <glib.h>

/* What a type of options.def is in C. */
#define BOOL_FIELD      gboolean
#define UINT_FIELD      guint
#define SIZE_FIELD      guint64
#define DURATION_FIELD  gint64 /* microseconds */
#define LOG_LEVEL_FIELD GLogLevelFlags
#define PATH_FIELD      gchar *
#define PLUGIN_FIELD    gchar *
#define USER_FIELD      gchar *     /* NULL: none */
#define FILE_FIELD      gchar *     /* NULL: none */
#define ORIGINS_FIELD   gchar **    /* NULL: none */
#define NETWORKS_FIELD  GArray *    /* of Network; NULL: none */
#define LISTENERS_FIELD GPtrArray * /* of Address, at least one */
#define ADMIN_FIELD     Address *   /* NULL when it is off */
#define CHOICE_FIELD    guint       /* the place of its word */
#define RANGE_FIELD     Range
#define RATE_FIELD      Rate
#define KEY_FIELD       KeySource
#define CANARY_FIELD    Canary

typedef struct {
    gchar *name; /* as clients call it */
#define METHOD_OPTION(field, key, type, default, min, max, when, help) type##_FIELD field;
#include "config/options.def"
} MethodConfig;

typedef struct {
    gchar *name;
    guint n_methods;
    MethodConfig **methods; /* in the order of the file */
    gchar *settings_text;   /* a key file for the plugin, whose one group is [settings] */
#define SERVICE_OPTION(field, key, type, default, min, max, when, help) type##_FIELD field;
#include "config/options.def"
} ServiceConfig;

typedef struct {
    gatomicrefcount refs;
#define DAEMON_OPTION(field, key, type, default, min, max, when, help) type##_FIELD field;
#include "config/options.def"
    guint n_services;         /* at least one */
    ServiceConfig **services; /* in the order of the file */
} Config;

#undef BOOL_FIELD
#undef UINT_FIELD
#undef SIZE_FIELD
#undef DURATION_FIELD
#undef LOG_LEVEL_FIELD
#undef PATH_FIELD
#undef PLUGIN_FIELD
#undef USER_FIELD
#undef FILE_FIELD
#undef ORIGINS_FIELD
#undef NETWORKS_FIELD
#undef LISTENERS_FIELD
#undef ADMIN_FIELD
#undef CHOICE_FIELD
#undef RANGE_FIELD
#undef RATE_FIELD
#undef KEY_FIELD
#undef CANARY_FIELD

#define CONFIG_MAX_METHODS 128 /* with settings of their own, per service */

/* The largest settings_text: it is sent to the host in one message. */
#define CONFIG_MAX_SETTINGS_BYTES ((gsize)60 * 1024)

/* Both return one reference.  CONFIG_ERROR_INVALID has a line for each error of the file:
 *   FILE:LINE: [group] key = text: what is wrong; allowed: what is
 * A file that cannot be read is a G_FILE_ERROR. */
Config *config_load(const gchar *path, GError **error);
Config *config_parse(const gchar *text, const gchar *file_name, GError **error);

/* FALSE: the running daemon, which has `from`, would need a restart for `to`; the error has a
 * line for each setting that says so (restart.c). */
gboolean config_may_reload(const Config *from, const Config *to, GError **error);

Config *config_ref(Config *config);
void config_unref(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_unref)

/* Appends a configuration file with every setting in it at its default, explained
 * (explain.c). */
void config_explain(GString *out);

#define CONFIG_ERROR config_error_quark()
GQuark config_error_quark(void);
typedef enum { CONFIG_ERROR_INVALID } ConfigError;

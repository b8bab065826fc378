/* config.c - the life of a snapshot, and a file's text made into one.
 *
 * Every check runs even when one before it failed, so that all errors of a file are told. */
#include "config/config.h"
#include "config/options.h"
#include "config/problems.h"
#include "config/scan.h"
#include "config/daemon_checks.h"
#include "config/service_checks.h"
#include "actor/fault/fault_point.h"
#include <string.h>

#define SERVICE_PREFIX  "service "
#define SETTINGS_PREFIX "settings "
#define METHOD_PREFIX   "method "

#define MAX_SERVICE_NAME_BYTES 64
#define SERVICE_NAME_CHARS     G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-"
#define METHOD_NAME_CHARS      G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_"

G_DEFINE_QUARK(sluice_config_error, config_error)

/* The file being read. */
typedef struct {
    const Scan *scan;
    Problems *problems;
    Config *config;
    GPtrArray *services;          /* of ServiceConfig; the config's, once all is read */
    const gchar *default_service; /* the first one that says so */
} Reader;

static void method_free(MethodConfig *method)
{
    options_clear(&method_options, method);
    g_free(method->name);
    g_free(method);
}

static void service_free(gpointer data)
{
    ServiceConfig *service = data;
    for (guint i = 0; i < service->n_methods; i++)
        method_free(service->methods[i]);
    g_free(service->methods);
    options_clear(&service_options, service);
    g_free(service->settings_text);
    g_free(service->name);
    g_free(service);
}

static Config *config_new(void)
{
    Config *config = g_new0(Config, 1);
    g_atomic_ref_count_init(&config->refs);
    options_set_defaults(&daemon_options, config);
    return config;
}

Config *config_ref(Config *config)
{
    g_atomic_ref_count_inc(&config->refs);
    return config;
}

void config_unref(Config *config)
{
    if (!g_atomic_ref_count_dec(&config->refs))
        return;
    for (guint i = 0; i < config->n_services; i++)
        service_free(config->services[i]);
    g_free(config->services);
    options_clear(&daemon_options, config);
    g_free(config);
}

static void read_entry(Reader *reader, const OptionTable *table, const ScanEntry *entry,
                       gpointer fields)
{
    const Option *option = options_find(table, entry->place.key);
    if (option == NULL) {
        g_autofree gchar *keys = options_keys(table);
        problems_add(reader->problems, &entry->place, "unknown key", keys);
        return;
    }
    g_autoptr(GError) error = NULL;
    if (!option_parse(option, entry->value, fields, &error)) {
        g_autofree gchar *allowed = value_allowed(&option->rule);
        problems_add(reader->problems, &entry->place, error->message, allowed);
    }
}

static void read_fields(Reader *reader, const OptionTable *table, const ScanGroup *group,
                        gpointer fields)
{
    for (guint i = 0; i < group->entries->len; i++)
        read_entry(reader, table, group->entries->pdata[i], fields);

    for (guint i = 0; i < table->n_options; i++) {
        const Option *option = &table->options[i];
        if (option->default_text != NULL || scan_find_entry(group, option->key) != NULL)
            continue;
        g_autofree gchar *what = g_strdup_printf("no %s", option->key);
        g_autofree gchar *allowed = value_allowed(&option->rule);
        problems_add(reader->problems, &group->place, what, allowed);
    }
}

/* The lines were accepted one by one, so together they are a key file. */
static gchar *settings_text(Reader *reader, const gchar *service_name)
{
    g_autoptr(GString) text = g_string_new("[settings]\n");
    g_autofree gchar *group_name = g_strconcat(SETTINGS_PREFIX, service_name, NULL);
    const ScanGroup *group = scan_find_group(reader->scan, group_name);
    if (group == NULL)
        return g_string_free(g_steal_pointer(&text), FALSE);

    for (guint i = 0; i < group->entries->len; i++) {
        const Place *place = &((const ScanEntry *)group->entries->pdata[i])->place;
        g_string_append_printf(text, "%s=%s\n", place->key, place->text);
    }
    if (text->len > CONFIG_MAX_SETTINGS_BYTES) {
        g_autofree gchar *what = g_strdup_printf("%" G_GSIZE_FORMAT " bytes", text->len);
        g_autofree gchar *allowed =
            g_strdup_printf("%" G_GSIZE_FORMAT " bytes in all", CONFIG_MAX_SETTINGS_BYTES);
        problems_add(reader->problems, &group->place, what, allowed);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void check_name(Reader *reader, const ScanGroup *group, const gchar *name)
{
    gsize n_bytes = strlen(name);
    if (n_bytes == 0 || n_bytes > MAX_SERVICE_NAME_BYTES ||
        strspn(name, SERVICE_NAME_CHARS) != n_bytes)
        problems_add(reader->problems, &group->place, "bad service name",
                     "1 to 64 letters, digits, '_', '.' and '-'");
}

static void check_default(Reader *reader, const ScanGroup *group, const ServiceConfig *service)
{
    if (!service->is_default)
        return;
    if (reader->default_service == NULL) {
        reader->default_service = service->name;
        return;
    }
    g_autofree gchar *what =
        g_strdup_printf("[service %s] is the default already", reader->default_service);
    problems_add(reader->problems, &scan_find_entry(group, "default")->place, what, NULL);
}

static void read_service(Reader *reader, const ScanGroup *group)
{
    ServiceConfig *service = g_new0(ServiceConfig, 1);
    g_ptr_array_add(reader->services, service);
    options_set_defaults(&service_options, service);
    service->name = g_strdup(group->place.group + strlen(SERVICE_PREFIX));
    service->settings_text = settings_text(reader, service->name);

    read_fields(reader, &service_options, group, service);
    check_name(reader, group, service->name);
    service_check(service, group, reader->problems);
    check_default(reader, group, service);
}

static void check_settings(Reader *reader, const ScanGroup *group)
{
    const gchar *service_name = group->place.group + strlen(SETTINGS_PREFIX);
    g_autofree gchar *group_name = g_strconcat(SERVICE_PREFIX, service_name, NULL);
    if (scan_find_group(reader->scan, group_name) == NULL)
        problems_add(reader->problems, &group->place, "no service of this name", NULL);
}

/* --- [method SERVICE.METHOD]: read when all services are --------------------------------- */

static ServiceConfig *find_service(const Reader *reader, const gchar *name, gsize name_bytes)
{
    for (guint i = 0; i < reader->services->len; i++) {
        ServiceConfig *service = reader->services->pdata[i];
        if (strlen(service->name) == name_bytes && memcmp(service->name, name, name_bytes) == 0)
            return service;
    }
    return NULL;
}

/* A service's name may have dots in it, a method's may not. */
static ServiceConfig *service_of_method(Reader *reader, const ScanGroup *group,
                                        const gchar **method)
{
    const gchar *name = group->place.group + strlen(METHOD_PREFIX);
    const gchar *dot = strrchr(name, '.');
    if (dot == NULL || dot[1] == '\0' || strspn(dot + 1, METHOD_NAME_CHARS) != strlen(dot + 1)) {
        problems_add(reader->problems, &group->place, "bad method name",
                     "[method SERVICE.METHOD], METHOD of letters, digits and '_'");
        return NULL;
    }
    ServiceConfig *service = find_service(reader, name, (gsize)(dot - name));
    if (service == NULL)
        problems_add(reader->problems, &group->place, "no service of this name", NULL);
    *method = dot + 1;
    return service;
}

static void read_method(Reader *reader, const ScanGroup *group)
{
    const gchar *name = NULL;
    ServiceConfig *service = service_of_method(reader, group, &name);
    if (service == NULL)
        return;
    if (service->n_methods == CONFIG_MAX_METHODS) {
        problems_add(reader->problems, &group->place, "too many methods of one service",
                     G_STRINGIFY(CONFIG_MAX_METHODS));
        return;
    }
    MethodConfig *method = g_new0(MethodConfig, 1);
    service->methods = g_renew(MethodConfig *, service->methods, service->n_methods + 1);
    service->methods[service->n_methods++] = method;
    method->name = g_strdup(name);
    options_set_defaults(&method_options, method);
    read_fields(reader, &method_options, group, method);
    method_check(method, service, group, reader->problems);
}

static void read_methods(Reader *reader)
{
    for (guint i = 0; i < reader->scan->groups->len; i++) {
        const ScanGroup *group = reader->scan->groups->pdata[i];
        if (g_str_has_prefix(group->place.group, METHOD_PREFIX))
            read_method(reader, group);
    }
}

static void read_daemon(Reader *reader, const ScanGroup *group)
{
    read_fields(reader, &daemon_options, group, reader->config);
    daemon_check(reader->config, group, reader->problems);
}

static void read_group(Reader *reader, const ScanGroup *group)
{
    const gchar *name = group->place.group;
    if (g_str_equal(name, "daemon"))
        read_daemon(reader, group);
    else if (g_str_has_prefix(name, SERVICE_PREFIX))
        read_service(reader, group);
    else if (g_str_has_prefix(name, SETTINGS_PREFIX))
        check_settings(reader, group); /* read with its service */
    else if (!g_str_has_prefix(name, METHOD_PREFIX))
        problems_add(reader->problems, &group->place, "unknown group",
                     "[daemon], [service NAME], [method NAME.METHOD], [settings NAME]");
}

static Config *parse(const gchar *text, gsize n_bytes, const gchar *file_name, GError **error)
{
    g_autoptr(Problems) problems = problems_new(file_name);
    g_autoptr(Scan) scan = scan_new(text, n_bytes, problems);
    g_autoptr(Config) config = config_new();
    g_autoptr(GPtrArray) services = g_ptr_array_new_with_free_func(service_free);

    Reader reader = { .scan = scan, .problems = problems, .config = config, .services = services };
    for (guint i = 0; i < scan->groups->len; i++)
        read_group(&reader, scan->groups->pdata[i]);
    read_methods(&reader);
    if (services->len == 0)
        problems_add(problems, &(Place){ .line = MAX(scan->n_lines, 1) }, "no service",
                     "one [service NAME] or more");
    if (!problems_none(problems, error))
        return NULL;

    config->n_services = services->len;
    config->services = (ServiceConfig **)g_ptr_array_steal(services, NULL);
    return g_steal_pointer(&config);
}

Config *config_parse(const gchar *text, const gchar *file_name, GError **error)
{
    return parse(text, strlen(text), file_name, error);
}

Config *config_load(const gchar *path, GError **error)
{
    g_autofree gchar *text = NULL;
    gsize n_bytes;
    if (!g_file_get_contents(FAULT_AT(CONFIG_READ) ? "" : path, &text, &n_bytes, error))
        return NULL;
    return parse(text, n_bytes, path, error);
}

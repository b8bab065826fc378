/* main.c - the command line of sluiced. */
#include "config/config.h"
#include "daemon/front/tls_context.h"
#include "daemon/base/log.h"
#include "daemon/base/oom.h"
#include "daemon/server.h"
#include "daemon/try_plugins.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_CONFIG "/etc/sluice/sluice.conf"

typedef struct {
    gchar *config;
    gboolean check, explain, version;
} Options;

static gboolean parse(Options *options, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {
        { "config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config,
          "The configuration (default " DEFAULT_CONFIG ")", "FILE" },
        { "check", 0, 0, G_OPTION_ARG_NONE, &options->check,
          "Check the configuration, load its plugins once, and exit", NULL },
        { "explain", 0, 0, G_OPTION_ARG_NONE, &options->explain,
          "Print every setting with its default and what it does, and exit", NULL },
        { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and exit",
          NULL },
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- serve Apache Thrift calls");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error))
        return FALSE;
    if (argc > 1)
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "%s: not an option; the configuration is given with --config", argv[1]);
    return argc <= 1;
}

static int complain(const GError *error, int status)
{
    fprintf(stderr, "sluiced: %s\n", error->message);
    return status;
}

static int explain(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    config_explain(text);
    fputs(text->str, stdout);
    return EXIT_SUCCESS;
}

static int check(Config *config, const gchar *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsContext) tls = tls_context_new(config, &error);
    if (error != NULL || !try_plugins(config, &error))
        return complain(error, EXIT_FAILURE);
    printf("%s: the configuration is good, and so are its plugins\n", path);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    Options options = { 0 };
    g_autoptr(GError) error = NULL;
    if (!parse(&options, argc, argv, &error))
        return complain(error, 2);
    g_autofree gchar *path = options.config != NULL ? options.config : g_strdup(DEFAULT_CONFIG);
    if (options.version) {
        puts("sluiced " SLUICE_VERSION);
        return EXIT_SUCCESS;
    }
    if (options.explain)
        return explain();
    g_autoptr(Config) config = config_load(path, &error);
    if (config == NULL)
        return complain(error, EXIT_FAILURE);
    const struct sigaction ignore = { .sa_handler = SIG_IGN }, usual = { .sa_handler = SIG_DFL };
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGCHLD, &usual, NULL); /* who ignores it is not told how children ended */
    log_start(config->log_level);
    oom_start();
    if (options.check)
        return check(config, path);
    if (!server_run(config, path, &error))
        return complain(error, EXIT_FAILURE);
    return EXIT_SUCCESS;
}

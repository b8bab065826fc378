/* service_checks.c - see service_checks.h. */
#include "config/service_checks.h"

/* The words of options.def that matter here. */
enum { CAPACITY_WORD_FIXED = 0, DISCARD_WORD_DYNAMIC = 3, ROUTING_WORD_QUEUER = 0 };

/* At the first of these keys that is in the file: the defaults agree with each other. */
static void add(Problems *problems, const ScanGroup *group, const gchar *key,
                const gchar *other_key, const gchar *what)
{
    const ScanEntry *entry = scan_find_entry(group, key);
    if (entry == NULL)
        entry = scan_find_entry(group, other_key);
    problems_add(problems, entry != NULL ? &entry->place : &group->place, what, NULL);
}

void service_check(const ServiceConfig *service, const ScanGroup *group, Problems *problems)
{
    if (service->restart_backoff_min_usec > service->restart_backoff_max_usec)
        add(problems, group, "restart-backoff-min", "restart-backoff-max",
            "restart-backoff-min is above restart-backoff-max");
    if (service->capacity != CAPACITY_WORD_FIXED && service->workers.min == service->workers.max)
        add(problems, group, "capacity", "workers",
            "there is nothing to move: workers is not a range");
    if (service->discard >= DISCARD_WORD_DYNAMIC && service->queue_limit == 0)
        add(problems, group, "discard", "queue-limit",
            "a queue-limit of 0 leaves a dynamic one no room");
    if (service->stuck_warn_usec > service->stuck_after_usec / 8)
        add(problems, group, "stuck-warn", "stuck-after",
            "8 times stuck-warn is above stuck-after");
}

void method_check(const MethodConfig *method, const ServiceConfig *service, const ScanGroup *group,
                  Problems *problems)
{
    if (method->key.kind != KEY_NONE && service->routing == ROUTING_WORD_QUEUER)
        add(problems, group, "key", "key", "has no effect: the service's routing is queuer");
}

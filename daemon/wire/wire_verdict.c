/* wire_verdict.c - names and texts of the verdicts. */
#include "daemon/wire/wire_verdict.h"

static const struct {
    const gchar *token;
    const gchar *text;
} verdicts[WIRE_VERDICT_COUNT] = {
#define VERDICT(name, token_, text_) [WIRE_##name] = { .token = token_, .text = text_ },
#include "daemon/wire/wire_verdict.def"
};

const gchar *wire_verdict_name(WireVerdict verdict) { return verdicts[verdict].token; }
const gchar *wire_verdict_text(WireVerdict verdict) { return verdicts[verdict].text; }

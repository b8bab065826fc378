/* reason.c - reason.def as a table. */
#include "actor/factory/factory.h"

static const struct {
    const gchar *token, *text;
    FactoryReasonKind kind;
} reasons[REASONS] = {
#define REASON(name, token_, kind_, text_) \
    [REASON_##name] = { .token = token_, .text = text_, .kind = REASON_##kind_ },
#include "actor/factory/reason.def"
};

const gchar *factory_reason_token(FactoryReason reason) { return reasons[reason].token; }
const gchar *factory_reason_text(FactoryReason reason) { return reasons[reason].text; }
FactoryReasonKind factory_reason_kind(FactoryReason reason) { return reasons[reason].kind; }

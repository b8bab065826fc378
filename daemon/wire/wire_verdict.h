/* wire_verdict.h - the answer of every function in this folder.
 *
 * A client may send anything, so nothing it sends is an error of ours or worth a GError:
 * it gets a verdict, which the caller counts under its name and logs with its text.
 *
 * Thread: any; pure functions over constants.                                            */
#pragma once
#include <glib.h>

typedef enum {
#define VERDICT(name, token, text) WIRE_##name,
#include "daemon/wire/wire_verdict.def"
    WIRE_VERDICT_COUNT
} WireVerdict;

const gchar *wire_verdict_name(WireVerdict verdict); /* "bad_name": metric label, reason */
const gchar *wire_verdict_text(WireVerdict verdict); /* a clause for people */

/* What a verdict means once no more bytes can come: WIRE_MORE becomes WIRE_TRUNCATED. */
static inline WireVerdict wire_verdict_at_end(WireVerdict verdict)
{
    return verdict == WIRE_MORE ? WIRE_TRUNCATED : verdict;
}

/* json_find.c - the end of a message in JSON: where its first bracket is closed. */
#include "daemon/wire/json.h"

static void look_in_text(WireJsonScan *scan, guint8 byte)
{
    if (scan->is_escaped)
        scan->is_escaped = FALSE;
    else if (byte == '\\')
        scan->is_escaped = TRUE;
    else if (byte == '"')
        scan->in_text = FALSE;
}

WireVerdict wire_json_find_end(WireJsonScan *scan, const guint8 *bytes, gsize length)
{
    while (scan->at < length) {
        const guint8 byte = bytes[scan->at++];
        if (scan->in_text)
            look_in_text(scan, byte);
        else if (byte == '"')
            scan->in_text = TRUE;
        else if (byte == '[' || byte == '{')
            scan->depth++;
        else if ((byte == ']' || byte == '}') && --scan->depth == 0)
            return WIRE_OK;
    }
    return WIRE_MORE;
}

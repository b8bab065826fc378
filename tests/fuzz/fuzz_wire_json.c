/* fuzz_wire_json.c - a message in JSON: what is accepted is well-formed binary, ends where its
 * brackets do, and reads the same after it was written. */
#include "daemon/wire/head.h"
#include "daemon/wire/json.h"
#include "daemon/wire/reply.h"
#include "daemon/wire/walk.h"
#include <stdlib.h>
#include <string.h>

#define MOST ((gsize)1 << 16)

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void write_and_read(const WireHead *head, const guint8 *body, gsize length)
{
    const WireAddress to = { WIRE_TRANSPORT_UNFRAMED, WIRE_JSON, head->seqid, head->name,
                             head->name_bytes };
    const gsize bytes = wire_json_reply_bytes(&to, body, length);
    if (bytes == 0)
        abort(); /* what came from JSON can be said in it */
    g_autofree guint8 *reply = g_malloc(bytes);
    g_autoptr(GByteArray) again = g_byte_array_new();
    if (wire_json_reply_write(reply, &to, body, length) != bytes ||
        wire_json_read(reply, bytes, 2 * MOST, again) != WIRE_OK || again->len < length ||
        memcmp(again->data + again->len - length, body, length) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autoptr(GByteArray) binary = g_byte_array_new();
    WireJsonScan scan = { .at = 0 };
    WireHead head;
    if (wire_json_read(data, size, MOST, binary) != WIRE_OK)
        return 0;
    if (binary->len > MOST || wire_json_find_end(&scan, data, size) != WIRE_OK)
        abort();
    if (wire_head_peek(binary->data, binary->len, &head) != WIRE_OK)
        return 0;
    const guint8 *body = binary->data + head.body_offset;
    const gsize length = binary->len - head.body_offset;
    if (wire_walk_whole_struct(WIRE_BINARY, body, length) != WIRE_OK)
        abort();
    write_and_read(&head, body, length);
    return 0;
}

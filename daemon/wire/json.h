/* json.h - Thrift's JSON encoding, turned into binary and back.
 *
 *   [1,"name",type,seqid,{"1":{"i32":5},"2":{"lst":["str",2,"a","b"]}}]
 *
 * Every value is named with its type, so that no IDL is needed.  One thing does not show: whether
 * a "str" is a text or a binary in Base64.  It is passed on as it is; the worker knows.
 *
 *   message, JSON --wire_json_read--> message, strict binary --> as any other
 *   body, binary --wire_json_put_struct--> a part of a JSON reply
 *
 * Thread: any; pure.                                                                     */
#pragma once
#include "daemon/wire/protocol.h"
#include "daemon/wire/sink.h"
#include "daemon/wire/wire_verdict.h"

/* A search for the end of one message whose bytes come in pieces.  Begin with { 0 }. */
typedef struct {
    gsize at; /* bytes looked at */
    guint32 depth;
    gboolean in_text, is_escaped;
} WireJsonScan;

static inline gboolean wire_is_json(guint8 first) { return first == '['; }

/* `bytes` are all of the message that has come.  WIRE_OK: scan->at is its length.  WIRE_MORE: go
 * on when there are more bytes.  Whether it is JSON is left to wire_json_read(). */
WireVerdict wire_json_find_end(WireJsonScan *scan, const guint8 *bytes, gsize length);

/* Appends the message in strict binary.  WIRE_FRAME_TOO_LARGE: it has more than max_bytes there.
 * What is not WIRE_OK leaves in `binary` whatever was read before. */
WireVerdict wire_json_read(const guint8 *message, gsize length, gsize max_bytes,
                           GByteArray *binary);

/* --- writing ---------------------------------------------------------------------------------- */

void wire_json_put_text(WireSink *sink, const gchar *text, gsize bytes); /* UTF-8 */
void wire_json_put_integer(WireSink *sink, gint64 value);

/* `body` is one well-formed struct in binary.  FALSE: JSON cannot say it, as a text in it is not
 * UTF-8 or the key of a map is no scalar; what is in the sink then is of no use. */
gboolean wire_json_put_struct(WireSink *sink, const guint8 *body, gsize length);

/* head.c - reads the three kinds of message head. */
#include "daemon/wire/head.h"
#include "daemon/wire/cursor.h"
#include <string.h>

#define THEADER_MAGIC 0x0fffu

static WireMessageType check_type(WireCursor *cursor, guint8 type)
{
    if (type != WIRE_CALL && type != WIRE_ONEWAY)
        wire_refuse(cursor, WIRE_BAD_TYPE);
    return type;
}

static void read_name(WireCursor *cursor, WireHead *head, guint32 name_bytes)
{
    if (name_bytes > G_MAXINT32)
        wire_refuse(cursor, WIRE_BAD_NAME);
    head->name = wire_take(cursor, name_bytes);
    head->name_bytes = name_bytes;
}

static void read_strict_binary(WireCursor *cursor, WireHead *head)
{
    head->protocol = WIRE_BINARY;
    head->strict = TRUE;
    if (wire_take_u16(cursor) != WIRE_BINARY_VERSION)
        wire_refuse(cursor, WIRE_BAD_VERSION);
    wire_take_u8(cursor); /* unused, says the specification; libraries do not look at it */
    head->type = check_type(cursor, wire_take_u8(cursor));
    read_name(cursor, head, wire_take_u32(cursor));
    head->seqid = (gint32)wire_take_u32(cursor);
}

static void read_old_binary(WireCursor *cursor, WireHead *head)
{
    head->protocol = WIRE_BINARY;
    head->strict = FALSE;
    read_name(cursor, head, wire_take_u32(cursor));
    head->type = check_type(cursor, wire_take_u8(cursor));
    head->seqid = (gint32)wire_take_u32(cursor);
}

static void read_compact(WireCursor *cursor, WireHead *head)
{
    head->protocol = WIRE_COMPACT;
    head->strict = TRUE;
    wire_take_u8(cursor);
    guint8 type_and_version = wire_take_u8(cursor);
    if ((type_and_version & WIRE_COMPACT_VERSION_MASK) != WIRE_COMPACT_VERSION)
        wire_refuse(cursor, WIRE_BAD_VERSION);
    head->type = check_type(cursor, type_and_version >> WIRE_COMPACT_TYPE_SHIFT);
    head->seqid = (gint32)wire_take_varint32(cursor);
    read_name(cursor, head, wire_take_varint32(cursor));
}

/* An old head begins with the length of a name: a first byte other than 0 would be a name
 * of 16 MiB and more, and is rather another protocol. */
static void read_head(WireCursor *cursor, WireHead *head)
{
    switch (cursor->bytes[0]) {
    case WIRE_BINARY_VERSION >> 8:
        read_strict_binary(cursor, head);
        return;
    case WIRE_COMPACT_ID:
        read_compact(cursor, head);
        return;
    case 0:
        read_old_binary(cursor, head);
        return;
    default:
        wire_refuse(cursor,
                    wire_take_u16(cursor) == THEADER_MAGIC ? WIRE_THEADER : WIRE_NOT_THRIFT);
    }
}

/* Names end up in logs and in C strings, so that control bytes are not let in. */
static gboolean name_is_clean(const WireHead *head)
{
    for (gsize i = 0; i < head->name_bytes; i++)
        if (head->name[i] < 0x20)
            return FALSE;
    return TRUE;
}

static void split_service(WireHead *head)
{
    const guint8 *colon = memchr(head->name, ':', head->name_bytes);
    if (colon == NULL)
        return;
    head->service = head->name;
    head->service_bytes = (gsize)(colon - head->name);
    head->name = colon + 1;
    head->name_bytes -= head->service_bytes + 1;
}

WireVerdict wire_head_peek(const guint8 *message, gsize length, WireHead *head)
{
    *head = (WireHead){ .service = NULL };
    if (length == 0)
        return WIRE_MORE;
    WireCursor cursor = { .bytes = message, .length = length };
    read_head(&cursor, head);
    if (cursor.verdict != WIRE_OK)
        return cursor.verdict;
    if (!name_is_clean(head))
        return WIRE_BAD_NAME;
    split_service(head);
    head->body_offset = cursor.at;
    return WIRE_OK;
}

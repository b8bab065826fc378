/* fuzz_wire_theader.c - a THeader frame: everything it points to is in the frame, and what is
 * written with its keys and values reads as the same. */
#include "daemon/wire/theader.h"
#include <stdlib.h>
#include <string.h>

#define MOST_PAIRS 16

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static guint read_pairs(const WireTHeader *header, WireTHeaderPair *pairs)
{
    WireTHeaderPairs left = wire_theader_pairs(header);
    guint n = 0;
    while (n < MOST_PAIRS && wire_theader_next(&left, &pairs[n])) {
        const guint8 *key = (const guint8 *)pairs[n].key,
                     *end = header->infos + header->infos_bytes;
        if (key < header->infos || key + pairs[n].key_bytes > end)
            abort();
        n++;
    }
    return n;
}

static void write_and_read(const WireTHeader *header, const WireTHeaderPair *pairs, guint n)
{
    const WireTHeaderReply reply = {
        header->flags,   header->seqid, header->protocol == 0 ? WIRE_BINARY : WIRE_COMPACT,
        header->is_zlib, pairs,         n
    };
    const gsize bytes = wire_theader_bytes(&reply);
    g_autofree guint8 *frame = g_malloc0(bytes + 1);
    WireTHeader again;
    WireTHeaderPair got[MOST_PAIRS];
    if (wire_theader_write(frame, &reply, 1) != bytes ||
        wire_theader_read(frame + 4, bytes - 4 + 1, &again) != WIRE_OK ||
        again.seqid != header->seqid || again.flags != header->flags ||
        again.is_zlib != header->is_zlib || read_pairs(&again, got) != n)
        abort();
    for (guint i = 0; i < n; i++)
        if (got[i].key_bytes != pairs[i].key_bytes || got[i].value_bytes != pairs[i].value_bytes ||
            memcmp(got[i].key, pairs[i].key, got[i].key_bytes) != 0 ||
            memcmp(got[i].value, pairs[i].value, got[i].value_bytes) != 0)
            abort();
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    WireTHeader header;
    WireTHeaderPair pairs[MOST_PAIRS];
    if (!wire_is_theader(data, size) || wire_theader_read(data, size, &header) != WIRE_OK)
        return 0;
    if (header.message_offset >= size)
        abort();
    write_and_read(&header, pairs, read_pairs(&header, pairs));
    return 0;
}

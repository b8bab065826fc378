#include "daemon/base/deflate.h"
#include <zlib.h>

#define FIRST_BYTES ((gsize)4096)

/* The buffer doubles with what has come out, so that a bomb costs what it has yielded so far. */
static gboolean inflate_all(z_stream *stream, GByteArray *out, gsize most, gboolean *too_large)
{
    int result = Z_OK;
    while (result == Z_OK) {
        const gsize used = out->len, size = MIN(MAX(FIRST_BYTES, 2 * used), most + 1);
        if (used == size) {
            *too_large = TRUE;
            return FALSE;
        }
        g_byte_array_set_size(out, (guint)size);
        stream->next_out = out->data + used;
        stream->avail_out = (uInt)(size - used);
        result = inflate(stream, Z_NO_FLUSH);
        g_byte_array_set_size(out, (guint)(size - stream->avail_out));
        if (result == Z_OK && stream->avail_in == 0 && stream->avail_out > 0)
            return FALSE; /* it ends too early */
    }
    *too_large = result == Z_STREAM_END && out->len > most;
    return result == Z_STREAM_END && out->len <= most && stream->avail_in == 0;
}

guint8 *deflate_undo(const guint8 *bytes, gsize length, gsize most, gsize *inflated_bytes,
                     gboolean *too_large)
{
    z_stream stream = { .next_in = (Bytef *)bytes, .avail_in = (uInt)length };
    g_autoptr(GByteArray) out = g_byte_array_new();
    *too_large = FALSE;
    if (inflateInit(&stream) != Z_OK)
        return NULL;
    const gboolean good = inflate_all(&stream, out, most, too_large);
    inflateEnd(&stream);
    if (!good)
        return NULL;
    return g_byte_array_steal(out, inflated_bytes);
}

guint8 *deflate_do(const guint8 *bytes, gsize length, gsize room, gsize *deflated_bytes)
{
    uLongf most = compressBound((uLong)length);
    guint8 *out = g_malloc(room + most);
    const int result = compress2(out + room, &most, bytes, (uLong)length, Z_BEST_SPEED);
    g_assert(result == Z_OK); /* there is room for whatever comes */
    *deflated_bytes = most;
    return out;
}

/* frame_protocol.h - hardened ThriftProtocol classes over one contiguous frame.
 *
 * The arguments of a call lie in shared memory from begin to end, so they are decoded in
 * place; the reply's body is encoded straight into the reply area.  Every length, count,
 * depth and duplicate field is checked before memory is taken.  Nothing of Thrift's own
 * transports or protocols sees a client's byte.
 *
 * Soft failure: generated readers leak what they hold when a read returns -1 halfway.  So
 * the first problem only marks the protocol as failed: from then on every read succeeds at
 * once with an empty value (T_STOP, size 0, "", 1 for an i32), the generated code runs down
 * its good path and frees all it holds, and read_message_end reports the failure.  Generated
 * code calls the handler only after that, so a handler never sees such values.
 *
 * Message heads are not read or written: sluiced does that.  write_message_begin only
 * remembers the type.  After write_message_begin(T_EXCEPTION) output is not encoded; the
 * first string written is kept as the exception's text.
 *
 * Thread: one thread at a time per object.  Owns: nothing of the buffers it is given.      */
#pragma once
#include "actor/ring/ring.h"
#include <thrift/c_glib/protocol/thrift_protocol.h>

/* An object for many calls, one after the other.  transfer full; g_object_unref(). */
ThriftProtocol *frame_protocol_new(RingProtocol kind);

/* Starts a call: forgets the last one.  Both buffers are borrowed until the next begin.
 * `args` are the fields of the argument struct up to and with its stop.  Neither pointer may
 * be NULL, whatever its size. */
void frame_protocol_begin(ThriftProtocol *protocol, const guint8 *args, gsize args_bytes,
                          guint8 *reply, gsize reply_capacity);

/* NULL, or what is wrong with the arguments and at which byte.  Valid until the next begin. */
const gchar *frame_protocol_input_error(ThriftProtocol *protocol);

/* TRUE once the generated reader got to read_message_end: what it had decoded then is owned
 * by its argument struct.  FALSE after a failed call means that it gave up halfway, as for a
 * missing required field, and may have leaked up to the size of the arguments. */
gboolean frame_protocol_reached_end(ThriftProtocol *protocol);

typedef struct {
    guint messages;         /* times write_message_begin was called */
    ThriftMessageType type; /* of the first one; meaningless when messages is 0 */
    gboolean complete;      /* write_message_end was called; structs are balanced, stopped and at
                             * most FRAME_MAX_DEPTH (frame_limits.h) deep */
    gboolean overflow;      /* the body did not fit the reply area */
    gsize body_bytes;
    const gchar *exception_text; /* with T_EXCEPTION: its message, or NULL; until next begin */
} FrameOutput;

void frame_protocol_output(ThriftProtocol *protocol, FrameOutput *output);

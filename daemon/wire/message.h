/* message.h - where one message of a connection ends, whatever it is carried by.
 *
 *   framed     a length, then as many bytes                       (frame.h)
 *   unframed   a message begins right behind the one before it: its end is found by walking it
 *
 * Which of them a connection speaks shows in its first bytes and stays so.
 *
 * Thread: any; pure.   Never: looks at a byte twice that was walked before.                  */
#pragma once
#include "daemon/wire/json.h"
#include "daemon/wire/walk.h"

/* A search for the end of one message whose bytes come in pieces; message.c's own. */
typedef struct {
    WireTransport transport;
    gsize head_bytes;  /* unframed: of the message's head, 0 while it is not complete */
    WireWalk walk;     /* begun when head_bytes is not 0 */
    WireJsonScan json; /* unframed, and JSON */
} WireScan;

typedef struct {
    gsize offset; /* where the message begins: behind what carries it */
    gsize bytes;  /* of the message; 0 while that is not known */
} WireExtent;

/* A new message.  WIRE_TRANSPORT_UNKNOWN: it is the first of its connection. */
void wire_scan_begin(WireScan *scan, WireTransport transport);

/* `bytes` are all that has come of the message, from what carries it on, and perhaps of others
 * behind it.  WIRE_OK: it is complete.  WIRE_MORE: ask again with more bytes.  Anything else is
 * what is wrong with it.  scan->transport becomes known as soon as it shows. */
WireVerdict wire_message_find(WireScan *scan, const guint8 *bytes, gsize length,
                              gsize max_message_bytes, WireExtent *extent);

/* request.h - one call on its way from a socket to a handler and back.
 *
 * It is answered exactly once: answer, fail and finish_silently all end in one place, and a
 * second one stops the daemon.  There is no way to let go of a call without one of them.
 *
 *   front --dispatch_submit--> service --> factory --> pool --> worker
 *     ^                                       | refused, discarded  | reply, lost
 *     +---- client.finished <-----------------+---------------------+
 *
 * Three may hold a request: the client's side until it has sent the reply or is gone, the factory
 * until the call has ended, and a worker until it has let go of it, which can be long after a
 * deadline answered it.
 *
 * Thread: the loop's.
 * Owns:   its copy of the call's bytes, and the reply.                                       */
#pragma once
#include "actor/factory/factory.h"
#include "daemon/base/counters.h"
#include "daemon/base/obj.h"
#include "daemon/dispatch/buffer_memory.h"
#include "daemon/dispatch/poison.h"
#include "daemon/wire/head.h"
#include <glib.h>

typedef enum {
#define STATE(name, text, from) REQUEST_##name,
#include "daemon/dispatch/request_state.def"
    REQUEST_STATES
} RequestState;

typedef struct Request Request;

/* Who waits for the answer. */
typedef struct {
    /* The reply, or the fact that there is none, is in the request; the callee lets go of
     * the request with request_release() when it has used it, not during this call. */
    void (*finished)(Request *request, gpointer user);
    gpointer user;
    BufferMemory *memory;    /* what its reply is counted against; outlives the request */
    WireTransport transport; /* the reply goes by the same */
} RequestClient;

/* How a call came, and so how its reply goes back: the front's own, nobody else looks at it. */
typedef enum { CARRIER_NONE, CARRIER_THEADER, CARRIER_HTTP, CARRIER_WEBSOCKET } CarrierKind;

typedef struct {
    CarrierKind kind;
    guint32 seqid;         /* THeader: of the frame */
    gboolean is_zlib;      /* THeader: so is the reply */
    gboolean may_overtake; /* THeader: its reply need not wait for those before it */
    gboolean closes;       /* HTTP: the connection ends with its reply */
    gboolean is_http10;    /* HTTP: must be told that the connection does not end */
    gboolean is_text;      /* WebSocket: so is the reply */
} RequestCarrier;

struct Request {
    ObjTag tag;
    RequestState state;
    guint holders;
    RequestClient client;  /* finished is NULL once the client has gone */
    ServiceStats *stats;   /* where it is counted; set by dispatch_submit() */
    PoisonPrint print;     /* what it is known by, once that was needed */
    gboolean is_trial;     /* of what was refused before: poison.h */
    struct Service *owner; /* until it is finished; NULL: no service has it */
    WireProtocol protocol;
    RequestCarrier carrier;
    GByteArray *headers;       /* that came with it: actor/ring/headers.h; NULL: none */
    GByteArray *reply_headers; /* as its worker wrote them; NULL: none */
    FactoryReason reason;      /* what it has come to, once FINISHED */
    gint64 started_usec;       /* by a worker; 0: not, or it has not said */
    guint generation;          /* of that worker; 0: none */
    gint64 load;               /* calls of its service when it ended; -1: not known */
    gboolean oneway;
    gint32 seqid;
    gchar *service; /* the name in a multiplexed call; NULL: none */
    gchar *method;
    gsize method_bytes;
    GRefString *peer;
    guint8 *buffer; /* the message is in it, and the arguments at its end; NULL when finished */
    const guint8 *args;
    gsize args_bytes;
    gsize held_bytes;      /* of memory, while it waits */
    gsize max_reply_bytes; /* of the frame that goes back */
    gint64 received_usec;
    gint64 deadline_usec;   /* set by the service */
    guint64 job;            /* its number in the factory; 0: not admitted */
    struct Generation *out; /* whose pool has it; NULL: none */
    guint32 ticket;         /* while it is out: of pool_hand() */
    guint8 *reply;          /* with what carries it; NULL: nothing is sent */
    gsize reply_bytes;
};

/* A whole message with this head begins `offset` bytes into `buffer` (transfer full, from
 * g_malloc).  Starts with the client as its only holder. */
Request *request_new(const WireHead *head, guint8 *buffer, gsize offset, gsize message_bytes,
                     GRefString *peer, const RequestClient *client, gsize max_reply_bytes,
                     gint64 now_usec);
/* Right behind request_new(): it came with these (transfer full; NULL: none). */
void request_set_carrier(Request *request, const RequestCarrier *carrier, GByteArray *headers);
/* Before it is answered: the handler's; copied, and of no use where no headers can go back. */
void request_set_reply_headers(Request *request, const guint8 *block, gsize bytes);
Request *request_hold(Request *request);
void request_release(Request *request); /* the last holder frees it; it must be FINISHED */

void request_admit(Request *request, guint64 job); /* the factory took it */

/* The handler's reply: `body` is copied first and looked at then; what is not one well-formed
 * struct becomes BAD_REPLY.  Returns what it came to. */
FactoryReason request_answer(Request *request, const guint8 *body, gsize body_bytes);

/* A TApplicationException "token: text" of the reason's type; nothing for a oneway call. */
void request_fail(Request *request, FactoryReason reason, const gchar *text, gssize text_bytes);

/* Finished without a reply: a oneway method ran. */
void request_finish_silently(Request *request);

/* What goes out instead of the reply (transfer full): the same in what carries it. */
void request_carry_reply(Request *request, guint8 *frame, gsize bytes);
/* Of fbthrift's error codes the one for what it has come to; -1: none, it went well. */
gint request_error_code(const Request *request);

/* No call: words for the client that have their place between replies, and are ready.
 * `words` (transfer full).  Never submitted. */
Request *request_of_words(guint8 *words, gsize bytes, GRefString *peer,
                          const RequestClient *client);

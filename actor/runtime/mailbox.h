/* mailbox.h - the messages that wait for one actor, by lane.  Private to actor/runtime. */
#pragma once
#include "actor/runtime/actor.h"

typedef struct {
    GQueue lanes[ACTOR_LANES]; /* of Letter */
    guint n;
} Mailbox;

void mailbox_init(Mailbox *mailbox);
void mailbox_push(Mailbox *mailbox, ActorLane lane, const ActorMessage *message);
/* The oldest of the most urgent lane that is not above `from`; FALSE: none. */
gboolean mailbox_pop(Mailbox *mailbox, ActorLane from, ActorLane *lane, ActorMessage *message);
guint mailbox_clear(Mailbox *mailbox); /* how many were in it */

static inline void message_clear(const ActorMessage *message)
{
    if (message->free_data != NULL)
        message->free_data(message->data);
}

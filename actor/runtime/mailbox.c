#include "actor/runtime/mailbox.h"

void mailbox_init(Mailbox *mailbox)
{
    for (guint i = 0; i < ACTOR_LANES; i++)
        g_queue_init(&mailbox->lanes[i]);
    mailbox->n = 0;
}

void mailbox_push(Mailbox *mailbox, ActorLane lane, const ActorMessage *message)
{
    g_queue_push_tail(&mailbox->lanes[lane], g_memdup2(message, sizeof *message));
    mailbox->n++;
}

gboolean mailbox_pop(Mailbox *mailbox, ActorLane from, ActorLane *lane, ActorMessage *message)
{
    for (guint i = from; i < ACTOR_LANES; i++) {
        g_autofree ActorMessage *letter = g_queue_pop_head(&mailbox->lanes[i]);
        if (letter == NULL)
            continue;
        mailbox->n--;
        *lane = (ActorLane)i;
        *message = *letter;
        return TRUE;
    }
    return FALSE;
}

guint mailbox_clear(Mailbox *mailbox)
{
    ActorLane lane;
    ActorMessage message;
    guint n = 0;
    for (; mailbox_pop(mailbox, LANE_KILL, &lane, &message); n++)
        message_clear(&message);
    return n;
}

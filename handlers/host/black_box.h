/* black_box.h - what a worker writes down in the moment of its crash, and its host reads.
 *
 *   worker: fault handler --frames, as numbers--> pipe --> host: after its death, as names
 *
 * The host forked the worker and so has every object at the same addresses: naming them is left
 * to it, for in a process that has crashed hardly a function may be called.
 *
 * Thread: the worker's main thread installs; the handler runs on whichever thread faults.
 * Trust:  what comes out of the pipe may be anything; the host bounds and checks it.         */
#pragma once
#include <glib.h>

/* The worker's end: a fault of the process is written there, and then takes its usual course,
 * so that status and core are what they would be.  A handler of the plugin's that is there
 * before, or is installed later, is left alone. */
void black_box_install(int fd);

/* The host's end, non-blocking, after the worker's death: "frame < frame < frame", innermost
 * first, or NULL when nothing was written.  `plugin` stands for the file that it was loaded
 * from.  Free with g_free(). */
gchar *black_box_read(int fd, const gchar *plugin);

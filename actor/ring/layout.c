#include "actor/ring/layout.h"
#include "actor/ring/futex.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static gsize round_up(gsize bytes, gsize unit) { return (bytes + unit - 1) / unit * unit; }

static guint32 ready_entries(const RingGeometry *geometry)
{
    guint32 entries = 1;
    while (entries < geometry->slots * RING_READY_SLACK)
        entries *= 2;
    return entries;
}

/* Sizes and strides always; pointers only where there is a base to add them to. */
static void place(RingLayout *layout, const RingGeometry *geometry, guint8 *base)
{
    const gsize page = (gsize)sysconf(_SC_PAGESIZE);
    const gsize ready = round_up(sizeof(RingShared), 64);
    const gsize slots = round_up(ready + ready_entries(geometry) * sizeof(guint64), 64);
    const gsize seats = slots + geometry->slots * sizeof(SlotHead);
    const gsize calls = round_up(seats + geometry->workers * sizeof(Seat), page);
    *layout = (RingLayout){
        .geometry = *geometry,
        .ready_mask = ready_entries(geometry) - 1,
        .call_stride = round_up(geometry->max_call_bytes, page),
        .reply_stride = round_up((gsize)geometry->max_reply_bytes + RING_HEADERS_MAX, page),
    };
    const gsize replies = calls + geometry->slots * layout->call_stride;
    layout->total_bytes = replies + geometry->slots * layout->reply_stride;
    if (base == NULL)
        return;
    layout->shared = (RingShared *)base;
    layout->ready = (_Atomic guint64 *)(base + ready);
    layout->slots = (SlotHead *)(base + slots);
    layout->seats = (Seat *)(base + seats);
    layout->calls = base + calls;
    layout->replies = base + replies;
}

gboolean ring_geometry_is_possible(const RingGeometry *geometry)
{
    return geometry->workers >= 1 && geometry->workers <= RING_MAX_WORKERS &&
           geometry->slots >= geometry->workers && geometry->slots <= RING_MAX_SLOTS &&
           geometry->max_call_bytes >= 1 && geometry->max_reply_bytes >= 1;
}

gsize ring_layout_total_bytes(const RingGeometry *geometry)
{
    RingLayout layout;
    place(&layout, geometry, NULL);
    return layout.total_bytes;
}

gboolean ring_layout_map(RingLayout *layout, const RingGeometry *geometry, int fd, GError **error)
{
    const gsize bytes = ring_layout_total_bytes(geometry);
    /* NORESERVE: the size is that of every slot filled with the largest message; what is
     * never touched must not count against the machine's commit limit. */
    void *base = FAULT_AT(RING_MAP)
                     ? MAP_FAILED
                     : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot map %" G_GSIZE_FORMAT " bytes of shared memory: %s", bytes,
                    g_strerror(errno));
        return FALSE;
    }
    /* A core file of a crashed worker must not hold other callers' requests. */
    (void)madvise(base, bytes, MADV_DONTDUMP);
    place(layout, geometry, base);
    return TRUE;
}

void ring_layout_unmap(RingLayout *layout)
{
    if (layout->shared != NULL)
        munmap(layout->shared, layout->total_bytes);
    layout->shared = NULL;
}

/* Whoever clears the bit owns the wake-up; FALSE: it was not asleep, or another woke it. */
static gboolean wake(const RingLayout *layout, guint32 worker)
{
    const guint64 bit = G_GUINT64_CONSTANT(1) << worker % 64;
    if ((atomic_fetch_and(&layout->shared->sleep_map[worker / 64], ~bit) & bit) == 0)
        return FALSE;
    Seat *seat = &layout->seats[worker];
    atomic_fetch_add(&seat->futex, 1);
    futex_wake_one(&seat->futex);
    return TRUE;
}

void ring_wake(const RingLayout *layout, guint32 worker)
{
    /* seq_cst, pairs with the fetch_or in ring_worker_take: mostly it is awake, and then the
     * map is only read. */
    if ((atomic_load(&layout->shared->sleep_map[worker / 64]) >> worker % 64 & 1) != 0)
        wake(layout, worker);
}

/* The lowest bit first: the same few workers stay awake and warm while the rest sleep. */
void ring_wake_one(const RingLayout *layout)
{
    const guint32 words = (layout->geometry.workers + 63) / 64;
    for (guint32 i = 0; i < words; i++) {
        _Atomic guint64 *map = &layout->shared->sleep_map[i];
        /* seq_cst, pairs with the fetch_or in ring_worker_take. */
        for (guint64 bits = atomic_load(map); bits != 0; bits &= bits - 1) {
            const guint32 worker = i * 64 + (guint32)__builtin_ctzll(bits);
            /* The map may hold bits of nobody. */
            if (worker < layout->geometry.workers && wake(layout, worker))
                return;
        }
    }
}

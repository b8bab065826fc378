/* gtype_interpose.c - the host's own g_type_register_static(), which every library and plugin
 * in the process calls instead of GLib's.
 *
 * No header: callers know these functions from <glib-object.h>.  The host is linked with
 * -rdynamic, so the dynamic linker finds its definitions before those of libgobject.
 *
 * Why: code made by `thrift --gen c_glib` (and libthrift itself) has two faults that only
 * the registration can mend.
 *   - Its get_type functions take no lock.  When two threads race for a type's first use, GLib
 *     refuses the second registration and the type stays broken for good.  Here a second
 *     registration of the same name and shape returns the type that exists.
 *   - Its finalize functions do not chain up.  GObject's own never runs and leaks 80 bytes
 *     an object (GLib 2.74).  Here the chain goes on to the parent's finalize, unless the
 *     function got to GObject's own by itself.
 *
 * Thread: any.  Locks: `registering`, a leaf around the first look at a name.
 * Owns:   one Level per type, for good, as types are for good.
 * Never:  touches types registered by libgobject for itself; those are well behaved.        */
#include <dlfcn.h>
#include <glib-object.h>

/* What a type was registered with, and what class_init then made of it. */
typedef struct {
    GType parent;
    guint class_bytes;
    guint instance_bytes;
    GClassInitFunc class_init;
    gconstpointer class_data;
    GObjectClass *parent_class;
    void (*finalize)(GObject *object); /* the class's own; NULL when it inherits */
} Level;

/* One object on its way down its finalize functions.  Finalizing an object lets go of others,
 * so chains nest; the innermost is the only one that moves. */
typedef struct Chain {
    GObject *object;
    const Level *level; /* whose finalize runs now */
    gboolean reached_base;
    struct Chain *outer;
} Chain;

static _Thread_local Chain *innermost;

static void (*base_finalize)(GObject *object);

static G_DEFINE_QUARK(sluice - type - level, type_level)

    static void note_and_finalize(GObject *object)
{
    if (innermost != NULL && innermost->object == object)
        innermost->reached_base = TRUE;
    base_finalize(object);
}

/* Before the first class of anybody else exists, because a class copies its parent's
 * finalize when it is made. */
static void patch_base_class(void)
{
    static gsize patched;
    if (!g_once_init_enter(&patched))
        return;
    GObjectClass *base = g_type_class_ref(G_TYPE_OBJECT);
    base_finalize = base->finalize;
    base->finalize = note_and_finalize;
    g_once_init_leave(&patched, TRUE);
}

/* The nearest level at or above `type` that has a finalize of its own. */
static const Level *finalizing_level(GType type)
{
    for (; type != G_TYPE_OBJECT; type = g_type_parent(type)) {
        const Level *level = g_type_get_qdata(type, type_level_quark());
        if (level != NULL && level->finalize != NULL)
            return level;
    }
    g_assert_not_reached();
}

static void run_level(Chain *chain, const Level *level)
{
    chain->level = level;
    level->finalize(chain->object);
    if (!chain->reached_base)
        level->parent_class->finalize(chain->object);
}

/* Stands in every class whose own finalize it replaces, so it is entered once for the
 * object and once more for each level above, whoever makes the chain go on. */
static void chained_finalize(GObject *object)
{
    if (innermost != NULL && innermost->object == object) {
        run_level(innermost, finalizing_level(innermost->level->parent));
        return;
    }
    Chain chain = { .object = object, .outer = innermost };
    innermost = &chain;
    run_level(&chain, finalizing_level(G_OBJECT_TYPE(object)));
    innermost = chain.outer;
}

static void wrapped_class_init(gpointer g_class, gpointer data)
{
    Level *level = data;
    level->parent_class = g_type_class_peek_parent(g_class);
    if (level->class_init != NULL)
        level->class_init(g_class, (gpointer)level->class_data);

    GObjectClass *class = g_class;
    if (class->finalize == level->parent_class->finalize)
        return;
    level->finalize = class->finalize;
    class->finalize = chained_finalize;
}

static GType register_level(GType parent, const gchar *name, const GTypeInfo *info,
                            GTypeFlags flags)
{
    static GType (*next)(GType, const gchar *, const GTypeInfo *, GTypeFlags);
    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "g_type_register_static");
    g_assert(next != NULL);

    Level *level = g_new0(Level, 1);
    level->parent = parent;
    level->class_bytes = info->class_size;
    level->instance_bytes = info->instance_size;
    level->class_init = info->class_init;
    level->class_data = info->class_data;

    GTypeInfo wrapped = *info;
    if (g_type_is_a(parent, G_TYPE_OBJECT)) {
        wrapped.class_init = wrapped_class_init;
        wrapped.class_data = level;
    }
    GType type = next(parent, name, &wrapped, flags);
    if (type != 0)
        g_type_set_qdata(type, type_level_quark(), level);
    else
        g_free(level); /* GLib has said why */
    return type;
}

/* Generated code does not look at what it gets: with a type refused it would go on to answer
 * calls with empty structs.  So two shapes of one name end the process. */
static GType existing_type(GType type, GType parent, const gchar *name, const GTypeInfo *info)
{
    const Level *level = g_type_get_qdata(type, type_level_quark());
    if (level == NULL || level->parent != parent || level->class_bytes != info->class_size ||
        level->instance_bytes != info->instance_size)
        g_error("type.refused name=%s reason=\"another type of this name, with another parent "
                "or size, is registered\"",
                name);
    return type;
}

GType g_type_register_static(GType parent, const gchar *name, const GTypeInfo *info,
                             GTypeFlags flags)
{
    static GMutex registering;

    patch_base_class();
    g_mutex_lock(&registering);
    GType type = g_type_from_name(name);
    type = type != 0 ? existing_type(type, parent, name, info)
                     : register_level(parent, name, info, flags);
    g_mutex_unlock(&registering);
    return type;
}

/* libgobject's own calls g_type_register_static() past the dynamic linker. */
GType g_type_register_static_simple(GType parent, const gchar *name, guint class_size,
                                    GClassInitFunc class_init, guint instance_size,
                                    GInstanceInitFunc instance_init, GTypeFlags flags)
{
    g_return_val_if_fail(class_size <= G_MAXUINT16 && instance_size <= G_MAXUINT16, 0);
    const GTypeInfo info = {
        .class_size = class_size,
        .class_init = class_init,
        .instance_size = instance_size,
        .instance_init = instance_init,
    };
    return g_type_register_static(parent, name, &info, flags);
}

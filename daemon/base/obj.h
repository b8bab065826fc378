/* obj.h - void * never becomes a T * unchecked.
 *
 * First member of every struct handed to a C callback.  A stale or wrong pointer then dies
 * at the boundary, with a name, instead of ten calls later. */
#pragma once
#include <glib.h>

typedef struct {
    guint32 magic;
} ObjTag;

#define OBJ_INIT(o, MAGIC)  ((o)->tag.magic = (MAGIC))
#define OBJ_CHECK(o, MAGIC) g_assert((o) != NULL && (o)->tag.magic == (MAGIC))
#define OBJ_FINI(o, MAGIC)   \
    do {                     \
        OBJ_CHECK(o, MAGIC); \
        (o)->tag.magic = 0;  \
    } while (0)

/* T *x = OBJ_FROM(T, arg, T_MAGIC);  - the only way a void * becomes a T *. */
#define OBJ_FROM(T, ptr, MAGIC) \
    ({                          \
        T *o_ = (ptr);          \
        OBJ_CHECK(o_, MAGIC);   \
        o_;                     \
    })

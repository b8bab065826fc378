/* bitset.h - a set of numbers below 64^3 that finds its next member in three steps.
 *
 * Thread: its owner's.   Owns: nothing; plain data, 32 KiB.                                  */
#pragma once
#include <glib.h>
#include <string.h>

#define BITSET_MOST 262144u
#define BITSET_NONE G_MAXUINT32

typedef struct {
    guint64 bits[BITSET_MOST / 64];    /* a bit for each number */
    guint64 words[BITSET_MOST / 4096]; /* a bit for each word above that is not 0 */
    guint64 groups;                    /* and for each word of those */
    guint32 n;
} Bitset;

static inline gboolean bitset_has(const Bitset *set, guint32 i)
{
    return set->bits[i / 64] >> (i % 64) & 1;
}

static inline void bitset_add(Bitset *set, guint32 i)
{
    if (bitset_has(set, i))
        return;
    set->n++;
    set->bits[i / 64] |= (guint64)1 << i % 64;
    set->words[i / 4096] |= (guint64)1 << i / 64 % 64;
    set->groups |= (guint64)1 << i / 4096;
}

static inline void bitset_remove(Bitset *set, guint32 i)
{
    if (!bitset_has(set, i))
        return;
    set->n--;
    set->bits[i / 64] &= ~((guint64)1 << i % 64);
    if (set->bits[i / 64] != 0)
        return;
    set->words[i / 4096] &= ~((guint64)1 << i / 64 % 64);
    if (set->words[i / 4096] == 0)
        set->groups &= ~((guint64)1 << i / 4096);
}

/* The bits of `word` that are above number `i` in it. */
static inline guint64 bits_above(guint64 word, guint32 i)
{
    return i % 64 == 63 ? 0 : word & ~(guint64)0 << (i % 64 + 1);
}

/* The least member above `i`, BITSET_NONE when there is none. */
static inline guint32 bitset_above(const Bitset *set, guint32 i)
{
    guint64 found = bits_above(set->bits[i / 64], i);
    if (found != 0)
        return i / 64 * 64 + (guint32)__builtin_ctzll(found);
    found = bits_above(set->words[i / 4096], i / 64);
    guint32 word = i / 4096 * 64;
    if (found == 0) {
        found = bits_above(set->groups, i / 4096);
        if (found == 0)
            return BITSET_NONE;
        word = (guint32)__builtin_ctzll(found) * 64;
        found = set->words[word / 64];
    }
    word += (guint32)__builtin_ctzll(found);
    return word * 64 + (guint32)__builtin_ctzll(set->bits[word]);
}

/* The next member after `i`, going round; BITSET_NONE when it is empty. */
static inline guint32 bitset_after(const Bitset *set, guint32 i)
{
    const guint32 above = bitset_above(set, i);
    if (above != BITSET_NONE || set->n == 0)
        return above;
    return bitset_has(set, 0) ? 0 : bitset_above(set, 0);
}

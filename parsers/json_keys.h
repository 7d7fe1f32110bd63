/*
 * parsers/json_keys.h - keys met lately.
 * One job: know a key again by one comparison, from what came before it.
 * Floor: 2 (uses record, base).
 *
 * Lines of a log have the same keys in the same order, or one of a few orders.  What came behind a key lately is
 * compared as bytes, quotes and colon included; where it fits, the key need not be read, hashed or looked up.
 */
#pragma once

#include "parsers/json_internal.h"

enum { JSON_KEYS = 256, JSON_KEY_TEXT = 30, JSON_NEXT = 4, JSON_LAYOUTS = 64 };
/* A step of a path: the number of the key, and beside it the kind of the value, whether it is empty or escaped, and where blanks
 * stand. */
enum {
	JSON_KIND_SHIFT = 8,
	JSON_EMPTY = 1 << 12,
	JSON_BLANK_KEY = 1 << 13,
	JSON_BLANK_VALUE = 1 << 14,
	JSON_ESCAPED = 1 << 15,
};
/* Lines in which most keys are not expected lower the luck, others raise it; without any only every so many lines try. */
enum { JSON_LUCK_MAX = 16, JSON_TRY_EVERY = 64 };

/*
 * Of a key `"name":` its bytes, what gather.h wants to know of it, and which keys came behind it, the last one first.
 * ends are what stands in the first eight bytes and in those at ${tail}, under ${mask}; without a key nothing is.
 */
struct json_key {
	struct bytes_ends ends;
	uint64_t mask;
	uint8_t text[JSON_KEY_TEXT];
	uint8_t tail;
	uint8_t n; /* 0: none */
	uint8_t hash;
	uint8_t role; /* enum name_role */
	uint8_t rank;
	uint8_t next[JSON_NEXT];
};
_Static_assert(sizeof(struct json_key) == 64, "one line of the cache");

/*
 * Invariants: of[h] is empty or has hash h; name and colon are as they stood in a line, nothing escaped, no blank between.
 * The numbers in layouts are of keys that still stand in of.
 */
struct json_keys {
	struct json_key of[JSON_KEYS];
	struct json_key first; /* before the first key, or behind one that is not kept */
	struct gather_layout layouts[JSON_LAYOUTS];
	unsigned luck; /* at most JSON_LUCK_MAX */
	unsigned n_left_out;
};

/** json_keys_try(keys): ${keys} if it is worth a try for this line, else NULL. */
static inline struct json_keys *
json_keys_try(struct json_keys *keys)
{
	if (keys == NULL || keys->luck > 0 || ++keys->n_left_out % JSON_TRY_EVERY < 2)
		return keys;
	return NULL;
}

/** json_keys_tried(keys, hit): whether it was. */
static inline void
json_keys_tried(struct json_keys *keys, bool hit)
{
	if (hit && keys->luck < JSON_LUCK_MAX)
		keys->luck++;
	else if (!hit && keys->luck > 0)
		keys->luck--;
}

/* Whether the key stands at p; JSON_KEY_TEXT bytes may be read there. */
static inline bool
json_key_fits(const struct json_key *k, const uint8_t *p)
{
	uint64_t first = (bytes_load_le(p) & k->mask) ^ k->ends.first;
	uint64_t last = (bytes_load_le(p + k->tail) & k->mask) ^ k->ends.last;

	return (first | last) == 0 &&
	    (LIKELY(k->n <= 16) || memcmp(p + 8, k->text + 8, k->n - 16u) == 0);
}

/** json_key_other(keys, last, p, n): the key at p[n] if it is one that came behind ${last} lately, or NULL. */
struct json_key *json_key_other(struct json_keys *keys, struct json_key *last, const uint8_t *p,
    size_t n);

/** json_key_expect(keys, last, p, n): likewise; mostly it is the one that came last. */
static inline struct json_key *
json_key_expect(struct json_keys *keys, struct json_key *last, const uint8_t *p, size_t n)
{
	struct json_key *k = &keys->of[last->next[0]];

	return LIKELY(n >= JSON_KEY_TEXT && json_key_fits(k, p)) ? k
	                                                         : json_key_other(keys, last, p, n);
}

/** json_keys_find(keys, g): the layout of ${g}'s path, or NULL. */
const struct gather_layout *json_keys_find(const struct json_keys *keys, const struct gather *g);

/** json_keys_layout(keys, g): the number of the line's layout, a new one if need be; 0 when it is not like others of its path. */
uint64_t json_keys_layout(struct json_keys *keys, const struct gather *g);

/** json_key_learn(j, key, text): a member of the outermost object has this key, which was not expected; ${text}: it with its
 * quotes. */
void json_key_learn(struct json *j, struct str key, struct str text);

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

enum { JSON_KEYS = 256, JSON_KEY_TEXT = 32, JSON_NEXT = 4, JSON_LAYOUTS = 64 };
/* A step of a path: the number of the key, and beside it the kind of the value, whether it is empty, and where blanks stand. */
enum {
	JSON_KIND_SHIFT = 8,
	JSON_EMPTY = 1 << 12,
	JSON_BLANK_KEY = 1 << 13,
	JSON_BLANK_VALUE = 1 << 14,
};
/* Lines in which most keys are not expected lower the luck, others raise it; without any only every so many lines try. */
enum { JSON_LUCK_MAX = 16, JSON_TRY_EVERY = 64 };

/* Of a key `"name":` its bytes, what gather.h wants to know of it, and which keys came behind it, the last one first. */
struct json_key {
	struct bytes_ends ends;
	uint8_t text[JSON_KEY_TEXT];
	uint32_t line; /* json_keys.line when it was met last as expected */
	uint8_t n;     /* 0: none */
	uint8_t hash;
	uint8_t role; /* enum name_role */
	uint8_t rank;
	uint8_t next[JSON_NEXT];
};

/* The steps of a line, and which of its fields is the time. */
struct json_layout {
	uint64_t id; /* record.layout; 0: none */
	size_t n;
	size_t time;
	uint16_t path[GATHER_SMALL];
};

/*
 * Invariants: of[h] is empty or has hash h; name and colon are as they stood in a line, nothing escaped, no blank between.
 * The numbers in layouts are of keys that still stand in of.
 */
struct json_keys {
	struct json_key of[JSON_KEYS];
	struct json_key first; /* before the first key, or behind one that is not kept */
	struct json_layout layouts[JSON_LAYOUTS];
	uint32_t line; /* counts lines, and goes round */
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

static inline bool
json_key_fits(const struct json_key *k, const uint8_t *p, size_t n)
{
	if (UNLIKELY(n < JSON_KEY_TEXT))
		return k->n != 0 && k->n < n && bytes_equal(p, k->text, k->n);
	return k->n != 0 && bytes_equal_ends(p, bytes_ends_of(p, k->n), k->text, k->ends, k->n);
}

/** json_key_first(last, i): the i-th key behind ${last} becomes the first. */
static inline void
json_key_first(struct json_key *last, size_t i)
{
	uint8_t hash = last->next[i];

	for (; i > 0; i--)
		last->next[i] = last->next[i - 1];
	last->next[0] = hash;
}

/** json_key_expect(keys, last, p, n): the key at p[n] if it is one that came behind ${last} lately, or NULL. */
static inline struct json_key *
json_key_expect(struct json_keys *keys, struct json_key *last, const uint8_t *p, size_t n)
{
	struct json_key *k = &keys->of[last->next[0]];
	size_t i;

	if (LIKELY(json_key_fits(k, p, n)))
		return k;
	for (i = 1; i < JSON_NEXT; i++) {
		k = &keys->of[last->next[i]];
		if (json_key_fits(k, p, n)) {
			json_key_first(last, i);
			return k;
		}
	}
	return NULL;
}

/** json_keys_layout(keys, g): the number of the line's layout, whose path ${g} has; the same for the same path and time. */
uint64_t json_keys_layout(struct json_keys *keys, const struct gather *g);

/** json_key_learn(j, key, text): a member of the outermost object has this key, which was not expected; ${text}: it with its
 * quotes. */
void json_key_learn(struct json *j, struct str key, struct str text);

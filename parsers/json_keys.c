/*
 * parsers/json_keys.c - keys met lately.
 * One job: learn a key, and what came before it.
 * Floor: 2 (uses record, base).
 */
#include "parsers/json_keys.h"

/* No text fits it. */
static const struct json_key no_key = { .ends = { 1, 1 } };

void
json_scanner_remember(struct json_scanner *js)
{
	size_t i;

	if (js->keys == NULL)
		js->keys = calloc(1, sizeof(*js->keys));
	if (js->keys == NULL)
		return;
	js->keys->luck = JSON_LUCK_MAX;
	for (i = 0; i < JSON_KEYS; i++)
		js->keys->of[i] = no_key;
	js->keys->first = no_key;
}

/* Give the place of ${k} to this key. */
static void
key_set(struct json_keys *keys, struct json_key *k, struct str key, struct str text)
{
	size_t i, n = text.n + 1;
	int rank = 0;

	/* Its number may stand in paths. */
	for (i = 0; k->n != 0 && i < JSON_LAYOUTS; i++)
		keys->layouts[i].id = 0;
	*k = (struct json_key){ .n = (uint8_t)n, .hash = (uint8_t)gather_hash(key) };
	k->role = (uint8_t)names_role(key, &rank);
	k->rank = (uint8_t)rank;
	memcpy(k->text, text.p, n);
	k->tail = (uint8_t)(n < 8 ? 0 : n - 8);
	k->mask = bytes_mask(n - k->tail);
	k->ends = bytes_ends_of(k->text, n);
}

/* The i-th key behind ${last} becomes the first. */
static void
key_first(struct json_key *last, size_t i)
{
	uint8_t hash = last->next[i];

	for (; i > 0; i--)
		last->next[i] = last->next[i - 1];
	last->next[0] = hash;
}

struct json_key *
json_key_other(struct json_keys *keys, struct json_key *last, const uint8_t *p, size_t n)
{
	struct json_key *k;
	size_t i;

	for (i = 0; i < JSON_NEXT; i++) {
		k = &keys->of[last->next[i]];
		if (n >= JSON_KEY_TEXT ? !json_key_fits(k, p)
		                       : k->n == 0 || k->n >= n || !bytes_equal(p, k->text, k->n))
			continue;
		key_first(last, i);
		return k;
	}
	return NULL;
}

static inline size_t
layout_at(const struct gather *g)
{
	return g->path_hash % JSON_LAYOUTS;
}

const struct gather_layout *
json_keys_find(const struct json_keys *keys, const struct gather *g)
{
	const struct gather_layout *l = &keys->layouts[layout_at(g)];
	size_t i = 0;

	if (UNLIKELY(l->id == 0 || l->n != g->n))
		return NULL;
	/* Step by step as they were written just now: more of them at once would have to get to memory first. */
	while (i < g->n && l->path[i] == g->path[i])
		i++;
	return LIKELY(i == g->n) ? l : NULL;
}

uint64_t
json_keys_layout(struct json_keys *keys, const struct gather *g)
{
	struct gather_layout *l = &keys->layouts[layout_at(g)];

	if (LIKELY(g->known != NULL))
		return g->known->id;
	/* The next line of the path will have a time where this one has none, or in another field. */
	if (g->time_seen != 0 && g->time_field != g->time_at[__builtin_ctz(g->time_seen)])
		return 0;
	*l =
	    (struct gather_layout){ record_layout_new(), g->n, g->time_field, g->msg_field, { 0 } };
	memcpy(l->path, g->path, g->n * sizeof(*l->path));
	return l->id;
}

void
json_key_learn(struct json *j, struct str key, struct str text)
{
	struct json_key *k;
	struct json_key *last = j->last;
	uint8_t *next = last->next;
	size_t i;

	j->last = &j->keys->first;
	/* Unescaped, its bytes are the text's own. */
	if (key.n == 0 || key.p != text.p + 1 || text.n + 1 > JSON_KEY_TEXT ||
	    text.p[text.n] != ':')
		return;
	k = &j->keys->of[gather_hash(key)];
	if (k->n != text.n + 1 || memcmp(k->text, text.p, k->n) != 0)
		key_set(j->keys, k, key, text);
	/* One that is there already was overlooked for its value's sake. */
	for (i = 0; i < JSON_NEXT - 1 && next[i] != k->hash; i++)
		;
	next[i] = k->hash;
	key_first(last, i);
	j->last = k;
}

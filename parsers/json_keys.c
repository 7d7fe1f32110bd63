/*
 * parsers/json_keys.c - keys met lately.
 * One job: learn a key, and what came before it.
 * Floor: 2 (uses record, base).
 */
#include "parsers/json_keys.h"

void
json_scanner_remember(struct json_scanner *js)
{
	if (js->keys == NULL)
		js->keys = calloc(1, sizeof(*js->keys));
	if (js->keys != NULL)
		js->keys->luck = JSON_LUCK_MAX;
}

/* Give the place of ${k} to this key. */
static void
key_set(struct json_keys *keys, struct json_key *k, struct str key, struct str text)
{
	int rank = 0;
	size_t i;

	/* Its number may stand in paths. */
	for (i = 0; k->n != 0 && i < JSON_LAYOUTS; i++)
		keys->layouts[i].id = 0;
	*k = (struct json_key){ .n = (uint8_t)(text.n + 1), .hash = (uint8_t)gather_hash(key) };
	k->role = (uint8_t)names_role(key, &rank);
	k->rank = (uint8_t)rank;
	memcpy(k->text, text.p, k->n);
	k->ends = bytes_ends_of(k->text, k->n);
}

uint64_t
json_keys_layout(struct json_keys *keys, const struct gather *g)
{
	struct json_layout *l = &keys->layouts[(g->path_hash + g->time_field) % JSON_LAYOUTS];

	if (LIKELY(l->id != 0 && l->n == g->n && l->time == g->time_field &&
	        bytes_equal((const uint8_t *)l->path, (const uint8_t *)g->path,
	            g->n * sizeof(*l->path))))
		return l->id;
	*l = (struct json_layout){ record_layout_new(), g->n, g->time_field, { 0 } };
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
	json_key_first(last, i);
	j->last = k;
}

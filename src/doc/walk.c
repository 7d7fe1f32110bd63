/*
 * doc/walk.c - YAML under a table of keys.
 * One job: walk a document by tables, and say of each mistake where it stands and what was expected.
 * Floor: 1 (uses base).
 */
#include "doc/walk.h"

#include <stdio.h>

void
walk_bad(struct walk *w, const yaml_node_t *node, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (w->n_errors++ >= WALK_ERRORS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_printf(w->errors, "%s:%zu:%zu: %s\n", w->name, node->start_mark.line + 1,
	    node->start_mark.column + 1, text);
}

bool
walk_scalar(struct walk *w, yaml_node_t *node, struct str *ret)
{
	if (node->type != YAML_SCALAR_NODE) {
		walk_bad(w, node, "expected a value, found a %s",
		    node->type == YAML_MAPPING_NODE ? "mapping" : "list");
		return false;
	}
	if (memchr(node->data.scalar.value, '\0', node->data.scalar.length) != NULL) {
		walk_bad(w, node, "a value has no zero bytes");
		return false;
	}
	*ret = arena_dup(w->arena, str_of(node->data.scalar.value, node->data.scalar.length));
	return ret->p != NULL;
}

bool
walk_size_parse(struct str s, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = { { "", 1 }, { "B", 1 }, { "KB", 1000 }, { "MB", 1000000 },
		{ "GB", 1000000000 }, { "TB", 1000000000000 }, { "KiB", 1 << 10 },
		{ "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { "TiB", UINT64_C(1) << 40 } };
	uint64_t v = 0;
	size_t i = 0, k;

	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, s.p[i] - '0', &v))
			return false;
	if (i == 0)
		return false;
	for (k = 0; k < ARRAY_LEN(units); k++)
		if (str_eq_c(str_sub(s, i, s.n), units[k].name))
			return !__builtin_mul_overflow(v, units[k].bytes, ret);
	return false;
}

/* Levenshtein's distance, for words of at most 31 bytes. */
static size_t
distance(struct str a, struct str b)
{
	size_t row[32], i, k, diag, up;

	if (a.n > 31 || b.n > 31)
		return SIZE_MAX;
	for (k = 0; k <= b.n; k++)
		row[k] = k;
	for (i = 0; i < a.n; i++) {
		diag = row[0]++;
		for (k = 0; k < b.n; k++) {
			up = row[k + 1];
			diag += str_lower_byte(a.p[i]) != str_lower_byte(b.p[k]);
			if (up + 1 < diag)
				diag = up + 1;
			if (row[k] + 1 < diag)
				diag = row[k] + 1;
			row[k + 1] = diag;
			diag = up;
		}
	}
	return row[b.n];
}

const char *
walk_nearest(struct str word, const void *names, size_t n, size_t stride)
{
	const char *name, *best = NULL;
	size_t i, d, best_d = word.n / 3 + 2;

	for (i = 0; i < n; i++) {
		memcpy(&name, (const uint8_t *)names + i * stride, sizeof(name));
		d = distance(word, str_c(name));
		if (d < best_d) {
			best_d = d;
			best = name;
		}
	}
	return best;
}

static void
read_span(struct walk *w, yaml_node_t *node, struct span *ret)
{
	struct str s;

	if (!walk_scalar(w, node, &s))
		return;
	if (span_parse(s, ret) != 0 || ret->ns <= 0)
		walk_bad(w, node,
		    "expected a duration above zero such as 30s, 5m or 30d, found '%.*s'",
		    STR_ARG(s));
}

static void
read_size(struct walk *w, yaml_node_t *node, uint64_t *ret)
{
	struct str s;

	if (!walk_scalar(w, node, &s))
		return;
	if (!walk_size_parse(s, ret) || *ret == 0)
		walk_bad(w, node, "expected a size above zero such as 64MiB or 10GiB, found '%.*s'",
		    STR_ARG(s));
}

static void
read_percent(struct walk *w, yaml_node_t *node, unsigned *ret)
{
	struct str s;
	uint64_t v;

	if (!walk_scalar(w, node, &s))
		return;
	if (s.n > 0 && s.p[s.n - 1] == '%')
		s.n--;
	if (!walk_size_parse(s, &v) || v > 100)
		walk_bad(w, node, "expected a percentage from 0 to 100, found '%.*s'", STR_ARG(s));
	else
		*ret = (unsigned)v;
}

static void
read_bool(struct walk *w, yaml_node_t *node, bool *ret)
{
	struct str s;

	if (!walk_scalar(w, node, &s))
		return;
	if (str_eq_c(s, "true") || str_eq_c(s, "yes") || str_eq_c(s, "on"))
		*ret = true;
	else if (str_eq_c(s, "false") || str_eq_c(s, "no") || str_eq_c(s, "off"))
		*ret = false;
	else
		walk_bad(w, node, "expected true or false, found '%.*s'", STR_ARG(s));
}

static void
read_str_item(struct walk *w, yaml_node_t *node, void *item)
{
	(void)walk_scalar(w, node, item);
}

struct str_list {
	struct str *items;
	size_t n;
};

static void
read_strs(struct walk *w, yaml_node_t *node, struct str_list *ret)
{
	void *items = NULL;

	if (node->type == YAML_SCALAR_NODE) {
		ret->items = arena_zalloc(w->arena, 1, sizeof(*ret->items));
		ret->n = ret->items != NULL && walk_scalar(w, node, ret->items) ? 1 : 0;
		return;
	}
	ret->n = walk_list(w, node, sizeof(struct str), &items, read_str_item);
	ret->items = items;
}

static void
read_key(struct walk *w, const struct walk_key *key, yaml_node_t *node, void *base)
{
	void *at = (uint8_t *)base + key->offset;

	switch (key->type) {
	case WALK_STR:
		(void)walk_scalar(w, node, at);
		break;
	case WALK_SPAN:
		read_span(w, node, at);
		break;
	case WALK_SIZE:
		read_size(w, node, at);
		break;
	case WALK_PERCENT:
		read_percent(w, node, at);
		break;
	case WALK_BOOL:
		read_bool(w, node, at);
		break;
	case WALK_STRS:
		read_strs(w, node, at);
		break;
	case WALK_CALL:
		key->call(w, node, base);
		break;
	}
}

void
walk_pairs(struct walk *w, yaml_node_t *node, walk_pair_fn fn, void *base)
{
	yaml_node_pair_t *pair, *other;
	yaml_node_t *key, *same;

	if (node->type != YAML_MAPPING_NODE) {
		walk_bad(w, node, "expected a mapping (key: value)");
		return;
	}
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		key = yaml_document_get_node(w->doc, pair->key);
		if (key->type != YAML_SCALAR_NODE) {
			walk_bad(w, key, "expected a name as key");
			continue;
		}
		for (other = node->data.mapping.pairs.start; other < pair; other++) {
			same = yaml_document_get_node(w->doc, other->key);
			if (same->type == YAML_SCALAR_NODE &&
			    same->data.scalar.length == key->data.scalar.length &&
			    memcmp(same->data.scalar.value, key->data.scalar.value,
			        key->data.scalar.length) == 0)
				break;
		}
		if (other < pair) {
			walk_bad(w, key, "'%s' stands here twice",
			    (const char *)key->data.scalar.value);
			continue;
		}
		fn(w, str_of(key->data.scalar.value, key->data.scalar.length), key,
		    yaml_document_get_node(w->doc, pair->value), base);
	}
}

struct map_walk {
	const struct walk_key *keys;
	size_t n;
	void *base;
};

static void
map_pair(struct walk *w, struct str key, yaml_node_t *key_node, yaml_node_t *value, void *base)
{
	const struct map_walk *m = base;
	const char *near;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (str_eq_c(key, m->keys[i].name)) {
			read_key(w, &m->keys[i], value, m->base);
			return;
		}
	near = walk_nearest(key, m->keys, m->n, sizeof(*m->keys));
	if (near != NULL)
		walk_bad(w, key_node, "unknown key '%.*s', did you mean '%s'?", STR_ARG(key), near);
	else
		walk_bad(w, key_node, "unknown key '%.*s'", STR_ARG(key));
}

void
walk_map(struct walk *w, yaml_node_t *node, const struct walk_key *keys, size_t n, void *base)
{
	struct map_walk m = { keys, n, base };

	walk_pairs(w, node, map_pair, &m);
}

size_t
walk_list(struct walk *w, yaml_node_t *node, size_t item_size, void **ret_items,
    void (*each)(struct walk *w, yaml_node_t *node, void *item))
{
	yaml_node_item_t *item;
	size_t n, i = 0;
	uint8_t *items;

	if (node->type != YAML_SEQUENCE_NODE) {
		walk_bad(w, node, "expected a list");
		return 0;
	}
	n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (n > WALK_LIST_MAX) {
		walk_bad(w, node, "expected at most %d items", WALK_LIST_MAX);
		return 0;
	}
	items = arena_zalloc(w->arena, n + 1, item_size);
	if (items == NULL) {
		walk_bad(w, node, "no memory");
		return 0;
	}
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top;
	     item++, i++)
		each(w, yaml_document_get_node(w->doc, *item), items + i * item_size);
	*ret_items = items;
	return n;
}

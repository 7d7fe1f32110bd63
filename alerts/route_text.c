/*
 * alerts/route_text.c - the routing file's text.
 * One job: YAML's << brought in, and the text without its secrets.
 * Floor: 4 (uses doc, base).
 */
#include <stdlib.h>

#include "alerts/route_internal.h"

static struct str
scalar_of(yaml_document_t *doc, int index)
{
	yaml_node_t *node = yaml_document_get_node(doc, index);

	if (node == NULL || node->type != YAML_SCALAR_NODE)
		return STR_NONE;
	return str_of(node->data.scalar.value, node->data.scalar.length);
}

static yaml_node_pair_t *
pair_of(yaml_document_t *doc, yaml_node_t *map, struct str key)
{
	yaml_node_pair_t *pair;

	for (pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++)
		if (str_eq(scalar_of(doc, pair->key), key))
			return pair;
	return NULL;
}

/* ---- << ---- */

enum { MERGE_DEPTH_MAX = 16 };

static bool merge_node(yaml_document_t *doc, int index, int depth, size_t *left);

/* The pairs of ${from} whose keys ${to} has not. */
static bool
bring_in(yaml_document_t *doc, int to, int from, int depth, size_t *left)
{
	yaml_node_t *map = yaml_document_get_node(doc, to), *other;
	yaml_node_pair_t pair;
	size_t i;

	if (!merge_node(doc, from, depth + 1, left))
		return false;
	other = yaml_document_get_node(doc, from);
	if (other->type != YAML_MAPPING_NODE || other == map)
		return true; /* the walk says what is wrong with it */
	for (i = 0; other->data.mapping.pairs.start + i < other->data.mapping.pairs.top; i++) {
		pair = other->data.mapping.pairs.start[i];
		if (pair_of(doc, map, scalar_of(doc, pair.key)) != NULL)
			continue;
		if (*left == 0 || !yaml_document_append_mapping_pair(doc, to, pair.key, pair.value))
			return false;
		(*left)--;
	}
	return true;
}

static bool
merge_node(yaml_document_t *doc, int index, int depth, size_t *left)
{
	yaml_node_t *map = yaml_document_get_node(doc, index), *value;
	yaml_node_pair_t *pair;
	yaml_node_item_t *item;
	int from;

	if (depth > MERGE_DEPTH_MAX)
		return false;
	if (map->type != YAML_MAPPING_NODE)
		return true;
	pair = pair_of(doc, map, STR("<<"));
	if (pair == NULL)
		return true;
	/* It goes first, so that a mapping that brings in itself ends. */
	from = pair->value;
	memmove(pair, pair + 1, (size_t)(map->data.mapping.pairs.top - pair - 1) * sizeof(*pair));
	map->data.mapping.pairs.top--;
	value = yaml_document_get_node(doc, from);
	if (value->type != YAML_SEQUENCE_NODE)
		return bring_in(doc, index, from, depth, left);
	for (item = value->data.sequence.items.start; item < value->data.sequence.items.top; item++)
		if (!bring_in(doc, index, *item, depth, left))
			return false;
	return true;
}

bool
route_merge(yaml_document_t *doc)
{
	size_t left = ROUTE_MERGES_MAX;
	int i, n = (int)(doc->nodes.top - doc->nodes.start);

	for (i = 1; i <= n; i++)
		if (!merge_node(doc, i, 0, &left))
			return false;
	return true;
}

/* ---- secrets ---- */

/* Keys of Alertmanager's whose value is a secret, also where we do nothing with it. */
static const char *const secret_keys[] = { "access_key", "api_key", "api_secret", "auth_password",
	"auth_secret", "bearer_token", "bot_token", "client_secret", "credentials",
	"opsgenie_api_key", "password", "routing_key", "secret_key", "service_key", "slack_api_url",
	"smtp_auth_password", "smtp_auth_secret", "token", "user_key", "victorops_api_key",
	"webhook_url", "wechat_api_secret" };

/* Characters from start to end of the text. */
struct place {
	size_t start, end;
};
struct places {
	struct place *p;
	size_t n, cap;
	struct arena *arena;
};

static int
place_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int
add_place(struct places *all, const yaml_node_t *node)
{
	struct place *more;

	if (node->type != YAML_SCALAR_NODE || route_is_null(node))
		return 0;
	if (all->n == all->cap) {
		more = arena_zalloc(all->arena, all->cap * 2 + 16, sizeof(*more));
		if (more == NULL)
			return err_origin(-ENOMEM);
		if (all->n > 0)
			memcpy(more, all->p, all->n * sizeof(*more));
		all->cap = all->cap * 2 + 16;
		all->p = more;
	}
	all->p[all->n++] = (struct place){ node->start_mark.index, node->end_mark.index };
	return 0;
}

static bool
is_secret(struct str key)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(secret_keys); i++)
		if (str_eq_c(key, secret_keys[i]))
			return true;
	return false;
}

/* Slack's api_url is a secret, those of others are not. */
static int
add_slack(yaml_document_t *doc, const yaml_node_t *list, struct places *all)
{
	yaml_node_item_t *item;
	yaml_node_pair_t *pair;
	yaml_node_t *map;
	int r = 0;

	if (list->type != YAML_SEQUENCE_NODE)
		return 0;
	for (item = list->data.sequence.items.start; item < list->data.sequence.items.top && r == 0;
	     item++) {
		map = yaml_document_get_node(doc, *item);
		pair = map->type == YAML_MAPPING_NODE ? pair_of(doc, map, STR("api_url")) : NULL;
		if (pair != NULL)
			r = add_place(all, yaml_document_get_node(doc, pair->value));
	}
	return r;
}

static int
find_places(yaml_document_t *doc, struct places *all)
{
	yaml_node_t *node, *value;
	yaml_node_pair_t *pair;
	struct str key;
	int r = 0;

	for (node = doc->nodes.start; node < doc->nodes.top; node++) {
		if (node->type != YAML_MAPPING_NODE)
			continue;
		for (pair = node->data.mapping.pairs.start;
		     pair < node->data.mapping.pairs.top && r == 0; pair++) {
			key = scalar_of(doc, pair->key);
			value = yaml_document_get_node(doc, pair->value);
			if (is_secret(key))
				r = add_place(all, value);
			else if (str_eq(key, STR("slack_configs")))
				r = add_slack(doc, value, all);
		}
	}
	return r;
}

/* The byte where character ${to} stands, from byte ${at}, which is character ${from}. */
static size_t
byte_of(struct str text, size_t at, size_t from, size_t to)
{
	for (; from < to && at < text.n; from++)
		for (at++; at < text.n && (text.p[at] & 0xc0) == 0x80; at++)
			;
	return at;
}

int
route_mask(yaml_document_t *doc, struct str text, struct arena *arena, struct str *ret)
{
	AUTO_FINI(arena_fini) struct arena scratch = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct places all = { NULL, 0, 0, &scratch };
	size_t i, at = 0, from = 0, start, end;
	int r;

	r = find_places(doc, &all);
	if (r < 0)
		return err_trace(r);
	if (all.n > 1)
		qsort(all.p, all.n, sizeof(*all.p), place_order);
	for (i = 0; i < all.n; i++) {
		if (all.p[i].start < from)
			continue; /* brought in more than once */
		start = byte_of(text, at, from, all.p[i].start);
		end = byte_of(text, start, all.p[i].start, all.p[i].end);
		buf_str(&out, str_sub(text, at, start));
		buf_c(&out, "<secret>");
		if (end > start && text.p[end - 1] == '\n')
			buf_byte(&out, '\n'); /* a block of lines ends with its last one */
		at = end;
		from = all.p[i].end;
	}
	buf_str(&out, str_sub(text, at, text.n));
	if (buf_err(&out) < 0)
		return err_origin(-ENOMEM);
	*ret = arena_dup(arena, buf_view(&out));
	return ret->p != NULL ? 0 : err_origin(-ENOMEM);
}

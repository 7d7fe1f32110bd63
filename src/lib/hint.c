/*
 * lib/hint.c - when nothing came out.
 * One job: say what nearly the same query would have found.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#include "lib/hint.h"

#include "base/map.h"
#include "logsql/filter.h"

enum { LOOK_BLOCKS = 64, LEAVES_MAX = 4, NAME_MAX_BYTES = 64 };

struct hint {
	struct query *q;
	struct ask_options opt; /* to ask again */
	struct arena arena;
	struct map names; /* of fields that rows have */
	bool all_names;   /* every block was looked at */
	struct buf *out;
	size_t n_leaves;
};

/* Edits from a to b: insert, delete, replace. (Levenshtein; one row of the table at a time.) */
static size_t
distance(struct str a, struct str b)
{
	size_t row[NAME_MAX_BYTES + 1], i, k, left, up;

	if (a.n > NAME_MAX_BYTES || b.n > NAME_MAX_BYTES)
		return SIZE_MAX;
	for (k = 0; k <= b.n; k++)
		row[k] = k;
	for (i = 1; i <= a.n; i++) {
		up = row[0];
		row[0] = i;
		for (k = 1; k <= b.n; k++) {
			left = up + (str_lower_byte(a.p[i - 1]) != str_lower_byte(b.p[k - 1]));
			up = row[k];
			if (row[k] + 1 < left)
				left = row[k] + 1;
			if (row[k - 1] + 1 < left)
				left = row[k - 1] + 1;
			row[k] = left;
		}
	}
	return row[b.n];
}

/* The newest blocks: their names, and where a try looks. */
static int
look_at(struct hint *h, struct store_view *view)
{
	size_t n = store_view_n_blocks(view), n_look = n > LOOK_BLOCKS ? LOOK_BLOCKS : n, i, k;
	uint32_t *blocks = arena_alloc(&h->arena, (n_look + 1) * sizeof(*blocks));

	if (blocks == NULL)
		return err_origin(-ENOMEM);
	h->opt.view = view;
	h->opt.run.only_blocks = blocks;
	h->opt.run.n_only_blocks = n_look;
	h->all_names = n_look == n;
	for (i = n - n_look; i < n; i++) {
		AUTO(block_free) struct block *b = NULL;
		struct block_column_info info;

		*blocks++ = (uint32_t)i;
		if (store_view_open_block(view, i, &b) != 0) {
			h->all_names = false;
			continue;
		}
		for (k = 0; k < block_n_columns(b); k++) {
			block_column_at(b, k, &info);
			if (map_put(&h->names, info.name, NULL) == NULL)
				return err_origin(-ENOMEM);
		}
	}
	return 0;
}

static void
hint_field(struct hint *h, struct str name)
{
	size_t i, d, best = SIZE_MAX;
	struct str near = STR_NONE;

	if (h->names.n == 0 || name.n == 0 || name.p[0] == '_' || map_get(&h->names, name) != NULL)
		return;
	for (i = 0; i < h->names.n; i++) {
		d = distance(name, h->names.entries[i].key);
		if (d < best) {
			best = d;
			near = h->names.entries[i].key;
		}
	}
	if (best > name.n / 3 + 1)
		near = STR_NONE;
	/* Older rows may have it; then only a likely slip is worth a line. */
	if (!h->all_names && near.n == 0)
		return;
	buf_printf(h->out, "no rows; field `%.*s` is %s", STR_ARG(name),
	    h->all_names ? "unknown" : "in none of the newest rows");
	if (near.n > 0)
		buf_printf(h->out, ", did you mean `%.*s`?", STR_ARG(near));
	buf_c(h->out, "\n");
}

/* status>=500 is one phrase to the language. */
static void
hint_comparison(struct hint *h, const struct filter *f)
{
	static const char *const ops[] = { ">=", "<=", "!=", ">", "<", "=" };
	struct str value;
	size_t i, at;

	if (f->kind != FILTER_PHRASE || !str_eq_c(f->field, "_msg") ||
	    str_find_byte(f->text, ' ') != SIZE_MAX)
		return;
	for (i = 0; i < ARRAY_LEN(ops); i++) {
		at = str_find(f->text, str_c(ops[i]));
		if (at == SIZE_MAX || at == 0 || at + strlen(ops[i]) == f->text.n)
			continue;
		value = str_sub(f->text, at + strlen(ops[i]), f->text.n);
		buf_printf(h->out,
		    "no rows; `%.*s` is a phrase to be found in the message; to compare: `%.*s:%s%.*s`\n",
		    STR_ARG(f->text), (int)at, (const char *)f->text.p, ops[i], STR_ARG(value));
		return;
	}
}

static int
stop_at_first(void *ctx, struct batch *b)
{
	*(bool *)ctx |= b->n_rows > 0;
	return b->n_rows > 0 ? -ECANCELED : 0;
}

/* Whether a row gets through the filter, without the pipes behind it. */
static bool
finds_any(struct hint *h)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct query alone = { .filter = h->q->filter };
	struct run_stats stats;
	bool found = false;

	(void)ask_run(&alone, &h->opt, stop_at_first, &found, &stats, &error);
	return found;
}

/* The same with ${text} in the place of ${leaf}. */
static bool
would_match(struct hint *h, struct filter *leaf, struct str text)
{
	struct logsql_options how = { h->opt.run.now, h->opt.run.zone_s };
	struct filter saved = *leaf, *other;
	struct logsql_error bad = { 0 };
	bool found;

	if (query_parse_filter(arena_dup(&h->arena, text), &how, &h->arena, &other, &bad) != 0)
		return false;
	*leaf = *other;
	found = finds_any(h);
	*leaf = saved;
	return found;
}

static void
put_term(struct buf *out, struct str field, const char *before, struct str text, const char *after)
{
	if (!str_eq_c(field, "_msg")) {
		logsql_quote(out, field);
		buf_byte(out, ':');
	}
	buf_c(out, before);
	buf_json(out, text);
	buf_c(out, after);
}

static void
try_term(struct hint *h, struct filter *leaf, const char *before, const char *after,
    const char *what)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	put_term(&text, leaf->field, before, leaf->text, after);
	if (!text.failed && would_match(h, leaf, buf_view(&text)))
		buf_printf(h->out, "no rows; %s would match: %.*s\n", what,
		    STR_ARG(buf_view(&text)));
}

static int
hint_leaf(void *ctx, struct filter *f)
{
	struct hint *h = ctx;
	size_t before = h->out->n;

	if (f->kind == FILTER_NOT || h->n_leaves >= LEAVES_MAX)
		return 1;
	if (f->kind == FILTER_AND || f->kind == FILTER_OR || f->kind == FILTER_ALL ||
	    f->kind == FILTER_NONE || f->kind == FILTER_TIME || f->kind == FILTER_STREAM)
		return 0;
	h->n_leaves++;
	hint_field(h, f->field);
	hint_comparison(h, f);
	if (h->out->n > before || f->text.n == 0 ||
	    (f->kind != FILTER_PHRASE && f->kind != FILTER_EXACT && f->kind != FILTER_PREFIX))
		return 0;
	try_term(h, f, "i(", f->kind == FILTER_PREFIX ? "*)" : ")", "in another case it");
	if (h->out->n == before)
		try_term(h, f, "*", "*", "as a part of words it");
	return 0;
}

/* Standard input is gone by now; files and stores can be asked again. */
static bool
can_ask_again(const struct ask_options *opt)
{
	size_t i;

	for (i = 0; i < opt->n_inputs; i++)
		if (strcmp(opt->inputs[i], "-") == 0 || strcmp(opt->inputs[i], "journal:") == 0)
			return false;
	return true;
}

int
hint_empty(struct query *q, const struct ask_options *opt, struct buf *out)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct hint h = { .q = q, .opt = *opt, .out = out };
	int r = 0;

	if (!can_ask_again(opt))
		return 0;
	h.opt.fault = NULL;
	h.opt.run.limit = 0;
	if (opt->n_inputs == 0 && store_view_open(&view, opt->store, &error) == 0)
		r = look_at(&h, view);
	/* When a pipe took the rows, the words of the filter are right. */
	if (r == 0 && (q->n_pipes == 0 || !finds_any(&h)))
		(void)filter_walk(q->filter, hint_leaf, &h);
	map_fini(&h.names);
	arena_fini(&h.arena);
	return err_trace(r);
}

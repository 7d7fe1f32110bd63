/*
 * cli/rules_load.c - the lines of a case.
 * One job: raw lines with their times through parser and shape into a store of their own.
 * Floor: 6 (uses alerts, ingest, store, base).
 */
#include "cli/rules_load.h"

#include <stdio.h>

#include "ingest/shape.h"
#include "parsers/parser.h"
#include "store/store.h"

/* One repetition of one input. */
struct turn {
	int64_t at;
	const struct case_input *in;
	uint64_t k;
	size_t order;
};

struct loader {
	struct store *store;
	const struct case_test *test;
	struct parser **parsers; /* of each input */
	struct shape **shapes;
	struct record_batch recs;
	struct buf *why;
};

static int
turn_order(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int
list_turns(const struct case_test *t, struct turn **ret, size_t *ret_n, struct buf *why)
{
	uint64_t total = 0, k;
	struct turn *all;
	size_t i, n = 0;

	for (i = 0; i < t->n_inputs; i++)
		total += t->inputs[i].repeat;
	if (total > CASE_ROWS_MAX) {
		buf_printf(why, "expected at most %d repetitions in a test", CASE_ROWS_MAX);
		return RULES_LOAD_E_BAD;
	}
	all = calloc(total + 1, sizeof(*all));
	if (all == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < t->n_inputs; i++)
		for (k = 0; k < t->inputs[i].repeat; k++, n++)
			all[n] = (struct turn){ t->start.ns + t->inputs[i].at.ns +
				    (int64_t)k * t->inputs[i].every.ns,
				&t->inputs[i], k, n };
	qsort(all, n, sizeof(*all), turn_order);
	*ret = all;
	*ret_n = n;
	return 0;
}

/* ---- placeholders ---- */

static void
put_clf(struct buf *out, struct wall at)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	struct civil c = wall_civil(at);

	buf_printf(out, "%02d/%s/%04d:%02d:%02d:%02d +0000", c.day, months[c.month - 1],
	    (int)c.year, c.hour, c.minute, c.second);
}

static struct str
fill_in(struct arena *arena, struct str line, struct wall at, uint64_t k)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	char text[WALL_TEXT_MAX];
	size_t i = 0;

	while (i < line.n) {
		struct str rest = str_sub(line, i, line.n);

		if (str_starts(rest, STR("${time}"))) {
			buf_put(&out, text, wall_format(text, at));
			i += 7;
		} else if (str_starts(rest, STR("${clf}"))) {
			put_clf(&out, at);
			i += 6;
		} else if (str_starts(rest, STR("${n}"))) {
			buf_uint(&out, k + 1);
			i += 4;
		} else
			buf_byte(&out, line.p[i++]);
	}
	return arena_dup(arena, buf_view(&out));
}

/* ---- parsers and shapes ---- */

/* The labels of a stream are fields too, as those of the journal and of files are. */
static int
new_shape(struct loader *l, const struct case_input *in, struct shape **ret)
{
	const struct case_input *all = &l->test->all, *from[2] = { in, all };
	struct label labels[SHAPE_LABELS_MAX];
	struct field fields[64];
	struct shape_options opt = { .stream = labels, .fields = fields };
	size_t i, k;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < from[k]->n_stream && (k == 0 || in->n_stream == 0); i++) {
			if (opt.n_stream == ARRAY_LEN(labels) || opt.n_fields == ARRAY_LEN(fields))
				break;
			labels[opt.n_stream++] = from[k]->stream[i];
			fields[opt.n_fields++] = (struct field){ from[k]->stream[i].name,
				from[k]->stream[i].value, VALUE_STRING };
		}
		for (i = 0; i < from[k]->n_fields && opt.n_fields < ARRAY_LEN(fields); i++)
			fields[opt.n_fields++] = (struct field){ from[k]->fields[i].name,
				from[k]->fields[i].value, VALUE_STRING };
	}
	return shape_new(ret, &opt, l->why);
}

static int
new_parser(struct loader *l, const struct case_input *in, struct parser **ret)
{
	struct str name = in->parser.n > 0 ? in->parser : l->test->all.parser;
	struct parser_options opt = { .keep_line = true, .zone_set = true };
	char text[32];

	if (name.n >= sizeof(text)) {
		buf_c(l->why, "no such parser");
		return RULES_LOAD_E_BAD;
	}
	if (name.n > 0)
		memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	opt.name = name.n > 0 ? text : NULL;
	return parser_new(ret, &opt, l->why);
}

static int
open_inputs(struct loader *l)
{
	size_t i, n = l->test->n_inputs;
	int r = 0;

	l->parsers = calloc(n + 1, sizeof(*l->parsers));
	l->shapes = calloc(n + 1, sizeof(*l->shapes));
	if (l->parsers == NULL || l->shapes == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < n; i++) {
		r = new_parser(l, &l->test->inputs[i], &l->parsers[i]);
		if (r == 0)
			r = new_shape(l, &l->test->inputs[i], &l->shapes[i]);
	}
	return r > 0 ? RULES_LOAD_E_BAD : r;
}

/* ---- rows ---- */

static int
put_records(struct loader *l, struct shape *shape)
{
	size_t n = l->recs.n;
	int r = shape_records(shape, l->recs.recs, &n, NULL, &l->recs.arena);

	if (r == 0 && n > 0)
		r = store_append(l->store, l->recs.recs, n);
	record_batch_clear(&l->recs);
	return r > 0 ? err_fold(r) : r;
}

/* A row without a line: its fields are those of the input. */
static int
add_row(struct loader *l, struct wall at)
{
	struct record *rec = record_batch_add(&l->recs);

	if (rec == NULL)
		return err_origin(-ENOMEM);
	rec->time = at;
	return 0;
}

/* A text of several lines is several. */
static int
add_lines(struct loader *l, const struct turn *t, struct parser *p, struct str text)
{
	struct wall at = { t->at };
	struct str line;
	int r = 0;

	while (r == 0 && text.n > 0) {
		line = str_sub(text, 0, str_find_byte(text, '\n'));
		text = str_sub(text, line.n + 1, text.n);
		line = fill_in(&l->recs.arena, line, at, t->k);
		r = line.p != NULL ? parser_line(p, line, at, &l->recs) : err_origin(-ENOMEM);
	}
	return r;
}

static int
add_turn(struct loader *l, const struct turn *t)
{
	size_t number = (size_t)(t->in - l->test->inputs), i;
	int r = 0;

	for (i = 0; r == 0 && i < t->in->n_lines; i++)
		r = add_lines(l, t, l->parsers[number], t->in->lines[i]);
	if (r == 0 && t->in->n_lines == 0)
		r = add_row(l, (struct wall){ t->at });
	/* What gathers a group has it complete with its turn. */
	if (r == 0)
		r = parser_flush(l->parsers[number], (struct wall){ t->at }, true, &l->recs);
	return r == 0 ? put_records(l, l->shapes[number]) : r;
}

static int
load_all(struct loader *l, const char *path)
{
	const struct store_options opt = { 0 };
	struct turn *turns = NULL;
	size_t i, n = 0;
	int r = list_turns(l->test, &turns, &n, l->why);

	if (r == 0)
		r = open_inputs(l);
	if (r == 0)
		r = store_open(&l->store, path, &opt, l->test->start, l->why);
	for (i = 0; r == 0 && i < n; i++)
		r = add_turn(l, &turns[i]);
	if (r == 0)
		r = store_commit(l->store,
		    n > 0 ? (struct wall){ turns[n - 1].at } : l->test->start);
	free(turns);
	return r;
}

int
rules_load_rows(const char *store, const struct case_test *t, struct buf *ret_why)
{
	struct loader l = { .test = t, .recs = RECORD_BATCH_INIT, .why = ret_why };
	int r = load_all(&l, store);
	size_t i;

	(void)store_close(l.store);
	for (i = 0; i < t->n_inputs; i++) {
		if (l.parsers != NULL)
			(void)parser_free(l.parsers[i]);
		if (l.shapes != NULL)
			(void)shape_free(l.shapes[i]);
	}
	free(l.parsers);
	free(l.shapes);
	record_batch_fini(&l.recs);
	return r > 0 ? RULES_LOAD_E_BAD : r;
}

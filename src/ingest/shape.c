/*
 * ingest/shape.c - what a source does to its records.
 * One job: drop, redact, add fields and build the stream, the same way for journal, files and push.
 * Floor: 3 (uses logsql, record, base).
 */
#include "ingest/shape.h"

#include "ingest/drop.h"
#include "ingest/redact.h"

#define OWN_NAME   STR("weir")
#define OTHER_NAME STR("weir_")

enum { LAYOUTS = 64, ADDED_MAX = 64 };

/*
 * What records of layout ${from} get, where facts ${given} have a value: a bit each for the static fields, behind them for the
 * facts.  With that they are of layout ${to}.
 */
struct shape_layout {
	uint64_t from; /* 0: none */
	uint64_t to;
	uint64_t given;
	uint64_t added;
};

/*
 * Invariants: labels, fields and their bytes live in arena; labels with an empty value are the ones that take a
 * field, and n_taken counts them.
 */
struct shape {
	struct label *labels;
	size_t n_labels, n_taken;
	struct field *fields;
	size_t n_fields;
	struct redact *redactions[SHAPE_REDACTIONS_MAX];
	size_t n_redactions;
	struct drop *drop;
	struct arena arena;
	struct buf text; /* the stream being written */
	struct shape_counts counts;
	struct shape_layout layouts[LAYOUTS]; /* met lately */
};

struct shape *
shape_free(struct shape *s)
{
	if (s == NULL)
		return NULL;
	while (s->n_redactions > 0)
		(void)redact_free(s->redactions[--s->n_redactions]);
	(void)drop_free(s->drop);
	arena_fini(&s->arena);
	buf_fini(&s->text);
	free(s);
	return NULL;
}

static struct str
outside_name(struct str name)
{
	return str_eq(name, OWN_NAME) ? OTHER_NAME : name;
}

static int
copy_labels(struct shape *s, const struct shape_options *opt)
{
	size_t i;

	s->labels = arena_zalloc(&s->arena, opt->n_stream, sizeof(*s->labels));
	if (s->labels == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < opt->n_stream; i++) {
		s->labels[i].name = arena_dup(&s->arena, outside_name(opt->stream[i].name));
		s->labels[i].value = arena_dup(&s->arena, opt->stream[i].value);
		s->n_taken += opt->stream[i].value.n == 0;
	}
	s->n_labels = opt->n_stream;
	return 0;
}

static int
copy_fields(struct shape *s, const struct shape_options *opt)
{
	size_t i;

	s->fields = arena_zalloc(&s->arena, opt->n_fields, sizeof(*s->fields));
	if (s->fields == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < opt->n_fields; i++) {
		s->fields[i] = opt->fields[i];
		s->fields[i].name = arena_dup(&s->arena, outside_name(opt->fields[i].name));
		s->fields[i].value = arena_dup(&s->arena, opt->fields[i].value);
	}
	s->n_fields = opt->n_fields;
	return 0;
}

static int
compile_redactions(struct shape *s, const struct shape_options *opt, struct buf *ret_error)
{
	const struct shape_redaction *rd;
	size_t i;
	int r;

	for (i = 0; i < opt->n_redactions; i++) {
		rd = &opt->redactions[i];
		r = redact_new(&s->redactions[i], rd->pattern, rd->with, SHAPE_MATCH_LIMIT,
		    ret_error);
		if (r == REDACT_E_PATTERN)
			return SHAPE_E_OPTION;
		if (r != 0)
			return err_fold(r);
		s->n_redactions++;
	}
	return 0;
}

static int
take_options(struct shape *s, const struct shape_options *opt, struct buf *ret_error)
{
	int r;

	if (opt->n_stream > SHAPE_LABELS_MAX || opt->n_redactions > SHAPE_REDACTIONS_MAX) {
		if (ret_error != NULL)
			buf_printf(ret_error, "more than %d stream labels or %d redactions",
			    SHAPE_LABELS_MAX, SHAPE_REDACTIONS_MAX);
		return SHAPE_E_OPTION;
	}
	r = copy_labels(s, opt);
	if (r == 0)
		r = copy_fields(s, opt);
	if (r < 0)
		return err_trace(r);
	r = compile_redactions(s, opt, ret_error);
	if (r != 0 || opt->drop.n == 0)
		return r;
	r = drop_new(&s->drop, opt->drop, ret_error);
	return r == DROP_E_FILTER ? SHAPE_E_OPTION : r;
}

int
shape_new(struct shape **ret, const struct shape_options *opt, struct buf *ret_error)
{
	AUTO(shape_free) struct shape *s = NULL;
	int r;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_origin(-ENOMEM);
	if (opt != NULL) {
		r = take_options(s, opt, ret_error);
		if (r != 0)
			return r;
	}
	*ret = TAKE(s);
	return 0;
}

struct shape_counts
shape_counts(const struct shape *s)
{
	return s->counts;
}

static bool
has_field(const struct record *rec, size_t n, struct str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(rec->fields[i].name, name) && rec->fields[i].value.n > 0)
			return true;
	return false;
}

/* A line's own field without a value gives way, since names are unique and it says nothing.  False then. */
static bool
put_field(struct record *rec, size_t n_own, const struct field *f)
{
	size_t i;

	for (i = 0; i < n_own; i++)
		if (str_eq(rec->fields[i].name, f->name)) {
			rec->fields[i] = *f;
			return false;
		}
	rec->fields[rec->n_fields++] = *f;
	return true;
}

/* The static fields, then the facts. */
static struct field
addition(const struct shape *s, const struct shape_facts *facts, size_t i)
{
	return i < s->n_fields ? s->fields[i]
	                       : (struct field){ facts->labels[i - s->n_fields].name,
		                         facts->labels[i - s->n_fields].value, VALUE_STRING };
}

static uint64_t
given_of(const struct shape_facts *facts, size_t n)
{
	uint64_t given = 0;
	size_t i;

	for (i = 0; i < n && i < ADDED_MAX; i++)
		given |= (uint64_t)(facts->labels[i].value.n > 0) << i;
	return given;
}

/* What the record's layout comes to is known: no name is compared. */
static void
add_known(const struct shape *s, struct record *rec, const struct shape_facts *facts,
    const struct shape_layout *l)
{
	uint64_t left;

	for (left = l->added; left != 0; left &= left - 1)
		rec->fields[rec->n_fields++] = addition(s, facts, (size_t)__builtin_ctzll(left));
	rec->layout = l->to;
}

/* Names are compared; what came of it is kept for the next of this layout. */
static void
add_other(const struct shape *s, struct record *rec, const struct shape_facts *facts, size_t n,
    struct shape_layout *l)
{
	size_t i, n_own = rec->n_fields;
	bool whole = n <= ADDED_MAX;
	uint64_t added = 0;
	struct field f;

	for (i = 0; i < n; i++) {
		f = addition(s, facts, i);
		if (i >= s->n_fields && f.value.n == 0)
			continue;
		if (has_field(rec, i < s->n_fields ? n_own : rec->n_fields, f.name))
			continue;
		whole = put_field(rec, n_own, &f) && whole;
		added |= whole ? UINT64_C(1) << i : 0;
	}
	l->from = whole ? rec->layout : 0;
	if (l->from == 0) {
		rec->layout = 0;
		return;
	}
	l->to = record_layout_new();
	l->given = given_of(facts, n - s->n_fields);
	l->added = added;
	rec->layout = l->to;
}

/* The line's fields, then the static ones, then the facts. */
static int
add_fields(struct shape *s, struct record *rec, const struct shape_facts *facts,
    struct arena *arena, size_t *ret_own)
{
	struct shape_layout *l = &s->layouts[rec->layout % LAYOUTS];
	size_t i, n_own = rec->n_fields;
	size_t n_facts = facts != NULL && facts->as_fields ? facts->n_labels : 0;
	struct field *fields;

	/* A line with a name of ours in it has no layout. */
	for (i = 0; rec->layout == 0 && i < n_own; i++)
		rec->fields[i].name = outside_name(rec->fields[i].name);
	*ret_own = n_own;
	if (s->n_fields + n_facts == 0)
		return 0;
	fields = arena_alloc(arena, (n_own + s->n_fields + n_facts) * sizeof(*fields));
	if (fields == NULL)
		return err_origin(-ENOMEM);
	if (n_own > 0)
		memcpy(fields, rec->fields, n_own * sizeof(*fields));
	rec->fields = fields;
	if (rec->layout != 0 && l->from == rec->layout && l->given == given_of(facts, n_facts))
		add_known(s, rec, facts, l);
	else
		add_other(s, rec, facts, s->n_fields + n_facts, l);
	rec->n_beside += rec->n_fields - n_own;
	return 0;
}

static int
redact_line(struct shape *s, struct record *rec, struct arena *arena)
{
	enum redact_result result = REDACT_NONE;
	struct str line;
	size_t i;
	int r;

	/* A secret may stand in the line in a way that no value shows, in a comment or a name. */
	for (i = 0; i < s->n_redactions && rec->line.n > 0; i++) {
		line = rec->line;
		r = redact_value(s->redactions[i], STR_NONE, false, &line, arena, &result);
		if (r < 0)
			return err_trace(r);
		if (result != REDACT_NONE) {
			rec->line = STR_NONE;
			rec->layout = 0;
		}
	}
	return 0;
}

static int
redact_fields(struct shape *s, struct record *rec, size_t n_own, struct arena *arena)
{
	enum redact_result result = REDACT_NONE;
	struct field *f;
	size_t i, k;
	int r;

	for (i = 0; i < n_own; i++) {
		f = &rec->fields[i];
		for (k = 0; k < s->n_redactions; k++) {
			r = redact_value(s->redactions[k], f->name, f->kind == VALUE_STRING,
			    &f->value, arena, &result);
			if (r < 0)
				return err_trace(r);
			if (result == REDACT_NONE)
				continue;
			s->counts.n_redacted++;
			s->counts.n_masked += result == REDACT_MASKED;
			f->kind = VALUE_STRING;
			rec->line = STR_NONE;
			rec->layout = 0;
		}
	}
	return rec->line.n > 0 ? err_trace(redact_line(s, rec, arena)) : 0;
}

static size_t
add_label(struct label *labels, size_t n, struct label l)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(labels[i].name, l.name)) {
			labels[i] = l;
			return n;
		}
	labels[n] = l;
	return n + 1;
}

/* The facts, over them the constants, then what the record's fields say.  An equal text keeps ret's bytes. */
static int
build_stream(struct shape *s, const struct record *rec, const struct shape_facts *facts,
    struct arena *arena, struct str *ret)
{
	struct label labels[2 * SHAPE_LABELS_MAX];
	size_t i, n = 0;
	struct label l;

	for (i = 0; facts != NULL && i < facts->n_labels && i < SHAPE_LABELS_MAX; i++)
		n = add_label(labels, n, facts->labels[i]);
	for (i = 0; i < s->n_labels; i++) {
		l = s->labels[i];
		if (l.value.n == 0)
			l.value = record_get(rec, l.name);
		if (l.value.n > 0)
			n = add_label(labels, n, l);
	}
	buf_clear(&s->text);
	stream_format(&s->text, labels, n);
	if (buf_err(&s->text) < 0)
		return err_origin(-ENOMEM);
	if (str_eq(buf_view(&s->text), *ret))
		return 0;
	*ret = arena_dup(arena, buf_view(&s->text));
	return ret->p != NULL ? 0 : err_origin(-ENOMEM);
}

/* Set the stream of ${rec}; one that equals ${last} shares its bytes. */
static int
set_stream(struct shape *s, struct record *rec, const struct shape_facts *facts,
    struct arena *arena, struct str *last)
{
	int r;

	if (last->n == 0 || s->n_taken > 0) {
		r = build_stream(s, rec, facts, arena, last);
		if (r < 0)
			return err_trace(r);
	}
	rec->stream = *last;
	return 0;
}

int
shape_records(struct shape *s, struct record *recs, size_t *n, const struct shape_facts *facts,
    struct arena *arena)
{
	struct str stream = STR_NONE;
	size_t i, n_own, kept = 0;
	struct record *rec;
	int r;

	for (i = 0; i < *n; i++) {
		rec = &recs[i];
		r = add_fields(s, rec, facts, arena, &n_own);
		if (r == 0)
			r = set_stream(s, rec, facts, arena, &stream);
		if (r < 0)
			return err_trace(r);
		if (s->drop != NULL && drop_matches(s->drop, rec)) {
			s->counts.n_dropped++;
			continue;
		}
		if (s->n_redactions > 0) {
			r = redact_fields(s, rec, n_own, arena);
			if (r == 0 && s->n_taken > 0)
				r = set_stream(s, rec, facts, arena, &stream);
			if (r < 0)
				return err_trace(r);
		}
		if (kept != i)
			recs[kept] = *rec;
		kept++;
	}
	*n = kept;
	return 0;
}

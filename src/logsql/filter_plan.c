/*
 * logsql/filter_plan.c - what a filter tells a planner.
 * One job: names, literals, times and IDs that a filter's matches must have.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"
#include "record/names.h"

int
filter_walk(struct filter *f, filter_walk_fn fn, void *ctx)
{
	size_t i;
	int r;

	r = fn(ctx, f);
	for (i = 0; i < f->n_children && r == 0; i++)
		r = filter_walk(f->children[i], fn, ctx);
	return r;
}

static int
add_name(struct str_list *list, struct arena *arena, struct str name)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (str_eq(list->p[i], name))
			return 0;
	return err_trace(str_list_add(list, arena, name));
}

static int
gather_fields(const struct filter *f, struct str_list *list, struct arena *arena)
{
	size_t i;
	int r = 0;

	for (i = 0; i < f->n_children && r == 0; i++)
		r = gather_fields(f->children[i], list, arena);
	if (r != 0 || f->n_children != 0 || f->kind == FILTER_ALL || f->kind == FILTER_NONE)
		return err_trace(r);
	r = add_name(list, arena, f->field);
	if (r == 0 && !filter_is_value_leaf(f))
		r = add_name(list, arena, f->text);
	return err_trace(r);
}

int
filter_fields(const struct filter *f, struct arena *arena, struct str **ret, size_t *ret_n)
{
	struct str_list list = { 0 };
	int r;

	r = gather_fields(f, &list, arena);
	if (r != 0)
		return err_trace(r);
	*ret = list.p;
	*ret_n = list.n;
	return 0;
}

static struct str
longest(const struct str *values, size_t n)
{
	struct str best = STR_NONE;
	size_t i;

	for (i = 0; i < n; i++)
		if (values[i].n > best.n)
			best = values[i];
	return best;
}

/* The one value of a set, or the longest where all are needed. */
static struct str
set_literal(const struct filter *f)
{
	struct str best = STR_NONE;
	size_t i;

	if (f->kind != FILTER_CONTAINS_ALL)
		return f->set->n == 1 ? f->set->entries[0].key : best;
	for (i = 0; i < f->set->n; i++)
		if (f->set->entries[i].key.n > best.n)
			best = f->set->entries[i].key;
	return best;
}

/* The literal of one kind of leaf. */
static struct str
text_literal(const struct filter *f)
{
	return f->text;
}

static struct str
folded_literal(const struct filter *f)
{
	return nocase_literal(f->folded);
}

static struct str
seq_literal(const struct filter *f)
{
	return longest(f->values, f->n_values);
}

static struct str
pattern_leaf_literal(const struct filter *f)
{
	return pattern_literal(f->pattern);
}

static struct str (*const literals[])(const struct filter *f) = {
	[FILTER_PHRASE] = text_literal,
	[FILTER_PREFIX] = text_literal,
	[FILTER_SUBSTRING] = text_literal,
	[FILTER_EXACT] = text_literal,
	[FILTER_EXACT_PREFIX] = text_literal,
	[FILTER_NOCASE_PHRASE] = folded_literal,
	[FILTER_NOCASE_PREFIX] = folded_literal,
	[FILTER_IN] = set_literal,
	[FILTER_CONTAINS_ALL] = set_literal,
	[FILTER_CONTAINS_ANY] = set_literal,
	[FILTER_SEQ] = seq_literal,
	[FILTER_PATTERN] = pattern_leaf_literal,
};

bool
filter_literals(const struct filter *f, struct literals *ret)
{
	struct str one = STR_NONE;

	if (f->kind == FILTER_REGEX) {
		*ret = *regex_literals(f->regex);
		return regex_is_plain(f->regex);
	}
	if ((size_t)f->kind < ARRAY_LEN(literals) && literals[f->kind] != NULL)
		one = literals[f->kind](f);
	*ret = (struct literals){ { one }, one.n != 0,
		f->kind == FILTER_NOCASE_PHRASE || f->kind == FILTER_NOCASE_PREFIX, false };
	return f->kind == FILTER_SUBSTRING && one.n != 0;
}

const struct regex_pieces *
filter_pieces(const struct filter *f)
{
	return f->kind == FILTER_REGEX && !regex_is_plain(f->regex) && regex_pieces(f->regex)->n > 0
	    ? regex_pieces(f->regex)
	    : NULL;
}

bool
filter_literal(const struct filter *f, struct str *ret, bool *ret_nocase)
{
	struct literals all;

	(void)filter_literals(f, &all);
	*ret = all.n == 1 ? all.p[0] : STR_NONE;
	*ret_nocase = all.nocase;
	return all.n == 1;
}

/* The bounds of any of f's children together: of all where ${any}, else what is common to them. */
static void
children_range(const struct filter *f, bool any, struct wall *ret_min, struct wall *ret_max)
{
	struct wall min, max;
	size_t i;

	ret_min->ns = any ? INT64_MAX : INT64_MIN;
	ret_max->ns = any ? INT64_MIN : INT64_MAX;
	for (i = 0; i < f->n_children; i++) {
		filter_time_range(f->children[i], &min, &max);
		if (any && min.ns > max.ns)
			continue;
		if ((min.ns < ret_min->ns) == any)
			*ret_min = min;
		if ((max.ns > ret_max->ns) == any)
			*ret_max = max;
	}
}

void
filter_time_range(const struct filter *f, struct wall *ret_min, struct wall *ret_max)
{
	ret_min->ns = INT64_MIN;
	ret_max->ns = INT64_MAX;
	if (f->kind == FILTER_TIME) {
		ret_min->ns = f->time_min;
		ret_max->ns = f->time_max;
	} else if (f->kind == FILTER_NONE) {
		ret_min->ns = INT64_MAX;
		ret_max->ns = INT64_MIN;
	} else if (f->kind == FILTER_AND || f->kind == FILTER_OR)
		children_range(f, f->kind == FILTER_OR, ret_min, ret_max);
}

static int find_id(const struct filter *f, struct arena *arena, struct filter_id *id,
    bool *ret_found);

/* The values of a set as a list; none when one of them is empty: an absent field would match. */
static int
set_id(const struct filter *f, struct arena *arena, struct filter_id *id, bool *ret_found)
{
	struct filter_id_value *values;
	size_t i;

	if (map_get(f->set, STR_NONE) != NULL || f->set->n == 0)
		return 0;
	values = arena_alloc(arena, f->set->n * sizeof(*values));
	if (values == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < f->set->n; i++)
		values[i] = (struct filter_id_value){ f->set->entries[i].key, f->field, false };
	*id = (struct filter_id){ f->field, values, f->set->n };
	*ret_found = true;
	return 0;
}

/* The list with those of ${id} behind it; NULL: no memory. */
static struct filter_id_value *
add_values(struct arena *arena, struct filter_id_value *v, size_t *n, size_t *cap,
    const struct filter_id *id)
{
	struct filter_id_value *grown = v;

	if (*n + id->n_values > *cap) {
		*cap = 2 * (*n + id->n_values);
		grown = arena_alloc(arena, *cap * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		if (*n > 0)
			memcpy(grown, v, *n * sizeof(*grown));
	}
	memcpy(grown + *n, id->values, id->n_values * sizeof(*grown));
	*n += id->n_values;
	return grown;
}

/* Every branch of an OR must have an ID; then each match has one of them all. */
static int
or_id(const struct filter *f, struct arena *arena, struct filter_id *id, bool *ret_found)
{
	struct filter_id_value *values = NULL;
	struct str field = f->children[0]->field;
	struct filter_id one;
	size_t n = 0, cap = 0, i;
	bool found;
	int r;

	for (i = 0; i < f->n_children; i++) {
		r = find_id(f->children[i], arena, &one, &found);
		if (r != 0 || !found)
			return err_trace(r);
		if (i == 0)
			field = one.field;
		else if (!str_eq(field, one.field))
			field = STR_NONE;
		values = add_values(arena, values, &n, &cap, &one);
		if (values == NULL)
			return err_origin(-ENOMEM);
	}
	*id = (struct filter_id){ field, values, n };
	*ret_found = true;
	return 0;
}

bool
filter_by_id(const struct filter *f)
{
	if (f->kind == FILTER_EXACT)
		return f->text.n != 0 && names_is_id(f->field);
	if (f->kind == FILTER_PHRASE)
		return names_id_phrase(f->text) < NAMES_DASHES_MAX && names_is_id(f->field);
	return f->kind == FILTER_IN && names_is_id(f->field);
}

/* The first ID that every match of ${f} must have. */
static int
find_id(const struct filter *f, struct arena *arena, struct filter_id *id, bool *ret_found)
{
	struct filter_id_value *value;
	size_t i;
	int r = 0;

	*ret_found = false;
	if (f->kind == FILTER_AND) {
		for (i = 0; i < f->n_children && r == 0 && !*ret_found; i++)
			r = find_id(f->children[i], arena, id, ret_found);
		return err_trace(r);
	}
	if (f->kind == FILTER_OR)
		return err_trace(or_id(f, arena, id, ret_found));
	if (!filter_by_id(f))
		return 0;
	if (f->kind == FILTER_IN)
		return err_trace(set_id(f, arena, id, ret_found));
	value = arena_alloc(arena, sizeof(*value));
	if (value == NULL)
		return err_origin(-ENOMEM);
	*ret_found = true;
	*value = (struct filter_id_value){ f->text, f->field, f->kind == FILTER_PHRASE };
	*id = (struct filter_id){ f->field, value, 1 };
	return 0;
}

static int
gather_ids(const struct filter *f, struct arena *arena, struct filter_id *ids, size_t cap,
    size_t *n)
{
	bool found;
	size_t i;
	int r = 0;

	if (f->kind == FILTER_AND) {
		for (i = 0; i < f->n_children && r == 0; i++)
			r = gather_ids(f->children[i], arena, ids, cap, n);
		return err_trace(r);
	}
	if (*n == cap)
		return 0;
	r = find_id(f, arena, &ids[*n], &found);
	if (r == 0 && found)
		(*n)++;
	return err_trace(r);
}

enum { IDS_MAX = 16 };

int
filter_ids(const struct filter *f, struct arena *arena, struct filter_id **ret, size_t *ret_n)
{
	struct filter_id *ids = arena_zalloc(arena, IDS_MAX, sizeof(*ids));

	if (ids == NULL)
		return err_origin(-ENOMEM);
	*ret = ids;
	*ret_n = 0;
	return err_trace(gather_ids(f, arena, ids, IDS_MAX, ret_n));
}

static bool
stream_names(const struct stream_filter *s, struct str name)
{
	size_t i, k;

	for (i = 0; i < s->n; i++)
		for (k = 0; k < s->ors[i].n; k++)
			if (str_eq(s->ors[i].tests[k].name, name))
				return true;
	return false;
}

bool
filter_names_weir(const struct filter *f)
{
	size_t i;

	for (i = 0; i < f->n_children; i++)
		if (filter_names_weir(f->children[i]))
			return true;
	if (f->n_children != 0)
		return false;
	if (f->kind == FILTER_STREAM)
		return stream_names(f->stream, STR("weir"));
	return str_eq(f->field, STR("weir")) ||
	    (!filter_is_value_leaf(f) && str_eq(f->text, STR("weir")));
}

bool
filter_stream_label(const struct filter *f, struct str name, struct str *ret)
{
	const struct label_and *and;
	size_t i;

	if (f->kind == FILTER_AND)
		for (i = 0; i < f->n_children; i++)
			if (filter_stream_label(f->children[i], name, ret))
				return true;
	if (f->kind != FILTER_STREAM || f->stream->n != 1)
		return false;
	and = &f->stream->ors[0];
	for (i = 0; i < and->n; i++)
		if (str_eq(and->tests[i].name, name) && and->tests[i].regex == NULL &&
		    !and->tests[i].negative) {
			*ret = and->tests[i].value;
			return true;
		}
	return false;
}

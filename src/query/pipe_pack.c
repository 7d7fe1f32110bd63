/*
 * query/pipe_pack.c - fields packed and unpacked.
 * One job: pack_json and pack_logfmt: fields into one text; unpack_json, unpack_logfmt,
 * unpack_syslog: a text into fields.
 * Floor: 3 (uses parsers, logsql, record, base).
 */
#include "base/map.h"
#include "parsers/parser.h"
#include "query/pipe_stage.h"

static bool
logfmt_needs_quotes(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == 0x7f)
			return true;
	return false;
}

static void
put_field(struct buf *out, bool json, struct str name, struct str value)
{
	if (json) {
		buf_json(out, name);
		buf_byte(out, ':');
		buf_json(out, value);
		return;
	}
	buf_str(out, name);
	buf_byte(out, '=');
	if (logfmt_needs_quotes(value))
		buf_json(out, value);
	else
		buf_str(out, value);
}

static bool
str_in(struct str name, const struct str *names, size_t n)
{
	size_t i;

	for (i = 0; i < n && !str_eq(names[i], name); i++)
		continue;
	return i < n;
}

/* Names of the batch's fields that are packed: in the order of the list, else in the row's own. */
static int
pack_names(const struct pipe *p, struct batch *b, const struct str **ret, size_t *ret_n)
{
	const struct str *all;
	struct str *names;
	size_t i, k, from, n = 0, n_all;
	int r;

	r = batch_names(b, &all, &n_all);
	if (r != 0)
		return r;
	names = arena_alloc(&b->arena, (n_all + 1) * sizeof(*names));
	if (names == NULL)
		return err_origin(-ENOMEM);
	for (k = 0; k < (p->names.n == 0 ? 1 : p->names.n); k++) {
		from = n;
		for (i = 0; n < n_all && i < n_all; i++)
			if ((p->names.n == 0 || name_matches(p->names.p[k], all[i])) &&
			    !str_in(all[i], names, from))
				names[n++] = all[i];
	}
	*ret = names;
	*ret_n = n;
	return 0;
}

int
pipe_pack_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	bool json = p->kind == PIPE_PACK_JSON, first;
	const struct str *names = NULL, **values;
	struct str *out;
	size_t i, k, n = 0;
	int r;

	r = pack_names(p, b, &names, &n);
	if (r != 0)
		return r;
	values = arena_zalloc(&b->arena, n + 1, sizeof(*values));
	out = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*out));
	if (values == NULL || out == NULL)
		return err_origin(-ENOMEM);
	for (k = 0; k < n; k++) {
		values[k] = batch_strs(b, names[k]);
		if (values[k] == NULL)
			return b->err;
	}
	pipe_text_limit(b, &text);
	for (i = 0; i < b->n_rows; i++) {
		buf_clear(&text);
		buf_c(&text, json ? "{" : "");
		for (k = 0, first = true; k < n; k++) {
			if (values[k] == NULL || values[k][i].n == 0)
				continue;
			buf_c(&text, first ? "" : json ? "," : " ");
			put_field(&text, json, names[k], values[k][i]);
			first = false;
		}
		buf_c(&text, json ? "}" : "");
		out[i] = arena_dup(&b->arena, buf_view(&text));
		if (text.failed || out[i].p == NULL)
			return err_origin(-ENOMEM);
	}
	return batch_set_strs(b, p->to, out);
}

/* A text that is nothing of the kind leaves all fields as they are.  (Apart from PARSE_E_SYNTAX.) */
enum { UNPACK_E_OTHER = 100 };

/* The columns that unpacked fields make; a name's column begins as what the field was. */
struct unpacked {
	const struct pipe *p;
	struct query_env *env;
	struct batch *b;
	struct map names; /* to number of the column */
	struct str **cols;
	size_t cap;
};

static int
column_of(struct unpacked *u, struct str name, struct str **ret)
{
	const struct str *old;
	struct map_entry *e;
	bool fresh;

	e = map_put(&u->names, name, &fresh);
	if (e == NULL)
		return err_origin(-ENOMEM);
	if (!fresh) {
		*ret = u->cols[e->value];
		return 0;
	}
	if (u->names.n > u->cap) {
		size_t cap = u->cap == 0 ? 16 : u->cap * 2;
		struct str **cols = arena_alloc(&u->b->arena, cap * sizeof(*cols));

		if (cols == NULL)
			return err_origin(-ENOMEM);
		if (u->cap != 0)
			memcpy(cols, u->cols, u->cap * sizeof(*cols));
		u->cols = cols;
		u->cap = cap;
	}
	e->value = u->names.n - 1;
	old = batch_strs(u->b, e->key);
	*ret = u->cols[e->value] = arena_alloc(&u->b->arena, (u->b->n_rows + 1) * sizeof(**ret));
	if (old == NULL || *ret == NULL)
		return u->b->err != 0 ? u->b->err : err_origin(-ENOMEM);
	memcpy(*ret, old, u->b->n_rows * sizeof(**ret));
	return 0;
}

static int
set_field(struct unpacked *u, size_t row, struct str name, struct str value)
{
	struct str full = name, *col = NULL;
	uint8_t *p;
	int r;

	if (u->p->text.n != 0) {
		p = arena_alloc(&u->b->arena, u->p->text.n + name.n + 1);
		if (p == NULL)
			return err_origin(-ENOMEM);
		memcpy(p, u->p->text.p, u->p->text.n);
		if (name.n != 0)
			memcpy(p + u->p->text.n, name.p, name.n);
		full = str_of(p, u->p->text.n + name.n);
	}
	r = column_of(u, full, &col);
	if (r == 0)
		col[row] = pipe_keep_old(u->p, value, col[row]);
	return r;
}

/*
 * Arrays and kept objects come as compact text; an empty object is a key with nothing in it, which
 * is no field unless it is kept.
 */
static int
tidy_json(const struct pipe *p, struct arena *arena, struct field *fields, size_t *n_fields)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i, n = 0;
	int r;

	for (i = 0; i < *n_fields; i++) {
		if (fields[i].kind == VALUE_JSON) {
			buf_clear(&text);
			r = json_compact(fields[i].value, &text);
			if (r < 0)
				return r;
			if (r == 0)
				fields[i].value = arena_dup(arena, buf_view(&text));
			if (fields[i].value.p == NULL)
				return err_origin(-ENOMEM);
			if (str_eq(fields[i].value, STR("{}")) &&
			    !names_match(&p->keep, fields[i].name))
				continue;
		}
		fields[n++] = fields[i];
	}
	*n_fields = n;
	return 0;
}

static int
parse_json(const struct unpacked *u, struct str s, struct field **ret, size_t *ret_n)
{
	const struct names *keep = &u->p->keep;
	int r;

	if (s.n == 0 || s.p[0] != '{')
		return UNPACK_E_OTHER;
	r = json_fields_keep(s, keep->p, keep->n, &u->b->arena, ret, ret_n);
	return r != 0 ? r : tidy_json(u->p, &u->b->arena, *ret, ret_n);
}

static int
parse(const struct unpacked *u, struct str s, struct field **ret, size_t *ret_n)
{
	struct arena *arena = &u->b->arena;

	*ret_n = 0;
	s = str_trim(s);
	if (u->p->kind == PIPE_UNPACK_LOGFMT)
		return logfmt_pairs(s, arena, ret, ret_n);
	if (u->p->kind == PIPE_UNPACK_SYSLOG)
		return s.n == 0
		    ? 0
		    : syslog_fields(s, u->env->now,
		          u->p->has_span ? (int)(u->p->span.ns / NS_PER_S) : u->env->zone_s, arena,
		          ret, ret_n);
	return parse_json(u, s, ret, ret_n);
}

static int
unpack_row(struct unpacked *u, size_t row, struct str s)
{
	const struct names *only = &u->p->names;
	struct field *fields = NULL;
	size_t i, k, n = 0;
	int r;

	r = parse(u, s, &fields, &n);
	if (r < 0 || r == UNPACK_E_OTHER)
		return r < 0 ? r : 0;
	/* What is broken has none of the fields: those that were asked for become empty. */
	if (r > 0)
		n = 0;
	for (r = 0, i = 0; r == 0 && i < n; i++)
		if (only->n == 0 || names_match(only, fields[i].name))
			r = set_field(u, row, fields[i].name, fields[i].value);
	for (k = 0; r == 0 && k < only->n; k++) {
		if (name_is_wild(only->p[k]))
			continue;
		for (i = 0; i < n && !str_eq(fields[i].name, only->p[k]); i++)
			continue;
		if (i == n)
			r = set_field(u, row, only->p[k], STR_NONE);
	}
	return r;
}

int
pipe_unpack_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	struct unpacked u = { .p = p, .env = env, .b = b };
	const struct str *from;
	const uint64_t *rows;
	size_t i;
	int r;

	r = pipe_rows(p->filter, env, b, &rows);
	if (r != 0)
		return r;
	from = batch_strs(b, p->from);
	if (from == NULL)
		return b->err;
	for (i = 0; r == 0 && i < b->n_rows; i++)
		if (rows == NULL || bits_get(rows, i))
			r = unpack_row(&u, i, from[i]);
	for (i = 0; r == 0 && i < u.names.n; i++) {
		struct str name = arena_dup(&b->arena, u.names.entries[i].key);

		r = name.p == NULL ? err_origin(-ENOMEM) : batch_set_strs(b, name, u.cols[i]);
	}
	map_fini(&u.names);
	return r;
}

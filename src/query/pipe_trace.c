/*
 * query/pipe_trace.c - rows widened to what surrounds them.
 * One job: trace: all rows of the requests that were found; stream_context: rows before and behind
 * in the stream.
 * Floor: 3 (uses logsql, record, base).
 */
#include "logsql/filter.h"
#include "logsql/value.h"
#include "query/pipe_rows_kept.h"
#include "record/names.h"

enum { IDS_MAX = 100000, IDS_QUERY = 1000, STREAMS_MAX = 1000 };

struct wide_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct map parts[QUERY_WORKERS_MAX]; /* trace: field and value; context: stream and time */
};

static int
wide_add(struct wide_stage *s, unsigned worker, struct str a, struct str b)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	bool fresh;

	key_put(&key, a);
	key_put(&key, b);
	if (key.failed || map_put(&s->parts[worker], buf_view(&key), &fresh) == NULL)
		return err_origin(-ENOMEM);
	if (s->parts[worker].n > IDS_MAX)
		return env_fail(s->stage.env, err_origin(-E2BIG),
		    "%s: more than %d different rows to widen", pipe_kind_name(s->pipe->kind),
		    IDS_MAX);
	return fresh ? env_charge(s->stage.env, pipe_kind_name(s->pipe->kind), (int64_t)key.n + 64)
	             : 0;
}

static int
trace_push(struct stage *st, unsigned worker, struct batch *b)
{
	struct wide_stage *s = (struct wide_stage *)st;
	const struct str *names = s->pipe->names.p, *values;
	size_t i, k, n = s->pipe->names.n;
	int r = 0;

	if (n == 0)
		r = batch_names(b, &names, &n);
	for (k = 0; r == 0 && k < n; k++) {
		if (s->pipe->names.n == 0 && !names_is_id(names[k]))
			continue;
		values = batch_strs(b, names[k]);
		if (values == NULL)
			return b->err;
		for (i = 0; r == 0 && i < b->n_rows; i++)
			if (values[i].n != 0)
				r = wide_add(s, worker, names[k], values[i]);
	}
	return r;
}

static int
context_push(struct stage *st, unsigned worker, struct batch *b)
{
	struct wide_stage *s = (struct wide_stage *)st;
	const struct str *streams = batch_strs(b, STR("_stream")),
	                 *times = batch_strs(b, STR("_time"));
	size_t i;
	int r = 0;

	if (streams == NULL || times == NULL)
		return b->err;
	for (i = 0; r == 0 && i < b->n_rows; i++)
		r = wide_add(s, worker, streams[i], times[i]);
	return r;
}

static int
merge(struct wide_stage *s)
{
	size_t i, k;

	for (k = 1; k < QUERY_WORKERS_MAX; k++)
		for (i = 0; i < s->parts[k].n; i++)
			if (map_put(&s->parts[0], s->parts[k].entries[i].key, NULL) == NULL)
				return err_origin(-ENOMEM);
	return 0;
}

static int
key_order(const void *a, const void *b)
{
	const struct str *x = a, *y = b;

	return str_cmp(*x, *y);
}

/* All keys, sorted; free() them. */
static int
sorted_keys(const struct map *m, struct str **ret)
{
	struct str *keys = calloc(m->n + 1, sizeof(*keys));
	size_t i;

	if (keys == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < m->n; i++)
		keys[i] = m->entries[i].key;
	qsort(keys, m->n, sizeof(*keys), key_order);
	*ret = keys;
	return 0;
}

static int
run_text(struct query_env *env, const char *who, struct str text,
    int (*put)(void *ctx, struct batch *b), void *ctx)
{
	struct logsql_options opt = { .now = env->now, .zone_s = env->zone_s };
	struct arena arena = ARENA_INIT;
	struct logsql_error error = { 0 };
	struct query *q = NULL;
	int r;

	if (env->run_query == NULL)
		return env_fail(env, err_origin(-ENOSYS), "%s: no subquery can be run here", who);
	r = query_parse(text, &opt, &arena, &q, &error);
	if (r > 0)
		r = env_fail(env, err_origin(-EINVAL), "%s: %s", who, error.text);
	if (r == 0)
		r = env->run_query(env->run_ctx, env, q, put, ctx);
	arena_fini(&arena);
	return r;
}

static int
pass_on(void *ctx, struct batch *b)
{
	struct stage *s = ctx;

	return b->n_rows == 0 ? 0 : stage_push(s->next, 0, b);
}

/* (field:in(values) or …) for all keys; each row once, in the order of time. */
static int
trace_text(const struct str *keys, size_t n, struct buf *text)
{
	struct str rest, name, last = STR_NONE;
	size_t i;

	for (i = 0; i < n; i++) {
		rest = keys[i];
		name = key_take(&rest);
		if (i == 0 || !str_eq(name, last)) {
			buf_c(text, i == 0 ? "(" : ") or ");
			logsql_quote_always(text, name);
			buf_c(text, ":in(");
		} else {
			buf_c(text, ", ");
		}
		last = name;
		logsql_quote_always(text, key_take(&rest));
	}
	buf_c(text, ")) | sort by (_time)");
	return buf_err(text);
}

static int
trace_flush(struct stage *st)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct wide_stage *s = (struct wide_stage *)st;
	AUTO_FREE struct str *keys = NULL;
	int r;

	r = merge(s);
	if (r == 0)
		r = sorted_keys(&s->parts[0], &keys);
	if (r == 0 && s->parts[0].n != 0) {
		r = trace_text(keys, s->parts[0].n, &text);
		if (r == 0)
			r = run_text(st->env, "trace", buf_view(&text), pass_on, st);
	}
	return r != 0 ? r : stage_flush(st->next);
}

/* A stream with the times of its rows that were found. */
struct found {
	struct str stream;
	int64_t *times, min, max;
	size_t n;
};

/* What stands between the piece that came last and the next one. */
struct seam {
	bool due;
	int64_t time; /* of the row before it */
	struct str stream;
};

/* The rows of one stream around those that were found. */
struct context {
	struct wide_stage *s;
	struct map names;
	struct needs needs;
	const struct found *found;
	struct kept_row **rows; /* by time */
	size_t n, cap;
};

static const struct sort_key time_key[1] = { { STR_INIT("_time"), false } };

static int
context_take(void *ctx, struct batch *b)
{
	char scratch[1][COLUMN_SCRATCH];
	struct context *c = ctx;
	struct kept_source src;
	const struct str *streams = batch_strs(b, STR("_stream"));
	struct kept_row **rows;
	struct kept_key key[1];
	size_t i, cap;
	int r;

	if (streams == NULL)
		return b->err;
	r = kept_source_init(&src, b, &c->needs, &c->names, time_key, 1);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		if (!str_eq(streams[i], c->found->stream))
			continue;
		if (c->n == c->cap) {
			cap = c->cap == 0 ? 64 : c->cap * 2;
			rows = reallocarray(c->rows, cap, sizeof(struct kept_row *));
			if (rows == NULL)
				return err_origin(-ENOMEM);
			c->rows = rows;
			c->cap = cap;
		}
		kept_keys(&src, i, key, scratch);
		r = kept_row_new(&src, i, key, &c->rows[c->n]);
		if (r == 0)
			r = env_charge(c->s->stage.env, "stream_context",
			    (int64_t)c->rows[c->n++]->n_bytes);
	}
	return r;
}

static int64_t
time_of(const struct kept_row *row)
{
	return row->keys[0].kind == KEPT_TIME ? row->keys[0].v : INT64_MAX;
}

/* The first row at ${ns} or later. */
static size_t
first_at(const struct context *c, int64_t ns)
{
	size_t lo = 0, hi = c->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (time_of(c->rows[mid]) < ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * How many of the times' surroundings begin or end before each row: a step up or down at their ends, summed, so that many
 * that overlap cost no more than few.
 */
static void
mark(const struct context *c, const struct found *f, int64_t *depth)
{
	uint64_t before = c->s->pipe->offset, after = c->s->pipe->after;
	size_t k, first, behind;

	for (k = 0; k < f->n; k++) {
		first = first_at(c, f->times[k]);
		behind = f->times[k] == INT64_MAX ? c->n : first_at(c, f->times[k] + 1);
		if (first == behind)
			continue;
		depth[before > first ? 0 : first - (size_t)before]++;
		depth[after >= c->n - behind ? c->n : behind + (size_t)after]--;
	}
	for (k = 1; k < c->n; k++)
		depth[k] += depth[k - 1];
}

/* The row between two pieces: of the stream before it, and a ns later, so that it stays there when rows are sorted. */
static int
put_seam(const struct seam *seam, struct rows_out *out, const struct str *names, size_t n)
{
	char time[WALL_TEXT_MAX];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++) {
		if (str_eq(names[i], STR("_msg")))
			rows_out_set(out, i, STR("---"));
		else if (str_eq(names[i], STR("_stream")))
			rows_out_set(out, i, seam->stream);
		else if (str_eq(names[i], STR("_time")) && seam->time < INT64_MAX)
			r = rows_out_copy(out, i,
			    str_of(time, wall_format(time, (struct wall){ seam->time + 1 })));
	}
	return r != 0 ? r : rows_out_next(out);
}

static int
context_put(struct context *c, const int64_t *depth, struct seam *seam)
{
	AUTO_FREE struct str *names = calloc(c->names.n + 1, sizeof(*names));
	AUTO_FREE uint32_t *columns = calloc(c->names.n + 1, sizeof(*columns));
	size_t i, n = c->names.n;
	bool gap = true, has_msg = false;
	struct rows_out out;
	int r;

	if (names == NULL || columns == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		names[i] = c->names.entries[i].key;
		columns[i] = (uint32_t)i;
		has_msg |= str_eq(names[i], STR("_msg"));
	}
	if (!has_msg)
		names[n++] = STR("_msg");
	r = rows_out_init(&out, c->s->stage.next, 0, names, n);
	for (i = 0; r == 0 && i < c->n; i++) {
		if (depth[i] > 0 && gap && seam->due)
			r = put_seam(seam, &out, names, n);
		if (depth[i] > 0 && r == 0) {
			kept_put(&out, columns, c->rows[i]);
			r = rows_out_next(&out);
			*seam = (struct seam){ true, time_of(c->rows[i]), c->found->stream };
		}
		gap = depth[i] <= 0;
	}
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r;
}

static int
context_text(const struct pipe *p, const struct found *f, struct buf *text)
{
	char t[WALL_TEXT_MAX];
	int64_t from, to;

	if (p->offset == 0 || p->span.ns == INT64_MAX ||
	    __builtin_sub_overflow(f->min, p->span.ns, &from))
		from = p->offset == 0 ? f->min : INT64_MIN;
	if (p->after == 0 || p->span.ns == INT64_MAX ||
	    __builtin_add_overflow(f->max, p->span.ns, &to))
		to = p->after == 0 ? f->max : INT64_MAX;
	/*
	 * Labels find the stream and those that have more of them; context_take leaves out the
	 * latter.
	 */
	if (f->stream.n > 2 && f->stream.p[0] == '{') {
		buf_c(text, "_stream:");
		buf_str(text, f->stream);
		buf_byte(text, ' ');
	}
	/* The last ns that can be said has no text; with a bracket, the end would be that of its second. */
	buf_c(text, from > INT64_MIN || to < INT64_MAX - 1 ? "_time:" : "*");
	if (from > INT64_MIN) {
		buf_c(text, to < INT64_MAX - 1 ? "[" : ">=");
		buf_put(text, t, wall_format(t, (struct wall){ from }));
	}
	if (to < INT64_MAX - 1) {
		buf_c(text, from > INT64_MIN ? ", " : "<");
		buf_put(text, t, wall_format(t, (struct wall){ to + 1 }));
		buf_c(text, from > INT64_MIN ? ")" : "");
	}
	buf_c(text, " | sort by (_time)");
	return buf_err(text);
}

static int
context_stream(struct wide_stage *s, const struct found *f, struct seam *seam)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	AUTO_FREE int64_t *depth = NULL;
	struct context c = { .s = s, .needs = needs_wanted(s->stage.env), .found = f };
	size_t i;
	int r;

	r = context_text(s->pipe, f, &text);
	if (r == 0)
		r = run_text(s->stage.env, "stream_context", buf_view(&text), context_take, &c);
	if (r == 0) {
		depth = calloc(c.n + 1, sizeof(*depth));
		r = depth == NULL ? err_origin(-ENOMEM) : 0;
	}
	if (r == 0) {
		mark(&c, f, depth);
		r = context_put(&c, depth, seam);
	}
	for (i = 0; i < c.n; i++)
		free(c.rows[i]);
	free(c.rows);
	map_fini(&c.names);
	return r;
}

/* The streams of the keys; their times lie in times[], which has room for all. */
static int
context_streams(struct wide_stage *s, const struct str *keys, int64_t *times, struct found *found,
    size_t *ret_n)
{
	size_t i, n = 0, n_times = 0;
	struct str rest, stream;
	struct found *f;
	int64_t ns;

	for (i = 0; i < s->parts[0].n; i++) {
		rest = keys[i];
		stream = key_take(&rest);
		if (!value_time(key_take(&rest), &ns))
			continue;
		if (n == 0 || !str_eq(found[n - 1].stream, stream)) {
			if (n == STREAMS_MAX)
				return env_fail(s->stage.env, err_origin(-E2BIG),
				    "stream_context: more than %d streams", STREAMS_MAX);
			found[n++] = (struct found){ stream, times + n_times, ns, ns, 0 };
		}
		f = &found[n - 1];
		f->min = ns < f->min ? ns : f->min;
		f->max = ns > f->max ? ns : f->max;
		f->n++;
		times[n_times++] = ns;
	}
	*ret_n = n;
	return 0;
}

static int
found_order(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->min != y->min)
		return x->min < y->min ? -1 : 1;
	return str_cmp(x->stream, y->stream);
}

/* Stream after stream, by the first row that was found in each. */
static int
context_flush(struct stage *st)
{
	struct wide_stage *s = (struct wide_stage *)st;
	AUTO_FREE struct found *found = calloc(STREAMS_MAX, sizeof(*found));
	AUTO_FREE struct str *keys = NULL;
	AUTO_FREE int64_t *times = NULL;
	struct seam seam = { 0 };
	size_t i, n = 0;
	int r;

	r = merge(s);
	if (r == 0)
		r = sorted_keys(&s->parts[0], &keys);
	times = calloc(s->parts[0].n + 1, sizeof(*times));
	if (r == 0 && (times == NULL || found == NULL))
		r = err_origin(-ENOMEM);
	if (r == 0)
		r = context_streams(s, keys, times, found, &n);
	if (r == 0)
		qsort(found, n, sizeof(*found), found_order);
	for (i = 0; r == 0 && i < n; i++)
		r = context_stream(s, &found[i], &seam);
	return r != 0 ? r : stage_flush(st->next);
}

static void
wide_free(struct stage *st)
{
	struct wide_stage *s = (struct wide_stage *)st;
	size_t i;

	for (i = 0; i < QUERY_WORKERS_MAX; i++)
		map_fini(&s->parts[i]);
	free(s);
}

static const struct stage_ops trace_ops = { "trace", trace_push, trace_flush, wide_free };
static const struct stage_ops context_ops = { "stream_context", context_push, context_flush,
	wide_free };

static int
wide_make(const struct stage_args *a, const struct stage_ops *ops, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct wide_stage), ops, a->env, ret);
	if (r == 0)
		((struct wide_stage *)*ret)->pipe = a->pipe;
	return r;
}

int
pipe_trace_make(const struct stage_args *a, struct stage **ret)
{
	return wide_make(a, &trace_ops, ret);
}

int
pipe_context_make(const struct stage_args *a, struct stage **ret)
{
	return wide_make(a, &context_ops, ret);
}

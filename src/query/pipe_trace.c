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

/* The rows of one stream around those that were found. */
struct context {
	struct wide_stage *s;
	struct map names;
	struct needs needs;
	struct str stream;
	struct kept_row **rows;
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
		if (!str_eq(streams[i], c->stream))
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

/* Mark rows around each time: times are sorted as the rows are. */
static void
mark(const struct context *c, const struct str *times, size_t n_times, bool *wanted)
{
	uint64_t before = c->s->pipe->offset, after = c->s->pipe->after;
	size_t i, k, from, to;
	int64_t ns;

	for (k = 0; k < n_times; k++) {
		if (!value_time(times[k], &ns))
			continue;
		for (i = 0; i < c->n; i++) {
			if (c->rows[i]->keys[0].v != ns)
				continue;
			from = before > i ? 0 : i - (size_t)before;
			to = after >= c->n - i ? c->n - 1 : i + (size_t)after;
			for (; from <= to; from++)
				wanted[from] = true;
		}
	}
}

static int
context_put(struct context *c, const bool *wanted, bool *first)
{
	AUTO_FREE struct str *names = calloc(c->names.n + 1, sizeof(*names));
	AUTO_FREE uint32_t *columns = calloc(c->names.n + 1, sizeof(*columns));
	size_t i, n = c->names.n, msg = n;
	bool gap = true;
	struct rows_out out;
	int r;

	if (names == NULL || columns == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		names[i] = c->names.entries[i].key;
		columns[i] = (uint32_t)i;
		msg = str_eq(names[i], STR("_msg")) ? i : msg;
	}
	if (msg == n)
		names[n++] = STR("_msg");
	r = rows_out_init(&out, c->s->stage.next, 0, names, n);
	for (i = 0; r == 0 && i < c->n; i++) {
		if (wanted[i] && gap && !*first) {
			rows_out_set(&out, msg, STR("---"));
			r = rows_out_next(&out);
		}
		if (wanted[i] && r == 0) {
			kept_put(&out, columns, c->rows[i]);
			r = rows_out_next(&out);
			*first = false;
		}
		gap = !wanted[i];
	}
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r;
}

static int
context_text(const struct pipe *p, struct str stream, int64_t min, int64_t max, struct buf *text)
{
	char t[WALL_TEXT_MAX];
	int64_t from, to;

	if (p->offset == 0 || __builtin_sub_overflow(min, p->span.ns, &from))
		from = p->offset == 0 ? min : INT64_MIN;
	if (p->after == 0 || __builtin_add_overflow(max, p->span.ns, &to))
		to = p->after == 0 ? max : INT64_MAX;
	/*
	 * Labels find the stream and those that have more of them; context_take leaves out the
	 * latter.
	 */
	if (stream.n > 2 && stream.p[0] == '{') {
		buf_c(text, "_stream:");
		buf_str(text, stream);
		buf_byte(text, ' ');
	}
	buf_c(text, "_time:[");
	buf_put(text, t, wall_format(t, (struct wall){ from }));
	buf_c(text, ", ");
	buf_put(text, t, wall_format(t, (struct wall){ to }));
	buf_c(text, "] | sort by (_time)");
	return buf_err(text);
}

/* One stream with the times of its rows that were found. */
static int
context_stream(struct wide_stage *s, struct str stream, const struct str *times, size_t n,
    bool *first)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct context c = { .s = s, .needs = needs_wanted(s->stage.env), .stream = stream };
	int64_t ns, min = INT64_MAX, max = INT64_MIN;
	bool *wanted = NULL;
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		if (!value_time(times[i], &ns))
			continue;
		min = ns < min ? ns : min;
		max = ns > max ? ns : max;
	}
	if (min > max)
		return 0;
	r = context_text(s->pipe, stream, min, max, &text);
	if (r == 0)
		r = run_text(s->stage.env, "stream_context", buf_view(&text), context_take, &c);
	if (r == 0) {
		wanted = calloc(c.n + 1, sizeof(*wanted));
		r = wanted == NULL ? err_origin(-ENOMEM) : 0;
	}
	if (r == 0) {
		mark(&c, times, n, wanted);
		r = context_put(&c, wanted, first);
	}
	for (i = 0; i < c.n; i++)
		free(c.rows[i]);
	free(c.rows);
	free(wanted);
	map_fini(&c.names);
	return r;
}

static int
context_flush(struct stage *st)
{
	struct wide_stage *s = (struct wide_stage *)st;
	AUTO_FREE struct str *keys = NULL, *times = NULL;
	struct str stream = STR_NONE, next = STR_NONE;
	size_t i, n = 0, n_streams = 0;
	bool first = true;
	int r;

	r = merge(s);
	if (r == 0)
		r = sorted_keys(&s->parts[0], &keys);
	times = calloc(s->parts[0].n + 1, sizeof(*times));
	if (r == 0 && times == NULL)
		r = err_origin(-ENOMEM);
	for (i = 0; r == 0 && i <= s->parts[0].n; i++) {
		struct str rest = i < s->parts[0].n ? keys[i] : STR_NONE;

		next = i < s->parts[0].n ? key_take(&rest) : STR_NONE;
		if (n > 0 && (i == s->parts[0].n || !str_eq(next, stream))) {
			if (++n_streams > STREAMS_MAX)
				return env_fail(st->env, err_origin(-E2BIG),
				    "stream_context: more than %d streams", STREAMS_MAX);
			r = context_stream(s, stream, times, n, &first);
			n = 0;
		}
		stream = next;
		if (i < s->parts[0].n)
			times[n++] = key_take(&rest);
	}
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

/*
 * alerts/evidence.c - why an alert was sent.
 * One job: ask the store for what stands behind an alert, within bounds of time and size.
 * Floor: 4 (uses query, store, logsql, record, base).
 *
 *   the newest lines, the count in each of the last windows, the forms of the messages, and the whole request of the worst line
 *
 * All are queries of the ordinary engine over one view.  A watch ends them after EVIDENCE_TOOK_MAX_MS; what there is by
 * then is what the message has, and it says so: a mail without lines is better than one that comes late.
 */
#include "alerts/evidence.h"

#include <stdio.h>

#include "alerts/deadline.h"
#include "alerts/evidence_query.h"
#include "base/utf8.h"
#include "logsql/value.h"
#include "query/run.h"
#include "record/level.h"
#include "record/names.h"
#include "record/service.h"
#include "record/skeleton.h"
#include "store/read.h"
#include "store/skeletons.h"

enum {
	EVIDENCE_MEMORY_MAX = 64 << 20, /* of each query */
	EVIDENCE_BACK_MAX_H = 24,       /* the window begins at most so long before the end */
};

/* ---- one search ---- */

struct search {
	struct store_view *view;
	struct arena *arena; /* the caller's: what is found */
	struct wall now;
	int zone_s;
	struct str base; /* the query behind the alert */
	struct deadline *deadline;
	struct evidence *ev;
	const char *path;
	/* the worst line so far that has an ID */
	enum severity worst;
	struct str id_name, id;
};

struct asked {
	struct wall since, until;
	uint64_t limit;
};

/* The text's beginning that is shown, in the search's memory. */
static struct str
keep_text(struct search *s, struct str text)
{
	size_t n = text.n;

	if (n > EVIDENCE_VALUE_MAX) {
		n = EVIDENCE_VALUE_MAX;
		while (n > 0 && (text.p[n] & 0xc0) == 0x80)
			n--;
	}
	return arena_dup(s->arena, str_of(text.p, n));
}

static void
cut_because(struct search *s, struct str why)
{
	if (s->ev->cut.n == 0)
		s->ev->cut = arena_dup(s->arena, why);
}

/* One query; what fails is said in the evidence, and the rest goes on. */
static int
search_run(struct search *s, const char *text, const struct asked *how, run_put_fn put, void *ctx)
{
	AUTO_FINI(arena_fini) struct arena work = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct logsql_options lo = { s->now, s->zone_s };
	struct run_options opt = { .now = s->now,
		.zone_s = s->zone_s,
		.n_threads = 1,
		.memory_max = EVIDENCE_MEMORY_MAX,
		.since = how->since,
		.until = how->until,
		.limit = how->limit,
		.ordered = true,
		.cancel = &s->deadline->cancel };
	struct logsql_error error = { 0 };
	struct run_stats stats = { 0 };
	struct query *q;
	int r;

	if (atomic_load(&s->deadline->cancel))
		r = -ECANCELED;
	else
		r = query_parse(str_c(text), &lo, &work, &q, &error);
	if (r > 0) {
		cut_because(s, str_c(error.text));
		return 0;
	}
	if (r == 0)
		r = run_store(s->view, q, &opt, put, ctx, &stats, &why);
	if (r == -ECANCELED)
		cut_because(s,
		    STR("not all of it was looked up: the store took too long to answer"));
	else if (r < 0 && r != -ENOMEM)
		cut_because(s, why.n > 0 ? buf_view(&why) : str_c(err_str(r)));
	return r == -ENOMEM ? err_trace(r) : 0;
}

/* ---- lines ---- */

/* Columns of a batch that a line is made of. */
struct line_columns {
	const struct str *time, *stream, *msg, *level, *id;
	const struct str *services[SERVICE_RANKS];
	struct str id_name;
};

static int
line_columns(struct batch *b, struct line_columns *ret)
{
	const struct str *names;
	size_t i, n, rank;
	int r = batch_names(b, &names, &n);

	*ret = (struct line_columns){ 0 };
	if (r != 0)
		return err_trace(r);
	for (i = 0; i < n; i++) {
		if (ret->level == NULL && names_is_level(names[i]))
			ret->level = batch_strs(b, names[i]);
		if (ret->id == NULL && names_is_id(names[i])) {
			ret->id = batch_strs(b, names[i]);
			ret->id_name = names[i];
		}
		rank = service_rank(names[i]);
		if (rank < SERVICE_RANKS)
			ret->services[rank] = batch_strs(b, names[i]);
	}
	ret->time = batch_strs(b, STR("_time"));
	ret->stream = batch_strs(b, STR("_stream"));
	ret->msg = batch_strs(b, STR("_msg"));
	return ret->time == NULL || ret->stream == NULL || ret->msg == NULL ? err_origin(-ENOMEM)
	                                                                    : 0;
}

static struct str
column_at(const struct str *col, size_t row)
{
	return col != NULL ? col[row] : STR_NONE;
}

/* A row without a message is shown by its fields. */
static struct str
row_text(struct search *s, struct batch *b, const struct line_columns *c, size_t row)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct str *names, *values;
	size_t i, n;

	if (c->msg[row].n > 0)
		return keep_text(s, c->msg[row]);
	if (batch_names(b, &names, &n) != 0)
		return STR_NONE;
	for (i = 0; i < n && text.n < EVIDENCE_VALUE_MAX; i++) {
		if (names[i].n == 0 || names[i].p[0] == '_')
			continue;
		values = batch_strs(b, names[i]);
		if (values == NULL || values[row].n == 0)
			continue;
		buf_printf(&text, "%s%.*s=", text.n > 0 ? " " : "", STR_ARG(names[i]));
		buf_str(&text, values[row]);
	}
	return keep_text(s, buf_view(&text));
}

static struct str
row_service(struct search *s, const struct line_columns *c, size_t row)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i;

	for (i = 0; i < SERVICE_RANKS; i++)
		if (column_at(c->services[i], row).n > 0)
			return arena_dup(s->arena, service_short(c->services[i][row]));
	service_of_stream(c->stream[row], &text);
	return arena_dup(s->arena, buf_view(&text));
}

static void
line_of(struct search *s, struct batch *b, const struct line_columns *c, size_t row,
    struct evidence_line *ret)
{
	int64_t ns = 0;

	(void)value_time(c->time[row], &ns);
	ret->time.ns = ns;
	ret->stream = arena_dup(s->arena, c->stream[row]);
	ret->service = row_service(s, c, row);
	ret->level = arena_dup(s->arena, column_at(c->level, row));
	ret->text = row_text(s, b, c, row);
}

static void
worst_of(struct search *s, const struct line_columns *c, size_t row)
{
	enum severity level = level_severity(column_at(c->level, row));
	struct str id = column_at(c->id, row);

	/* the newest of the worst: rows come by time */
	if (id.n == 0 || id.n > EVIDENCE_VALUE_MAX || level > s->worst)
		return;
	s->worst = level;
	s->id_name = arena_dup(s->arena, c->id_name);
	s->id = arena_dup(s->arena, id);
}

static int
put_lines(void *ctx, struct batch *b)
{
	struct search *s = ctx;
	struct line_columns c;
	size_t row;
	int r = line_columns(b, &c);

	for (row = 0; r == 0 && row < b->n_rows && s->ev->n_lines < EVIDENCE_LINES_MAX; row++) {
		worst_of(s, &c, row);
		line_of(s, b, &c, row, &s->ev->lines[s->ev->n_lines++]);
	}
	return r;
}

static int
find_lines(struct search *s)
{
	struct asked how = { s->ev->from, s->ev->to, EVIDENCE_LINES_MAX };
	AUTO_FINI(buf_fini) struct buf q = BUF_INIT;

	s->ev->lines = arena_zalloc(s->arena, EVIDENCE_LINES_MAX, sizeof(*s->ev->lines));
	buf_str(&q, s->base);
	if (s->ev->lines == NULL || q.failed)
		return err_origin(-ENOMEM);
	return search_run(s, buf_c_str(&q), &how, put_lines, s);
}

/* ---- the whole request ---- */

static int
put_trace(void *ctx, struct batch *b)
{
	struct search *s = ctx;
	struct line_columns c;
	size_t row;
	int r = line_columns(b, &c);

	for (row = 0; r == 0 && row < b->n_rows && s->ev->n_trace < EVIDENCE_TRACE_MAX; row++)
		line_of(s, b, &c, row, &s->ev->trace[s->ev->n_trace++]);
	return r;
}

static int
find_trace(struct search *s)
{
	struct asked how = { { s->ev->from.ns - NS_PER_HOUR }, { INT64_MAX }, 0 };
	AUTO_FINI(buf_fini) struct buf q = BUF_INIT;
	int r;

	if (s->id.n == 0)
		return 0;
	s->ev->trace = arena_zalloc(s->arena, EVIDENCE_TRACE_MAX, sizeof(*s->ev->trace));
	logsql_quote(&q, s->id_name);
	buf_c(&q, ":=");
	logsql_quote_always(&q, s->id);
	buf_printf(&q, " | limit 1 | trace | sort by (_time) | limit %d", EVIDENCE_TRACE_MAX);
	if (s->ev->trace == NULL || q.failed)
		return err_origin(-ENOMEM);
	s->ev->trace_id = s->id;
	r = search_run(s, buf_c_str(&q), &how, put_trace, s);
	/* a request of one line tells nothing new */
	if (s->ev->n_trace < 2)
		s->ev->n_trace = 0;
	return r;
}

/* ---- counts ---- */

static int
put_bars(void *ctx, struct batch *b)
{
	struct search *s = ctx;
	const struct str *times = batch_strs(b, STR("_time")), *counts = batch_strs(b, STR("n"));
	int64_t width = s->ev->bar_width.ns, ns, at;
	int64_t last = s->ev->to.ns / width;
	double v;
	size_t row;

	if (times == NULL || counts == NULL)
		return err_origin(-ENOMEM);
	for (row = 0; row < b->n_rows; row++) {
		if (!value_time(times[row], &ns) || !value_float(counts[row], &v))
			continue;
		at = ns / width - last + EVIDENCE_WINDOWS - 1;
		if (at >= 0 && at < EVIDENCE_WINDOWS)
			s->ev->bars[at] += v;
	}
	return 0;
}

static int
find_bars(struct search *s, struct span window)
{
	AUTO_FINI(buf_fini) struct buf q = BUF_INIT;
	char text[SPAN_TEXT_MAX];
	struct asked how = { { 0 }, s->ev->to, 0 };
	size_t n;

	s->ev->bar_width.ns = window.ns < NS_PER_S ? NS_PER_S : window.ns;
	n = span_format(text, s->ev->bar_width);
	how.since.ns =
	    (s->ev->to.ns / s->ev->bar_width.ns - EVIDENCE_WINDOWS + 1) * s->ev->bar_width.ns;
	s->ev->bars = arena_zalloc(s->arena, EVIDENCE_WINDOWS, sizeof(*s->ev->bars));
	s->ev->n_bars = EVIDENCE_WINDOWS;
	buf_str(&q, s->base);
	buf_printf(&q, " | stats by (_time:%.*s) count() as n", (int)n, text);
	if (s->ev->bars == NULL || q.failed)
		return err_origin(-ENOMEM);
	return search_run(s, buf_c_str(&q), &how, put_bars, s);
}

static int
put_count(void *ctx, struct batch *b)
{
	struct search *s = ctx;
	const struct str *counts = batch_strs(b, STR("n"));

	if (counts == NULL)
		return err_origin(-ENOMEM);
	if (b->n_rows > 0)
		(void)value_uint(counts[0], &s->ev->n_rows);
	return 0;
}

static int
find_count(struct search *s)
{
	struct asked how = { s->ev->from, s->ev->to, 0 };
	AUTO_FINI(buf_fini) struct buf q = BUF_INIT;

	buf_str(&q, s->base);
	buf_c(&q, " | stats count() as n");
	if (q.failed)
		return err_origin(-ENOMEM);
	return search_run(s, buf_c_str(&q), &how, put_count, s);
}

/* ---- forms ---- */

static int
put_patterns(void *ctx, struct batch *b)
{
	struct search *s = ctx;
	const struct str *texts = batch_strs(b, STR("pattern")), *counts, *samples;
	struct evidence_pattern *p;
	size_t row;

	counts = batch_strs(b, STR("count"));
	samples = batch_strs(b, STR("sample"));
	if (texts == NULL || counts == NULL || samples == NULL)
		return err_origin(-ENOMEM);
	for (row = 0; row < b->n_rows && s->ev->n_patterns < EVIDENCE_PATTERNS_MAX; row++) {
		if (samples[row].n == 0)
			continue;
		p = &s->ev->patterns[s->ev->n_patterns++];
		p->text = keep_text(s, texts[row]);
		p->sample = keep_text(s, samples[row]);
		(void)value_uint(counts[row], &p->n);
	}
	return 0;
}

/* Which of them the store had not met before the window. */
static void
mark_new(struct search *s)
{
	AUTO(skeletons_close) struct skeletons *known = NULL;
	struct wall first;
	size_t i;

	/* without the list nothing is said to be new */
	if (s->ev->n_patterns == 0 || skeletons_open(&known, s->path) != 0 ||
	    skeletons_count(known) == 0)
		return;
	for (i = 0; i < s->ev->n_patterns; i++) {
		struct evidence_pattern *p = &s->ev->patterns[i];

		if (skeletons_find(known, skeleton_hash(p->sample), &first))
			p->is_new = first.ns >= s->ev->from.ns;
	}
}

static int
find_patterns(struct search *s)
{
	struct asked how = { s->ev->from, s->ev->to, 0 };
	AUTO_FINI(buf_fini) struct buf q = BUF_INIT;
	int r;

	s->ev->patterns = arena_zalloc(s->arena, EVIDENCE_PATTERNS_MAX, sizeof(*s->ev->patterns));
	buf_str(&q, s->base);
	buf_printf(&q, " | patterns %d", EVIDENCE_PATTERNS_MAX);
	if (s->ev->patterns == NULL || q.failed)
		return err_origin(-ENOMEM);
	r = search_run(s, buf_c_str(&q), &how, put_patterns, s);
	if (r == 0)
		mark_new(s);
	return r;
}

/* ---- all of it ---- */

/* From the window before it began to fire up to now, or to its end. */
static void
set_window(const struct rule *rule, const struct route_alert *alert, struct wall now,
    struct evidence *ev, struct span *ret_window)
{
	struct span window = rule->window.ns > 0 ? rule->window : (struct span){ 5 * NS_PER_MIN };
	bool ended = alert->ends_at.ns > 0 && alert->ends_at.ns < now.ns;
	struct wall start = alert->late_from.ns > 0 && alert->late_from.ns < alert->starts_at.ns
	    ? alert->late_from
	    : alert->starts_at;
	int64_t back = EVIDENCE_BACK_MAX_H * NS_PER_HOUR;

	if (back < window.ns)
		back = window.ns;
	/* the end is part of a window, and --until is not */
	ev->to.ns = (ended ? alert->ends_at.ns : now.ns) + 1;
	ev->from.ns = start.ns - window.ns;
	if (ev->from.ns < ev->to.ns - back)
		ev->from.ns = ev->to.ns - back;
	*ret_window = window;
}

static int
search_all(struct search *s, struct span window)
{
	int r = find_lines(s);

	if (r == 0)
		r = find_bars(s, window);
	if (r == 0)
		r = find_patterns(s);
	if (r == 0)
		r = find_count(s);
	if (r == 0)
		r = find_trace(s);
	return r;
}

static int
search_store(const char *store, struct search *s, struct span window)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct deadline deadline;
	int r;

	r = store_view_open(&view, store, &why);
	if (r != 0) {
		cut_because(s, why.n > 0 ? buf_view(&why) : STR("the store cannot be read"));
		return 0;
	}
	if (deadline_start(&deadline, (struct span){ EVIDENCE_TOOK_MAX_MS * NS_PER_MS }) != 0) {
		cut_because(s, STR("nothing was looked up: no thread to spare"));
		return 0;
	}
	s->view = view;
	s->deadline = &deadline;
	r = search_all(s, window);
	deadline_stop(&deadline);
	return err_trace(r);
}

int
evidence_find(const char *store, const struct rule *rule, const struct route_alert *alert,
    struct wall now, struct arena *arena, struct evidence *ret)
{
	AUTO_FINI(buf_fini) struct buf base = BUF_INIT, paste = BUF_INIT;
	struct evidence ev = { 0 };
	struct search s = { .arena = arena,
		.now = now,
		.worst = SEVERITY_UNKNOWN,
		.ev = &ev,
		.path = store };
	struct span window;

	if (rule == NULL || rule->query == NULL) {
		*ret = ev;
		return 0;
	}
	s.zone_s = wall_local_offset(now);
	set_window(rule, alert, now, &ev, &window);
	evidence_query(rule, alert, &base);
	evidence_paste(buf_view(&base), ev.from, ev.to, &paste);
	s.base = arena_dup(arena, buf_view(&base));
	ev.rule = arena_dup(arena, rule->name);
	ev.expr = arena_dup(arena, rule->expr);
	ev.query = arena_dup(arena, buf_view(&paste));
	if (base.failed || paste.failed || s.base.p == NULL || ev.query.p == NULL)
		return err_origin(-ENOMEM);
	if (search_store(store, &s, window) != 0)
		return err_origin(-ENOMEM);
	*ret = ev;
	return 0;
}

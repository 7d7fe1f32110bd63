/*
 * parsers/group.c - lines that belong together.
 * One job: join split lines, gather events of several lines, and keep what is unfinished.
 * Floor: 2 (uses record, base).
 *
 *   line -> wrapping opened -> parts joined -> events gathered -> parser_event
 *
 * The unfinished groups, version 1.  Little-endian, packed; n as LEB128.
 *
 *   offset  size  field
 *        0     1  version, 1
 *        1     1  number of the group; then its fields, then the next group, until the end
 *              1  flags: 1 has_part, 2 open, 4 part_timed, 8 timed
 *              1  trace
 *         5 × 8  part_time, part_received, time, received, touched: ns
 *              n  head_n; then length and bytes of part, length and bytes of text
 */
#include "parsers/container.h"

enum { STATE_VERSION = 1, FLAG_PART = 1, FLAG_OPEN = 2, FLAG_PART_TIMED = 4, FLAG_TIMED = 8 };

static struct str
group_where(size_t i)
{
	static const struct str names[GROUPS] = { STR_INIT(""), STR_INIT("stdout"),
		STR_INIT("stderr") };

	return names[i];
}

static size_t
group_number(struct str where)
{
	return where.n == 0 ? 0 : str_eq(where, STR("stdout")) ? 1 : 2;
}

/* What is gathered goes out; its bytes move into the batch. */
static int
finish_event(struct parser *p, size_t no, bool partial, struct record_batch *out)
{
	struct group *g = &p->groups[no];
	struct event e;
	int r;

	if (!g->open)
		return 0;
	e = (struct event){ .received = g->received,
		.timed = g->timed,
		.time = g->time,
		.where = group_where(no),
		.partial = partial };
	e.text = arena_dup(&out->arena, buf_view(&g->text));
	if (e.text.p == NULL)
		return err_origin(-ENOMEM);
	e.head = str_sub(e.text, 0, g->head_n);
	e.line = e.text;
	r = parser_event(p, &e, out);
	if (r != 0)
		return r;
	g->open = false;
	g->head_n = 0;
	buf_clear(&g->text);
	return 0;
}

/* An event that is complete by itself, or the first line of one. */
static int
begin_event(struct parser *p, size_t no, const struct event *e, struct record_batch *out)
{
	struct group *g = &p->groups[no];

	/* A line that fills a group has none behind it. */
	if (p->multiline == NULL || e->partial || e->head.n > GROUP_BYTES_MAX)
		return parser_event(p, e, out);
	buf_clear(&g->text);
	buf_str(&g->text, e->head);
	g->head_n = e->head.n;
	g->open = true;
	g->received = e->received;
	g->timed = e->timed;
	g->time = e->time;
	return buf_err(&g->text);
}

/* A whole line, out of its wrapping. */
static int
take_line(struct parser *p, size_t no, const struct event *e, struct record_batch *out)
{
	struct group *g = &p->groups[no];
	bool goes_on = false;
	int r;

	if (p->multiline != NULL) {
		goes_on = multiline_continues(p->multiline, e->head, &g->trace) && g->open;
		g->touched = e->received;
	}
	if (goes_on && g->text.n + 1 + e->head.n <= GROUP_BYTES_MAX) {
		buf_byte(&g->text, '\n');
		buf_str(&g->text, e->head);
		return buf_err(&g->text);
	}
	r = finish_event(p, no, goes_on, out);
	if (r != 0 || e->head.n == 0)
		return r;
	return begin_event(p, no, e, out);
}

/* The parts are one line now; u is the last of them, or NULL. */
static int
finish_part(struct parser *p, size_t no, bool partial, const struct unwrapped *u,
    struct record_batch *out)
{
	struct group *g = &p->groups[no];
	struct event e = { .received = g->part_received,
		.timed = g->part_timed,
		.time = g->part_time,
		.where = group_where(no),
		.partial = partial };

	if (!g->has_part)
		return 0;
	e.head = arena_dup(&out->arena, buf_view(&g->part));
	if (e.head.p == NULL)
		return err_origin(-ENOMEM);
	e.text = e.line = e.head;
	/* Of all parts of a line these are the same. */
	if (u != NULL) {
		e.extra = u->extra;
		e.n_extra = u->n_extra;
	}
	g->has_part = false;
	buf_clear(&g->part);
	return take_line(p, no, &e, out);
}

static int
take_part(struct parser *p, size_t no, const struct unwrapped *u, struct wall received,
    struct record_batch *out)
{
	struct group *g = &p->groups[no];
	int r;

	if (g->has_part && g->part.n + u->inner.n > GROUP_BYTES_MAX) {
		r = finish_part(p, no, true, u, out);
		if (r != 0)
			return r;
	}
	if (!g->has_part) {
		buf_clear(&g->part);
		g->has_part = true;
		g->part_received = received;
		g->part_timed = u->timed;
		g->part_time = u->time;
	}
	g->touched = received;
	buf_str(&g->part, u->inner);
	if (g->part.n > GROUP_BYTES_MAX)
		return finish_part(p, no, true, u, out);
	return buf_err(&g->part);
}

static struct str
drop_cr(struct str s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static int
take_unwrapped(struct parser *p, const struct unwrapped *u, struct str line, struct wall received,
    struct record_batch *out)
{
	size_t no = group_number(u->where);
	struct event e = { .received = received,
		.timed = u->timed,
		.time = u->time,
		.where = u->where,
		.extra = u->extra,
		.n_extra = u->n_extra,
		.line = line };
	int r;

	if (!u->whole || p->groups[no].has_part) {
		r = take_part(p, no, u, received, out);
		return r != 0 || !u->whole ? r : finish_part(p, no, false, u, out);
	}
	e.head = e.text = drop_cr(u->inner);
	return take_line(p, no, &e, out);
}

static int
unwrap(struct parser *p, struct str line, struct arena *arena, struct unwrapped *ret)
{
	int r = CONTAINER_E_NONE;

	if (p->docker && str_starts(line, CONTAINER_DOCKER_HEAD))
		r = container_docker(&p->c, line, arena, ret);
	else if (p->cri && line.n > 0 && line.p[0] >= '0' && line.p[0] <= '9')
		r = container_cri(&p->c, line, ret);
	return r;
}

int
parser_line(struct parser *p, struct str line, struct wall received, struct record_batch *out)
{
	struct event e = { .received = received };
	struct unwrapped u;
	int r;

	line = drop_cr(line);
	if (!p->began && str_starts(line, STR("\xef\xbb\xbf")))
		line = str_sub(line, 3, line.n);
	p->began = true;
	r = unwrap(p, line, &out->arena, &u);
	if (r <= 0)
		return r != 0 ? r : take_unwrapped(p, &u, line, received, out);
	e.head = line;
	e.text = line;
	e.line = line;
	return take_line(p, 0, &e, out);
}

/* Whether its time has run out; a clock that was set back far enough lets it go too. */
static bool
is_due(const struct parser *p, const struct group *g, struct wall now)
{
	int64_t d;

	if (__builtin_sub_overflow(now.ns, g->touched.ns, &d))
		return true;
	return d >= p->timeout.ns || d <= -p->timeout.ns;
}

int
parser_flush(struct parser *p, struct wall now, bool all, struct record_batch *out)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < GROUPS; i++) {
		if (!all && !is_due(p, &p->groups[i], now))
			continue;
		r = finish_part(p, i, false, NULL, out);
		if (r == 0)
			r = finish_event(p, i, false, out);
		p->groups[i].trace = TRACE_NONE;
	}
	return r;
}

bool
parser_pending(const struct parser *p)
{
	size_t i;

	for (i = 0; i < GROUPS; i++)
		if (p->groups[i].has_part || p->groups[i].open)
			return true;
	return false;
}

static void
save_group(const struct group *g, size_t no, struct buf *out)
{
	buf_byte(out, (uint8_t)no);
	buf_byte(out,
	    (uint8_t)((g->has_part ? FLAG_PART : 0) | (g->open ? FLAG_OPEN : 0) |
	        (g->part_timed ? FLAG_PART_TIMED : 0) | (g->timed ? FLAG_TIMED : 0)));
	buf_byte(out, (uint8_t)g->trace);
	buf_u64(out, (uint64_t)g->part_time.ns);
	buf_u64(out, (uint64_t)g->part_received.ns);
	buf_u64(out, (uint64_t)g->time.ns);
	buf_u64(out, (uint64_t)g->received.ns);
	buf_u64(out, (uint64_t)g->touched.ns);
	buf_varint(out, g->head_n);
	buf_varint(out, g->part.n);
	buf_str(out, buf_view(&g->part));
	buf_varint(out, g->text.n);
	buf_str(out, buf_view(&g->text));
}

int
parser_save(const struct parser *p, struct buf *out)
{
	size_t i;

	if (!parser_pending(p))
		return 0;
	buf_byte(out, STATE_VERSION);
	for (i = 0; i < GROUPS; i++)
		if (p->groups[i].has_part || p->groups[i].open)
			save_group(&p->groups[i], i, out);
	return buf_err(out);
}

/* One group; false when it holds what no group can. */
static bool
load_group(struct scan *s, struct group *g)
{
	uint8_t flags = scan_u8(s), trace = scan_u8(s);
	struct str part, text;
	uint64_t head_n;

	g->part_time.ns = (int64_t)scan_u64(s);
	g->part_received.ns = (int64_t)scan_u64(s);
	g->time.ns = (int64_t)scan_u64(s);
	g->received.ns = (int64_t)scan_u64(s);
	g->touched.ns = (int64_t)scan_u64(s);
	head_n = scan_varint(s);
	part = scan_bytes(s, scan_varint(s));
	text = scan_bytes(s, scan_varint(s));
	if (s->bad || flags > 15 || trace > TRACE_ENDED || part.n > GROUP_BYTES_MAX ||
	    text.n > GROUP_BYTES_MAX || head_n > text.n)
		return false;
	g->has_part = (flags & FLAG_PART) != 0;
	g->open = (flags & FLAG_OPEN) != 0;
	g->part_timed = (flags & FLAG_PART_TIMED) != 0;
	g->timed = (flags & FLAG_TIMED) != 0;
	g->trace = (enum trace)trace;
	g->head_n = head_n;
	buf_clear(&g->part);
	buf_clear(&g->text);
	buf_str(&g->part, part);
	buf_str(&g->text, text);
	return true;
}

static void
forget(struct parser *p)
{
	size_t i;

	for (i = 0; i < GROUPS; i++) {
		buf_fini(&p->groups[i].part);
		buf_fini(&p->groups[i].text);
		p->groups[i] = (struct group){ 0 };
	}
}

int
parser_load(struct parser *p, struct str s)
{
	struct scan in = SCAN_OF(s);
	uint8_t no;
	bool good;

	forget(p);
	if (s.n == 0)
		return 0;
	good = scan_u8(&in) == STATE_VERSION;
	while (good && in.at < in.n) {
		no = scan_u8(&in);
		good = no < GROUPS && load_group(&in, &p->groups[no]);
		if (good && (p->groups[no].part.failed || p->groups[no].text.failed)) {
			forget(p);
			return err_origin(-ENOMEM);
		}
	}
	if (!good) {
		forget(p);
		return PARSER_E_OPTION;
	}
	p->began = true;
	return 0;
}

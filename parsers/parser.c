/*
 * parsers/parser.c - log formats.
 * One job: the table of formats, and from an event's text to its record.
 * Floor: 2 (uses record, base).
 */
#include "parsers/json_keys.h"
#include "parsers/parser_internal.h"

enum { OPEN_DOCKER = 1, OPEN_CRI = 2 };

/* A format is one file and one row here; docs/PARSERS.md says how to add one. */
static const struct format {
	const char *name;
	format_fn fn;
	unsigned wrappings; /* what is opened before */
} formats[] = {
	{ "auto", format_auto, OPEN_DOCKER | OPEN_CRI },
	{ "json", format_json, 0 },
	{ "logfmt", format_logfmt, 0 },
	{ "access", format_access, 0 },
	{ "nginx", format_access, 0 },
	{ "apache", format_access, 0 },
	{ "syslog", format_syslog, 0 },
	{ "pattern", format_pattern, 0 },
	{ "plain", format_plain, 0 },
	{ "docker", format_auto, OPEN_DOCKER },
	{ "cri", format_auto, OPEN_CRI },
};

/* A line that does not parse: itself, and why. */
static int
keep_raw(struct context *c, struct str line)
{
	struct str why = c->g.error;

	gather_begin(&c->g, c->g.arena);
	c->g.error = why.n != 0 ? why : STR("not of this format");
	return gather_add(&c->g, STR("_msg"), line, VALUE_STRING);
}

/* What the wrapping had beside the line; a name that the line has too gets a '_'. */
static int
add_wrapping(struct gather *g, const struct event *e)
{
	size_t i;
	int r = 0;

	if (g->known != NULL)
		gather_unknow(g);
	for (i = 0; r == 0 && i < e->n_extra; i++)
		r = gather_add_free(g, e->extra[i].name, e->extra[i].value, e->extra[i].kind);
	return r == GATHER_E_FULL ? 0 : r;
}

/* The event's lines as its message: what the first line's message is, and the lines behind it. */
static int
join_message(struct record *rec, const struct event *e, struct arena *arena)
{
	struct str more = str_sub(e->text, e->head.n, e->text.n);
	struct field *msg = NULL;
	uint8_t *p;
	size_t i;

	for (i = 0; i < rec->n_fields && msg == NULL; i++)
		if (str_eq(rec->fields[i].name, STR("_msg")))
			msg = &rec->fields[i];
	if (msg == NULL) {
		msg = &rec->fields[rec->n_fields++];
		*msg = (struct field){ STR("_msg"), str_sub(more, 1, more.n), VALUE_STRING };
		return 0;
	}
	p = arena_alloc(arena, msg->value.n + more.n);
	if (p == NULL)
		return err_origin(-ENOMEM);
	if (msg->value.n != 0)
		memcpy(p, msg->value.p, msg->value.n);
	memcpy(p + msg->value.n, more.p, more.n);
	msg->value = str_of(p, msg->value.n + more.n);
	return 0;
}

/* The wrapping's time where the line has none; where it has one, that of the wrapping is kept beside it. */
static int
add_time(struct record *rec, const struct event *e, struct arena *arena)
{
	static const struct str name = STR_INIT("container_time");
	char text[WALL_TEXT_MAX];
	struct str dup;

	if ((rec->flags & RECORD_HAS_TIME) == 0) {
		rec->time = e->time;
		rec->flags |= RECORD_HAS_TIME;
		return 0;
	}
	if (rec->time.ns == e->time.ns || record_get(rec, name).n != 0)
		return 0;
	dup = arena_dup(arena, str_of(text, wall_format(text, e->time)));
	if (dup.p == NULL)
		return err_origin(-ENOMEM);
	rec->fields[rec->n_fields++] = (struct field){ name, dup, VALUE_STRING };
	return 0;
}

/*
 * The fields of the first line, or of all lines where they are one JSON text printed over many
 * (*ret_whole).
 */
static int
parse_text(struct parser *p, const struct event *e, struct arena *arena, bool *ret_whole)
{
	struct gather *g = &p->c.g;
	int r = PARSE_E_SYNTAX;

	*ret_whole = e->text.n > e->head.n && e->head.n > 0 && e->head.p[0] == '{';
	gather_begin(g, arena);
	if (UNLIKELY(*ret_whole))
		r = p->format(&p->c, e->text);
	if (r != PARSE_E_SYNTAX)
		return r;
	if (UNLIKELY(*ret_whole))
		gather_begin(g, arena);
	*ret_whole = false;
	r = p->format(&p->c, e->head);
	return r == PARSE_E_SYNTAX ? keep_raw(&p->c, e->head) : r;
}

/* The event's fields as a record, without what only groups and wrappings have. */
static int
parse_head(struct parser *p, const struct event *e, struct arena *arena, struct record *rec,
    bool *ret_whole)
{
	struct gather *g = &p->c.g;
	int r;

	p->c.received = e->received;
	r = parse_text(p, e, arena, ret_whole);
	/* More than a record has fields, and the format did not say what is left: all of it. */
	if (UNLIKELY(r == GATHER_E_FULL)) {
		g->rest = e->head;
		r = 0;
	}
	g->where = e->where;
	if (r == 0 && UNLIKELY(e->n_extra != 0))
		r = add_wrapping(g, e);
	return r != 0 ? err_fold(r) : gather_finish(g, e->received, rec);
}

/* The layout of the event's record, if its line is nothing but usual fields, and none is there beside it. */
static void
set_layout(struct parser *p, const struct event *e, struct record *rec)
{
	struct gather *g = &p->c.g;
	uint64_t id;

	if (g->bare || g->reserved || g->traceparent || e->timed || e->n_extra != 0 ||
	    e->text.p != e->line.p || e->text.n != e->line.n || g->usual_n != e->line.n)
		return;
	id = json_keys_layout(p->c.json.keys, g);
	if (id == 0 || !p->keep_line)
		return;
	rec->layout = id;
	rec->time_text = g->time_text;
	rec->time_form = g->time_form;
	rec->n_escaped = g->n_escaped;
}

/* Whether the line is its message, and that is all. */
static bool
is_message(const struct record *rec)
{
	const struct field *f = rec->fields;

	return rec->n_fields == 1 && rec->line.n != 0 && f->value.p == rec->line.p &&
	    f->value.n == rec->line.n && str_eq(f->name, STR("_msg"));
}

int
parser_event(struct parser *p, const struct event *e, struct record_batch *out)
{
	struct record *rec = record_batch_add(out);
	bool whole = false;
	int r;

	if (rec == NULL)
		return err_origin(-ENOMEM);
	p->c.g.place = &out->fields;
	r = parse_head(p, e, &out->arena, rec, &whole);
	if (r == 0 && UNLIKELY(e->text.n > e->head.n) && !whole)
		r = join_message(rec, e, &out->arena);
	if (r == 0 && UNLIKELY(e->timed))
		r = add_time(rec, e, &out->arena);
	if (r == 0)
		gather_keep(&p->c.g, rec);
	p->c.g.place = NULL;
	if (r != 0) {
		out->n--;
		return r;
	}
	if (p->keep_line)
		rec->line = e->line;
	if (p->c.g.usual_n != 0)
		set_layout(p, e, rec);
	else if (p->keep_line && is_message(rec))
		rec->layout = p->message_layout;
	if (e->partial)
		rec->flags |= RECORD_PARTIAL;
	return 0;
}

static const struct format *
find_format(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

static void
put_unknown(struct buf *out, const char *name)
{
	size_t i;

	buf_printf(out, "unknown parser \"%s\": expected ", name);
	for (i = 0; i < ARRAY_LEN(formats); i++)
		buf_printf(out, "%s%s", i > 0 ? "|" : "", formats[i].name);
}

static int
set_options(struct parser *p, const struct parser_options *opt, struct buf *ret_error)
{
	const char *name = opt->name != NULL ? opt->name : "auto";
	const struct format *f = find_format(name);
	int r = 0;

	if (f == NULL) {
		if (ret_error != NULL)
			put_unknown(ret_error, name);
		return PARSER_E_OPTION;
	}
	p->format = f->fn;
	p->docker = !opt->as_is && (f->wrappings & OPEN_DOCKER) != 0;
	p->cri = !opt->as_is && (f->wrappings & OPEN_CRI) != 0;
	if ((f->fn == format_pattern) != (opt->pattern.n != 0)) {
		if (ret_error != NULL)
			buf_c(ret_error,
			    "parser \"pattern\" needs a pattern, a regular expression with named groups, and no other has one");
		return PARSER_E_OPTION;
	}
	if (f->fn == format_pattern)
		r = regex_new(&p->c.pattern, opt->pattern, ret_error);
	return r != 0 ? r : multiline_new(&p->multiline, opt, ret_error);
}

int
parser_new(struct parser **ret, const struct parser_options *opt, struct buf *ret_error)
{
	AUTO(parser_free) struct parser *p = NULL;
	int r;

	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_origin(-ENOMEM);
	moment_init(&p->c.moment, opt->zone_set, opt->zone_s);
	json_scanner_init(&p->c.json);
	json_scanner_remember(&p->c.json);
	gather_init(&p->c.g, &p->c.moment, p->c.small, ARRAY_LEN(p->c.small));
	p->c.g.bare = opt->as_is;
	p->keep_line = opt->keep_line;
	p->message_layout = record_layout_new();
	p->timeout = opt->group_timeout.ns > 0 ? opt->group_timeout
	                                       : (struct span){ GROUP_TIMEOUT_S * NS_PER_S };
	r = set_options(p, opt, ret_error);
	if (r != 0)
		return r;
	*ret = TAKE(p);
	return 0;
}

struct parser *
parser_free(struct parser *p)
{
	size_t i;

	if (p != NULL) {
		for (i = 0; i < GROUPS; i++) {
			buf_fini(&p->groups[i].part);
			buf_fini(&p->groups[i].text);
		}
		gather_fini(&p->c.g);
		json_scanner_fini(&p->c.json);
		(void)regex_free(p->c.pattern);
		(void)multiline_free(p->multiline);
		free(p);
	}
	return NULL;
}

/*
 * parsers/parser.c - log formats.
 * One job: the table of formats; from a line or a group of lines to its record.
 * Floor: 2 (uses record, base).
 */
#include "parsers/parser_internal.h"

struct parser {
	struct context c;
	format_fn format;
	bool keep_line;
};

static const struct format {
	const char *name;
	format_fn fn;
} formats[] = {
	{ "auto", format_auto },
	{ "json", format_json },
	{ "plain", format_plain },
};

int
format_json(struct context *c, struct str line)
{
	return json_gather(&c->json, line, &c->g);
}

/* A line that does not parse: itself, and why. */
static int
keep_raw(struct context *c, struct str line)
{
	struct str why = c->g.error;

	gather_begin(&c->g, c->g.arena);
	c->g.error = why.n != 0 ? why : STR("not of this format");
	return gather_add(&c->g, STR("_msg"), line, VALUE_STRING);
}

static int
parser_event(struct parser *p, const struct event *e, struct record_batch *out)
{
	struct gather *g = &p->c.g;
	struct record rec = { 0 }, *at;
	int r;

	gather_begin(g, &out->arena);
	p->c.received = e->received;
	r = p->format(&p->c, e->head);
	if (r == PARSE_E_SYNTAX)
		r = keep_raw(&p->c, e->head);
	if (r == 0)
		r = gather_finish(g, e->received, &rec);
	if (r != 0)
		return err_fold(r);
	if (p->keep_line)
		rec.line = e->line;
	at = record_batch_add(out);
	if (at == NULL)
		return err_origin(-ENOMEM);
	*at = rec;
	return 0;
}

int
parser_line(struct parser *p, struct str line, struct wall received, struct record_batch *out)
{
	struct event e = { .received = received };

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0)
		return 0;
	e.head = e.line = line;
	return parser_event(p, &e, out);
}

int
parser_flush(struct parser *p, struct wall now, bool all, struct record_batch *out)
{
	return 0;
}

bool
parser_pending(const struct parser *p)
{
	return false;
}

int
parser_save(const struct parser *p, struct buf *out)
{
	return 0;
}

int
parser_load(struct parser *p, struct str s)
{
	return 0;
}

int
parser_new(struct parser **ret, const struct parser_options *opt, struct buf *ret_error)
{
	const char *name = opt->name != NULL ? opt->name : "auto";
	AUTO(parser_free) struct parser *p = NULL;
	size_t i;

	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_origin(-ENOMEM);
	moment_init(&p->c.moment, opt->zone_set, opt->zone_s);
	json_scanner_init(&p->c.json);
	gather_init(&p->c.g, &p->c.moment, p->c.small, ARRAY_LEN(p->c.small));
	p->c.g.bare = p->c.as_is = opt->as_is;
	p->keep_line = opt->keep_line;
	for (i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			p->format = formats[i].fn;
	if (p->format == NULL) {
		if (ret_error != NULL)
			buf_printf(ret_error, "unknown parser \"%s\"", name);
		return PARSER_E_OPTION;
	}
	*ret = TAKE(p);
	return 0;
}

struct parser *
parser_free(struct parser *p)
{
	if (p != NULL) {
		gather_fini(&p->c.g);
		json_scanner_fini(&p->c.json);
		free(p);
	}
	return NULL;
}

int
json_fields(struct str s, struct arena *arena, struct field **ret, size_t *ret_n)
{
	struct field small[GATHER_SMALL];
	struct json_scanner js;
	struct moment m;
	struct gather g;
	int r;

	moment_init(&m, true, 0);
	gather_init(&g, &m, small, ARRAY_LEN(small));
	json_scanner_init(&js);
	g.bare = true;
	gather_begin(&g, arena);
	r = json_gather(&js, s, &g);
	if (r == 0)
		r = gather_fields(&g, ret, ret_n);
	gather_fini(&g);
	json_scanner_fini(&js);
	return r;
}

/*
 * daemon/setup.c - from configuration to sources.
 * One job: build all that one configuration names, whole, or say why not.
 * Floor: 6 (uses config, ingest, store, parsers, logsql, base).
 */
#include <stdio.h>

#include "daemon/daemon_internal.h"
#include "daemon/say.h"
#include "ingest/file.h"
#include "ingest/journal.h"
#include "logsql/filter.h"
#include "logsql/query.h"

/* Runs the very file that we were started from, also when another version lies there meanwhile. */
static const char own_program[] = "/proc/self/exe";

/* ---- classes ---- */

struct row_time {
	const struct record *rec;
	char text[WALL_TEXT_MAX];
};

static struct str
row_get(void *ctx, struct str name)
{
	struct row_time *row = ctx;

	if (str_eq(name, STR("_time")))
		return str_of(row->text, wall_format(row->text, row->rec->time));
	if (str_eq(name, STR("_stream")))
		return row->rec->stream;
	return record_get(row->rec, name);
}

static bool
class_match(void *ctx, const struct record *rec)
{
	const struct filter *f = ctx;
	struct row_time row = { .rec = rec };

	return filter_match_row(f, row_get, &row) > 0;
}

static int
setup_classes(struct setup *s)
{
	const struct config *c = s->config;
	struct logsql_options opt = { .now = wall_now() };
	struct logsql_error error;
	struct filter *f;
	size_t i;
	int r;

	opt.zone_s = wall_local_offset(opt.now);
	s->classes = arena_zalloc(&s->arena, c->store.n_keep, sizeof(*s->classes));
	if (s->classes == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < c->store.n_keep; i++) {
		r = query_parse_filter(c->store.keep[i].match, &opt, &s->arena, &f, &error);
		if (r < 0)
			return r;
		if (r > 0) {
			say(SAY_ERR, "keep: %.*s: it is no LogsQL filter",
			    STR_ARG(c->store.keep[i].match));
			return 1;
		}
		s->classes[i] = (struct store_class){
			.match = class_match,
			.ctx = f,
			.keep = c->store.keep[i].keep,
		};
	}
	s->n_classes = c->store.n_keep;
	return 0;
}

/* ---- the store ---- */

static void
store_notice(void *ctx, const char *kind, const char *text)
{
	/* the store calls from inside; the event waits in the queue */
	(void)intake_event(ctx, strcmp(kind, "loss") == 0 ? "loss" : "log", text, NULL, 0);
}

void
setup_store_options(struct daemon *d, const struct setup *s, struct store_options *ret)
{
	const struct config *c = s->config;

	*ret = (struct store_options){
		.retention = c->store.retention,
		.max_bytes = c->store.max_bytes,
		.min_free_percent = c->store.min_free_percent,
		.keep_floor = c->store.keep_floor,
		.seal_bytes = c->store.seal_bytes,
		.seal_age = c->store.seal_age,
		.classes = s->classes,
		.n_classes = s->n_classes,
		.notice = store_notice,
		.notice_ctx = d,
	};
}

bool
setup_same_store(const struct setup *a, const struct setup *b)
{
	const struct config *x = a->config, *y = b->config;
	size_t i;

	if (x->store.retention.ns != y->store.retention.ns ||
	    x->store.keep_floor.ns != y->store.keep_floor.ns ||
	    x->store.seal_age.ns != y->store.seal_age.ns ||
	    x->store.max_bytes != y->store.max_bytes ||
	    x->store.seal_bytes != y->store.seal_bytes ||
	    x->store.min_free_percent != y->store.min_free_percent || x->n_ids != y->n_ids ||
	    !str_eq(x->store.group, y->store.group))
		return false;
	/* the store has borrowed the filters of its classes from the setup that goes */
	if (x->store.n_keep > 0 || y->store.n_keep > 0)
		return false;
	for (i = 0; i < x->n_ids; i++)
		if (!str_eq(x->ids[i], y->ids[i]))
			return false;
	return true;
}

/* ---- sources ---- */

static int
shape_of(struct setup *s, const struct config_input *in, struct shape_options *ret)
{
	struct shape_redaction *red;
	struct label *labels;
	struct field *fields;
	size_t i;

	labels = arena_zalloc(&s->arena, in->n_stream, sizeof(*labels));
	fields = arena_zalloc(&s->arena, in->n_fields, sizeof(*fields));
	red = arena_zalloc(&s->arena, in->n_redact, sizeof(*red));
	if (labels == NULL || fields == NULL || red == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < in->n_stream; i++)
		labels[i] = (struct label){ in->stream[i].name, in->stream[i].value };
	for (i = 0; i < in->n_fields; i++)
		fields[i] = (struct field){ in->fields[i].name, in->fields[i].value, VALUE_STRING };
	for (i = 0; i < in->n_redact; i++)
		red[i] = (struct shape_redaction){ in->redact[i].pattern, in->redact[i].with };
	*ret = (struct shape_options){
		.stream = labels,
		.n_stream = in->n_stream,
		.fields = fields,
		.n_fields = in->n_fields,
		.drop = in->drop,
		.redactions = red,
		.n_redactions = in->n_redact,
	};
	return 0;
}

static const char *
text_of(struct setup *s, struct str v)
{
	char *p;

	if (v.n == 0)
		return NULL;
	p = arena_alloc(&s->arena, v.n + 1);
	if (p == NULL)
		return NULL;
	memcpy(p, v.p, v.n);
	p[v.n] = '\0';
	return p;
}

static struct parser_options
parser_of(struct setup *s, const struct config_input *in)
{
	return (struct parser_options){
		.name = text_of(s, in->parser),
		.pattern = in->pattern,
		.multiline = text_of(s, in->multiline),
		.start = in->start,
		.continuation = in->continuation,
		.group_timeout = in->group_timeout,
		.zone_set = in->zone_set,
		.zone_s = in->zone_s,
		.keep_line = true,
	};
}

static enum journal_from
journal_from_of(enum config_from from)
{
	switch (from) {
	case CONFIG_FROM_BEGINNING:
		return JOURNAL_FROM_BEGINNING;
	case CONFIG_FROM_NOW:
	case CONFIG_FROM_END:
		return JOURNAL_FROM_NOW;
	case CONFIG_FROM_TIME:
		return JOURNAL_FROM_TIME;
	case CONFIG_FROM_BOOT:
		break;
	}
	return JOURNAL_FROM_BOOT;
}

/* Which journal; a second input of the same one is counted, so that each has a position of its own. */
static int
journal_name(struct setup *s, size_t at, struct str *ret)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	const struct config *c = s->config;
	size_t i, same = 0;

	for (i = 0; i < at; i++)
		same += c->inputs[i].is_journal && str_eq(c->inputs[i].dir, c->inputs[at].dir);
	if (c->inputs[at].dir.n != 0)
		buf_str(&b, c->inputs[at].dir);
	else
		buf_c(&b, "local");
	if (same > 0)
		buf_printf(&b, "#%zu", same + 1);
	*ret = arena_dup(&s->arena, buf_view(&b));
	return ret->p != NULL ? buf_err(&b) : err_origin(-ENOMEM);
}

static int
source_journal(struct daemon *d, struct setup *s, size_t at, struct source **ret, struct buf *error)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	const struct config_input *in = &s->config->inputs[at];
	struct journal_source_options opt = {
		.from = journal_from_of(in->from),
		.from_time = in->from_time,
		.path = text_of(s, in->dir),
		.units = in->units,
		.n_units = in->n_units,
		.exclude = in->exclude,
		.n_exclude = in->n_exclude,
		.parser = parser_of(s, in),
		.program = own_program,
		.once = d->opt->once,
	};
	struct intake intake;
	int r;

	intake_of(d, &intake);
	r = shape_of(s, in, &opt.shape);
	if (r == 0)
		r = journal_name(s, at, &opt.name);
	if (r != 0)
		return r;
	buf_c(&key, "journal/");
	buf_str(&key, opt.name);
	if (key.failed)
		return err_origin(-ENOMEM);
	return journal_source_new(ret, &opt, &intake, store_position_get(d->store, buf_view(&key)),
	    error);
}

static int
positions_each(void *ctx, int (*fn)(void *fn_ctx, struct str key, struct str value), void *fn_ctx)
{
	struct daemon *d = ctx;

	return store_positions(d->store, fn, fn_ctx);
}

static int
source_files(struct daemon *d, struct setup *s, size_t at, struct source **ret, struct buf *error)
{
	const struct config_input *in = &s->config->inputs[at];
	struct file_positions saved = { positions_each, d };
	struct file_source_options opt = {
		.paths = in->paths,
		.n_paths = in->n_paths,
		.parser = parser_of(s, in),
		.host = str_c(d->host),
		.max_line = (size_t)in->max_line,
		.max_open = host_files_open(s->n_inputs),
		.rescan = in->rescan,
		.close_idle = in->close_idle,
		.from = in->from == CONFIG_FROM_END || in->from == CONFIG_FROM_NOW
		    ? FILE_FROM_END
		    : FILE_FROM_BEGINNING,
		.no_archives = !in->archives,
		.once = d->opt->once,
	};
	struct intake intake;
	size_t i;
	int r;

	intake_of(d, &intake);
	r = shape_of(s, in, &opt.shape);
	if (r != 0)
		return r;
	opt.before = arena_zalloc(&s->arena, at, sizeof(*opt.before));
	if (opt.before == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < at; i++)
		if (!s->config->inputs[i].is_journal)
			opt.before[opt.n_before++] = s->inputs[i].source;
	return file_source_new(ret, &opt, &intake, &saved, error);
}

static int
input_ready(sd_event_source *io, int fd, uint32_t revents, void *ctx)
{
	struct input *in = ctx;

	(void)io;
	(void)fd;
	(void)revents;
	in->ready = true;
	in->daemon->all_heard |= in->heard == in->daemon->n_waits;
	in->heard = in->daemon->n_waits;
	return 0;
}

static int
input_new(struct daemon *d, struct setup *s, size_t at)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct input *in = &s->inputs[at];
	int r, fd;

	r = s->config->inputs[at].is_journal ? source_journal(d, s, at, &in->source, &error)
	                                     : source_files(d, s, at, &in->source, &error);
	if (r > 0)
		say(SAY_ERR, "input does not start: %.*s:%u: %s", STR_ARG(s->config->path),
		    s->config->inputs[at].line, buf_c_str(&error));
	if (r != 0)
		return r;
	in->ready = true;
	fd = in->source->ops->fd(in->source);
	if (fd < 0)
		return 0;
	in->daemon = d;
	r = sd_event_add_io(d->event, &in->io, fd, EPOLLIN, input_ready, in);
	return r < 0 ? err_origin(r) : 0;
}

void
setup_drop_sources(struct setup *s)
{
	size_t i;

	for (i = 0; i < s->n_inputs; i++) {
		struct input *in = &s->inputs[i];

		in->io = sd_event_source_disable_unref(in->io);
		if (in->source != NULL)
			in->source = in->source->ops->free(in->source);
	}
	free(s->inputs);
	s->inputs = NULL;
	s->n_inputs = 0;
}

int
setup_sources(struct daemon *d, struct setup *s)
{
	size_t i;
	int r = 0;

	setup_drop_sources(s);
	s->inputs = calloc(s->config->n_inputs + 1, sizeof(*s->inputs));
	if (s->inputs == NULL)
		return err_origin(-ENOMEM);
	s->n_inputs = s->config->n_inputs;
	for (i = 0; r == 0 && i < s->n_inputs; i++)
		r = input_new(d, s, i);
	if (r != 0)
		setup_drop_sources(s);
	return r;
}

/* ---- all of it ---- */

static int
setup_place(struct setup *s, const struct daemon *d)
{
	struct str path = s->config->store.path;

	if (d->opt->store != NULL)
		path = str_c(d->opt->store);
	else if (path.n == 0)
		path = STR("/var/lib/weir");
	s->store_path = strndup((const char *)path.p, path.n);
	s->group = text_of(s, s->config->store.group);
	if (s->store_path == NULL || (s->config->store.group.n > 0 && s->group == NULL))
		return err_origin(-ENOMEM);
	return 0;
}

int
setup_new(struct setup **ret, const struct daemon *d, struct config *config)
{
	AUTO(setup_free) struct setup *s = NULL;
	int r;

	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		(void)config_free(config);
		return err_origin(-ENOMEM);
	}
	s->config = config;
	r = setup_place(s, d);
	if (r == 0)
		r = setup_classes(s);
	if (r == 0 && !d->opt->once)
		r = rules_prepare(s->config, &s->rules, &s->routing);
	if (r == 0)
		*ret = TAKE(s);
	return r;
}

struct setup *
setup_free(struct setup *s)
{
	if (s == NULL)
		return NULL;
	setup_drop_sources(s);
	(void)rules_free(s->rules);
	(void)routing_free(s->routing);
	(void)config_free(s->config);
	arena_fini(&s->arena);
	free(s->store_path);
	free(s);
	return NULL;
}

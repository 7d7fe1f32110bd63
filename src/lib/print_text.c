/*
 * lib/print_text.c - rows for people.
 * One job: local time, level, service, message, then the other fields.
 * Floor: 4 (uses query, record, base).
 */
#include "base/utf8.h"
#include "lib/print_internal.h"
#include "record/level.h"
#include "record/names.h"
#include "record/service.h"

#define DIM   "\033[2m"
#define RESET "\033[0m"

/* The columns that have a place of their own; SIZE_MAX: there is none. */
struct roles {
	size_t time, stream, msg, level, service;
};

static void
find_roles(const struct print_cells *cells, struct roles *ret)
{
	size_t i, rank, best = SERVICE_RANKS;

	*ret = (struct roles){ SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX };
	for (i = 0; i < cells->n; i++) {
		rank = service_rank(cells->names[i]);
		if (rank < best) {
			best = rank;
			ret->service = i;
		}
		if (str_eq_c(cells->names[i], "_time"))
			ret->time = i;
		else if (str_eq_c(cells->names[i], "_stream"))
			ret->stream = i;
		else if (str_eq_c(cells->names[i], "_msg"))
			ret->msg = i;
		else if (ret->level == SIZE_MAX && names_is_level(cells->names[i]))
			ret->level = i;
	}
}

const char *
print_level_color(struct str level)
{
	switch (level_severity(level)) {
	case SEVERITY_EMERG:
	case SEVERITY_ALERT:
	case SEVERITY_CRIT:
		return "\033[1;31m";
	case SEVERITY_ERR:
		return "\033[31m";
	case SEVERITY_WARNING:
		return "\033[33m";
	case SEVERITY_NOTICE:
		return "\033[36m";
	case SEVERITY_INFO:
		return "\033[32m";
	case SEVERITY_DEBUG:
	case SEVERITY_TRACE:
		return DIM;
	case SEVERITY_UNKNOWN:
		break;
	}
	return "";
}

static struct str
cell(const struct print_cells *cells, size_t col, size_t row)
{
	return col != SIZE_MAX ? cells->values[col][row] : STR_NONE;
}

static void
styled(struct printer *p, const char *style, struct str s)
{
	if (p->opt.color && *style != '\0')
		buf_c(&p->out, style);
	if (p->opt.terminal)
		print_escape(&p->out, s);
	else
		buf_str(&p->out, s);
	if (p->opt.color && *style != '\0')
		buf_c(&p->out, RESET);
}

/* Later lines of a message stand below it, indented, so that rows stay apart. */
static void
put_msg(struct printer *p, struct str msg)
{
	size_t at;

	while ((at = str_find_byte(msg, '\n')) != SIZE_MAX) {
		styled(p, "", str_sub(msg, 0, at));
		msg = str_sub(msg, at + 1, msg.n);
		if (msg.n > 0)
			buf_c(&p->out, "\n    ");
	}
	styled(p, "", msg);
}

/*
 * What journald adds to each line (_PID, _CMDLINE and a dozen more), and what the head of the row says already, would
 * bury the fields that somebody wrote.  The other formats have them, and so has a query that names them.
 */
static bool
is_noise(const struct printer *p, const struct roles *roles, struct str name)
{
	if (p->opt.n_columns > 0 || roles->msg == SIZE_MAX)
		return false;
	return (name.n > 1 && name.p[0] == '_' && name.p[1] >= 'A' && name.p[1] <= '_') ||
	    str_starts(name, STR("SYSLOG_")) || str_eq_c(name, "PRIORITY") ||
	    str_eq_c(name, "MESSAGE_ID");
}

static void
put_fields(struct printer *p, const struct print_cells *cells, const struct roles *roles,
    size_t row, const char *sep)
{
	struct buf *out = &p->out;
	bool dim = p->opt.color && *sep != '\0', any = false;
	size_t i;

	for (i = 0; i < cells->n; i++) {
		if (cells->values[i][row].n == 0 || i == roles->time || i == roles->stream ||
		    i == roles->msg || i == roles->level || i == roles->service ||
		    is_noise(p, roles, cells->names[i]))
			continue;
		buf_c(out, any ? " " : sep);
		if (!any && dim)
			buf_c(out, DIM);
		any = true;
		print_logfmt(out, cells->names[i], p->opt.terminal);
		buf_byte(out, '=');
		print_logfmt(out, cells->values[i][row], p->opt.terminal);
	}
	if (any && dim)
		buf_c(out, RESET);
}

static void
pad(struct buf *out, size_t from, size_t width)
{
	for (; from < width; from++)
		buf_byte(out, ' ');
}

static void
put_time(struct printer *p, struct str time)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct wall t;
	bool has_zone;

	if (wall_parse_rfc3339(time, 0, &t, &has_zone) == 0)
		print_time(&text, t, p->opt.utc);
	else
		buf_str(&text, time);
	styled(p, DIM, buf_view(&text));
}

static void
put_head(struct printer *p, const struct print_cells *cells, const struct roles *roles, size_t row)
{
	AUTO_FINI(buf_fini) struct buf from = BUF_INIT;
	struct str level = cell(cells, roles->level, row);
	struct str service = service_short(cell(cells, roles->service, row));

	put_time(p, cell(cells, roles->time, row));
	if (roles->level != SIZE_MAX) {
		buf_byte(&p->out, ' ');
		styled(p, print_level_color(level), level);
		pad(&p->out, utf8_width(level), 5);
	}
	if (service.n == 0) {
		service_of_stream(cell(cells, roles->stream, row), &from);
		service = buf_view(&from);
	}
	if (service.n != 0) {
		buf_byte(&p->out, ' ');
		styled(p, p->opt.color ? "\033[36m" : "", service);
		if (!p->opt.color)
			buf_byte(&p->out, ':');
	}
	buf_byte(&p->out, ' ');
}

int
print_text_put(struct printer *p, struct batch *b)
{
	static const struct roles none = { SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX };
	struct print_cells cells;
	struct roles roles;
	size_t row;
	int r;

	r = print_cells_of(b, &cells);
	if (r < 0)
		return err_trace(r);
	find_roles(&cells, &roles);
	for (row = 0; r == 0 && row < b->n_rows; row++) {
		if (cells.n == 1) {
			put_msg(p, cells.values[0][row]);
		} else if (cell(&cells, roles.time, row).n != 0 &&
		    cell(&cells, roles.msg, row).n != 0) {
			put_head(p, &cells, &roles, row);
			put_msg(p, cell(&cells, roles.msg, row));
			put_fields(p, &cells, &roles, row, "  ");
		} else {
			put_fields(p, &cells, &none, row, "");
		}
		buf_byte(&p->out, '\n');
		r = print_row_done(p);
	}
	return err_trace(r);
}

/*
 * parsers/access.c - access logs of web servers.
 * One job: the common and combined forms of nginx and Apache, and what people put behind them.
 * Floor: 2 (uses record, base).
 *
 *   [vhost] addr ident user [time] "method path proto" status bytes ["referer" "user agent" [more…]]
 *
 * What stands behind is told by its form: name=value as such; the first number is request_time, the next
 * upstream_time; a long hexadecimal word or UUID is request_id; all else extra_N.  "-" is nothing.  The
 * request is the message too.
 */
#include "parsers/parser_internal.h"

enum { EXTRAS_NAMED = 8, REQUEST_ID_MIN = 16 };

struct access {
	struct str s;
	size_t at;
	struct gather *g;
};

static bool
is_digits(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n != 0;
}

/* A field, unless the server wrote "-" for nothing. */
static int
add(struct access *a, struct str name, struct str value)
{
	return str_eq(value, STR("-")) ? 0 : gather_text(a->g, name, value);
}

/* The word up to the next blank. */
static struct str
take_word(struct access *a)
{
	size_t start = a->at, n;

	n = str_find_byte(str_sub(a->s, start, a->s.n), ' ');
	a->at = n == SIZE_MAX ? a->s.n : start + n;
	return str_sub(a->s, start, a->at);
}

static bool
take_blank(struct access *a)
{
	if (a->at >= a->s.n || a->s.p[a->at] != ' ')
		return false;
	a->at++;
	return true;
}

/* The quoted text at at, as written between its quotes; a '"' behind '\\' does not end it. */
static bool
take_quoted(struct access *a, struct str *ret)
{
	size_t at = a->at;

	if (at >= a->s.n || a->s.p[at] != '"')
		return false;
	for (at++; at < a->s.n && a->s.p[at] != '"'; at++)
		at += a->s.p[at] == '\\';
	if (at >= a->s.n)
		return false;
	*ret = str_sub(a->s, a->at + 1, at);
	a->at = at + 1;
	return true;
}

/* What stands before the '[': addr, ident and user, behind a virtual host perhaps. */
static int
take_client(struct access *a)
{
	size_t bracket = str_find(a->s, STR(" [")), n;
	struct str head, word[4];
	int r = 0;

	if (bracket == SIZE_MAX)
		return PARSE_E_SYNTAX;
	head = str_sub(a->s, 0, bracket);
	for (n = 0; n < 4 && head.n != 0; n++) {
		size_t end = n < 3 ? str_find_byte(head, ' ') : SIZE_MAX;

		word[n] = end == SIZE_MAX ? head : str_sub(head, 0, end);
		head = end == SIZE_MAX ? STR_NONE : str_sub(head, end + 1, head.n);
	}
	if (n < 3 || (n == 4 && str_find_byte(word[3], ' ') != SIZE_MAX))
		return PARSE_E_SYNTAX;
	if (n == 4)
		r = add(a, STR("vhost"), word[0]);
	if (r == 0)
		r = add(a, STR("remote_addr"), word[n - 3]);
	if (r == 0)
		r = add(a, STR("ident"), word[n - 2]);
	a->at = bracket + 2;
	return r != 0 ? r : add(a, STR("user"), word[n - 1]);
}

static int
take_time(struct access *a)
{
	size_t n = str_find_byte(str_sub(a->s, a->at, a->s.n), ']');
	struct str text;

	if (n == SIZE_MAX)
		return PARSE_E_SYNTAX;
	text = str_sub(a->s, a->at, a->at + n);
	a->at += n + 1;
	if (a->g->bare || !moment_parse(a->g->moment, text, &a->g->time))
		return a->g->bare ? gather_text(a->g, STR("time"), text) : PARSE_E_SYNTAX;
	a->g->timed = true;
	return 0;
}

static bool
is_method(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((s.p[i] < 'A' || s.p[i] > 'Z') && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n != 0;
}

/* method path proto; what is no such request is a message only. */
static int
split_request(struct access *a, struct str req)
{
	size_t first = str_find_byte(req, ' '), last;
	const uint8_t *p = req.n != 0 ? memrchr(req.p, ' ', req.n) : NULL;
	int r;

	r = gather_text(a->g, STR("_msg"), req);
	if (r != 0 || first == SIZE_MAX || !is_method(str_sub(req, 0, first)))
		return r;
	last = (size_t)(p - req.p);
	if (last == first || !str_starts(str_sub(req, last + 1, req.n), STR("HTTP/")))
		last = req.n;
	r = gather_text(a->g, STR("method"), str_sub(req, 0, first));
	if (r == 0)
		r = gather_text(a->g, STR("path"), str_sub(req, first + 1, last));
	return r != 0 ? r : gather_text(a->g, STR("proto"), str_sub(req, last + 1, req.n));
}

/* "request" status bytes */
static int
take_request(struct access *a)
{
	struct str req, status, bytes;
	int r;

	if (!take_blank(a) || !take_quoted(a, &req) || !take_blank(a))
		return PARSE_E_SYNTAX;
	status = take_word(a);
	if (!is_digits(status) || status.n != 3 || !take_blank(a))
		return PARSE_E_SYNTAX;
	bytes = take_word(a);
	if (!is_digits(bytes) && !str_eq(bytes, STR("-")))
		return PARSE_E_SYNTAX;
	r = split_request(a, req);
	if (r == 0)
		r = gather_text(a->g, STR("status"), status);
	return r != 0 ? r : add(a, STR("bytes"), bytes);
}

static bool
is_number(struct str s)
{
	size_t dot = str_find_byte(s, '.');

	if (dot == SIZE_MAX)
		return is_digits(s);
	return is_digits(str_sub(s, 0, dot)) && is_digits(str_sub(s, dot + 1, s.n));
}

static bool
is_request_id(struct str s)
{
	size_t i;
	uint8_t c;

	for (i = 0; i < s.n; i++) {
		c = str_lower_byte(s.p[i]);
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') && c != '-')
			return false;
	}
	return s.n >= REQUEST_ID_MIN;
}

static bool
has(const struct access *a, struct str name)
{
	size_t i;

	for (i = 0; i < a->g->n; i++)
		if (str_eq(a->g->f[i].name, name))
			return true;
	return false;
}

/* name=value or name="value" at at. */
static bool
take_pair(struct access *a, struct str *ret_name, struct str *ret_value)
{
	size_t at = a->at, end;

	while (at < a->s.n && (str_lower_byte(a->s.p[at]) >= 'a' || a->s.p[at] == '_') &&
	    str_lower_byte(a->s.p[at]) <= 'z')
		at++;
	if (at == a->at || at == a->s.n || a->s.p[at] != '=')
		return false;
	*ret_name = str_sub(a->s, a->at, at);
	end = a->at;
	a->at = at + 1;
	if (take_quoted(a, ret_value))
		return true;
	a->at = end;
	*ret_value = take_word(a);
	*ret_value = str_sub(*ret_value, ret_name->n + 1, ret_value->n);
	return true;
}

static int
add_extra(struct access *a, size_t no, struct str value)
{
	static const struct str names[EXTRAS_NAMED] = { STR_INIT("extra_1"), STR_INIT("extra_2"),
		STR_INIT("extra_3"), STR_INIT("extra_4"), STR_INIT("extra_5"), STR_INIT("extra_6"),
		STR_INIT("extra_7"), STR_INIT("extra_8") };

	if (is_number(value) && !has(a, STR("request_time")))
		return gather_text(a->g, STR("request_time"), value);
	if (is_request_id(value) && !has(a, STR("request_id")))
		return gather_text(a->g, STR("request_id"), value);
	if (is_number(value) && !has(a, STR("upstream_time")))
		return gather_text(a->g, STR("upstream_time"), value);
	return add(a, names[no], value);
}

static int
take_extras(struct access *a)
{
	struct str name, value;
	size_t no = 0;
	int r = 0;

	while (r == 0 && take_blank(a)) {
		if (no == EXTRAS_NAMED) {
			a->g->rest = str_sub(a->s, a->at, a->s.n);
			return 0;
		}
		if (take_pair(a, &name, &value))
			r = add(a, name, value);
		else if (take_quoted(a, &value) || (value = take_word(a)).n != 0)
			r = add_extra(a, no++, value);
	}
	if (r == 0 && a->at < a->s.n)
		a->g->rest = str_sub(a->s, a->at, a->s.n);
	return r;
}

int
format_access(struct context *c, struct str line)
{
	struct access a = { line, 0, &c->g };
	struct str referer, agent;
	size_t at;
	int r;

	r = take_client(&a);
	if (r == 0)
		r = take_time(&a);
	if (r == 0)
		r = take_request(&a);
	if (r == PARSE_E_SYNTAX && c->g.error.n == 0)
		return gather_fail(&c->g, "access: not as expected at byte %zu", a.at);
	if (r != 0)
		return r;
	at = a.at;
	if (take_blank(&a) && take_quoted(&a, &referer) && take_blank(&a) &&
	    take_quoted(&a, &agent)) {
		r = add(&a, STR("referer"), referer);
		if (r == 0)
			r = add(&a, STR("user_agent"), agent);
	} else {
		a.at = at;
	}
	return r != 0 ? r : take_extras(&a);
}

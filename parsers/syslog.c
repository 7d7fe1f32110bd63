/*
 * parsers/syslog.c - syslog lines.
 * One job: the fields of RFC 3164 and RFC 5424, and of the files that syslog daemons write.
 * Floor: 2 (uses record, base).
 *
 * Names are those of VictoriaLogs' unpack_syslog.  A time without a year is of the year that puts it
 * nearest to its receipt, if that is not far ahead of it.
 */
#include "parsers/syslog.h"

#include <inttypes.h>
#include <stdio.h>

#include "parsers/parser_internal.h"

enum { PRIORITY_MAX = 191, AHEAD_MAX_S = 7 * 86400 };

struct syslog {
	struct str s;
	size_t at;
	struct gather *g;
	struct wall received;
	bool has_priority;
	bool loose; /* for pipes: what is there is given, however little */
};

static const struct str facilities[] = { STR_INIT("kern"), STR_INIT("user"), STR_INIT("mail"),
	STR_INIT("daemon"), STR_INIT("auth"), STR_INIT("syslog"), STR_INIT("lpr"), STR_INIT("news"),
	STR_INIT("uucp"), STR_INIT("cron"), STR_INIT("authpriv"), STR_INIT("ftp"), STR_INIT("ntp"),
	STR_INIT("security"), STR_INIT("console"), STR_INIT("solaris-cron"), STR_INIT("local0"),
	STR_INIT("local1"), STR_INIT("local2"), STR_INIT("local3"), STR_INIT("local4"),
	STR_INIT("local5"), STR_INIT("local6"), STR_INIT("local7") };

static const struct str levels[] = { STR_INIT("emerg"), STR_INIT("alert"), STR_INIT("critical"),
	STR_INIT("error"), STR_INIT("warning"), STR_INIT("notice"), STR_INIT("info"),
	STR_INIT("debug") };

static const struct str numbers[] = { STR_INIT("0"), STR_INIT("1"), STR_INIT("2"), STR_INIT("3"),
	STR_INIT("4"), STR_INIT("5"), STR_INIT("6"), STR_INIT("7"), STR_INIT("8"), STR_INIT("9"),
	STR_INIT("10"), STR_INIT("11"), STR_INIT("12"), STR_INIT("13"), STR_INIT("14"),
	STR_INIT("15"), STR_INIT("16"), STR_INIT("17"), STR_INIT("18"), STR_INIT("19"),
	STR_INIT("20"), STR_INIT("21"), STR_INIT("22"), STR_INIT("23") };

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static struct str
left(const struct syslog *l)
{
	return str_sub(l->s, l->at, l->s.n);
}

/* A word and the blank behind it. */
static struct str
take_word(struct syslog *l)
{
	struct str rest = left(l);
	size_t n = str_find_byte(rest, ' ');

	l->at += n == SIZE_MAX ? rest.n : n + 1;
	return n == SIZE_MAX ? rest : str_sub(rest, 0, n);
}

/* "-" is NILVALUE: nothing, but for pipes, which give what stands there. */
static int
add(struct syslog *l, struct str name, struct str value)
{
	if (!l->loose && str_eq(value, STR("-")))
		return 0;
	return gather_text(l->g, name, value);
}

static int
add_number(struct syslog *l, struct str name, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, v);
	struct str dup = arena_dup(l->g->arena, str_of(text, (size_t)n));

	return dup.p == NULL ? err_origin(-ENOMEM) : gather_text(l->g, name, dup);
}

/* <PRI> at the start: its length, or 0. */
static size_t
priority_of(struct str s, unsigned *ret)
{
	unsigned v = 0;
	size_t i;

	if (s.n < 3 || s.p[0] != '<')
		return 0;
	for (i = 1; i < s.n && i < 4 && is_digit(s.p[i]); i++)
		v = v * 10 + (unsigned)(s.p[i] - '0');
	if (i == 1 || i == s.n || s.p[i] != '>' || v > PRIORITY_MAX)
		return 0;
	*ret = v;
	return i + 1;
}

static int
take_priority(struct syslog *l)
{
	unsigned v = 0;
	size_t n = priority_of(l->s, &v);
	int r;

	if (n == 0)
		return 0;
	l->at = n;
	l->has_priority = true;
	r = gather_text(l->g, STR("priority"), str_sub(l->s, 1, n - 1));
	if (r == 0)
		r = gather_text(l->g, STR("facility_keyword"), facilities[v / 8]);
	if (r == 0)
		r = gather_text(l->g, STR("level"), levels[v % 8]);
	if (r == 0)
		r = gather_text(l->g, STR("facility"), numbers[v / 8]);
	return r != 0 ? r : gather_text(l->g, STR("severity"), numbers[v % 8]);
}

/*
 * For pipes: <anything>, of which the rest is read only behind a number.  *ret_more: there is a rest.
 */
static int
take_loose_priority(struct syslog *l, bool *ret_more)
{
	uint64_t v = 0;
	size_t end, i;
	int r;

	*ret_more = true;
	if (l->s.n == 0 || l->s.p[0] != '<')
		return 0;
	*ret_more = false;
	end = str_find_byte(l->s, '>');
	if (end == SIZE_MAX)
		return 0;
	l->at = end + 1;
	r = gather_text(l->g, STR("priority"), str_sub(l->s, 1, end));
	for (i = 1; i < end && is_digit(l->s.p[i]) && v <= UINT32_MAX; i++)
		v = v * 10 + (uint64_t)(l->s.p[i] - '0');
	if (r != 0 || i < end || end == 1)
		return r;
	*ret_more = l->at < l->s.n;
	r = gather_text(l->g, STR("facility_keyword"),
	    v / 8 < ARRAY_LEN(facilities) ? facilities[v / 8] : STR("unknown"));
	if (r == 0)
		r = gather_text(l->g, STR("level"), levels[v % 8]);
	if (r == 0)
		r = add_number(l, STR("facility"), v / 8);
	return r != 0 ? r : gather_text(l->g, STR("severity"), numbers[v % 8]);
}

/* The time becomes the record's, or for pipes a field in RFC 3339. */
static int
give_time(struct syslog *l, struct wall t)
{
	char text[WALL_TEXT_MAX];
	struct str dup;

	if (!l->g->bare) {
		l->g->timed = true;
		l->g->time = t;
		return 0;
	}
	dup = arena_dup(l->g->arena, str_of(text, wall_format(text, t)));
	if (dup.p == NULL)
		return err_origin(-ENOMEM);
	return gather_text(l->g, STR("timestamp"), dup);
}

static int
two(const uint8_t *p)
{
	return is_digit(p[1]) && (is_digit(p[0]) || p[0] == ' ')
	    ? (p[0] == ' ' ? 0 : p[0] - '0') * 10 + p[1] - '0'
	    : -1;
}

static bool
leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/*
 * Of last year, this and the next, the one that puts the time nearest to when it was received; a line
 * from the future, beyond what a wrong clock explains, is one of the past.
 */
static bool
nearest_year(struct syslog *l, struct civil c, struct wall *ret)
{
	int64_t year = wall_civil(l->received).year, d, best = INT64_MAX;
	struct wall t;

	for (c.year = year - 1; c.year <= year + 1; c.year++) {
		if (c.month == 2 && c.day == 29 && !leap(c.year))
			continue;
		t = moment_local(l->g->moment, civil_wall(&c).ns);
		if (__builtin_sub_overflow(t.ns, l->received.ns, &d) || d == INT64_MIN)
			continue;
		if (d > AHEAD_MAX_S * NS_PER_S)
			continue;
		d = d < 0 ? -d : d;
		if (d < best) {
			best = d;
			*ret = t;
		}
	}
	return best != INT64_MAX;
}

/* Mmm dd hh:mm:ss at the start of s: 15 bytes. */
enum { STAMP = 15 };

static bool
stamp(struct syslog *l, struct str s, struct wall *ret)
{
	static const uint8_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct civil c = { 0 };

	c.month = moment_month(s);
	if (c.month == 0 || s.n < STAMP || s.p[3] != ' ' || s.p[6] != ' ' || s.p[9] != ':' ||
	    s.p[12] != ':')
		return false;
	c.day = two(s.p + 4);
	c.hour = two(s.p + 7);
	c.minute = two(s.p + 10);
	c.second = two(s.p + 13);
	if (c.day < 1 || c.day > days[c.month - 1] || c.hour < 0 || c.hour > 23 || c.minute < 0 ||
	    c.minute > 59 || c.second < 0 || c.second > 60)
		return false;
	return nearest_year(l, c, ret);
}

static int
take_message(struct syslog *l)
{
	struct str s = left(l);

	/* RFC 5424 lets a byte order mark say that the message is UTF-8. */
	if (str_starts(s, STR("\xef\xbb\xbf")))
		s = str_sub(s, 3, s.n);
	return gather_text(l->g, STR("message"), s);
}

/* The value whose '"' is at at: '\\' takes '"', '\\' and ']' (RFC 5424 section 6.3.3). */
static int
take_param(struct syslog *l, struct str *ret)
{
	size_t start = ++l->at, n = 0;
	bool escaped = false;
	uint8_t *out;

	for (; l->at < l->s.n && l->s.p[l->at] != '"'; l->at++)
		if (l->s.p[l->at] == '\\') {
			escaped = true;
			l->at++;
		}
	if (l->at >= l->s.n)
		return PARSE_E_SYNTAX;
	*ret = str_sub(l->s, start, l->at);
	l->at++;
	if (!escaped)
		return 0;
	out = arena_alloc(l->g->arena, ret->n);
	if (out == NULL)
		return err_origin(-ENOMEM);
	for (start = 0; start < ret->n; start++) {
		if (ret->p[start] == '\\' && start + 1 < ret->n &&
		    memchr("\"\\]", ret->p[start + 1], 3) != NULL)
			start++;
		out[n++] = ret->p[start];
	}
	*ret = str_of(out, n);
	return 0;
}

static int
dotted(struct arena *arena, struct str a, struct str b, struct str *ret)
{
	uint8_t *p = arena_alloc(arena, a.n + b.n + 1);

	if (p == NULL)
		return err_origin(-ENOMEM);
	memcpy(p, a.p, a.n);
	p[a.n] = '.';
	memcpy(p + a.n + 1, b.p, b.n);
	*ret = str_of(p, a.n + b.n + 1);
	return 0;
}

/* The bytes up to one of stops, which must be there. */
static bool
take_until(struct syslog *l, const char *stops, struct str *ret)
{
	size_t start = l->at;

	while (l->at < l->s.n && l->s.p[l->at] != 0 && strchr(stops, l->s.p[l->at]) == NULL)
		l->at++;
	*ret = str_sub(l->s, start, l->at);
	return l->at < l->s.n && l->s.p[l->at] != 0 && ret->n != 0;
}

/* [id name="value" …] */
static int
take_element(struct syslog *l)
{
	struct str id, name, value;
	int r;

	l->at++;
	if (!take_until(l, " ]", &id))
		return PARSE_E_SYNTAX;
	while (l->s.p[l->at] == ' ') {
		l->at++;
		if (l->at < l->s.n && l->s.p[l->at] == ']')
			break;
		if (!take_until(l, "= ]\"", &name) || l->s.p[l->at] != '=' || ++l->at >= l->s.n ||
		    l->s.p[l->at] != '"')
			return PARSE_E_SYNTAX;
		r = take_param(l, &value);
		if (r == 0)
			r = dotted(l->g->arena, id, name, &name);
		if (r == 0)
			r = gather_text(l->g, name, value);
		if (r != 0)
			return r;
		if (l->at >= l->s.n)
			return PARSE_E_SYNTAX;
	}
	if (l->s.p[l->at] != ']')
		return PARSE_E_SYNTAX;
	l->at++;
	return 0;
}

static int
take_elements(struct syslog *l)
{
	int r = 0;

	if (l->at < l->s.n && l->s.p[l->at] == '-') {
		l->at++;
	} else {
		if (l->at >= l->s.n || l->s.p[l->at] != '[')
			return PARSE_E_SYNTAX;
		while (r == 0 && l->at < l->s.n && l->s.p[l->at] == '[')
			r = take_element(l);
	}
	if (r == 0 && l->at < l->s.n && l->s.p[l->at] != ' ')
		return PARSE_E_SYNTAX;
	l->at += r == 0 && l->at < l->s.n;
	return r;
}

static int
take_5424(struct syslog *l)
{
	static const struct str names[] = { STR_INIT("hostname"), STR_INIT("app_name"),
		STR_INIT("proc_id"), STR_INIT("msg_id") };
	struct wall t;
	struct str word;
	size_t i;
	int r;

	l->at += 2;
	r = gather_text(l->g, STR("format"), STR("rfc5424"));
	word = take_word(l);
	if (r == 0 && l->loose)
		r = gather_text(l->g, STR("timestamp"), word);
	else if (r == 0 && moment_parse(l->g->moment, word, &t))
		r = give_time(l, t);
	else if (r == 0 && !str_eq(word, STR("-")))
		r = PARSE_E_SYNTAX;
	for (i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
		if (l->at >= l->s.n)
			return l->loose ? 0 : PARSE_E_SYNTAX;
		r = add(l, names[i], take_word(l));
	}
	if (r == 0)
		r = take_elements(l);
	if (r == PARSE_E_SYNTAX && l->loose)
		return 0;
	return r != 0 ? r : take_message(l);
}

/* tag[pid]: message, behind the host or the time. */
static int
take_tag(struct syslog *l)
{
	size_t start = l->at, end;
	int r;

	while (l->at < l->s.n && memchr("[: ", l->s.p[l->at], 3) == NULL)
		l->at++;
	/* A word that only a blank ends is where the message begins; the pipe's model takes it for a tag. */
	if (!l->loose && (l->at == l->s.n || l->s.p[l->at] == ' ')) {
		l->at = start;
		return take_message(l);
	}
	r = gather_text(l->g, STR("app_name"), str_sub(l->s, start, l->at));
	if (r == 0 && l->at < l->s.n && l->s.p[l->at] == '[') {
		end = str_find_byte(left(l), ']');
		if (end != SIZE_MAX) {
			r = gather_text(l->g, STR("proc_id"),
			    str_sub(l->s, l->at + 1, l->at + end));
			l->at += end + 1;
		}
	}
	l->at += l->at < l->s.n && l->s.p[l->at] == ':';
	l->at += l->at < l->s.n && l->s.p[l->at] == ' ';
	return r != 0 ? r : take_message(l);
}

/* A word that is a tag has ':' or '[' in it; a host has neither, but as an IPv6 address. */
static bool
is_host(struct str word)
{
	size_t colons = 0, i;

	for (i = 0; i < word.n; i++) {
		if (word.p[i] == '[')
			return false;
		colons += word.p[i] == ':';
	}
	return word.n != 0 && (colons == 0 || (colons >= 2 && word.p[word.n - 1] != ':'));
}

static int
take_3164(struct syslog *l)
{
	struct wall t;
	size_t n, blank;
	int r;

	r = gather_text(l->g, STR("format"), STR("rfc3164"));
	if (r != 0)
		return r;
	n = stamp(l, left(l), &t) ? STAMP : moment_prefix(l->g->moment, left(l), &t);
	if (n == 0)
		return l->loose || l->has_priority ? take_message(l) : PARSE_E_SYNTAX;
	r = give_time(l, t);
	l->at += n;
	if (r != 0 || l->at >= l->s.n || l->s.p[l->at] != ' ')
		return r != 0 ? r : take_message(l);
	l->at++;
	blank = str_find_byte(left(l), ' ');
	/* The pipe's model takes a word alone for a host. */
	if (l->loose && blank == SIZE_MAX && is_host(left(l)))
		return gather_text(l->g, STR("hostname"), take_word(l));
	if (blank != SIZE_MAX && is_host(str_sub(left(l), 0, blank)))
		r = gather_text(l->g, STR("hostname"), take_word(l));
	return r != 0 ? r : take_tag(l);
}

static int
take_line(struct syslog *l)
{
	bool more = true;
	int r = l->loose ? take_loose_priority(l, &more) : take_priority(l);

	if (r != 0 || !more)
		return r;
	if (str_starts(left(l), STR("1 ")) && (l->has_priority || l->loose))
		return take_5424(l);
	return take_3164(l);
}

int
format_syslog(struct context *c, struct str line)
{
	struct syslog l = { .s = line, .g = &c->g, .received = c->received };
	int r;

	r = take_line(&l);
	if (r == PARSE_E_SYNTAX)
		return gather_fail(&c->g, "syslog: not as expected at byte %zu", l.at);
	return r;
}

bool
syslog_looks(struct str s)
{
	unsigned ignored;
	size_t n = priority_of(s, &ignored), i;

	if (n != 0)
		return true;
	/* A file of a syslog daemon: its own form of time, or RFC 3339, a host, and a tag that ends in ':'. */
	if (s.n > STAMP && moment_month(s) != 0 && s.p[3] == ' ' && s.p[6] == ' ' &&
	    s.p[9] == ':' && s.p[STAMP] == ' ')
		return true;
	if (s.n > 20 && s.p[10] == 'T' && s.p[4] == '-' && s.p[13] == ':' &&
	    (i = str_find_byte(s, ' ')) <= 35)
		i++;
	else
		return false;
	n = str_find_byte(str_sub(s, i, s.n), ' ');
	if (n == SIZE_MAX)
		return false;
	for (i += n + 1; i < s.n && s.p[i] != ' '; i++)
		if (s.p[i] == ':' && (i + 1 == s.n || s.p[i + 1] == ' '))
			return true;
	return false;
}

int
syslog_fields(struct str s, struct wall received, int zone_s, struct arena *arena,
    struct field **ret, size_t *ret_n)
{
	struct field small[GATHER_SMALL];
	struct moment m;
	struct gather g;
	struct syslog l = { .s = s, .g = &g, .received = received, .loose = true };
	int r;

	moment_init(&m, true, zone_s);
	gather_init(&g, &m, small, ARRAY_LEN(small));
	g.bare = true;
	gather_begin(&g, arena);
	r = s.n == 0 ? PARSE_E_SYNTAX : take_line(&l);
	if (r == GATHER_E_FULL)
		r = 0;
	if (r == 0)
		r = gather_fields(&g, ret, ret_n);
	gather_fini(&g);
	return r;
}

/*
 * parsers/multiline.c - events of several lines.
 * One job: say whether a line goes on with the event before it.
 * Floor: 2 (uses base).
 *
 * The ready-made kinds know the shape of the traces that Java, Python and Go print; any other is two
 * patterns.
 */
#include "parsers/multiline.h"

#include "parsers/parser.h"
#include "parsers/regex.h"

typedef bool (*continues_fn)(struct multiline *m, struct str line, enum trace *trace);

struct multiline {
	continues_fn continues;
	struct regex *start;        /* custom */
	struct regex *continuation; /* custom */
};

static bool
is_indented(struct str s)
{
	return s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t');
}

static bool
is_word_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '_' || c == '.' || c == '$' || c == '/';
}

/* The dotted name at the start of a line that ends it or has ':' behind, or nothing. */
static struct str
class_name(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_word_byte(s.p[n]))
		n++;
	return n == s.n || s.p[n] == ':' ? str_sub(s, 0, n) : STR_NONE;
}

/* java.lang.IllegalStateException: text */
static bool
is_throwable(struct str s)
{
	struct str name = class_name(s);

	return str_find_byte(name, '.') != SIZE_MAX &&
	    (str_ends(name, STR("Exception")) || str_ends(name, STR("Error")) ||
	        str_ends(name, STR("Throwable")));
}

static bool
java_continues(struct multiline *m, struct str line, enum trace *trace)
{
	bool goes_on;

	goes_on = is_indented(line) || str_starts(line, STR("Caused by: ")) ||
	    str_starts(line, STR("Suppressed: ")) || is_throwable(line);
	/* An empty line belongs to a trace only while one is printed. */
	goes_on |= line.n == 0 && *trace == TRACE_OPEN;
	*trace = goes_on ? TRACE_OPEN : TRACE_NONE;
	return goes_on;
}

static bool
python_chains(struct str line)
{
	return str_starts(line, STR("During handling of the above exception")) ||
	    str_starts(line, STR("The above exception was the direct cause"));
}

/* Traceback, its indented lines, then "Error: text" at the margin; two chaining sentences between two. */
static bool
python_continues(struct multiline *m, struct str line, enum trace *trace)
{
	if (str_starts(line, STR("Traceback (most recent call last):"))) {
		*trace = TRACE_OPEN;
		return true;
	}
	switch (*trace) {
	case TRACE_OPEN:
		if (!is_indented(line) && line.n != 0 && !python_chains(line))
			*trace = TRACE_ENDED;
		return true;
	case TRACE_ENDED:
		if (python_chains(line))
			*trace = TRACE_OPEN;
		if (line.n == 0 || is_indented(line) || *trace == TRACE_OPEN)
			return true;
		break;
	case TRACE_NONE:
		break;
	}
	*trace = TRACE_NONE;
	return is_indented(line);
}

static bool
go_begins(struct str line)
{
	return str_starts(line, STR("panic: ")) || str_starts(line, STR("fatal error: "));
}

/* main.handler(0xc000012345, 0x1) and main.(*T).run(...) */
static bool
is_go_call(struct str line)
{
	struct str name = str_sub(line, 0, str_find_byte(line, '('));

	return str_ends(line, STR(")")) && str_find_byte(name, '.') != SIZE_MAX &&
	    str_find_byte(name, ' ') == SIZE_MAX;
}

static bool
go_continues(struct multiline *m, struct str line, enum trace *trace)
{
	if (go_begins(line)) {
		/* A panic is an event of its own; the goroutines behind it belong to it. */
		bool first = *trace == TRACE_NONE;

		*trace = TRACE_OPEN;
		return !first;
	}
	/* What runs into one is told in the line before: "http: panic serving". */
	if (str_starts(line, STR("goroutine ")) && str_ends(line, STR("]:"))) {
		*trace = TRACE_OPEN;
		return true;
	}
	if (*trace == TRACE_OPEN &&
	    (line.n == 0 || is_indented(line) || is_go_call(line) ||
	        str_starts(line, STR("created by ")) || str_starts(line, STR("[signal ")) ||
	        str_starts(line, STR("exit status ")) || str_starts(line, STR("main.")) ||
	        str_starts(line, STR("runtime."))))
		return true;
	*trace = TRACE_NONE;
	return is_indented(line);
}

static bool
custom_continues(struct multiline *m, struct str line, enum trace *trace)
{
	if (m->start != NULL && regex_match(m->start, line, NULL) == REGEX_FOUND)
		return false;
	return m->continuation == NULL || regex_match(m->continuation, line, NULL) == REGEX_FOUND;
}

static const struct kind {
	const char *name;
	continues_fn fn;
} kinds[] = {
	{ "java", java_continues },
	{ "python", python_continues },
	{ "go", go_continues },
	{ "custom", custom_continues },
};

static int
compile_custom(struct multiline *m, const struct parser_options *opt, struct buf *ret_error)
{
	int r = 0;

	if (opt->start.n == 0 && opt->continuation.n == 0) {
		if (ret_error != NULL)
			buf_c(ret_error, "multiline \"custom\" needs a start or a continuation");
		return PARSER_E_OPTION;
	}
	if (opt->start.n != 0)
		r = regex_new(&m->start, opt->start, ret_error);
	if (r == 0 && opt->continuation.n != 0)
		r = regex_new(&m->continuation, opt->continuation, ret_error);
	return r;
}

int
multiline_new(struct multiline **ret, const struct parser_options *opt, struct buf *ret_error)
{
	struct multiline *m;
	size_t i;
	int r;

	*ret = NULL;
	if ((opt->multiline == NULL || strcmp(opt->multiline, "custom") != 0) &&
	    opt->start.n + opt->continuation.n != 0) {
		if (ret_error != NULL)
			buf_c(ret_error, "start and continuation go with multiline \"custom\"");
		return PARSER_E_OPTION;
	}
	if (opt->multiline == NULL)
		return 0;
	for (i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, opt->multiline) == 0)
			break;
	if (i == ARRAY_LEN(kinds)) {
		if (ret_error != NULL)
			buf_printf(ret_error,
			    "unknown multiline \"%s\": expected java|python|go|custom",
			    opt->multiline);
		return PARSER_E_OPTION;
	}
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return err_origin(-ENOMEM);
	m->continues = kinds[i].fn;
	r = kinds[i].fn == custom_continues ? compile_custom(m, opt, ret_error) : 0;
	if (r != 0)
		m = multiline_free(m);
	*ret = m;
	return r;
}

struct multiline *
multiline_free(struct multiline *m)
{
	if (m != NULL) {
		(void)regex_free(m->start);
		(void)regex_free(m->continuation);
		free(m);
	}
	return NULL;
}

bool
multiline_continues(struct multiline *m, struct str line, enum trace *trace)
{
	return m->continues(m, line, trace);
}

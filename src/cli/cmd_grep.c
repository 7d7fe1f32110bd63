/*
 * cli/cmd_grep.c - weir grep.
 * One job: the original lines that match a pattern, with grep's options and exit codes.
 * Floor: 6 (uses lib, query, logsql, base).
 */
#include "base/map.h"
#include "cli/cli.h"
#include "cli/grep_patterns.h"
#include "cli/show.h"

enum { GREP_NONE = 1, CONTEXT_MAX = 1000, LITERAL_MIN = 2 };

/*
 * Invariants: past holds the last n_past lines that were not printed, oldest first; after is how many more lines are
 * printed as context.
 */
struct grep {
	const struct options *opt;
	struct show *s;
	struct arena arena;
	const struct regex *re;
	struct regex_scratch scratch;
	struct buf out, text;
	struct buf past[CONTEXT_MAX];
	size_t n_past;
	uint64_t after, before_max, after_max;
	bool gap;   /* lines were left out since the last one printed */
	bool marks; /* and -- says so: with -A, -B and -C, 0 too */
	bool any;
	uint64_t n_found, n_faults;
	bool any_found;    /* in an input that is done, too */
	struct map names;  /* -l: of streams */
	const char *input; /* the file that is read, or NULL */
};

/* A line where it stands; number is empty where nobody asked for it, stream of a store alone. */
struct place {
	struct str number, stream;
};

static void
put_line(struct grep *g, struct str line)
{
	if (g->s->print.terminal)
		print_escape(&g->out, line);
	else
		buf_str(&g->out, line);
	buf_byte(&g->out, '\n');
}

static struct str
name_of(const struct grep *g, const struct place *at)
{
	if (g->input == NULL)
		return at->stream;
	return strcmp(g->input, "-") == 0 ? STR("(standard input)") : str_c(g->input);
}

/* What -H and -n put before a line; ${sep} is ':' of a match and '-' of context.  Borrowed until the next call. */
static struct str
with_place(struct grep *g, struct str line, const struct place *at, uint8_t sep)
{
	if (!g->opt->with_name && !g->opt->numbers)
		return line;
	buf_clear(&g->text);
	if (g->opt->with_name) {
		buf_str(&g->text, name_of(g, at));
		buf_byte(&g->text, sep);
	}
	if (g->opt->numbers) {
		buf_str(&g->text, at->number);
		buf_byte(&g->text, sep);
	}
	buf_str(&g->text, line);
	return buf_view(&g->text);
}

static void
put_parts(struct grep *g, struct str line, const struct place *place)
{
	struct regex_span span;
	size_t at = 0;

	while (at <= line.n && regex_find(g->re, &g->scratch, line, at, &span, 1) == 1) {
		if (span.end > span.start)
			put_line(g, with_place(g, str_sub(line, span.start, span.end), place, ':'));
		at = span.end > span.start ? span.end : span.end + 1;
	}
}

/* -o has no context, but the marks between its groups. */
static void
put_context(struct grep *g, struct str line)
{
	if (!g->opt->only)
		put_line(g, line);
}

/* A line that matches not: it may be context of one before, or of one to come. */
static void
pass_line(struct grep *g, struct str line, const struct place *at)
{
	struct buf oldest;

	if (g->after > 0) {
		g->after--;
		put_context(g, with_place(g, line, at, '-'));
		return;
	}
	if (g->before_max == 0) {
		g->gap = true;
		return;
	}
	if (g->n_past == g->before_max) {
		oldest = g->past[0];
		memmove(g->past, g->past + 1, (g->n_past - 1) * sizeof(*g->past));
		g->past[--g->n_past] = oldest;
		g->gap = true;
	}
	buf_clear(&g->past[g->n_past]);
	buf_str(&g->past[g->n_past++], with_place(g, line, at, '-'));
}

static void
print_match(struct grep *g, struct str line, const struct place *at)
{
	size_t i;

	if (g->any && g->gap && g->marks)
		buf_c(&g->out, "--\n");
	for (i = 0; i < g->n_past; i++)
		put_context(g, buf_view(&g->past[i]));
	g->n_past = 0;
	g->gap = false;
	g->any = true;
	g->after = g->after_max;
	if (g->opt->only)
		put_parts(g, line, at);
	else
		put_line(g, with_place(g, line, at, ':'));
}

static int
take_line(struct grep *g, struct str line, const struct place *at)
{
	int hit = regex_test(g->re, &g->scratch, line);

	if (hit < 0)
		return err_trace(hit);
	if ((hit == 1) == g->opt->invert) {
		if (!g->opt->count && !g->opt->names_only && !g->opt->quiet)
			pass_line(g, line, at);
		return 0;
	}
	g->n_found++;
	if (g->opt->names_only && map_put(&g->names, at->stream, NULL) == NULL)
		return err_origin(-ENOMEM);
	if (!g->opt->count && !g->opt->names_only && !g->opt->quiet)
		print_match(g, line, at);
	return 0;
}

static int
flush(struct grep *g)
{
	int r = g->out.failed ? err_origin(-ENOMEM)
	    : g->out.n > 0    ? out_write(&g->s->out, g->out.p, g->out.n)
	                      : 0;

	buf_clear(&g->out);
	return err_trace(r);
}

/* Whether the rest of an input can be left unread. */
static bool
is_enough(const struct grep *g)
{
	bool named = g->opt->names_only && g->s->ask.n_inputs > 0;

	return g->n_found > 0 &&
	    (g->opt->quiet || named || (g->opt->has_max && g->n_found >= g->opt->max));
}

/* The original lines; of rows that have none the message. */
static int
find_lines(struct batch *b, const struct str **ret)
{
	const struct str *lines = batch_strs(b, INPUT_LINE_NAME), *msgs;
	struct str *out;
	size_t i, n = 0;

	for (i = 0; lines != NULL && i < b->n_rows; i++)
		n += lines[i].n == 0;
	*ret = lines;
	if (lines != NULL && n == 0)
		return 0;
	msgs = lines != NULL ? batch_strs(b, STR("_msg")) : NULL;
	out = msgs != NULL ? arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*out)) : NULL;
	if (out == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++)
		out[i] = lines[i].n > 0 ? lines[i] : msgs[i];
	*ret = out;
	return 0;
}

/* A column that is wanted, or NULL. */
static int
find_column(struct batch *b, bool wanted, struct str name, const struct str **ret)
{
	*ret = wanted ? batch_strs(b, name) : NULL;
	if (!wanted || *ret != NULL)
		return 0;
	return b->err != 0 ? b->err : err_origin(-ENOMEM);
}

static int
grep_put(void *ctx, struct batch *b)
{
	struct grep *g = ctx;
	const struct str *lines = NULL, *streams = NULL, *numbers = NULL;
	bool wants_stream = g->opt->names_only || (g->opt->with_name && g->input == NULL);
	struct place at;
	size_t i;
	int r = find_lines(b, &lines);

	if (r == 0)
		r = find_column(b, wants_stream, STR("_stream"), &streams);
	if (r == 0)
		r = find_column(b, g->opt->numbers, INPUT_NUMBER_NAME, &numbers);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		at = (struct place){ numbers != NULL ? numbers[i] : STR_NONE,
			streams != NULL ? streams[i] : STR_NONE };
		/* With -m the run ends after the last match and its context. */
		if (is_enough(g) && g->after == 0)
			return err_origin(-ECANCELED);
		if (g->opt->has_max && g->n_found >= g->opt->max) {
			pass_line(g, lines[i], &at);
			continue;
		}
		r = take_line(g, lines[i], &at);
		if (r == 0 && g->out.n >= 65536)
			r = flush(g);
	}
	/* Who follows a pipe sees each line when it comes. */
	return r == 0 ? err_trace(flush(g)) : err_trace(r);
}

/* -l names the input; of a store, the streams. */
static void
print_summary(struct grep *g, const char *input)
{
	size_t i;

	if (g->opt->quiet)
		return;
	if (g->opt->names_only && input != NULL && g->n_found > 0)
		put_line(g, strcmp(input, "-") == 0 ? STR("(standard input)") : str_c(input));
	for (i = 0; i < g->names.n && g->opt->names_only && input == NULL; i++)
		put_line(g, g->names.entries[i].key);
	/* Of a file that could not be opened there is nothing to count. */
	if (g->opt->count && !g->opt->names_only &&
	    (input == NULL || g->s->stats.faults == 0 || g->s->stats.bytes_read > 0)) {
		if (g->opt->with_name && input != NULL)
			buf_printf(&g->out,
			    "%s:", strcmp(input, "-") == 0 ? "(standard input)" : input);
		buf_printf(&g->out, "%llu\n", (unsigned long long)g->n_found);
	}
}

/* What lines must hold, where those without it are not asked for: neither printed, nor counted, nor told by a mark. */
static void
set_wanted(const struct grep *g, struct run_options *opt)
{
	const struct regex_pieces *pieces = regex_pieces(g->re);
	const struct literals *l = regex_literals(g->re);
	size_t i;

	if (g->opt->invert || g->before_max > 0 || g->after_max > 0 || g->marks)
		return;
	if (pieces->n > 0) {
		opt->line = pieces->p;
		opt->n_line = pieces->n;
		return;
	}
	for (i = 0; i < l->n; i++)
		if (l->p[i].n < LITERAL_MIN)
			return;
	opt->line = l;
	opt->n_line = l->n > 0;
}

/* One input, or the store (NULL).  -1 when nothing more is to be read, else an exit code. */
static int
run_rows(struct grep *g, const char *input)
{
	int r;

	g->input = input;
	r = ask_run(g->s->query, &g->s->ask, grep_put, g, &g->s->stats, &g->s->error);
	if (r == -ECANCELED && is_enough(g))
		r = 0;
	g->any_found |= g->n_found > 0;
	g->n_faults += g->s->stats.faults;
	if (atomic_load(cli_stop_flag()))
		return CLI_STOPPED;
	if (g->s->out.closed || g->s->out.err != 0)
		return -1;
	if (r != 0)
		return cli_fail(GREP_FAILED, "grep failed: %s",
		    g->s->error.n > 0 ? buf_c_str(&g->s->error) : err_str(r < 0 ? r : -EIO));
	print_summary(g, input);
	(void)flush(g);
	return g->any_found && g->opt->quiet ? -1 : 0;
}

/* Context, counts and -m begin anew with each file, as with grep. */
static int
run_inputs(struct grep *g)
{
	const char *const *inputs = g->s->ask.inputs;
	size_t n = g->s->ask.n_inputs, i;
	int r = 0;

	for (i = 0; i < n; i++)
		if (strcmp(inputs[i], "journal:") == 0)
			return run_rows(g, n == 1 && !g->opt->with_name ? inputs[i] : NULL);
	for (i = 0; r == 0 && i < n; i++) {
		g->s->ask.inputs = inputs + i;
		g->s->ask.n_inputs = 1;
		g->n_found = 0;
		g->n_past = 0;
		g->after = 0;
		g->gap = true;
		r = run_rows(g, inputs[i]);
	}
	return r;
}

static int
run_all(struct grep *g)
{
	int r;

	if (g->opt->has_max && g->opt->max == 0)
		return GREP_NONE;
	r = g->s->ask.n_inputs > 0 ? run_inputs(g) : run_rows(g, NULL);
	if (r > 0)
		return r;
	if (g->n_faults > 0 && !(g->opt->quiet && g->any_found))
		return GREP_FAILED;
	return g->any_found ? 0 : GREP_NONE;
}

static int
grep(struct options *opt, struct show *s)
{
	AUTO_FREE struct grep *g = calloc(1, sizeof(*g));
	bool any = true;
	size_t i;
	int r;

	if (g == NULL)
		return cli_fail(GREP_FAILED, "%s", err_str(-ENOMEM));
	g->opt = opt;
	g->s = s;
	g->before_max = opt->has_before ? opt->before : opt->context;
	g->after_max = opt->has_after ? opt->after : opt->context;
	g->marks = opt->has_before || opt->has_after || opt->has_context;
	if (g->before_max > CONTEXT_MAX)
		g->before_max = CONTEXT_MAX;
	r = grep_compile(opt, &g->arena, &g->re, &any);
	/* Without any pattern no line matches, and nothing is read; but for -v. */
	if (r == 0 && !any && !opt->invert) {
		opt->has_max = true;
		opt->max = 0;
	}
	if (r == 0)
		r = show_parse(s, STR("*")) == 0 ? 0 : GREP_FAILED;
	cli_catch_signals();
	if (r == 0) {
		set_wanted(g, &s->ask.run);
		r = run_all(g);
	}
	for (i = 0; i < CONTEXT_MAX; i++)
		buf_fini(&g->past[i]);
	buf_fini(&g->out);
	buf_fini(&g->text);
	map_fini(&g->names);
	regex_scratch_fini(&g->scratch);
	arena_fini(&g->arena);
	return r;
}

/* -s: what cannot be read is in the exit code alone. */
static void
no_message(void *ctx, const char *text)
{
}

/* Line numbers are of files. */
static int
check_numbers(const struct options *opt)
{
	size_t i;

	if (!opt->numbers)
		return 0;
	for (i = 0; i < opt->inputs.n && strcmp(opt->inputs.p[i], "journal:") != 0; i++)
		continue;
	if (opt->inputs.n > 0 && i == opt->inputs.n)
		return 0;
	return cli_fail(GREP_FAILED, "grep: -n goes with files: lines of the %s have no numbers",
	    opt->inputs.n > 0 ? "journal" : "store");
}

static int
run_grep(struct options *opt)
{
	struct show s;
	size_t n_want = grep_has_patterns(opt) ? 0 : 1, i;
	int r;

	if (opt->n_args < n_want)
		return cli_fail(GREP_FAILED, "grep: the pattern is missing");
	/* What follows the pattern are files, as with grep. */
	if (opt->inputs.n + opt->n_args - n_want > OPTION_LIST_MAX)
		return cli_fail(GREP_FAILED, "grep: at most %d files", OPTION_LIST_MAX);
	for (i = n_want; i < opt->n_args; i++)
		opt->inputs.p[opt->inputs.n++] = opt->args[i];
	opt->with_name &= !opt->no_name;
	r = check_numbers(opt);
	if (r != 0)
		return r;
	r = show_init(&s, opt);
	s.ask.keep_line = true;
	s.ask.numbers = opt->numbers;
	s.ask.empty = true;
	if (opt->no_messages)
		s.ask.fault = no_message;
	s.ask.parser = opt->parser != NULL || opt->inputs.n == 0 ? opt->parser : "plain";
	if (r == 0)
		r = out_finish(&s.out, grep(opt, &s));
	show_fini(&s);
	/* grep's exit codes: what failed is 2. */
	return r == CLI_FAILED ? GREP_FAILED : r;
}

#define FLAG(letter, name, text, field)                                 \
	{                                                               \
		letter, name, NULL, text, OPTION_FLAG, OPTION_AT(field) \
	}
#define COUNT(letter, name, text, field)                                \
	{                                                               \
		letter, name, "N", text, OPTION_COUNT, OPTION_AT(field) \
	}

#define NOT(letter, name, why)                          \
	{                                               \
		letter, name, NULL, why, OPTION_NONE, 0 \
	}

static const struct option_row rows[] = {
	FLAG('i', "ignore-case", "upper and lower case are the same", nocase),
	FLAG('v', "invert-match", "lines that do not match", invert),
	FLAG('c', "count", "only how many lines match", count),
	FLAG('F', "fixed-strings", "PATTERN is text, not a regular expression", fixed),
	FLAG('E', "extended-regexp", "PATTERN is a regular expression (always)", extended),
	FLAG('w', "word-regexp", "whole words", word),
	FLAG('x', "line-regexp", "whole lines", whole),
	FLAG('l', "files-with-matches",
	    "only the names of files, or streams of the store, that have matches", names_only),
	FLAG('o', "only-matching", "only the parts that match", only),
	FLAG('q', "quiet", "no output; the exit code tells", quiet),
	FLAG('s', "no-messages", "say nothing of what cannot be read; the exit code tells",
	    no_messages),
	FLAG('n', "line-number", "before each line its number in the file", numbers),
	FLAG('H', "with-filename", "before each line the name of its file, or its stream",
	    with_name),
	FLAG('h', "no-filename", "no names before lines (always, but for -H)", no_name),
	FLAG('a', "text", "all lines are text (always)", extended),
	FLAG('P', "perl-regexp", "as -E: patterns know what Perl's know", extended),
	COUNT('m', "max-count", "end after N lines", max),
	COUNT('A', "after-context", "N lines after each match too", after),
	COUNT('B', "before-context", "N lines before each match too", before),
	COUNT('C', "context", "N lines around each match too", context),
	{ 'e', "regexp", "PATTERN", "a pattern; given often, any of them", OPTION_LIST,
	    OPTION_AT(patterns) },
	{ 'f', "file", "FILE", "patterns from FILE, one a line; - is standard input", OPTION_LIST,
	    OPTION_AT(pattern_files) },
	{ 0, "store", "DIR", "the store (default: $WEIR_STORE, /var/lib/weir)", OPTION_TEXT,
	    OPTION_AT(store) },
	{ 0, "input", "FILE", "read FILE instead, - or journal:; may be given often", OPTION_LIST,
	    OPTION_AT(inputs) },
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_NO_PAGER,
	{ 0, "help", NULL, "show this", OPTION_FLAG, OPTION_AT(help) },
	NOT('G', "basic-regexp", "patterns are extended ones, as those of -E"),
	NOT('r', "recursive", "name the files, or let weird follow them and search its store"),
	NOT('R', "dereference-recursive",
	    "name the files, or let weird follow them and search its store"),
	NOT('L', "files-without-match", "only files with matches can be listed, by -l"),
	NOT('b', "byte-offset", "lines of compressed files and of the store have no offsets"),
	NOT('z', "null-data", "a line ends with a newline"),
	NOT('Z', "null", "a name ends with a colon or a newline"),
};

const struct command command_grep = {
	.name = "grep",
	.args = "PATTERN [FILE…]",
	.help = "The original lines that match a pattern.",
	.more =
	    "Patterns are those of LogsQL, and so much like grep -E.  No file name stands before a\n"
	    "line without -H, as with grep -h.  The store has no empty lines.\n"
	    "\n"
	    "exit: as grep: 0 lines matched, 1 none did, 2 something failed.\n",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_grep,
};

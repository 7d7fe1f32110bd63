/*
 * cli/grep_patterns.c - what weir grep looks for.
 * One job: grep's options and patterns as one regular expression.
 * Floor: 6 (uses logsql, base).
 */
#include "cli/grep_patterns.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/utf8.h"
#include "cli/say.h"

enum { STDIN_PIECE = 65536 };

/*
 * The patterns as alternatives.
 * Invariants: text holds n of them, with '|' between; of none it is empty, and nothing matches.
 */
struct patterns {
	struct buf text;
	size_t n;
	bool fixed;
};

/* A pattern of several lines is as many patterns. */
static void
add(struct patterns *p, struct str pattern)
{
	struct str one;
	size_t end;

	do {
		end = str_find_byte(pattern, '\n');
		one = str_sub(pattern, 0, end);
		if (p->n++ > 0)
			buf_byte(&p->text, '|');
		if (p->fixed)
			regex_quote(&p->text, one);
		else
			buf_str(&p->text, one);
		pattern = str_sub(pattern, one.n + 1, pattern.n);
	} while (end != SIZE_MAX);
}

static int
read_stdin(struct buf *out)
{
	uint8_t piece[STDIN_PIECE];
	size_t got = 1;
	int r = 0;

	while (r == 0 && got > 0) {
		r = io_read(STDIN_FILENO, piece, sizeof(piece), &got);
		if (r == 0)
			buf_put(out, piece, got);
		if (r == 0 && out->n > GREP_PATTERN_BYTES_MAX)
			r = err_origin(-EFBIG);
	}
	return err_trace(r);
}

/* The newline at the end of a file begins no pattern. */
static int
add_file(struct patterns *p, const char *path)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	int r;

	r = strcmp(path, "-") == 0 ? read_stdin(&text)
	                           : io_read_file(AT_FDCWD, path, GREP_PATTERN_BYTES_MAX, &text);
	if (r < 0)
		return cli_fail(GREP_FAILED, "grep: patterns cannot be read: %s: %s", path,
		    err_str(r));
	if (text.n == 0)
		return 0;
	if (text.p[text.n - 1] == '\n')
		text.n--;
	add(p, buf_view(&text));
	return 0;
}

static int
gather(struct patterns *p, const struct options *opt)
{
	size_t i;
	int r = 0;

	for (i = 0; i < opt->patterns.n; i++)
		add(p, str_c(opt->patterns.p[i]));
	for (i = 0; r == 0 && i < opt->pattern_files.n; i++)
		r = add_file(p, opt->pattern_files.p[i]);
	if (!grep_has_patterns(opt))
		add(p, str_c(opt->args[0]));
	return r;
}

bool
grep_has_patterns(const struct options *opt)
{
	return opt->patterns.n > 0 || opt->pattern_files.n > 0;
}

/* A word has no letter, digit or _ beside it. */
static void
put_regex(struct buf *out, const struct options *opt, const struct patterns *p)
{
	bool word = opt->word && !opt->whole;

	buf_c(out, opt->nocase ? "(?i)" : "");
	buf_c(out, word ? "(?<![\\p{L}\\p{N}_])(?:" : "");
	if (p->n > 0)
		buf_str(out, buf_view(&p->text));
	else
		buf_c(out, "(?!)");
	buf_c(out, word ? ")(?![\\p{L}\\p{N}_])" : "");
}

int
grep_compile(const struct options *opt, struct arena *arena, const struct regex **ret,
    bool *ret_any)
{
	struct patterns p = { BUF_INIT, 0, opt->fixed };
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	char why[REGEX_ERROR_MAX];
	unsigned flags = 0;
	int r = gather(&p, opt);

	if (r == 0)
		put_regex(&text, opt, &p);
	if (r == 0 && (p.text.failed || text.failed))
		r = cli_fail(GREP_FAILED, "%s", err_str(-ENOMEM));
	*ret_any = p.n > 0;
	buf_fini(&p.text);
	if (r != 0)
		return r;
	if (opt->whole)
		flags |= REGEX_ANCHORED;
	/* Plain text may be in any encoding. */
	if (opt->fixed && !utf8_valid(buf_view(&text)))
		flags |= REGEX_BYTES;
	r = regex_compile(ret, buf_view(&text), flags, arena, why);
	if (r == 0)
		return 0;
	return cli_fail(GREP_FAILED, "grep: %s", r > 0 ? why : err_str(r));
}

/*
 * store/manifest.c - the list of segments.
 * One job: say which files are the store, in one small file that is replaced as a whole.
 * Floor: 2 (uses base).
 */
#include "store/manifest.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/io.h"

/*
 * MANIFEST, format 1: text, so that people can read it in need.  One line each, numbers in decimal, times
 * and lengths of time in ns:
 *
 *   weir-manifest 1
 *   store UUID CREATED GENERATION NEXT_SEGMENT SEQUENCE NEXT_ROW
 *   STATE NUMBER KEEP END ROWS BLOCKS BYTES RAW MIN MAX FIRST_COMMIT LAST_COMMIT FIRST_ROW NEXT_ROW
 *   sum HASH64
 *
 * The sum is of all bytes before its line; every later format keeps the first word and the last line.  It is written to MANIFEST.tmp, synced, renamed, and the folder synced:
 * a crash leaves the old one or the new one, and every file that either of them names is there.
 */
static const char *const state_names[] = { "open", "closed", "sealed", "retired" };

struct manifest_segment *
manifest_add(struct manifest *m, const struct manifest_segment *seg)
{
	struct manifest_segment *v;
	size_t cap;

	if (m->n == m->cap) {
		cap = m->cap < 16 ? 16 : m->cap * 2;
		v = reallocarray(m->v, cap, sizeof(*v));
		if (v == NULL)
			return NULL;
		m->v = v;
		m->cap = cap;
	}
	m->v[m->n] = *seg;
	return &m->v[m->n++];
}

struct manifest_segment *
manifest_find(const struct manifest *m, uint64_t number)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->v[i].number == number)
			return &m->v[i];
	return NULL;
}

void
manifest_remove(struct manifest *m, uint64_t number)
{
	struct manifest_segment *seg = manifest_find(m, number);

	if (seg == NULL)
		return;
	memmove(seg, seg + 1, (size_t)(m->v + m->n - (seg + 1)) * sizeof(*seg));
	m->n--;
}

int
manifest_copy(struct manifest *to, const struct manifest *from)
{
	struct manifest m = *from;

	m.cap = m.n > 0 ? m.n : 1;
	m.v = calloc(m.cap, sizeof(*m.v));
	if (m.v == NULL)
		return err_origin(-ENOMEM);
	if (m.n > 0)
		memcpy(m.v, from->v, m.n * sizeof(*m.v));
	manifest_fini(to);
	*to = m;
	return 0;
}

void
manifest_fini(struct manifest *m)
{
	free(m->v);
	*m = (struct manifest){ 0 };
}

static void
put_segment(struct buf *out, const struct manifest_segment *g)
{
	buf_printf(out, "%s %" PRIu64 " %" PRId64 " %" PRIu64, state_names[g->state], g->number,
	    g->keep.ns, g->end);
	buf_printf(out, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, g->n_rows, g->n_blocks,
	    g->n_bytes, g->raw_bytes);
	buf_printf(out, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, g->min_time.ns,
	    g->max_time.ns, g->first_commit.ns, g->last_commit.ns);
	buf_printf(out, " %" PRIu64 " %" PRIu64 "\n", g->first_row, g->next_row);
}

void
manifest_text(struct buf *out, const struct manifest *m)
{
	size_t i, start = out->n;

	buf_c(out, "weir-manifest 1\nstore ");
	for (i = 0; i < sizeof(m->uuid); i++)
		buf_printf(out, "%02x", m->uuid[i]);
	buf_printf(out, " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	    m->created.ns, m->generation, m->next_segment, m->sequence, m->next_row);
	for (i = 0; i < m->n; i++)
		put_segment(out, &m->v[i]);
	if (!out->failed)
		buf_printf(out, "sum %016" PRIx64 "\n",
		    hash64(str_of(out->p + start, out->n - start)));
}

/* Words of one line; bad once one is missing or is no number. */
struct words {
	struct str rest;
	bool bad;
};

static struct str
word(struct words *w)
{
	size_t n = 0;
	struct str s;

	while (n < w->rest.n && w->rest.p[n] != ' ')
		n++;
	s = str_sub(w->rest, 0, n);
	w->rest = str_sub(w->rest, n + 1, w->rest.n);
	if (s.n == 0)
		w->bad = true;
	return s;
}

static uint64_t
number(struct words *w)
{
	struct str s = w->rest;
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		if (v > (UINT64_MAX - 9) / 10)
			w->bad = true;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	if (i == 0 || (i < s.n && s.p[i] != ' '))
		w->bad = true;
	w->rest = str_sub(s, i + 1, s.n);
	return v;
}

static int64_t
signed_number(struct words *w)
{
	bool minus = w->rest.n > 0 && w->rest.p[0] == '-';
	uint64_t v;

	if (minus)
		w->rest = str_sub(w->rest, 1, w->rest.n);
	v = number(w);
	if (v > INT64_MAX)
		return minus ? INT64_MIN : INT64_MAX;
	return minus ? -(int64_t)v : (int64_t)v;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
uuid_word(struct words *w, uint8_t uuid[16])
{
	struct str s = word(w);
	size_t i;

	for (i = 0; i < 16; i++) {
		if (s.n != 32 || hex_digit(s.p[2 * i]) < 0 || hex_digit(s.p[2 * i + 1]) < 0) {
			w->bad = true;
			return;
		}
		uuid[i] = (uint8_t)(hex_digit(s.p[2 * i]) << 4 | hex_digit(s.p[2 * i + 1]));
	}
}

static bool
parse_segment(struct str line, struct manifest_segment *g)
{
	struct words w = { line, false };
	struct str state = word(&w);
	size_t i;

	for (i = 0; i < ARRAY_LEN(state_names); i++)
		if (str_eq_c(state, state_names[i]))
			break;
	if (i == ARRAY_LEN(state_names))
		return false;
	g->state = (enum manifest_state)i;
	g->number = number(&w);
	g->keep.ns = signed_number(&w);
	g->end = number(&w);
	g->n_rows = number(&w);
	g->n_blocks = number(&w);
	g->n_bytes = number(&w);
	g->raw_bytes = number(&w);
	g->min_time.ns = signed_number(&w);
	g->max_time.ns = signed_number(&w);
	g->first_commit.ns = signed_number(&w);
	g->last_commit.ns = signed_number(&w);
	g->first_row = number(&w);
	g->next_row = number(&w);
	return !w.bad && w.rest.n == 0 && g->number > 0;
}

static struct str
next_line(struct str *text)
{
	size_t n = str_find_byte(*text, '\n');
	struct str line;

	if (n == SIZE_MAX)
		n = text->n;
	line = str_sub(*text, 0, n);
	*text = str_sub(*text, n + 1, text->n);
	return line;
}

/* Cut the sum off the end; false when it does not hold. */
static bool
check_sum(struct str *text)
{
	enum { SUM_LINE = 4 + 16 + 1 };
	char want[SUM_LINE + 1];
	struct str body;

	if (text->n < SUM_LINE)
		return false;
	body = str_sub(*text, 0, text->n - SUM_LINE);
	(void)snprintf(want, sizeof(want), "sum %016" PRIx64 "\n", hash64(body));
	if (!str_eq(str_sub(*text, body.n, text->n), str_of(want, SUM_LINE)))
		return false;
	*text = body;
	return true;
}

static bool
parse_store(struct str line, struct manifest *m)
{
	struct words w = { line, false };

	if (!str_eq_c(word(&w), "store"))
		return false;
	uuid_word(&w, m->uuid);
	m->created.ns = signed_number(&w);
	m->generation = number(&w);
	m->next_segment = number(&w);
	m->sequence = number(&w);
	m->next_row = number(&w);
	return !w.bad && w.rest.n == 0;
}

int
manifest_parse(struct str text, struct manifest *ret)
{
	AUTO_FINI(manifest_fini) struct manifest m = { 0 };
	struct manifest_segment g = { 0 };
	bool sum_holds = check_sum(&text);
	struct str line = next_line(&text);

	if (!sum_holds || !str_starts(line, STR("weir-manifest ")))
		return MANIFEST_E_CORRUPT;
	if (!str_eq_c(line, "weir-manifest 1"))
		return MANIFEST_E_FORMAT;
	if (!parse_store(next_line(&text), &m))
		return MANIFEST_E_CORRUPT;
	while (text.n > 0) {
		if (m.n >= MANIFEST_SEGMENTS_MAX || !parse_segment(next_line(&text), &g) ||
		    g.number >= m.next_segment)
			return MANIFEST_E_CORRUPT;
		if (manifest_add(&m, &g) == NULL)
			return err_origin(-ENOMEM);
	}
	*ret = m;
	m = (struct manifest){ 0 };
	return 0;
}

int
manifest_read(int dir_fd, struct manifest *ret)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct stat st;
	int r;

	if (fstatat(dir_fd, "MANIFEST", &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? MANIFEST_E_NONE : err_origin(-errno);
	if (!S_ISREG(st.st_mode) || st.st_size > MANIFEST_BYTES_MAX)
		return MANIFEST_E_CORRUPT;
	r = io_read_file(dir_fd, "MANIFEST", MANIFEST_BYTES_MAX, &text);
	if (r < 0)
		return err_trace(r);
	return manifest_parse(buf_view(&text), ret);
}

int
manifest_save(int dir_fd, struct manifest *m, mode_t mode)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	int r;

	m->generation++;
	manifest_text(&text, m);
	r = buf_err(&text);
	if (r < 0)
		return err_trace(r);
	return err_trace(io_replace_file(dir_fd, "MANIFEST", buf_view(&text), mode));
}

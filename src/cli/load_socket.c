/*
 * cli/load_socket.c - lines into a store that the daemon holds.
 * One job: hand the inputs' lines over its control socket, each batch once.
 * Floor: 6 (uses query, base).
 *
 * A batch has an ID of its own, so that one whose answer was lost can be sent again.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/inflate.h"
#include "base/io.h"
#include "cli/load.h"
#include "cli/say.h"
#include "cli/socket.h"
#include "cli/stop.h"

enum { BATCH_BYTES = 4 << 20, TRIES = 30, RETRY_MS = 1000 };

struct send {
	const char *store;
	int fd;
	struct buf path; /* with its parameters */
	uint64_t run, n_batches;
	struct load_progress *progress;
};

static void
put_encoded(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((s.p[i] >= '0' && s.p[i] <= '9') ||
		    (str_lower_byte(s.p[i]) >= 'a' && str_lower_byte(s.p[i]) <= 'z') ||
		    strchr("-._~=,", s.p[i]) != NULL)
			buf_byte(out, s.p[i]);
		else
			buf_printf(out, "%%%02X", s.p[i]);
}

static void
make_path(struct send *s, const struct options *opt)
{
	size_t i;

	buf_c(&s->path, "/insert/jsonline?parser=");
	put_encoded(&s->path, str_c(opt->parser != NULL ? opt->parser : "auto"));
	for (i = 0; i < opt->stream.n; i++) {
		buf_c(&s->path, i == 0 ? "&_stream_fields=" : ",");
		put_encoded(&s->path, str_c(opt->stream.p[i]));
	}
}

/* One try: 0 taken, 1 try again, else an exit code. */
static int
try_batch(struct send *s, const char *headers, struct str lines)
{
	AUTO_FINI(buf_fini) struct buf answer = BUF_INIT;
	int r, status = 0;

	if (s->fd < 0 && socket_open(s->store, &s->fd) != 0)
		return 1;
	r = socket_request(s->fd, "POST", buf_c_str(&s->path), headers, lines, &status, &answer);
	if (r != 0 || status == 429 || status >= 500) {
		(void)close(s->fd);
		s->fd = -1;
		return 1;
	}
	if (status >= 200 && status < 300)
		return 0;
	return cli_fail(status == 400 ? CLI_USAGE : CLI_FAILED, "ingest failed: HTTP %d %.*s",
	    status, STR_ARG(str_trim(buf_view(&answer))));
}

static int
send_batch(struct send *s, struct str lines)
{
	char headers[96];
	int r = 1, i;

	(void)snprintf(headers, sizeof(headers), "Weir-Batch: %016llx-%llu\r\n",
	    (unsigned long long)s->run, (unsigned long long)s->n_batches++);
	for (i = 0; r == 1 && i < TRIES && !atomic_load(cli_stop_flag()); i++) {
		if (i > 0)
			(void)poll(NULL, 0, RETRY_MS);
		r = try_batch(s, headers, lines);
	}
	if (r == 1)
		return cli_fail(CLI_FAILED, "ingest failed: the daemon of %s takes no more lines",
		    s->store);
	if (r == 0) {
		s->progress->n_bytes += lines.n;
		load_progress_show(s->progress, false);
	}
	return r;
}

/* Whole lines go out, the cut one stays. */
static int
send_lines(struct send *s, struct buf *window, bool last)
{
	size_t n = window->n, i;
	int r;

	while (!last && n > 0 && window->p[n - 1] != '\n')
		n--;
	if (n == 0 && window->n >= BATCH_BYTES)
		n = window->n;
	if (n == 0)
		return 0;
	for (i = 0; i < n; i++)
		s->progress->n_rows += window->p[i] == '\n';
	r = send_batch(s, str_of(window->p, n));
	memmove(window->p, window->p + n, window->n - n);
	window->n -= n;
	return r;
}

static int
read_failed(const struct inflate *in, const char *path, int r)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	inflate_why(in, r, &why);
	return cli_fail(CLI_FAILED, "read failed: %s: %s", path, buf_c_str(&why));
}

static int
send_file(struct send *s, const char *path)
{
	AUTO_FINI(buf_fini) struct buf window = BUF_INIT;
	AUTO(inflate_free) struct inflate *in = NULL;
	AUTO_CLOSE int own = -1;
	size_t got = 1;
	int r, bad = 0, fd = STDIN_FILENO;

	if (strcmp(path, "-") != 0)
		fd = own = io_open(AT_FDCWD, path, O_RDONLY | O_NOCTTY, 0);
	if (fd < 0)
		return cli_fail(CLI_FAILED, "read failed: %s: %s", path, err_str(fd));
	if (inflate_new(&in, fd) < 0 || !buf_grow(&window, BATCH_BYTES))
		return cli_fail(CLI_FAILED, "ingest failed: %s", err_str(-ENOMEM));
	while (got > 0 && !atomic_load(cli_stop_flag())) {
		bad = inflate_read(in, window.p + window.n, BATCH_BYTES - window.n, &got);
		/* what was whole goes out all the same */
		if (bad != 0)
			got = 0;
		window.n += got;
		if (window.n == BATCH_BYTES || got == 0) {
			r = send_lines(s, &window, got == 0);
			if (r != 0)
				return r;
		}
	}
	return bad != 0 ? read_failed(in, path, bad) : 0;
}

int
load_socket(const struct options *opt, const char *store, struct load_progress *p)
{
	struct send s = { .store = store, .fd = -1, .progress = p };
	size_t i;
	int r = 0, worst = 0;

	if (getrandom(&s.run, sizeof(s.run), 0) != sizeof(s.run))
		s.run = (uint64_t)opt->now.ns;
	make_path(&s, opt);
	for (i = 0; i < opt->n_args && !atomic_load(cli_stop_flag()); i++) {
		r = send_file(&s, opt->args[i]);
		if (r > worst)
			worst = r;
	}
	if (s.fd >= 0)
		(void)close(s.fd);
	buf_fini(&s.path);
	return worst;
}

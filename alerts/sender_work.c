/*
 * alerts/sender_work.c - a job at work.
 * One job: limits, secrets, phases and the answer of one job's process.
 * Floor: 4 (uses base).
 */
#include "alerts/sender_work.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "alerts/mail.h"
#include "alerts/webhook.h"
#include "base/io.h"

enum { WORK_MARGIN_S = 10, WORK_CPU_S = 30, WORK_FILES = 64 };

static void
work_limits(void)
{
	const struct rlimit cpu = { WORK_CPU_S, WORK_CPU_S }, files = { WORK_FILES, WORK_FILES },
	                    none = { 0, 0 };

	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)setrlimit(RLIMIT_CORE, &none);
}

void
send_phase(const struct send_work *w, const char *phase, bool unsure)
{
	AUTO_FINI(buf_fini) struct buf frame = BUF_INIT;

	if (w->fd < 0)
		return;
	send_phase_put(&frame, phase, unsure);
	if (!frame.failed)
		(void)io_write(w->fd, frame.p, frame.n);
}

struct span
send_wait(const struct send_work *w, int64_t ms)
{
	struct span until;

	if (w->job->timeout.ns > 0 && w->job->timeout.ns < ms * NS_PER_MS)
		until.ns = mono_now().ns + w->job->timeout.ns;
	else
		until.ns = mono_now().ns + ms * NS_PER_MS;
	if (until.ns > w->until.ns)
		until = w->until;
	return until;
}

void
send_secret_path(const struct send_work *w, struct str name, struct buf *out)
{
	if (name.n > 0 && name.p[0] != '/' && w->secrets != NULL) {
		buf_c(out, w->secrets);
		buf_byte(out, '/');
	}
	buf_str(out, name);
}

static bool
secret_name_ok(struct str name)
{
	return str_find_byte(name, '\0') == SIZE_MAX && str_find(name, STR("../")) == SIZE_MAX;
}

bool
send_secret(const struct send_work *w, struct str name, struct buf *out, struct buf *why)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	size_t before = out->n;
	int r = -EINVAL;

	if (secret_name_ok(name)) {
		send_secret_path(w, name, &path);
		r = io_read_file(AT_FDCWD, buf_c_str(&path), SEND_SECRET_MAX, out);
	}
	if (r == 0)
		r = buf_err(out);
	if (r != 0) {
		buf_printf(why, "secret file %.*s: %s", STR_ARG(name), err_str(r));
		return false;
	}
	while (out->n > before && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
		out->n--;
	return true;
}

void
send_work_run(struct send_work *w)
{
	AUTO_FINI(send_report_fini) struct send_report rep = { .r = { .outcome = SEND_LATER } };
	AUTO_FINI(buf_fini) struct buf frame = BUF_INIT;

	work_limits();
	w->until.ns = mono_now().ns + (SENDER_JOB_MAX_S - WORK_MARGIN_S) * NS_PER_S;
	if (w->job->kind == RECEIVER_EMAIL)
		mail_send(w, &rep);
	else
		webhook_send(w, &rep);
	buf_clear(&rep.id);
	buf_str(&rep.id, w->job->id);
	send_report_close(&rep);
	send_result_put(&frame, &rep.r);
	if (!frame.failed)
		(void)io_write(w->fd, frame.p, frame.n);
}
